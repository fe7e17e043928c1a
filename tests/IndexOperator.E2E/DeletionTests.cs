using IndexOperator.TestSupport;

namespace IndexOperator.E2E;

/// <summary>What is left of an index that is deleted.</summary>
public sealed class DeletionTests(Cluster cluster) : ScenarioTests(cluster, "delete")
{
    [Fact]
    public async Task Delete_removes_the_versions_once_no_pod_reads_them_and_Retain_leaves_them()
    {
        Scenario.Age(Here.Volume("corpus"), "text");
        await Here.ApplyAsync(Scenario.Manifest("stays", sequenceLength: 48));
        var stays = await Here.ReadyAsync("stays");
        await Here.ApplyAsync(Scenario.Manifest("goes", deletionPolicy: "Delete"));
        var first = await Here.ReadyAsync("goes");
        await Here.StartPodAsync("trainer", "goes", first);
        await Here.ApplyAsync(Scenario.Manifest("goes", sequenceLength: 32, deletionPolicy: "Delete"));
        await Here.ReadyAsync("goes");
        // A third version is only half done, and its builder could not clean up after itself.
        await Here.ApplyAsync(Scenario.SlowManifest("goes", deletionPolicy: "Delete"));
        Cluster.Kill(await Here.BuildingAsync("goes"), "index-builder");
        Assert.Equal(3, Here.Versions().Count);
        Assert.NotEmpty(Here.Staging());

        await Here.KubectlAsync("delete", "pretrainindex", "goes", "--wait=false");
        var message = await Here.RefusedAsync("goes", "InUse");
        Assert.Contains("trainer", message, StringComparison.Ordinal);
        Assert.Equal(message, Assert.Single(await Here.ToldAsync("goes", "InUse")));
        Assert.Equal(3, Here.Versions().Count);
        await Here.ReadsAsync("trainer", first);

        await Here.EndPodAsync("trainer");
        await Here.KubectlAsync("wait", "--for=delete", "pretrainindex/goes", Cluster.Timeout);
        Assert.Equal([(string)stays["current"]!["version"]!], Here.Versions());
        Assert.Empty(Here.Staging());
        Assert.Empty(await Here.ToldAsync("goes", "CleanupGivenUp"));

        await Here.KubectlAsync("delete", "pretrainindex", "stays", Cluster.Timeout);
        Assert.Equal([(string)stays["current"]!["version"]!], Here.Versions());
        await Cluster.BuilderAsync("verify", Here.VersionFolder(stays));
        await Wait.Until(
            "their Jobs and pods to be gone",
            async () => (await Here.ListAsync("jobs,pods", "-l", "app.kubernetes.io/managed-by=index-operator")).Count == 0,
            Cluster.Patience);
    }
}
