using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using IndexOperator.Api;
using IndexOperator.Operator.Telemetry;
using IndexOperator.Runtime;
using Microsoft.Extensions.DependencyInjection;

namespace IndexOperator.Operator.Tests;

/// <summary>Each ended build is counted once, with its outcome and reason.</summary>
public sealed class OperatorMetricsTests : IDisposable
{
    private static readonly ObjectKey Key = new("a", "mix");
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<string> _seen = new();
    private readonly OperatorMetrics _metrics;

    public OperatorMetricsTests()
    {
        var factory = _services.GetRequiredService<IMeterFactory>();
        _metrics = new OperatorMetrics(factory);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == factory)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            _seen.Enqueue(FormattableString.Invariant($"{instrument.Name} {string.Join(' ', tags.ToArray().Select(tag => tag.Value))} {value}")));
        _listener.Start();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _metrics.Dispose();
        _services.Dispose();
    }

    [Fact]
    public void A_published_version_is_counted_once_however_often_it_is_looked_at()
    {
        var ready = new PretrainIndexStatus { Current = new VersionStatus { BuildKey = "1", Outcome = BuildReport.Built, SizeBytes = 10 } };
        _metrics.Observe(Key, null, ready);
        _metrics.Observe(Key, ready, ready);
        Assert.Equal(["indexoperator_builds_total Built  1", "indexoperator_published_bytes_total  10"], _seen);
    }

    [Fact]
    public void How_long_pods_were_held_back_is_measured_and_never_less_than_nothing()
    {
        _listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => _seen.Enqueue(FormattableString.Invariant($"{instrument.Name} {value}")));
        _metrics.Opened(TimeSpan.FromSeconds(90));
        _metrics.Opened(TimeSpan.FromSeconds(-1));
        Assert.Equal(["indexoperator_pod_wait_seconds 90", "indexoperator_pod_wait_seconds 0"], _seen);
    }

    [Fact]
    public void A_reused_version_publishes_no_bytes()
    {
        _metrics.Observe(Key, null, new PretrainIndexStatus { Current = new VersionStatus { BuildKey = "1", Outcome = BuildReport.Reused, SizeBytes = 10 } });
        Assert.Equal(["indexoperator_builds_total Reused  1"], _seen);
    }

    [Fact]
    public void Each_failure_is_counted_once_over_its_retries()
    {
        var building = Building(1);
        var failed = Failed(1, Reasons.Evicted, 10);
        var again = Failed(2, Reasons.Evicted, null);
        var failedAgain = Failed(2, Reasons.Evicted, 30);
        foreach (var (before, after) in new[] { (null, building), (building, failed), (failed, failed), (failed, again), (again, again), (again, failedAgain) })
        {
            _metrics.Observe(Key, before, after);
        }

        Assert.Equal(["indexoperator_builds_total Failed Evicted 1", "indexoperator_builds_total Failed Evicted 1"], _seen);
    }

    [Fact]
    public void A_failure_that_no_retry_cures_is_counted_too()
    {
        var failed = Failed(1, Reasons.InvalidSpec, null);
        _metrics.Observe(Key, Building(1), failed);
        _metrics.Observe(Key, failed, failed);
        Assert.Equal(["indexoperator_builds_total Failed InvalidSpec 1"], _seen);
    }

    [Fact]
    public void A_build_that_was_stopped_on_purpose_is_no_failure()
    {
        _metrics.Observe(Key, Building(1), Failed(1, Reasons.Interrupted, null));
        Assert.Empty(_seen);
    }

    [Fact]
    public void Gauges_follow_the_resources_and_forget_those_that_are_gone()
    {
        var ready = new PretrainIndexStatus
        {
            Current = new VersionStatus { BuildKey = "1", SizeBytes = 10, Outcome = BuildReport.Built },
            Conditions = [new Condition { Type = ConditionTypes.Ready, Status = "True" }],
        };
        _metrics.Observe(Key, ready, ready);
        _metrics.Observe(new ObjectKey("a", "other"), ready, ready);
        _listener.RecordObservableInstruments();
        Assert.Equal(["indexoperator_index_size_bytes  20", "indexoperator_pretrainindexes Ready True 2"], _seen.Order());

        _seen.Clear();
        _metrics.Forget(Key);
        _listener.RecordObservableInstruments();
        Assert.Equal(["indexoperator_index_size_bytes  10", "indexoperator_pretrainindexes Ready True 1"], _seen.Order());
    }

    private static PretrainIndexStatus Building(int attempt) => new() { Build = new BuildStatus { Attempt = attempt } };

    private static PretrainIndexStatus Failed(int attempt, string reason, int? retryAfter) => new()
    {
        Build = new BuildStatus
        {
            Attempt = attempt,
            LastFailure = new FailureStatus { Reason = reason, Message = "m" },
            NextRetryAt = retryAfter is { } seconds ? DateTimeOffset.UnixEpoch.AddSeconds(seconds) : null,
        },
    };
}
