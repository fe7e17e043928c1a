using IndexOperator.TestSupport;

namespace IndexOperator.E2E;

/// <summary>
/// The release before this checkout, as <c>hack/previous-release.sh</c> made it of the commit that was tagged: its images are in the node
/// under its version as their tag.
/// </summary>
/// <param name="Version">Its version, with a <c>v</c> before it.</param>
/// <param name="Folder">Where its files are.</param>
public sealed record PreviousRelease(string Version, string Folder)
{
    private const string Variable = "INDEXOPERATOR_E2E_PREVIOUS";

    /// <summary>Its chart.</summary>
    public string Chart => Path.Combine(Folder, Helm.Chart);

    /// <summary>Its definition.</summary>
    public string Definition => Path.Combine(Folder, ReleaseTests.Definition);

    /// <summary>The previous release; skips the test with what is lacking where it is not there.</summary>
    public static async Task<PreviousRelease> OrSkipAsync()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder)
        {
            var text = await File.ReadAllTextAsync(Path.Combine(folder, "release"));
            return new PreviousRelease(text.Split(' ')[0], folder);
        }

        var found = await Command.RunAsync(RepositoryRoot.PathOf("hack/previous-release.sh"), ["find"]);
        Assert.Skip($"needs the previous release in the node: {(found.ExitCode == 0 ? $"run `make e2e`, which loads {found.Output.Trim()} and sets {Variable}." : found.Error.Trim())}");
        throw new InvalidOperationException("a skipped test goes on");
    }
}
