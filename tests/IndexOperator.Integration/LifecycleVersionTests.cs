using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Planning;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>Versions come, stay for a way back, and go: never the one that somebody uses.</summary>
public sealed class LifecycleVersionTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    private static readonly string Monday = Specs.Version("mon");
    private static readonly string Tuesday = Specs.Version("tue");
    private static readonly string Wednesday = Specs.Version("wed");

    [Fact]
    public async Task Going_back_to_an_earlier_spec_makes_the_kept_version_current_without_a_build()
    {
        await StartOnMondayAsync();
        await PublishAsync("tue");

        // Held, so that what is shown meanwhile can be looked at.
        Player.Checks = _ => null;
        await SetDayAsync("mon");
        var look = await Player.PodAsync("mix", BuildAttempt.CheckTask);
        var meanwhile = await NotReadyAsync("mix", Reasons.Checking);
        Assert.True(meanwhile.Is(ConditionTypes.Available, "True"));
        Assert.True(meanwhile.Is(ConditionTypes.Reconciling, "True", Reasons.Checking));
        Assert.Equal(Tuesday, meanwhile.Status!.Current!.Version);
        var arguments = ArgumentsOf(Assert.Single(JobsEver("mix", BuildAttempt.CheckTask)));
        Assert.Equal(["check", "--version-name", Monday], new[] { arguments[0], arguments[^4], arguments[^3] });
        Assert.DoesNotContain("--skip-data", arguments);

        await Player.EndAsync(look, 0, Specs.Checked(look));
        var back = await ReadyAsync("mix");
        Assert.True(back.Is(ConditionTypes.Ready, "True", Reasons.Reused));
        Assert.Equal((Monday, "mon", Specs.Stamp(Monday)), (back.Status!.Current!.Version, back.Status.Current.DataVersion, back.Status.Current.DataStamp));
        Assert.Equal(Tuesday, Assert.Single(back.Status.Previous!).Version);
        Assert.Equal(2, JobsEver("mix").Count);
        await ToldAsync("mix", Reasons.Reused);
        await UntilAsync("the look to be taken into the status and its Job to go", async () =>
            Jobs.Now.All(job => job.Metadata.Labels[Labels.Task] != BuildAttempt.CheckTask) && (await GetAsync("mix")).Status!.Data?.State == BuildReport.Unchanged);
        await NeverDegradedAsync();
    }

    [Theory]
    [InlineData("damaged")]
    [InlineData("of other data")]
    [InlineData("not to be looked at")]
    public async Task A_kept_version_that_is_not_fit_is_built(string how)
    {
        await StartOnMondayAsync();
        await PublishAsync("tue");

        Player.Checks = pod => how switch
        {
            "damaged" => (0, Specs.Checked(pod, report => Specs.Damaged(report, "the folder is not there"))),
            "of other data" => (0, Specs.Checked(pod, report => Specs.Changed(report, "monday, written anew", "/data/web_text_document.idx has other bytes"))),
            _ => (139, "Segmentation fault"),
        };
        Player.SucceedAll("mon again");
        await SetDayAsync("mon");
        var back = await ReadyAsync("mix");
        Assert.Equal((Specs.Version("mon again"), "mon"), (back.Status!.Current!.Version, back.Status.Current.DataVersion));
        Assert.Equal([Tuesday, Monday], back.Status.Previous!.Select(version => version.Version));
        Assert.Equal(3, JobsEver("mix").Count);
        Assert.Single(JobsEver("mix", BuildAttempt.CheckTask));
        await NeverDegradedAsync();
    }

    [Fact]
    public async Task Equal_data_under_a_new_name_is_only_relabelled()
    {
        await StartOnMondayAsync();
        var monday = (await GetAsync("mix")).Status!.Current!;
        Player.EndAll(_ => (0, Specs.Built("mon", BuildReport.Reused)));
        await SetDayAsync("tue");
        var relabelled = (await ReadyAsync("mix")).Status!;
        Assert.Equal((Monday, "tue", monday.BuiltAt), (relabelled.Current!.Version, relabelled.Current.DataVersion, relabelled.Current.BuiltAt));
        Assert.Null(relabelled.Previous);
        await NeverDegradedAsync();
    }

    [Fact]
    public async Task What_the_history_does_not_keep_is_removed_by_a_Job()
    {
        await StartOnMondayAsync(1);
        await PublishAsync("tue");
        await PublishAsync("wed");
        var pruned = await IndexAsync("mix", "without Monday's version", index => index.Status!.Previous is [{ } only] && only.Version == Tuesday);
        Assert.Equal(Wednesday, pruned.Status!.Current!.Version);
        Assert.True(pruned.Is(ConditionTypes.Ready, "True"));

        var job = Assert.Single(JobsEver("mix", BuildAttempt.PruneTask));
        Assert.Equal(["prune", "--cache-root", "/index-operator/cache", "--remove", Monday], ArgumentsOf(job));
        Assert.DoesNotContain(job.Spec.Template.Spec.Volumes, volume => volume.PersistentVolumeClaim?.ClaimName == Specs.DataClaim);
        await ToldAsync("mix", "Pruned");
        await UntilAsync("the Job to go", () => Jobs.Now.All(found => found.Metadata.Labels[Labels.Task] != BuildAttempt.PruneTask));
        await NeverDegradedAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_version_that_a_live_pod_is_pinned_to_stays_until_the_pod_has_ended(bool bySubPath)
    {
        await StartOnMondayAsync(0);
        var pod = await RunConsumerAsync(Specs.Consumer(Namespace, "train-0", "mix", Monday, bySubPath));
        await IndexAsync("mix", "in use", index => index.Status!.Consumers is { Running: 1, VersionsInUse: [var only] } && only == Monday);

        // Tuesday's version goes as soon as Wednesday's is there: what could go at that moment did.
        await PublishAsync("tue");
        await PublishAsync("wed");
        await IndexAsync("mix", "without Tuesday's version", index => index.Status!.Previous is [{ } only] && only.Version == Monday);
        Assert.Equal(["prune", "--cache-root", "/index-operator/cache", "--remove", Tuesday], ArgumentsOf(Assert.Single(JobsEver("mix", BuildAttempt.PruneTask))));

        await Player.EndAsync(pod, 0, "");
        await IndexAsync("mix", "without earlier versions", index => index.Status is { Previous: null, Consumers: null });
        Assert.Equal(Monday, ArgumentsOf(JobsEver("mix", BuildAttempt.PruneTask)[^1])[^1]);
        Assert.Equal(2, JobsEver("mix", BuildAttempt.PruneTask).Count);
    }

    [Fact]
    public async Task Nothing_is_removed_while_a_pod_does_not_tell_what_it_uses()
    {
        var passes = Keep(new Passes(Namespace));
        await StartOnMondayAsync(0);
        var pod = await RunConsumerAsync(Specs.Consumer(Namespace, "train-0", "mix"));
        await IndexAsync("mix", "in use", index => index.Status!.Consumers is { Running: 1, VersionsInUse: null });
        await PublishAsync("tue");
        await LookAgainAsync(passes, "once", ["mix"]);
        await LookAgainAsync(passes, "twice", ["mix"]);
        Assert.Empty(JobsEver("mix", BuildAttempt.PruneTask));
        Assert.Equal(Monday, Assert.Single((await GetAsync("mix")).Status!.Previous!).Version);

        await Player.EndAsync(pod, 0, "");
        await IndexAsync("mix", "without earlier versions", index => index.Status is { Previous: null });
        Assert.Single(JobsEver("mix", BuildAttempt.PruneTask));
    }

    [Fact]
    public async Task A_version_that_another_resource_has_current_is_forgotten_and_not_removed()
    {
        await StartOnMondayAsync(0);
        Player.EndAll(_ => (0, Specs.Built("mon", BuildReport.Reused)));
        await CreateAsync("other", spec => spec with { DataVersion = "mon" });
        await ReadyAsync("other");

        await PublishAsync("tue");
        await IndexAsync("mix", "without earlier versions", index => index.Status is { Previous: null });
        await PublishAsync("wed");
        await IndexAsync("mix", "without earlier versions", index => index.Status is { Previous: null, Current.DataVersion: "wed" });
        Assert.Equal([Tuesday], JobsEver("mix", BuildAttempt.PruneTask).Select(job => ArgumentsOf(job)[^1]));
        Assert.Equal(Monday, (await GetAsync("other")).Status!.Current!.Version);
    }

    private async Task StartOnMondayAsync(int history = 2)
    {
        await StartOperatorAsync();
        Player.SucceedAll("mon");
        await CreateAsync("mix", spec => spec with { DataVersion = "mon", Cache = new CacheSpec { ClaimName = Specs.CacheClaim, SubPath = null!, HistoryLimit = history } });
        await ReadyAsync("mix");
    }

    private Task<PretrainIndex> SetDayAsync(string day) => PatchSpecAsync("mix", new JsonObject { ["dataVersion"] = day });

    private async Task PublishAsync(string day)
    {
        Player.SucceedAll(day);
        await SetDayAsync(day);
        await IndexAsync("mix", $"at {day}", index => index.Is(ConditionTypes.Ready, "True") && index.Status!.Current!.DataVersion == day);
    }

    /// <summary>From the first publication on a version could be mounted, and nobody was asked to act: kstatus would have shown Failed.</summary>
    private async Task NeverDegradedAsync()
    {
        var last = await GetAsync("mix");
        await UntilAsync("the watch to show the last version", () => Indexes.Changes.Any(change => change.New.Metadata.ResourceVersion == last.Metadata.ResourceVersion));
        var seen = Indexes.Changes.Where(change => change.Key.Name == "mix").Select(change => change.New).SkipWhile(index => !index.Is(ConditionTypes.Available, "True")).ToList();
        Assert.NotEmpty(seen);
        Assert.All(seen, index => Assert.True(index.Is(ConditionTypes.Available, "True") && index.Is(ConditionTypes.Stalled, "False"), index.ConditionOf(ConditionTypes.Ready)!.Message));
    }
}
