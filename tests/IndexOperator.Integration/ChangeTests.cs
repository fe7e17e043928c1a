using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>People change their minds, and objects, while a build is under way.</summary>
public sealed class ChangeTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_new_spec_supersedes_the_build_and_waits_until_it_has_stopped()
    {
        await StartOperatorAsync();
        Player.StopsWhenTold = false;
        await CreateAsync("mix");
        var old = await Player.PodAsync("mix");
        await Player.RunAsync(old);
        await IndexAsync("mix", "seen to run", index => index.Status!.Build?.RunningSince is not null);

        await PatchSpecAsync("mix", new JsonObject { ["dataset"] = new JsonObject { ["sequenceLength"] = 8192 } });
        await UntilAsync("the old pod to be told to stop", () => Pods.Now.Single().Metadata.DeletionTimestamp is not null);
        await IndexAsync("mix", "waiting for the old build", index =>
            index.Is(ConditionTypes.Ready, "False", Reasons.Building) && index.ConditionOf(ConditionTypes.Ready)!.Message!.Contains(old.Metadata.Name, StringComparison.Ordinal));
        Assert.Single(JobsEver("mix"));

        await Player.KillAsync(old);
        var next = await Player.PodAsync("mix");
        Assert.NotEqual(old.Metadata.Uid, next.Metadata.Uid);
        await Player.EndAsync(next, 0, Specs.Built("longer"));
        var ready = await ReadyAsync("mix");
        Assert.Equal(Specs.Version("longer"), ready.Status!.Current!.Version);
        Assert.Equal(2, JobsEver("mix").Count);

        // The build that was stopped may have left a folder; the one after it swept, so nothing is left to clean up.
        await DeleteAsync("mix");
        await GoneAsync("mix");
        Assert.Empty(JobsEver("mix", BuildAttempt.CleanupTask));
    }

    [Fact]
    public async Task A_spec_changed_back_and_forth_ends_with_what_it_says_last()
    {
        await StartOperatorAsync();
        Player.EndAll(_ => (0, Specs.Built()));
        await CreateAsync("mix");
        for (var seed = 1; seed <= 6; seed++)
        {
            await PatchSpecAsync("mix", new JsonObject { ["dataset"] = new JsonObject { ["randomSeed"] = seed } });
        }

        var ready = await ReadyAsync("mix");
        Assert.Equal(7, ready.Metadata.Generation);
        await UntilAsync("one Job to be left", () => Jobs.Now.Count(job => job.Metadata.DeletionTimestamp is null) == 1);
    }

    [Fact]
    public async Task Suspend_stops_the_build_and_resume_starts_it_again()
    {
        await StartOperatorAsync();
        await CreateAsync("mix");
        await Player.RunAsync(await Player.PodAsync("mix"));
        await IndexAsync("mix", "seen to run", index => index.Status!.Build?.RunningSince is not null);

        await PatchSpecAsync("mix", new JsonObject { ["suspend"] = true });
        var suspended = await NotReadyAsync("mix", Reasons.Suspended);
        Assert.True(suspended.Is(ConditionTypes.Reconciling, "False"));
        Assert.True(suspended.Is(ConditionTypes.Stalled, "False"));
        await UntilAsync("Job and pod to be gone", () => Jobs.Now.Count == 0 && Pods.Now.Count == 0);

        await PatchSpecAsync("mix", new JsonObject { ["suspend"] = false });
        await Player.EndAsync(await Player.PodAsync("mix"), 0, Specs.Built());
        await ReadyAsync("mix");
    }

    [Fact]
    public async Task Suspending_a_Ready_resource_takes_nothing_away()
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("mix");
        await ReadyAsync("mix");
        await PatchSpecAsync("mix", new JsonObject { ["suspend"] = true });
        var suspended = await IndexAsync("mix", "looked at", index => index.Status!.ObservedGeneration == 2);
        Assert.True(suspended.Is(ConditionTypes.Ready, "True"));

        await PatchSpecAsync("mix", new JsonObject { ["dataVersion"] = "tomorrow" });
        await NotReadyAsync("mix", Reasons.Suspended);
        Assert.True((await GetAsync("mix")).Is(ConditionTypes.Available, "True"));
        Assert.Single(JobsEver("mix"));
    }

    [Fact]
    public async Task A_Job_deleted_by_hand_is_made_again()
    {
        await StartOperatorAsync();
        await CreateAsync("mix");
        await Player.RunAsync(await Player.PodAsync("mix"));
        await IndexAsync("mix", "seen to run", index => index.Status!.Build?.RunningSince is not null);
        await Plane.KubectlAsync("delete", "job", "--all", "-n", Namespace, "--wait=false");
        await UntilAsync("a second Job", () => JobsEver("mix").Count == 2);
        await Player.EndAsync(await Player.PodAsync("mix"), 0, Specs.Built());
        await ReadyAsync("mix");
    }

    [Fact]
    public async Task A_pod_deleted_by_hand_costs_a_retry_and_nothing_else()
    {
        await StartOperatorAsync();
        await CreateAsync("mix");
        var pod = await Player.PodAsync("mix");
        await Player.RunAsync(pod);
        await IndexAsync("mix", "seen to run", index => index.Status!.Build?.RunningSince is not null);
        await Client.DeleteAsync(KnownResources.Pods, ObjectKey.Of(pod), TestContext.Current.CancellationToken);
        await UntilAsync("a second pod", () => Pods.Ever.Count == 2);
        await Player.EndAsync(await Player.PodAsync("mix"), 0, Specs.Built());
        await ReadyAsync("mix");
    }

    [Fact]
    public async Task The_Job_of_a_Ready_resource_deleted_by_hand_is_not_missed()
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("mix");
        var before = await ReadyAsync("mix");
        await Plane.KubectlAsync("delete", "job", "--all", "-n", Namespace);
        await PatchSpecAsync("mix", new JsonObject { ["cache"] = new JsonObject { ["historyLimit"] = 5 } });
        var after = await IndexAsync("mix", "looked at", index => index.Status!.ObservedGeneration == 2);
        Assert.True(after.Is(ConditionTypes.Ready, "True"));
        Assert.Equal(before.Status!.Current, after.Status!.Current);
        Assert.Single(JobsEver("mix"));
    }
}
