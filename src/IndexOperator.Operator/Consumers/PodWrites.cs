using System.Collections.Concurrent;
using k8s.Models;

namespace IndexOperator.Operator;

/// <summary>
/// Pods as this process has last written them, until the informer shows them so: a pass right after would open them again, or see too late
/// that a workload has its version.
/// </summary>
/// <param name="time">The clock; what the informer never shows is forgotten after <see cref="OwnWrites.Patience"/>.</param>
public sealed class PodWrites(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, (V1Pod Pod, DateTimeOffset At)> _written = new();

    /// <summary>How many pods it remembers.</summary>
    public int Count => _written.Count;

    /// <summary>Remembers a pod as the API server answered.</summary>
    public void Wrote(V1Pod pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        var written = (Pod: SlimForms.OfConsumer(pod), At: time.GetUtcNow());
        _written.AddOrUpdate(pod.Metadata.Uid, written, (_, known) => IsNewer(known.Pod, written.Pod) ? known : written);
    }

    /// <summary>The newer of what the informer has and what was written, for each pod.</summary>
    public IReadOnlyList<V1Pod> Merge(IReadOnlyList<V1Pod> seen)
    {
        ArgumentNullException.ThrowIfNull(seen);
        if (_written.IsEmpty)
        {
            return seen;
        }

        var now = time.GetUtcNow();
        var merged = seen.Select(pod => Newest(pod, now)).ToList();

        // Those that went before the informer had shown them.
        foreach (var (uid, written) in _written.Where(pair => now - pair.Value.At > OwnWrites.Patience))
        {
            _written.TryRemove(KeyValuePair.Create(uid, written));
        }

        return merged;
    }

    private V1Pod Newest(V1Pod seen, DateTimeOffset now)
    {
        if (!_written.TryGetValue(seen.Metadata.Uid, out var written))
        {
            return seen;
        }

        if (now - written.At <= OwnWrites.Patience && IsNewer(written.Pod, seen))
        {
            return written.Pod;
        }

        _written.TryRemove(KeyValuePair.Create(seen.Metadata.Uid, written));
        return seen;
    }

    private static bool IsNewer(V1Pod a, V1Pod b) => OwnWrites.IsNewer(a.Metadata.ResourceVersion, b.Metadata.ResourceVersion);
}
