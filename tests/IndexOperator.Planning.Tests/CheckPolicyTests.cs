using IndexOperator.Api;

namespace IndexOperator.Planning.Tests;

/// <summary>When a look is due, and what it reads.</summary>
public sealed class CheckPolicyTests
{
    private static readonly DateTimeOffset Checked = Given.Now;

    [Theory]
    [InlineData("1s")]
    [InlineData("90s")]
    [InlineData("1h")]
    [InlineData("720h")]
    public void Looks_at_the_data_come_an_interval_apart_and_not_all_at_once(string interval)
    {
        var length = GoDuration.Parse(interval).Value;
        var waits = Enumerable.Range(0, 200).Select(i => (NextAt(interval, "0", Data(), uid: $"uid-{i}") - Checked)!.Value / length).ToList();

        Assert.All(waits, wait => Assert.InRange(wait, 0.9, 1.1));
        Assert.True(waits.Max() - waits.Min() > 0.15, $"All of 200 resources are looked at within {waits.Min():0.000} and {waits.Max():0.000} of an interval.");
        Assert.InRange(waits.Average(), 0.98, 1.02);
    }

    [Fact]
    public void The_time_of_a_look_does_not_move_from_pass_to_pass()
    {
        var due = NextAt("1h", "24h", Data())!.Value;

        Assert.Equal(due, NextAt("1h", "24h", Data(), now: Checked.AddMinutes(17)));
        Assert.Null(Due("1h", "0", Data(), due.AddTicks(-1)));
        Assert.Equal(new Look(Data: true, Content: false, Checksums: false), Due("1h", "0", Data(), due));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(8, false)]
    [InlineData(9, true)]
    [InlineData(10, false)]
    [InlineData(19, true)]
    [InlineData(1_000_009, true)]
    [InlineData(-1, false)]
    public void Every_tenth_look_reads_the_content(long looks, bool content) =>
        Assert.Equal(content, Due("1h", "0", Data() with { Looks = looks }, Checked.AddHours(2))!.Content);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 4)]
    [InlineData(4, 8)]
    [InlineData(5, 10)]
    [InlineData(1000, 10)]
    [InlineData(int.MaxValue, 10)]
    public void A_look_that_failed_is_repeated_after_a_doubling_pause(int failures, int minutes)
    {
        var data = Data() with { Failures = failures, LastFailure = new FailureStatus { Reason = Reasons.Evicted } };

        Assert.Equal(Checked.AddMinutes(minutes), NextAt("1h", "24h", data));
        Assert.Null(Due("1h", "24h", data, Checked.AddMinutes(minutes).AddSeconds(-1)));
        Assert.True(Due("1h", "24h", data, Checked.AddMinutes(minutes))!.Data);
    }

    [Theory]
    [InlineData("1h", 60)]
    [InlineData("20s", 20)]
    public void Data_that_is_being_written_is_looked_at_after_a_minute_or_the_interval_if_that_is_shorter(string interval, int seconds) =>
        Assert.InRange((NextAt(interval, "0", Data() with { State = BuildReport.BeingWritten }) - Checked)!.Value.TotalSeconds, seconds * 0.9, seconds * 1.1);

    [Theory]
    [InlineData("0", "0", null)]
    [InlineData("0s", "0h0m", null)]
    [InlineData("1h", "0", 1)]
    [InlineData("0", "24h", 24)]
    [InlineData("48h", "24h", 24)]
    [InlineData("1h", "24h", 1)]
    public void An_interval_of_nothing_means_never(string refresh, string verify, int? hours)
    {
        var next = NextAt(refresh, verify, Data());

        Assert.Equal(hours is null, next is null);
        Assert.True(hours is null || Math.Abs((next!.Value - Checked).TotalHours / hours.Value - 1) <= 0.1, $"{next}");
    }

    [Fact]
    public void One_look_does_all_that_is_due()
    {
        Assert.Equal(new Look(Data: true, Content: false, Checksums: true), Due("1h", "24h", Data(), Checked.AddDays(2)));
        Assert.Equal(new Look(Data: false, Content: false, Checksums: true), Due("720h", "24h", Data(), Checked.AddDays(2)));
        Assert.Equal(new Look(Data: true, Content: false, Checksums: false), Due("1h", "24h", Data(), Checked.AddHours(2)));
    }

    [Fact]
    public void Checksums_that_are_due_wait_for_the_pause_after_a_look_that_failed()
    {
        var at = Checked.AddDays(2);
        var data = Data() with { CheckedAt = at, Failures = 2, LastFailure = new FailureStatus { Reason = Reasons.Evicted } };

        Assert.Null(Due("1h", "24h", data, at.AddMinutes(1)));
        Assert.Equal(new Look(Data: true, Content: false, Checksums: true), Due("1h", "24h", data, at.AddMinutes(2)));
    }

    [Theory]
    [InlineData(0.5, false)]
    [InlineData(0.99, false)]
    [InlineData(1.01, true)]
    [InlineData(24 * 365, true)]
    public void A_look_that_lies_further_ahead_than_an_interval_was_dated_by_a_clock_that_was_set_back(double hoursAhead, bool isDue) =>
        Assert.Equal(isDue, Due("1h", "0", Data(), Checked.AddHours(-hoursAhead)) is not null);

    [Theory]
    [InlineData(9, false)]
    [InlineData(61, true)]
    public void So_was_a_failure_whose_pause_would_last_longer_than_any(int minutesAhead, bool isDue) =>
        Assert.Equal(isDue, Due("1h", "24h", Data() with { Failures = 1, LastFailure = new FailureStatus { Reason = Reasons.Evicted } }, Checked.AddMinutes(-minutesAhead)) is not null);

    [Theory]
    [InlineData("1h", true)]
    [InlineData("0", false)]
    public void What_is_on_a_claim_that_had_been_missing_is_looked_at_at_once(string refresh, bool data)
    {
        var unknown = Data() with { CheckedAt = null };

        Assert.Equal(Given.Now.AddMinutes(1), NextAt(refresh, "0", unknown, Given.Now.AddMinutes(1)));
        Assert.Equal(new Look(data, Content: false, Checksums: false), Due(refresh, "0", unknown, Given.Now.AddMinutes(1)));
    }

    [Fact]
    public void A_version_that_nobody_has_looked_at_is_counted_from_when_it_was_published()
    {
        Assert.InRange((NextAt("1h", "24h", null) - Checked)!.Value.TotalMinutes, 54, 66);
        Assert.Null(Due("1h", "24h", null, Checked.AddMinutes(50)));
    }

    [Fact]
    public void Nothing_is_due_where_nothing_is_published()
    {
        var observed = Given.Observed(Given.Index());

        Assert.Null(CheckPolicy.Due(observed));
        Assert.Null(CheckPolicy.NextAt(observed));
    }

    private static DataStatus Data() => new() { CheckedAt = Checked, State = BuildReport.Unchanged, Looks = 3 };

    private static Look? Due(string refresh, string verify, DataStatus? data, DateTimeOffset now) => CheckPolicy.Due(Observed(refresh, verify, data, now));

    private static DateTimeOffset? NextAt(string refresh, string verify, DataStatus? data, DateTimeOffset? now = null, string? uid = null) =>
        CheckPolicy.NextAt(Observed(refresh, verify, data, now ?? Checked, uid));

    private static ObservedState Observed(string refresh, string verify, DataStatus? data, DateTimeOffset now, string? uid = null)
    {
        var index = Given.Index(spec => spec with { Refresh = new RefreshSpec { Interval = GoDuration.Parse(refresh) }, Verify = new VerifySpec { Interval = GoDuration.Parse(verify) } });
        index.Metadata.Uid = uid ?? index.Metadata.Uid;
        return Given.Observed(Given.Published(index, status => status with { Data = data })) with { Now = now };
    }
}
