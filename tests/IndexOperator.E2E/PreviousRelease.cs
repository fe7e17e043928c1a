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
    /// <summary>Its chart.</summary>
    public string Chart => Path.Combine(Folder, Helm.Chart);

    /// <summary>Its definition.</summary>
    public string Definition => Path.Combine(Folder, ReleaseTests.Definition);

    /// <summary>
    /// The previous release, in the node; made where it is not yet, which takes minutes. Skips the test with what is lacking where this clone
    /// does not have its commit.
    /// </summary>
    public static async Task<PreviousRelease> OrSkipAsync(Cluster cluster)
    {
        var script = RepositoryRoot.PathOf("hack/previous-release.sh");
        var found = await Command.RunAsync(script, ["find"]);
        if (found.ExitCode != 0)
        {
            Assert.Skip($"needs the previous release: {found.Error.Trim()}");
        }

        var loaded = await Command.RunAsync(script, ["load", cluster.Folder], deadline: TimeSpan.FromMinutes(30), cancellation: TestContext.Current.CancellationToken);
        Assert.True(loaded.ExitCode == 0, loaded.ToString());
        return new PreviousRelease(found.Output.Split(' ')[0], loaded.Output.Trim());
    }
}
