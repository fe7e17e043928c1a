using System.Globalization;
using IndexOperator.TestSupport;

namespace IndexOperator.E2E;

/// <summary>Builds that are interrupted in the middle: by a person, on the node, by the operator's own end.</summary>
public sealed class InterruptionTests(Cluster cluster) : ScenarioTests(cluster, "stop")
{
    [Fact]
    public async Task Progress_moves_while_a_build_runs()
    {
        await Here.ApplyAsync(Scenario.SlowManifest("slow"));
        var seen = new List<(string? Phase, int Percent)>();
        await Here.UntilAsync(
            "slow",
            "Ready, with progress on the way",
            status =>
            {
                if (status["build"] is { } build && (int?)build["percent"] is { } percent && (seen.Count == 0 || seen[^1].Percent != percent))
                {
                    seen.Add(((string?)build["phase"], percent));
                    Cluster.Say($"slow: {build["progress"]}");
                    Assert.Equal("False", (string?)Scenario.Condition(status, "Ready")!["status"]);
                    Assert.Equal("True", (string?)Scenario.Condition(status, "Reconciling")!["status"]);
                }

                return (string?)Scenario.Condition(status, "Ready")?["status"] == "True";
            });
        Assert.True(seen.Count >= 2, string.Join(' ', seen));
        Assert.Equal(seen.Select(step => step.Percent).Order(), seen.Select(step => step.Percent));
    }

    [Fact]
    public async Task A_resource_deleted_in_the_middle_of_its_build_leaves_nothing()
    {
        await Here.ApplyAsync(Scenario.SlowManifest("slow"));
        await Here.BuildingAsync("slow");
        Assert.NotEmpty(Here.Staging());
        await Here.KubectlAsync("delete", "pretrainindex", "slow", Cluster.Timeout);
        Assert.Empty(Here.Staging());
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(Here.Volume("npy-index"), "versions")));
        await Wait.Until(
            "its Jobs, pods and ConfigMaps to be gone",
            async () => (await Here.ListAsync("jobs,pods,configmaps", "-l", "app.kubernetes.io/managed-by=index-operator")).Count == 0,
            Cluster.Patience);
        Assert.DoesNotContain(await Here.ListAsync("events"), told => (string?)told["reason"] == "CleanupGivenUp");
    }

    [Fact]
    public async Task A_builder_killed_on_the_node_is_tried_again_and_leaves_nothing_in_staging()
    {
        await Here.ApplyAsync(Scenario.SlowManifest("slow"));
        var pod = await Here.BuildingAsync("slow");
        var staging = Assert.Single(Here.Staging());
        Cluster.Kill(pod, "index-builder");
        var failed = await Here.UntilAsync("slow", "a failure and the time of the next attempt", status => status["build"]?["lastFailure"] is not null && status["build"]!["nextRetryAt"] is not null);
        Assert.Equal("BuilderCrashed", (string?)failed["build"]!["lastFailure"]!["reason"]);
        Assert.Contains("137", (string?)failed["build"]!["lastFailure"]!["message"], StringComparison.Ordinal);
        Assert.Equal("False", (string?)Scenario.Condition(failed, "Stalled")!["status"]);
        var status = await Here.ReadyAsync("slow");
        Assert.Equal("Built", (string?)status["current"]!["outcome"]);
        Assert.Empty(Here.Staging());
        Assert.False(Directory.Exists(staging));
        await Cluster.BuilderAsync("verify", Here.VersionFolder(status));
        Assert.Contains(await Here.ListAsync("events"), told => (string?)told["reason"] == "BuilderCrashed");
    }

    [Theory]
    [InlineData("deleted by force")]
    [InlineData("killed on its node")]
    public async Task An_operator_that_dies_during_a_build_goes_on_with_the_same_Job(string how)
    {
        await Here.ApplyAsync(Scenario.SlowManifest("slow"));
        await Here.BuildingAsync("slow");
        var job = Assert.Single(await Here.JobsAsync("slow"));
        var dying = await Here.Cluster.OperatorPodAsync();
        if (how == "killed on its node")
        {
            Cluster.Kill(dying, "index-operator");
        }
        else
        {
            await Here.KubectlAsync("-n", Cluster.OperatorNamespace, "delete", "pod", (string)dying["metadata"]!["name"]!, "--force", "--grace-period=0");
        }

        var status = await Here.ReadyAsync("slow");
        Assert.Equal("Built", (string?)status["current"]!["outcome"]);
        Assert.Equal((string?)job["metadata"]!["uid"], (string?)Assert.Single(await Here.JobsAsync("slow"))["metadata"]!["uid"]);
        Assert.Single(await Here.PodsAsync("slow"));
        Assert.Single(await Here.ListAsync("events"), told => (string?)told["reason"] == "BuildStarted");
        Assert.Empty(Here.Staging());
        await Here.Cluster.RolloutAsync();
    }

    [Fact]
    public async Task An_operator_that_restarts_with_nothing_to_do_builds_nothing()
    {
        await Here.ApplyAsync(Scenario.Manifest("done"));
        await Here.ReadyAsync("done");
        var resource = (string?)(await Here.IndexAsync("done"))["metadata"]!["resourceVersion"];
        var jobs = (await Here.JobsAsync("done")).Select(job => (string)job["metadata"]!["uid"]!).ToList();
        var before = (string)(await Here.Cluster.OperatorPodAsync())["metadata"]!["name"]!;
        await Here.KubectlAsync("-n", Cluster.OperatorNamespace, "delete", "pod", before, "--wait=true");
        await Here.Cluster.RolloutAsync();
        await Wait.Until(
            "the new operator to have looked at the resource",
            async () => Passes(await Here.Cluster.MetricsAsync()) > 0,
            Cluster.Patience);
        Assert.Equal(jobs, (await Here.JobsAsync("done")).Select(job => (string)job["metadata"]!["uid"]!));
        Assert.Equal(resource, (string?)(await Here.IndexAsync("done"))["metadata"]!["resourceVersion"]);
    }

    private static double Passes(string metrics) => metrics.Split('\n')
        .Where(line => line.StartsWith("controller_runtime_reconcile_total{", StringComparison.Ordinal) && !line.Contains("result=\"error\"", StringComparison.Ordinal))
        .Sum(line => double.Parse(line.Split("} ")[1].Split(' ')[0], CultureInfo.InvariantCulture));
}
