using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s.Models;

namespace IndexOperator.Integration;

/// <summary>A build's pod is killed for its memory, thrown out, or lost with its node.</summary>
public sealed class BuildPodFaultTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    private const long Gibibyte = 1L << 30;

    [Fact]
    public async Task Killed_for_its_memory_it_is_tried_once_more_with_what_the_builder_foresaw()
    {
        await StartOperatorAsync();
        await CreateAsync("mix", spec => spec with { Build = new BuildSpec { Resources = Memory("1Gi") } });
        await KilledAsync(await Player.PodAsync("mix"), 4 * Gibibyte);
        var told = await NotReadyAsync("mix", Reasons.OutOfMemory);
        Assert.Contains("It is tried once more with 5.0Gi.", told.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);
        Assert.True(told.Is(ConditionTypes.Stalled, "False"));

        var second = await Player.PodAsync("mix");
        var resources = second.Spec.Containers[0].Resources;
        Assert.Equal((5 * Gibibyte, 5 * Gibibyte), ((long)resources.Limits["memory"].ToDecimal(), (long)resources.Requests["memory"].ToDecimal()));
        Assert.Equal(5 * Gibibyte, (await GetAsync("mix")).Status!.Build!.MemoryBytes);

        // That was not enough either: a person must say more.
        await KilledAsync(second, 4 * Gibibyte);
        var stalled = await IndexAsync("mix", "Stalled", index => index.Is(ConditionTypes.Stalled, "True", Reasons.OutOfMemory));
        Assert.Contains("Raise spec.build.resources.limits.memory further, or split the blend.", stalled.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);
        Assert.Equal(2, JobsEver("mix").Count);
    }

    [Fact]
    public async Task What_it_needs_is_not_given_beyond_what_the_administrator_allows()
    {
        await StartOperatorAsync(options => options with { Planner = options.Planner with { MaximumBuildMemory = "2Gi" } });
        await CreateAsync("mix");
        await KilledAsync(await Player.PodAsync("mix"), 4 * Gibibyte);
        var stalled = await IndexAsync("mix", "Stalled", index => index.Is(ConditionTypes.Stalled, "True", Reasons.OutOfMemory));
        Assert.Contains("It needs about 5.0Gi, and this operator gives at most 2Gi (--build-memory-max).", stalled.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);
        Assert.Single(JobsEver("mix"));

        // The person does.
        Player.SucceedAll();
        await PatchSpecAsync("mix", new JsonObject { ["build"] = new JsonObject { ["resources"] = new JsonObject { ["limits"] = new JsonObject { ["memory"] = "8Gi" } } } });
        await ReadyAsync("mix");
    }

    [Fact]
    public async Task Thrown_out_it_begins_again_and_tells_it_once()
    {
        await StartOperatorAsync();
        await CreateAsync("mix");
        var pod = await Player.PodAsync("mix");
        await Player.RunAsync(pod);
        await Player.EvictAsync(pod, "The node was low on resource: ephemeral-storage.");
        await NotReadyAsync("mix", Reasons.Evicted);
        await Player.EndAsync(await Player.PodAsync("mix"), 0, Specs.Built());
        var ready = await ReadyAsync("mix");
        Assert.Null(ready.Status!.Build);
        Assert.Equal(2, JobsEver("mix").Count);
        Assert.Equal(1, Assert.Single(Told("mix"), told => told.Reason == Reasons.Evicted).Times);
    }

    [Fact]
    public async Task Lost_with_its_node_it_begins_again_in_a_folder_of_its_own()
    {
        await StartOperatorAsync();
        Player.StopsWhenTold = false;
        await CreateAsync("mix");
        var lost = await Player.PodAsync("mix");
        await Player.RunAsync(lost);
        await IndexAsync("mix", "seen to run", index => index.Status!.Build?.RunningSince is not null);

        // What the node controller does; no kubelet answers, and for all anybody knows the builder still writes.
        await Client.DeleteAsync(KnownResources.Pods, ObjectKey.Of(lost), TestContext.Current.CancellationToken);
        await UntilAsync("another pod", () => Pods.Now.Any(pod => pod.Metadata.DeletionTimestamp is null), TimeSpan.FromMinutes(3));
        var next = await Player.PodAsync("mix");
        foreach (var pod in new[] { lost, next })
        {
            var container = pod.Spec.Containers[0];
            Assert.EndsWith(".$(POD_NAME)", container.Args[container.Args.IndexOf("--build-id") + 1], StringComparison.Ordinal);
            Assert.Contains(container.Env, variable => variable.Name == "POD_NAME" && variable.ValueFrom.FieldRef.FieldPath == "metadata.name");
        }

        await Player.EndAsync(next, 0, Specs.Built());
        var ready = await ReadyAsync("mix");
        Assert.Null(ready.Status!.Build);
        Assert.Contains(Pods.Now, pod => pod.Metadata.Uid == lost.Metadata.Uid);
    }

    private static V1ResourceRequirements Memory(string limit) => new() { Limits = new Dictionary<string, ResourceQuantity> { ["memory"] = new(limit) } };

    /// <summary>The kernel kills the builder: what it had said so far is all there is.</summary>
    private async Task KilledAsync(V1Pod pod, long predicted)
    {
        await Player.RunAsync(pod);
        await Player.EndAsync(pod, 137, new BuildReport { Outcome = BuildReport.Begun, PredictedMemoryBytes = predicted }.ToJson(), "OOMKilled");
    }
}
