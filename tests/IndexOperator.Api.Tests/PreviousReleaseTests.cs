using IndexOperator.TestSupport;

namespace IndexOperator.Api.Tests;

/// <summary>Which release an upgrade is tried from: <c>hack/previous-release.sh find</c> in repositories made for it.</summary>
public sealed class PreviousReleaseTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("previous-release-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("0.2.0", "v0.1.0", "v0.1.0")]
    [InlineData("0.2.0", "v0.2.0", "v0.1.0 v0.2.0")]
    [InlineData("0.2.0", "v0.1.0", "v0.1.0 v0.3.0")]
    [InlineData("0.11.0", "v0.10.0", "v0.9.0 v0.10.0 v0.2.0")]
    public async Task It_is_the_newest_with_a_commit_that_is_not_newer_than_the_checkout(string version, string expected, string tagged)
    {
        var commit = await RepositoryAsync(version);
        Directory.CreateDirectory(Path.Combine(_folder, "tests/released/v0.1.5"));
        foreach (var release in tagged.Split(' '))
        {
            Record(release, commit);
        }

        var found = await FindAsync();
        Assert.Equal((0, $"{expected} {commit}\n"), (found.ExitCode, found.Output));
    }

    [Theory]
    [InlineData("v0.1.0", "0000000000000000000000000000000000000000", "this clone does not have commit 0000000000000000000000000000000000000000, the release v0.1.0", "git fetch --unshallow")]
    [InlineData("v0.1.0", "main", "tests/released/v0.1.0/commit is not one line of 40 hexadecimal digits", "git rev-parse 'v0.1.0^{commit}'")]
    [InlineData("v0.3.0", "0000000000000000000000000000000000000000", "no previous release", "docs/releasing.md")]
    public async Task What_is_not_there_is_told_with_what_to_do(string release, string commit, string cause, string next)
    {
        await RepositoryAsync("0.2.0");
        Record(release, commit);

        var found = await FindAsync();
        Assert.Equal((1, ""), (found.ExitCode, found.Output));
        Assert.Contains(cause, found.Error, StringComparison.Ordinal);
        Assert.Contains(next, found.Error, StringComparison.Ordinal);
    }

    private async Task<string> RepositoryAsync(string version)
    {
        foreach (var script in new[] { "hack/previous-release.sh", "hack/lib/common.sh" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder, script))!);
            File.Copy(RepositoryRoot.PathOf(script), Path.Combine(_folder, script));
        }

        await File.WriteAllTextAsync(Path.Combine(_folder, "Directory.Build.props"), $"<Project><PropertyGroup><Version>{version}</Version></PropertyGroup></Project>\n", TestContext.Current.CancellationToken);
        await GitAsync("init", "-q");
        await GitAsync("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false", "commit", "-q", "--allow-empty", "-m", "a release");
        return (await GitAsync("rev-parse", "HEAD")).Trim();
    }

    private void Record(string release, string commit) =>
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "tests/released", release)).FullName, "commit"), commit + "\n");

    private async Task<CommandResult> FindAsync() => await Command.RunAsync(Path.Combine(_folder, "hack/previous-release.sh"), ["find"], cancellation: TestContext.Current.CancellationToken);

    private async Task<string> GitAsync(params string[] arguments)
    {
        var result = await Command.RunAsync("git", ["-C", _folder, .. arguments], cancellation: TestContext.Current.CancellationToken);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }
}
