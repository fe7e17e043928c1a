using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>Objects vanish by other hands, words are lost, two operators work at once: each ends in the right state by itself.</summary>
public sealed class FaultTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_check_Job_deleted_by_hand_is_made_again()
    {
        await StartLookingAsync();
        await Player.RunAsync(await Player.PodAsync("mix", BuildAttempt.CheckTask));
        Player.Checks = pod => (0, Specs.Checked(pod));
        await Plane.KubectlAsync("delete", "job", "-l", $"{Labels.Task}={BuildAttempt.CheckTask}", "-n", Namespace, "--wait=false");
        await IndexAsync("mix", "looked after", index => index.Is(ConditionTypes.DataCurrent, "True", Reasons.Unchanged));
        AssertNeverUnready();
    }

    [Fact]
    public async Task A_check_pod_deleted_by_hand_costs_a_look_at_most()
    {
        await StartLookingAsync();
        var pod = await Player.PodAsync("mix", BuildAttempt.CheckTask);
        await Player.RunAsync(pod);
        Player.Checks = found => (0, Specs.Checked(found));
        await Client.DeleteAsync(KnownResources.Pods, ObjectKey.Of(pod), TestContext.Current.CancellationToken);

        // Older Job controllers make another pod, newer ones give up the Job: a minute's pause, as if it were over.
        var after = await IndexAsync("mix", "looked after, or without an answer", index => index.Status!.Data is not null);
        if (after.Status!.Data!.Failures is not null)
        {
            await PatchStatusAsync("mix", new JsonObject { ["data"] = new JsonObject { ["checkedAt"] = "2026-01-01T00:00:00Z" } });
        }

        await IndexAsync("mix", "looked after", index => index.Is(ConditionTypes.DataCurrent, "True", Reasons.Unchanged));
        AssertNeverUnready();
    }

    [Theory]
    [InlineData("evicted")]
    [InlineData("killed")]
    public async Task A_look_whose_pod_is_lost_says_nothing_of_the_data(string how)
    {
        await StartLookingAsync();
        var pod = await Player.PodAsync("mix", BuildAttempt.CheckTask);
        await Player.RunAsync(pod);
        await (how switch
        {
            "evicted" => Player.EvictAsync(pod, "The node was low on resource: memory."),
            _ => Player.EndAsync(pod, 137, "", "OOMKilled"),
        });
        var failed = await IndexAsync("mix", "without an answer", index => index.Status!.Data?.Failures == 1);
        Assert.Equal(how == "killed" ? Reasons.OutOfMemory : Reasons.Evicted, failed.Status!.Data!.LastFailure!.Reason);
        Assert.True(failed.Is(ConditionTypes.DataCurrent, "True"));

        // A minute's pause, as if it were over.
        Player.Checks = found => (0, Specs.Checked(found));
        await PatchStatusAsync("mix", new JsonObject { ["data"] = new JsonObject { ["checkedAt"] = "2026-01-01T00:00:00Z" } });
        await IndexAsync("mix", "looked after", index => index.Is(ConditionTypes.DataCurrent, "True", Reasons.Unchanged) && index.Status!.Data!.Failures is null);
        AssertNeverUnready();
    }

    [Fact]
    public async Task A_ConfigMap_deleted_by_hand_costs_an_attempt_that_cannot_start()
    {
        await StartOperatorAsync();
        await CreateAsync("wide", spec => Specs.Wide(spec) with { Build = new BuildSpec { Timeout = GoDuration.Parse("6s") } });
        await Player.ScheduleAsync(await Player.PodAsync("wide"));
        var first = JobsEver("wide").Single().Metadata.Name;
        await Plane.KubectlAsync("delete", "configmap", first, "-n", Namespace);

        // The Job controller of 1.20 forgets a deadline where its first look at a Job has to be repeated, until the Job changes.
        await UntilAsync("the deadline to be over", () => Jobs.Now.All(job => job.Metadata.Name != first || job.Status?.StartTime < DateTime.UtcNow.AddSeconds(-7)), TimeSpan.FromSeconds(60));
        await Plane.KubectlAsync("annotate", "jobs", "--all", "touched=late", "-n", Namespace);
        await NotReadyAsync("wide", Reasons.Timeout);

        // The kubelet could not mount it. The next attempt has one of its own.
        var next = await Player.PodAsync("wide");
        var second = JobsEver("wide")[^1].Metadata.Name;
        Assert.Equal(2, JobsEver("wide").Count);
        Assert.Contains(ConfigMaps.Now, map => map.Metadata.Name == second);
        await Player.EndAsync(next, 0, Specs.Built());
        await ReadyAsync("wide");
    }

    [Theory]
    [InlineData(BuildAttempt.BuildTask)]
    [InlineData(BuildAttempt.CheckTask)]
    public async Task A_Job_that_is_gone_before_its_report_was_read_is_done_again(string task)
    {
        var first = await StartOperatorAsync();
        if (task == BuildAttempt.CheckTask)
        {
            Player.SucceedAll();
            Player.Checks = _ => null;
        }

        await CreateAsync("mix", spec => spec with { Refresh = new RefreshSpec { Interval = GoDuration.Parse("1s") } });
        var pod = await Player.PodAsync("mix", task);
        await Player.RunAsync(pod);
        await first.StopAsync();
        await Player.EndAsync(pod, 0, Specs.Report(pod, "content"));
        await UntilAsync("the Job to be complete", () => Jobs.Now.Any(job => BuildAttempt.TaskOf(job) == task && job.Status?.Succeeded == 1));

        // As its time to live would have it.
        await Plane.KubectlAsync("delete", "job", "--all", "-n", Namespace);
        await UntilAsync("no pod to be left", () => Pods.Now.Count == 0, Collected);
        Player.EndAll(_ => (0, Specs.Built(outcome: BuildReport.Reused)));
        Player.Checks = found => (0, Specs.Checked(found));
        await StartOperatorAsync();
        await IndexAsync("mix", "Ready and looked after", index => index.Is(ConditionTypes.Ready, "True") && index.Is(ConditionTypes.DataCurrent, "True", Reasons.Unchanged));
        Assert.Equal(task == BuildAttempt.BuildTask ? 2 : 1, JobsEver("mix").Count);
    }

    [Fact]
    public async Task What_a_clock_wrote_that_has_been_set_back_since_holds_nothing_up()
    {
        const string Ahead = "2099-01-01T00:00:00Z";
        await StartOperatorAsync();
        await CreateAsync("mix", spec => spec with { Refresh = new RefreshSpec { Interval = GoDuration.Parse("2s") } });
        var pod = await Player.PodAsync("mix");
        await Player.RunAsync(pod);
        await Player.EndAsync(pod, 4, Specs.Failed(Reasons.OutOfSpace, "The volume is full."));
        await IndexAsync("mix", "waiting for room", index => index.Status!.Build?.NextRetryAt is not null);

        // Of the attempt only the status is left, and that says to wait for the end of the century.
        await Plane.KubectlAsync("delete", "job", "--all", "-n", Namespace);
        await UntilAsync("the Job to be gone", () => Jobs.Now.Count == 0);
        Player.SucceedAll();
        await PatchStatusAsync("mix", new JsonObject { ["build"] = new JsonObject { ["nextRetryAt"] = Ahead } });
        await ReadyAsync("mix");
        Assert.Equal(2, JobsEver("mix").Count);

        await IndexAsync("mix", "looked at", index => index.Status!.Data?.Looks >= 1);
        await PatchStatusAsync("mix", new JsonObject
        {
            ["current"] = new JsonObject { ["builtAt"] = Ahead, ["verifiedAt"] = Ahead },
            ["data"] = new JsonObject { ["checkedAt"] = Ahead, ["looks"] = 5 },
        });
        var after = await IndexAsync("mix", "looked at again", index => index.Status!.Data is { Looks: >= 6, CheckedAt: { } at } && at < DateTimeOffset.UtcNow && index.Status.Current!.VerifiedAt < DateTimeOffset.UtcNow);
        Assert.True(after.Is(ConditionTypes.Ready, "True"));
        Assert.Equal(2, JobsEver("mix").Count);
    }

    [Fact]
    public async Task Two_operators_at_once_build_everything_once()
    {
        const int Count = 6;
        await StartOperatorAsync();
        await StartOperatorAsync();
        Player.EndAll(pod => (0, Specs.Built($"{pod.Metadata.Labels[Labels.OwnerName]} {pod.Metadata.Annotations[Annotations.Spec].Contains("second day", StringComparison.Ordinal)}")));
        var names = Enumerable.Range(0, Count).Select(i => $"mix-{i}").ToList();
        await Task.WhenAll(names.Select((name, i) => CreateAsync(name, spec => Specs.Seeded(spec, i) with { Cache = new CacheSpec { ClaimName = Specs.CacheClaim, SubPath = null!, HistoryLimit = 0 } })));
        foreach (var name in names)
        {
            await ReadyAsync(name);
        }

        await Task.WhenAll(names.Select(name => PatchSpecAsync(name, new JsonObject { ["dataVersion"] = "second day" })));
        foreach (var name in names)
        {
            var ready = await IndexAsync(name, "at the second day, and without the first", index => index.Is(ConditionTypes.Ready, "True") && index.Status is { Current.DataVersion: "second day", Previous: null });
            Assert.Equal(Specs.Version($"{name} True"), ready.Status!.Current!.Version);
            Assert.Equal(1, (ready.Status.Build?.Attempt) ?? 1);
            var builds = JobsEver(name).Select(job => job.Metadata.Name).ToList();
            Assert.Equal(2, builds.Count);
            Assert.Distinct(builds);
            Assert.All(JobsEver(name, BuildAttempt.PruneTask), job => Assert.Equal(Specs.Version($"{name} False"), ArgumentsOf(job)[^1]));
        }
    }

    private async Task StartLookingAsync()
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        Player.Checks = _ => null;
        await CreateAsync("mix", spec => spec with { Refresh = new RefreshSpec { Interval = GoDuration.Parse("1s") } });
        await ReadyAsync("mix");
    }

    private void AssertNeverUnready()
    {
        Assert.All(Indexes.Changes.Select(change => change.New).SkipWhile(index => !index.Is(ConditionTypes.Ready, "True")), index => Assert.True(index.Is(ConditionTypes.Ready, "True")));
        Assert.Single(JobsEver("mix"));
    }
}
