using System.Text.Json;
using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>What looks and removals have told is taken into the status, each once.</summary>
public sealed class FindingsTests
{
    private static readonly string Current = Given.Digits('1');

    public static TheoryData<string, V1Job, V1PodStatus?> Ended => new()
    {
        { "unchanged", Check("Complete"), Told(Report(BuildReport.Unchanged)) },
        { "touched", Check("Complete"), Told(Report(BuildReport.Unchanged) with { ContentRead = true, Stamp = new string('f', 32) }) },
        { "verified", Check("Complete"), Told(Report(BuildReport.Unchanged) with { Integrity = BuildReport.Verified }) },
        { "verified only", Check("Complete"), Told(Report(null) with { Integrity = BuildReport.Verified }) },
        { "changed", Check("Complete"), Told(Report(BuildReport.Changed)) },
        { "being written", Check("Complete"), Told(Report(BuildReport.BeingWritten)) },
        { "damaged", Check("Complete"), Told(Report(null) with { Integrity = BuildReport.Damaged, Message = "A file is missing." }) },
        { "missing data", Check("Failed"), Given.Ended(Given.Now, 3, Given.Failure(Reasons.DataMissing)) },
        { "crashed", Check("Failed"), Given.Ended(Given.Now, 1, "garbage") },
        { "without a pod", Check("Failed"), null },
        { "complete without a pod", Check("Complete"), null },
        { "of another version", Check("Complete", Given.Digits('9')), Told(Report(BuildReport.Changed)) },
        { "of no version", Check("Complete", "../.."), Told(Report(BuildReport.Changed)) },
        { "pruned", Prune("Complete", $"{Given.Digits('b')},{Given.Digits('c')}"), null },
        { "pruned what nobody knows", Prune("Complete", Given.Digits('9')), null },
        { "pruned garbage", Prune("Complete", ",,"), null },
        { "prune failed", Prune("Failed", Given.Digits('c')), null },
    };

    [Theory]
    [MemberData(nameof(Ended))]
    public void A_Job_that_could_not_be_deleted_is_not_counted_again(string what, V1Job job, V1PodStatus? pod)
    {
        var observed = Observed(job, pod);
        var first = Findings.Take(observed);
        var again = Findings.Take(observed with { Index = first.Observed.Index });

        Assert.True(Text(first) == Text(again), $"{what}:\n{Text(first)}\n{Text(again)}");
        Assert.Equal(first.Actions, again.Actions);
        // A removal that failed is told of when it is tried again, whatever the status says.
        Assert.True(again.Events.Count == 0 || what == "prune failed", what);
        Assert.Equal(job.Metadata.Uid, Assert.IsType<DeleteJob>(Assert.Single(first.Actions)).Uid);
        Assert.Empty(first.Observed.Jobs);
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, true)]
    [InlineData(-3600, true)]
    public void A_Job_without_a_report_is_waited_for_a_few_seconds_unless_the_clock_was_set_back(int secondsPastGrace, bool isRead)
    {
        var observed = Observed(Check("Failed"), null) with { Now = Given.Now + BuildAttempt.ReportGrace + TimeSpan.FromSeconds(secondsPastGrace) };

        Assert.Equal(isRead, Findings.Take(observed).Actions.Count == 1);
    }

    [Theory]
    [InlineData(599, false)]
    [InlineData(600, true)]
    [InlineData(-30, false)]
    [InlineData(-61, true)]
    public void A_removal_that_failed_stays_for_ten_minutes_unless_the_clock_was_set_back(int seconds, bool isDeleted)
    {
        var observed = Observed(Prune("Failed", Given.Digits('c')), null) with { Now = Given.Now.AddSeconds(seconds) };

        Assert.Equal(isDeleted, Findings.Take(observed).Actions.Count == 1);
    }

    [Fact]
    public void A_Job_that_is_going_or_at_work_or_of_somebody_else_is_left_alone()
    {
        var going = Check("Complete");
        going.Metadata.DeletionTimestamp = Given.Now.UtcDateTime;
        var active = Check("Complete");
        active.Status = null;
        var foreign = Check("Complete");
        foreign.Metadata.OwnerReferences = [];

        Assert.All(new[] { going, active, foreign }, job => Assert.Empty(Findings.Take(Observed(job, null)).Actions));
    }

    [Theory]
    [InlineData(null, 1)]
    [InlineData(0L, 1)]
    [InlineData(41L, 42)]
    [InlineData(-5L, 1)]
    [InlineData(long.MaxValue, 1)]
    public void Looks_are_counted_from_what_they_can_be(long? before, long after)
    {
        var observed = Observed(Check("Complete"), Told(Report(BuildReport.Unchanged)));
        var index = observed.Index.With(observed.Index.Status! with { Data = new DataStatus { Looks = before, CheckedAt = Given.Now.AddHours(-1) } });

        Assert.Equal(after, Findings.Take(observed with { Index = index }).Observed.Index.Status!.Data!.Looks);
    }

    [Fact]
    public void Failures_are_counted_until_a_look_tells()
    {
        var observed = Observed(Check("Failed"), null);
        for (var failures = 1; failures <= 3; failures++)
        {
            var found = Findings.Take(observed).Observed.Index.Status!;
            Assert.Equal(failures, found.Data!.Failures);
            observed = observed with { Index = observed.Index.With(found with { Data = found.Data with { CheckedAt = Given.Now.AddHours(-1) } }) };
        }

        var told = Observed(Check("Complete"), Told(Report(BuildReport.Unchanged)));
        Assert.Null(Findings.Take(told with { Index = observed.Index }).Observed.Index.Status!.Data!.Failures);
    }

    private static ObservedState Observed(V1Job job, V1PodStatus? pod) =>
        Given.Observed(Given.Published(Given.Index(spec => spec with { Cache = spec.Cache with { HistoryLimit = 1 } }), status => status with
        {
            Previous = [.. "abc".Select(digit => Given.Version(Given.Digits(digit)))],
            Data = new DataStatus { CheckedAt = Given.Now.AddHours(-1), State = BuildReport.Unchanged, Looks = 3 },
        })) with
        {
            Jobs = [job],
            Pods = pod is null ? [] : [Given.Pod(job, Given.Now).With(pod)],
            Now = Given.Now.AddMinutes(20),
        };

    private static string Text(Findings found) => JsonSerializer.Serialize(found.Observed.Index, PlanningJsonContext.Default.PretrainIndex);

    private static V1PodStatus Told(BuildReport report) => Given.Ended(Given.Now, 0, report.ToJson());

    private static BuildReport Report(string? data) => new()
    {
        Outcome = BuildReport.Checked,
        Version = Current,
        Data = data,
        Integrity = BuildReport.Complete,
        Stamp = data is null ? null : new string('0', 32),
        Fingerprint = data is null ? null : "sha256:" + new string('0', 64),
    };

    private static V1Job Check(string end, string? versions = null) =>
        Job(UpkeepJobManifest.Check(Given.Observed(Given.Index()), Given.Version(Current), new Look(Data: true, Content: false, Checksums: false), 3).Job, end, versions ?? Current);

    private static V1Job Prune(string end, string versions) => Job(UpkeepJobManifest.Prune(Given.Observed(Given.Index()), [Given.Digits('c')]).Job, end, versions);

    private static V1Job Job(V1Job job, string end, string versions)
    {
        job.Metadata.Uid = "job";
        job.Metadata.CreationTimestamp = Given.Now.UtcDateTime;
        job.Metadata.Annotations[Annotations.Versions] = versions;
        job.Status = Given.JobEnd(end, end == "Failed" ? "BackoffLimitExceeded" : null, Given.Now);
        return job;
    }
}
