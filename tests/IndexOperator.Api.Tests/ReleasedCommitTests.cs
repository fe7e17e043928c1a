using IndexOperator.TestSupport;

namespace IndexOperator.Api.Tests;

/// <summary>What was released can be had again: each release tells its commit, and that commit is the release.</summary>
public sealed class ReleasedCommitTests
{
    public static TheoryData<string> Tagged => [.. Released.Versions.Where(release => Released.Commit(release) is not null)];

    [Fact]
    public void Every_release_but_the_one_that_is_being_made_tells_its_commit()
    {
        var without = Released.Versions.Where(release => release != Released.Present && Released.Commit(release) is null).ToList();
        Assert.True(without.Count == 0, $"no file commit in {Released.Folder} of {string.Join(", ", without)} (docs/releasing.md, Making a release)");
    }

    [Theory]
    [MemberData(nameof(Tagged))]
    public async Task The_commit_has_the_version_and_the_record_as_it_is(string release)
    {
        var commit = Released.Commit(release)!;
        Assert.Matches("^[0-9a-f]{40}$", commit);
        var there = await GitAsync("cat-file", "-e", $"{commit}^{{commit}}");
        Assert.SkipUnless(there.ExitCode == 0, $"needs commit {commit} of {release}, which this clone does not have (git fetch --unshallow; in a workflow fetch-depth: 0): {there.Error.Trim()}");

        Assert.Contains($"<Version>{release[1..]}</Version>", (await GitAsync("show", $"{commit}:Directory.Build.props")).Output, StringComparison.Ordinal);
        var tag = await GitAsync("rev-parse", "-q", "--verify", $"refs/tags/{release}^{{commit}}");
        Assert.True(tag.ExitCode != 0 || tag.Output.Trim() == commit, $"{release} is tagged at {tag.Output.Trim()}, and its file commit says {commit}");

        // What was released does not change.
        var changed = await GitAsync("diff", "--name-only", commit, "--", $"{Released.Folder}/{release}", $":(exclude){Released.Folder}/{release}/commit");
        Assert.True(changed is { ExitCode: 0, Output: "" }, $"{release} was tagged with another record than this: {changed}");
    }

    private static Task<CommandResult> GitAsync(params string[] arguments) => Command.RunAsync("git", arguments, cancellation: TestContext.Current.CancellationToken);
}
