using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Planning;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary><c>suspend</c> also stops what runs beside builds, at once, and takes nothing away from what is published.</summary>
public sealed class SuspendTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_look_under_way_is_stopped_and_none_begins_until_the_resource_goes_on()
    {
        var passes = Keep(new Passes(Namespace));
        await StartOperatorAsync();
        Player.SucceedAll();
        Player.Checks = _ => null;
        await CreateAsync("mix", spec => spec with { Refresh = new RefreshSpec { Interval = GoDuration.Parse("100ms") } });
        await ReadyAsync("mix");
        await Player.RunAsync(await Player.PodAsync("mix", BuildAttempt.CheckTask));

        await SuspendAsync("mix", true);
        await UntilAsync("Job and pod of the look to be gone", () => Jobs.Now.All(IsBuild) && Pods.Now.Count == 1);
        var suspended = await IndexAsync("mix", "looked at", index => index.Status!.ObservedGeneration == 2);
        Assert.True(suspended.Is(ConditionTypes.Ready, "True"));
        Assert.True(suspended.Is(ConditionTypes.Available, "True"));
        Assert.True(suspended.Is(ConditionTypes.Reconciling, "False"));

        // One has been due all the while.
        await LookAgainAsync(passes, "once", ["mix"]);
        await LookAgainAsync(passes, "twice", ["mix"]);
        Assert.Single(JobsEver("mix", BuildAttempt.CheckTask));

        Player.Checks = pod => (0, Specs.Checked(pod));
        await SuspendAsync("mix", false);
        await IndexAsync("mix", "looked after again", index => index.Is(ConditionTypes.DataCurrent, "True", Reasons.Unchanged));
        Assert.Single(JobsEver("mix"));
    }

    [Fact]
    public async Task A_removal_under_way_is_stopped_and_done_later()
    {
        await StartOperatorAsync();
        Player.SucceedAll("mon");
        Player.Removals = _ => null;
        await CreateAsync("mix", spec => spec with { Cache = new CacheSpec { ClaimName = Specs.CacheClaim, SubPath = null!, HistoryLimit = 0 } });
        await ReadyAsync("mix");
        Player.SucceedAll("tue");
        await PatchSpecAsync("mix", new JsonObject { ["dataVersion"] = "tue" });
        await Player.RunAsync(await Player.PodAsync("mix", BuildAttempt.PruneTask));

        await SuspendAsync("mix", true);
        await UntilAsync("Job and pod of the removal to be gone", () => Jobs.Now.All(IsBuild) && Pods.Now.All(pod => pod.Metadata.Labels[Labels.Task] == BuildAttempt.BuildTask));
        Assert.Equal(Specs.Version("mon"), Assert.Single((await GetAsync("mix")).Status!.Previous!).Version);

        Player.Removals = _ => (0, "");
        await SuspendAsync("mix", false);
        var pruned = await IndexAsync("mix", "without earlier versions", index => index.Status is { Previous: null });
        Assert.True(pruned.Is(ConditionTypes.Ready, "True"));
        Assert.Equal(2, JobsEver("mix", BuildAttempt.PruneTask).Count);
    }

    private static bool IsBuild(k8s.Models.V1Job job) => BuildAttempt.TaskOf(job) == BuildAttempt.BuildTask;

    private Task<PretrainIndex> SuspendAsync(string name, bool suspend) => PatchSpecAsync(name, new JsonObject { ["suspend"] = suspend });
}
