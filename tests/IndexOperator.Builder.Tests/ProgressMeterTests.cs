using IndexOperator.Api;
using IndexOperator.Indexing;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Builder.Tests;

/// <summary>What a build tells of how far it is.</summary>
public sealed class ProgressMeterTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();
    private readonly List<BuildProgress> _told = [];

    [Fact]
    public void Phases_count_as_much_as_they_are_work()
    {
        var meter = Meter(new WorkForecast(Read: 30, Blend: 20, Arrays: 50));

        Pass(meter, BuildPhase.ReadData, 50, 100);
        Pass(meter, BuildPhase.ReadData, 100, 100);
        Pass(meter, BuildPhase.BlendIndex, 1, 2);
        Pass(meter, BuildPhase.DocumentIndex, 0, 0);

        Assert.Equal([14, 29, 39, 89], _told.Select(progress => progress.Percent));
    }

    [Fact]
    public void What_is_read_beside_the_arrays_counts_although_the_arrays_are_what_is_told()
    {
        var meter = Meter(new WorkForecast(Read: 50, Blend: 0, Arrays: 50));
        Pass(meter, BuildPhase.DocumentIndex, 0, 100);

        meter.Report(BuildPhase.ReadData, 60, 100);
        Pass(meter, BuildPhase.SampleIndex, 40, 100);

        Assert.Equal("SampleIndex", _told[^1].Phase);
        Assert.Equal(49, _told[^1].Percent);
    }

    [Fact]
    public void The_remaining_time_goes_on_at_the_pace_so_far()
    {
        var meter = Meter(new WorkForecast(Read: 100, Blend: 0, Arrays: 300));
        _time.Advance(19 * Second);

        Pass(meter, BuildPhase.ReadData, 80, 100);

        // A fifth, less the hundredth that publishing counts for, in 20 seconds.
        Assert.Equal(19, _told[^1].Percent);
        Assert.Equal(81, _told[^1].EtaSeconds!.Value, 0.05);
    }

    [Fact]
    public void Nothing_is_said_of_the_remaining_time_before_a_hundredth_is_done()
    {
        Pass(Meter(new WorkForecast(1, 0, 1)), BuildPhase.ReadData, 1, 100);

        Assert.Null(Assert.Single(_told).EtaSeconds);
    }

    [Fact]
    public void The_percentage_never_falls()
    {
        var meter = Meter(WorkForecast.Unknown);

        Pass(meter, BuildPhase.Publish, 0, 1);
        Pass(meter, BuildPhase.Verify, 1, 100);

        Assert.Equal([99, 99], _told.Select(progress => progress.Percent));
    }

    [Theory]
    [InlineData(BuildPhase.Verify)]
    [InlineData(BuildPhase.Stage)]
    public void Work_of_one_phase_is_all_of_it(BuildPhase phase)
    {
        var meter = Meter(WorkForecast.Unknown);

        Pass(meter, phase, 0, 200);
        Pass(meter, phase, 50, 200);
        Pass(meter, phase, 200, 200);

        Assert.Equal([0, 25, 100], _told.Select(progress => progress.Percent));
    }

    [Fact]
    public void Nothing_is_told_twice_in_an_interval()
    {
        var meter = Meter(WorkForecast.Unknown);
        meter.Report(BuildPhase.ReadData, 1, 10);
        _time.Advance(Second - TimeSpan.FromTicks(1));
        meter.Report(BuildPhase.ReadData, 2, 10);
        Assert.Single(_told);

        _time.Advance(TimeSpan.FromTicks(1));
        meter.Report(BuildPhase.ReadData, 3, 10);
        Assert.Equal([1, 3], _told.Select(progress => progress.Completed));
    }

    private ProgressMeter Meter(WorkForecast forecast) => new(_time, Second, forecast, _told.Add);

    private void Pass(ProgressMeter meter, BuildPhase phase, long completed, long total)
    {
        _time.Advance(Second);
        meter.Report(phase, completed, total);
    }
}
