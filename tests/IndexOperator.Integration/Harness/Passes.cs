using System.Collections.Concurrent;
using System.Diagnostics;
using IndexOperator.Runtime;

namespace IndexOperator.Integration.Harness;

/// <summary>The passes of all operators in this process over the resources of one namespace, each with its trace.</summary>
public sealed class Passes : IAsyncDisposable
{
    private readonly ActivityListener _listener;
    private readonly ConcurrentQueue<Activity> _ended = new();

    /// <summary>Begins to listen.</summary>
    public Passes(string ns)
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == RuntimeMetrics.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (activity.GetTagItem("k8s.object") is string key && key.StartsWith(ns + "/", StringComparison.Ordinal))
                {
                    _ended.Enqueue(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>Those that have ended.</summary>
    public IReadOnlyCollection<Activity> Ended => _ended;

    /// <summary>Forgets those so far.</summary>
    public void Clear() => _ended.Clear();

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        return ValueTask.CompletedTask;
    }
}
