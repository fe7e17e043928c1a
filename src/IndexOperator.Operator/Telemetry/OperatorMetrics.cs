using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using IndexOperator.Api;
using IndexOperator.Runtime;

namespace IndexOperator.Operator.Telemetry;

/// <summary>What the operator measures of indexes and their builds. Names begin with <c>indexoperator_</c>.</summary>
public sealed class OperatorMetrics : IDisposable
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "IndexOperator.Operator";

    private readonly Meter _meter;
    private readonly Counter<long> _builds;
    private readonly Histogram<double> _buildSeconds;
    private readonly Counter<long> _publishedBytes;
    private readonly Histogram<double> _podWait;
    private readonly ConcurrentDictionary<ObjectKey, Gauged> _gauged = new();

    /// <summary>Creates the instruments.</summary>
    public OperatorMetrics(IMeterFactory meters)
    {
        ArgumentNullException.ThrowIfNull(meters);
        _meter = meters.Create(MeterName);
        _builds = _meter.CreateCounter<long>("indexoperator_builds_total", description: "Ended builds by outcome (Built, Reused, Failed) and reason.");
        _buildSeconds = _meter.CreateHistogram<double>("indexoperator_build_duration_seconds", "s", "Seconds that builders report, by outcome.");
        _publishedBytes = _meter.CreateCounter<long>("indexoperator_published_bytes_total", "By", "Bytes of published versions.");
        _podWait = _meter.CreateHistogram<double>("indexoperator_pod_wait_seconds", "s", "Seconds from a pod's creation until it was given its version.");
        _meter.CreateObservableGauge("indexoperator_pretrainindexes", Count, description: "PretrainIndexes by condition and its status.");
        _meter.CreateObservableGauge("indexoperator_index_size_bytes", () => _gauged.Values.Sum(index => index.SizeBytes), "By", "Bytes of all current versions.");
    }

    /// <summary>Counts what changed between two statuses of a resource and remembers the new one for the gauges.</summary>
    public void Observe(ObjectKey key, PretrainIndexStatus? before, PretrainIndexStatus after)
    {
        ArgumentNullException.ThrowIfNull(after);
        _gauged[key] = new Gauged([.. (after.Conditions ?? []).Select(condition => (condition.Type ?? "", condition.Status ?? ""))], after.Current?.SizeBytes ?? 0);
        if (after.Current is { } current && current.BuildKey != before?.Current?.BuildKey)
        {
            var outcome = new KeyValuePair<string, object?>("outcome", current.Outcome);
            _builds.Add(1, outcome, new("reason", ""));
            _buildSeconds.Record(current.BuildSeconds ?? 0, outcome);
            if (current.Outcome == BuildReport.Built)
            {
                _publishedBytes.Add(current.SizeBytes ?? 0);
            }
        }

        if (FailureIn(before?.Build, after.Build) is { } failure)
        {
            _builds.Add(1, new("outcome", BuildReport.Failed), new("reason", failure.Reason));
        }
    }

    /// <summary>Counts a pod that was let go, and how long it had been held back.</summary>
    public void Opened(TimeSpan waited) => _podWait.Record(Math.Max(0, waited.TotalSeconds));

    /// <summary>Forgets a resource that is gone.</summary>
    public void Forget(ObjectKey key) => _gauged.TryRemove(key, out _);

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    // A failure sets the time of the next attempt. Where there is none to come (or it has begun in the same pass), a new lastFailure tells
    // it, except for the note that a build was stopped on purpose.
    private static FailureStatus? FailureIn(BuildStatus? before, BuildStatus? after) => after switch
    {
        { LastFailure: { } failure, NextRetryAt: { } next } when next != before?.NextRetryAt => failure,
        { LastFailure: { Reason: not Reasons.Interrupted } failure, NextRetryAt: null } when failure != before?.LastFailure => failure,
        _ => null,
    };

    private IEnumerable<Measurement<long>> Count() => _gauged.Values
        .SelectMany(index => index.Conditions)
        .GroupBy(condition => condition)
        .Select(group => new Measurement<long>(group.Count(), new("condition", group.Key.Type), new KeyValuePair<string, object?>("status", group.Key.Status)));

    /// <summary>What the gauges need of a status: a second copy of each would be a large part of the operator's memory.</summary>
    private sealed record Gauged((string Type, string Status)[] Conditions, long SizeBytes);
}
