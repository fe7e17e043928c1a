using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace IndexOperator.Runtime;

/// <summary>
/// What the runtime measures. Names and labels are controller-runtime's, so that existing dashboards and alerts work.
/// </summary>
public sealed class RuntimeMetrics : IDisposable
{
    /// <summary>Name of the meter and of the activity source.</summary>
    public const string SourceName = "IndexOperator.Runtime";

    private readonly Meter _meter;
    private readonly ConcurrentDictionary<string, IQueueProbe> _queues = new();
    private readonly ConcurrentDictionary<string, bool> _leaders = new();
    private readonly ConcurrentDictionary<string, int> _maximums = new();
    private readonly Counter<long> _reconciles;
    private readonly Counter<long> _reconcileErrors;
    private readonly Counter<long> _panics;
    private readonly Histogram<double> _reconcileSeconds;
    private readonly UpDownCounter<long> _activeWorkers;
    private readonly Counter<long> _adds;
    private readonly Counter<long> _retries;
    private readonly Histogram<double> _queueSeconds;
    private readonly Histogram<double> _workSeconds;
    private readonly Counter<long> _requests;
    private readonly Counter<long> _droppedEvents;
    private readonly Counter<long> _relists;
    private readonly Counter<long> _reviews;
    private readonly Histogram<double> _reviewSeconds;

    /// <summary>Makes the instruments.</summary>
    public RuntimeMetrics(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(SourceName) ?? new Meter(SourceName);
        _reconciles = _meter.CreateCounter<long>("controller_runtime_reconcile_total", null, "Reconciliations per controller and result");
        _reconcileErrors = _meter.CreateCounter<long>("controller_runtime_reconcile_errors_total", null, "Reconciliations that failed");
        _panics = _meter.CreateCounter<long>("controller_runtime_reconcile_panics_total", null, "Reconciliations that threw");
        _reconcileSeconds = _meter.CreateHistogram<double>("controller_runtime_reconcile_time_seconds", null, "Length of reconciliations");
        _activeWorkers = _meter.CreateUpDownCounter<long>("controller_runtime_active_workers", null, "Workers in use");
        _meter.CreateObservableGauge("controller_runtime_max_concurrent_reconciles", ObserveMaximums, null, "Workers there are");
        _meter.CreateObservableGauge("workqueue_depth", () => Observe(q => (double)q.Depth), null, "Keys that wait");
        _meter.CreateObservableGauge("workqueue_unfinished_work_seconds", () => Observe(q => q.UnfinishedWorkSeconds), null, "Time spent on work in progress");
        _meter.CreateObservableGauge(
            "workqueue_longest_running_processor_seconds", () => Observe(q => q.LongestRunningSeconds), null, "Time spent by the slowest worker");
        _adds = _meter.CreateCounter<long>("workqueue_adds_total", null, "Keys added");
        _retries = _meter.CreateCounter<long>("workqueue_retries_total", null, "Keys added again after a failure");
        _queueSeconds = _meter.CreateHistogram<double>("workqueue_queue_duration_seconds", null, "How long keys wait");
        _workSeconds = _meter.CreateHistogram<double>("workqueue_work_duration_seconds", null, "How long keys are worked on");
        _meter.CreateObservableGauge("leader_election_master_status", ObserveLeaders, null, "1 on the leader, 0 elsewhere");
        _requests = _meter.CreateCounter<long>("rest_client_requests_total", null, "Requests to the API server");
        _droppedEvents = _meter.CreateCounter<long>("indexoperator_runtime_events_dropped_total", null, "Kubernetes events not sent");
        _relists = _meter.CreateCounter<long>("indexoperator_runtime_lists_total", null, "Complete lists by informers");
        _reviews = _meter.CreateCounter<long>("controller_runtime_webhook_requests_total", null, "Requests to the webhook, by HTTP code");
        _reviewSeconds = _meter.CreateHistogram<double>("controller_runtime_webhook_latency_seconds", null, "Length of requests to the webhook");
    }

    /// <summary>One trace per pass comes from here.</summary>
    public static ActivitySource Activities { get; } = new(SourceName);

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    internal void Reconciled(string controller, string result, double seconds)
    {
        var name = Tag("controller", controller);
        _reconciles.Add(1, name, Tag("result", result));
        _reconcileSeconds.Record(seconds, name);
        if (result == "error")
        {
            _reconcileErrors.Add(1, name);
        }
    }

    internal void Threw(string controller) => _panics.Add(1, Tag("controller", controller));

    internal void WorkersChanged(string controller, int change) => _activeWorkers.Add(change, Tag("controller", controller));

    internal void SetMaximum(string controller, int workers) => _maximums[controller] = workers;

    internal void SetLeader(string lease, bool leading) => _leaders[lease] = leading;

    internal void AddQueue(string name, IQueueProbe queue) => _queues[name] = queue;

    internal void QueueAdded(string queue) => _adds.Add(1, Tag("name", queue));

    internal void QueueRetried(string queue) => _retries.Add(1, Tag("name", queue));

    internal void QueueWaited(string queue, double seconds) => _queueSeconds.Record(seconds, Tag("name", queue));

    internal void QueueWorked(string queue, double seconds) => _workSeconds.Record(seconds, Tag("name", queue));

    internal void RestRequest(string code, string method) => _requests.Add(1, Tag("code", code), Tag("method", method));

    internal void EventDropped() => _droppedEvents.Add(1);

    internal void Reviewed(string webhook, string code, double seconds)
    {
        var name = Tag("webhook", webhook);
        _reviews.Add(1, name, Tag("code", code));
        _reviewSeconds.Record(seconds, name);
    }

    internal void Listed(string resource) => _relists.Add(1, Tag("resource", resource));

    private static KeyValuePair<string, object?> Tag(string name, object value) => new(name, value);

    private IEnumerable<Measurement<double>> Observe(Func<IQueueProbe, double> read) =>
        _queues.Select(q => new Measurement<double>(read(q.Value), Tag("name", q.Key)));

    private IEnumerable<Measurement<int>> ObserveMaximums() =>
        _maximums.Select(m => new Measurement<int>(m.Value, Tag("controller", m.Key)));

    private IEnumerable<Measurement<int>> ObserveLeaders() =>
        _leaders.Select(l => new Measurement<int>(l.Value ? 1 : 0, Tag("name", l.Key)));
}

/// <summary>What a queue can tell at any moment.</summary>
internal interface IQueueProbe
{
    int Depth { get; }

    double UnfinishedWorkSeconds { get; }

    double LongestRunningSeconds { get; }
}
