namespace IndexOperator.E2E;

/// <summary>The operator is taken off the cluster with all that it knows, and put on again. Runs when the others have ended: it takes every resource with it.</summary>
public sealed class UninstallTests(Cluster cluster) : ScenarioTests(cluster, "uninstall")
{
    [Fact]
    public async Task What_was_published_outlives_the_definition_and_the_operator_and_is_reused_when_they_return()
    {
        // Others may still be cleaning up, which needs the operator.
        await Here.Cluster.CleanedUpAsync();
        Scenario.Age(Here.Volume("corpus"), "text");
        await Here.ApplyAsync(Scenario.Manifest("text"));
        var before = await Here.ReadyAsync("text");
        await Here.StartPodAsync("trainer", "text", before);
        var files = await Here.FilesAsync();

        // The definition goes while a pod uses a resource: for a resource alone that would be waited for.
        await Here.Cluster.UninstallDefinitionAsync();
        await Here.ReadsAsync("trainer", before);
        await Here.Cluster.UninstallOperatorAsync();
        Assert.Equal(files, await Here.FilesAsync());

        await Here.Cluster.InstallAsync();
        await Here.ApplyAsync(Scenario.Manifest("text"));
        var after = await Here.ReadyAsync("text");
        Assert.Equal(((string?)before["current"]!["version"], "Reused"), ((string?)after["current"]!["version"], (string?)after["current"]!["outcome"]));
        Assert.True(Scenario.Is(after, "Verified", "True"), after.ToJsonString());
        Assert.Equal(1, (int?)after["consumers"]!["running"]);
        Assert.Equal(files, await Here.FilesAsync());
        Assert.Empty(Here.Staging());
        await Here.ReadsAsync("trainer", before);
    }
}
