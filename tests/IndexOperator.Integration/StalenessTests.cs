using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Planning;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>The data of a published version is looked at; what follows is what <c>refresh.onChange</c> says.</summary>
public sealed class StalenessTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    private const string What = "/data/web_text_document.idx: 812 bytes, were 804";
    private static readonly string First = Specs.Version("first");

    [Fact]
    public async Task Changed_data_is_told_with_who_runs_on_it_and_built_beside_the_current_version()
    {
        await StartPublishedAsync(ChangePolicy.Rebuild);
        await RunConsumerAsync(Specs.Consumer(Namespace, "train-0", "mix", First));
        await IndexAsync("mix", "in use", index => index.Status!.Consumers?.Running == 1);
        ChangeData();
        Player.EndAll(_ => null);

        var pod = await Player.PodAsync("mix");
        var stale = await NotReadyAsync("mix", Reasons.Building);
        Assert.True(stale.Is(ConditionTypes.DataCurrent, "False", Reasons.DataChanged));
        Assert.Equal(What, stale.ConditionOf(ConditionTypes.DataCurrent)!.Message);
        Assert.True(stale.Is(ConditionTypes.Available, "True"));
        Assert.True(stale.Is(ConditionTypes.Stalled, "False"));
        Assert.Equal(First, stale.Status!.Current!.Version);
        await ToldAsync("mix", Reasons.DataChanged);
        var (_, note, times) = Assert.Single(Told("mix"), told => told.Reason == Reasons.DataChanged);
        Assert.Equal($"The data of version {First} changed in place. A new version is built. Running with it: train-0. {What}", note);
        Assert.Equal(1, times);

        Player.Checks = found => (0, Specs.Checked(found));
        await Player.EndAsync(pod, 0, Specs.Built("second"));
        var current = await IndexAsync("mix", "built of the new data", index => index.Is(ConditionTypes.Ready, "True") && index.Status!.Current!.Version == Specs.Version("second"));
        Assert.True(current.Is(ConditionTypes.DataCurrent, "True"));
        Assert.Null(current.Status!.Change);
        Assert.Equal(First, Assert.Single(current.Status.Previous!).Version);
        await IndexAsync("mix", "looked at again", index => index.Is(ConditionTypes.DataCurrent, "True", Reasons.Unchanged));
        Assert.Equal(2, JobsEver("mix").Count);
    }

    [Fact]
    public async Task On_Hold_changed_data_waits_for_a_person_or_for_the_data_to_be_put_back()
    {
        await StartPublishedAsync(ChangePolicy.Hold);
        ChangeData();
        var held = await IndexAsync("mix", "Stalled", index => index.Is(ConditionTypes.Stalled, "True", Reasons.DataChanged));
        Assert.True(held.Is(ConditionTypes.Ready, "False", Reasons.DataChanged));
        Assert.True(held.Is(ConditionTypes.Available, "True"));
        Assert.True(held.Is(ConditionTypes.DataCurrent, "False", Reasons.DataChanged));
        Assert.Contains("until you change spec.dataVersion", held.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);
        Assert.Contains(What, held.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);
        await ToldAsync("mix", Reasons.DataChanged);
        Assert.Contains(Told("mix"), told => told.Note.Contains("No pod is running with it.", StringComparison.Ordinal));

        // The old file is copied back: the version is right again.
        Player.Checks = pod => (0, Specs.Checked(pod));
        var back = await ReadyAsync("mix");
        Assert.True(back.Is(ConditionTypes.DataCurrent, "True", Reasons.Unchanged));
        Assert.Null(back.Status!.Change);
        Assert.Single(JobsEver("mix"));

        // And once more the other way: a person names the new data.
        ChangeData();
        await IndexAsync("mix", "Stalled", index => index.Is(ConditionTypes.Stalled, "True", Reasons.DataChanged));
        Player.Checks = pod => (0, Specs.Checked(pod));
        Player.SucceedAll("second");
        await PatchSpecAsync("mix", new JsonObject { ["dataVersion"] = "2026-11-21" });
        var built = await ReadyAsync("mix");
        Assert.Equal(Specs.Version("second"), built.Status!.Current!.Version);
        Assert.Equal(2, JobsEver("mix").Count);
    }

    [Fact]
    public async Task On_Report_changed_data_is_only_reported()
    {
        await StartPublishedAsync(ChangePolicy.Report);
        ChangeData();
        var reported = await IndexAsync("mix", "reported on", index => index.Is(ConditionTypes.DataCurrent, "False", Reasons.DataChanged));
        Assert.True(reported.Is(ConditionTypes.Ready, "True"));
        Assert.Contains("Its data changed since", reported.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);
        await ToldAsync("mix", Reasons.DataChanged);
        var looks = reported.Status!.Data!.Looks;
        await IndexAsync("mix", "looked at twice more", index => index.Status!.Data!.Looks >= looks + 2);
        Assert.Equal(1, Assert.Single(Told("mix"), told => told.Reason == Reasons.DataChanged).Times);
        AssertAlwaysReady();
        Assert.Single(JobsEver("mix"));
    }

    [Fact]
    public async Task A_look_compares_sizes_and_times_and_every_tenth_one_reads_the_content()
    {
        // Touched: other times, and the same bytes. The stamp tells them apart from now on.
        Player.Checks = pod => (0, Specs.Checked(pod, report => report with { Stamp = Specs.Stamp("touched"), ContentRead = true }));
        await StartPublishedAsync(ChangePolicy.Rebuild);
        await IndexAsync("mix", "looked at eleven times", _ => JobsEver("mix", BuildAttempt.CheckTask).Count >= 11, TimeSpan.FromSeconds(60));
        var looks = JobsEver("mix", BuildAttempt.CheckTask).Select(job => string.Join(' ', ArgumentsOf(job))).ToList();
        Assert.Contains($"--version-name {First} --quiet 5s", looks[0], StringComparison.Ordinal);
        Assert.All(looks[1..9], look => Assert.Contains($"--version-name {First} --stamp {Specs.Stamp("touched")} --quiet 5s", look, StringComparison.Ordinal));
        Assert.Contains($"--version-name {First} --content --quiet 5s", looks[9], StringComparison.Ordinal);
        Assert.Contains("--stamp", looks[10], StringComparison.Ordinal);
        Assert.All(looks, look => Assert.DoesNotContain("--checksums", look, StringComparison.Ordinal));
        Assert.All(JobsEver("mix", BuildAttempt.CheckTask), job => Assert.All(job.Spec.Template.Spec.Containers[0].VolumeMounts, mount => Assert.True(mount.ReadOnlyProperty)));

        AssertAlwaysReady();
        Assert.DoesNotContain(Indexes.Changes, change => change.New.Status?.Change is not null || change.New.Is(ConditionTypes.DataCurrent, "False"));
        Assert.Single(JobsEver("mix"));
    }

    [Fact]
    public async Task Data_that_is_being_written_is_waited_for()
    {
        await StartPublishedAsync(ChangePolicy.Rebuild);
        Player.Checks = pod => (0, Specs.Checked(pod, report => report with { Data = BuildReport.BeingWritten, Fingerprint = null, Stamp = null }));
        var waiting = await IndexAsync("mix", "waiting", index => index.Is(ConditionTypes.DataCurrent, "Unknown", Reasons.DataBeingWritten));
        Assert.True(waiting.Is(ConditionTypes.Ready, "True"));
        var looks = waiting.Status!.Data!.Looks;
        await IndexAsync("mix", "looked at again", index => index.Status!.Data!.Looks > looks);
        Player.Checks = pod => (0, Specs.Checked(pod));
        await IndexAsync("mix", "known again", index => index.Is(ConditionTypes.DataCurrent, "True", Reasons.Unchanged));
        AssertAlwaysReady();
        Assert.Single(JobsEver("mix"));
    }

    [Fact]
    public async Task Data_that_is_missing_stalls_and_heals_by_itself()
    {
        await StartPublishedAsync(ChangePolicy.Rebuild);
        const string Gone = "/data/web_text_document.idx does not exist on claim corpus. Copy it there or correct spec.data.blend[0].prefix.";
        Player.Checks = _ => (3, Specs.Failed(Reasons.DataMissing, Gone));
        var stalled = await IndexAsync("mix", "Stalled", index => index.Is(ConditionTypes.Stalled, "True", Reasons.DataMissing));
        Assert.True(stalled.Is(ConditionTypes.Ready, "False", Reasons.DataMissing));
        Assert.True(stalled.Is(ConditionTypes.Available, "True"));
        Assert.True(stalled.Is(ConditionTypes.DataCurrent, "False", Reasons.DataMissing));
        Assert.Contains(Gone, stalled.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);
        Assert.Equal(1, stalled.Status!.Data!.Failures);
        await ToldAsync("mix", Reasons.DataMissing);

        // A minute's pause, as if it were over.
        Player.Checks = pod => (0, Specs.Checked(pod));
        await PatchStatusAsync("mix", new JsonObject { ["data"] = new JsonObject { ["checkedAt"] = "2026-01-01T00:00:00Z" } });
        var healed = await ReadyAsync("mix");
        Assert.True(healed.Is(ConditionTypes.DataCurrent, "True", Reasons.Unchanged));
        Assert.Null(healed.Status!.Data!.Failures);
        Assert.Single(JobsEver("mix"));
    }

    private async Task StartPublishedAsync(ChangePolicy onChange)
    {
        await StartOperatorAsync();
        Player.SucceedAll("first");
        await CreateAsync("mix", spec => spec with { Refresh = new RefreshSpec { Interval = GoDuration.Parse("2s"), OnChange = onChange } });
        await ReadyAsync("mix");
    }

    private void ChangeData() => Player.Checks = pod => (0, Specs.Checked(pod, report => Specs.Changed(report, "second", What)));

    private void AssertAlwaysReady() => Assert.All(
        Indexes.Changes.Select(change => change.New).SkipWhile(index => !index.Is(ConditionTypes.Ready, "True")),
        index => Assert.True(index.Is(ConditionTypes.Ready, "True"), index.ConditionOf(ConditionTypes.Ready)!.Message));
}
