using System.Collections.Concurrent;
using System.Globalization;
using IndexOperator.Api;
using IndexOperator.Runtime;
using k8s.Models;

namespace IndexOperator.Operator;

/// <summary>
/// What this process has written and its informers may not have seen yet. Without it a pass right after a write would read the world
/// before the write and do it again: harmless, since names repeat, but it would tell people twice.
/// </summary>
/// <param name="time">The clock; what the informers never show is forgotten after <see cref="Patience"/>.</param>
public sealed class OwnWrites(TimeProvider time)
{
    /// <summary>How long a write is believed without the informers showing it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<ObjectKey, Writes> _writes = new();

    /// <summary>The newer of what the informer has and what was last written.</summary>
    /// <param name="seen">What the informer has, or what this gave for it earlier in the same pass.</param>
    public PretrainIndex Newest(PretrainIndex seen)
    {
        ArgumentNullException.ThrowIfNull(seen);
        if (!_writes.TryGetValue(ObjectKey.Of(seen), out var writes) || writes.Index is not { } written)
        {
            return seen;
        }

        // What was written is no word of the informer, which may be behind it still.
        if (ReferenceEquals(written, seen))
        {
            return seen;
        }

        if (written.Metadata.Uid == seen.Metadata.Uid && IsNewer(written.Metadata.ResourceVersion, seen.Metadata.ResourceVersion))
        {
            return written;
        }

        // The informer has caught up: one copy of each resource is enough.
        writes.Index = null;
        return seen;
    }

    /// <summary>The Jobs that the informer has, with those just created and without those just deleted.</summary>
    public IReadOnlyList<V1Job> Merge(ObjectKey index, IReadOnlyList<V1Job> seen)
    {
        ArgumentNullException.ThrowIfNull(seen);
        if (!_writes.TryGetValue(index, out var writes))
        {
            return seen;
        }

        lock (writes)
        {
            var now = time.GetUtcNow();
            foreach (var uid in writes.Created.Where(pair => now - pair.Value.At > Patience || seen.Any(job => job.Metadata.Uid == pair.Key)).Select(pair => pair.Key).ToList())
            {
                writes.Created.Remove(uid);
            }

            foreach (var uid in writes.Deleted.Where(pair => now - pair.Value > Patience || seen.All(job => job.Metadata.Uid != pair.Key)).Select(pair => pair.Key).ToList())
            {
                writes.Deleted.Remove(uid);
            }

            if (writes.Created.Count == 0 && writes.Deleted.Count == 0)
            {
                if (writes is { Index: null, Binding: null })
                {
                    _writes.TryRemove(index, out _);
                }

                return seen;
            }

            return [.. seen.Where(job => !writes.Deleted.ContainsKey(job.Metadata.Uid)), .. writes.Created.Values.Select(created => created.Job)];
        }
    }

    /// <summary>Remembers the resource as it was just written.</summary>
    public void Wrote(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        Of(ObjectKey.Of(index)).Index = index;
    }

    /// <summary>The binding that the informer has, or the one just written.</summary>
    public V1ConfigMap? Binding(ObjectKey index, V1ConfigMap? seen)
    {
        if (!_writes.TryGetValue(index, out var writes))
        {
            return seen;
        }

        lock (writes)
        {
            if (writes.Binding is not { } written || time.GetUtcNow() - written.At > Patience)
            {
                writes.Binding = null;
                return seen;
            }

            return seen is null || IsNewer(written.Written.Metadata.ResourceVersion, seen.Metadata.ResourceVersion) ? written.Written : seen;
        }
    }

    /// <summary>Remembers the binding as it was just written.</summary>
    public void Bound(ObjectKey index, V1ConfigMap binding)
    {
        var writes = Of(index);
        lock (writes)
        {
            writes.Binding = (binding, time.GetUtcNow());
        }
    }

    /// <summary>The informer has shown a binding, or that it is gone: what was written up to that is believed no longer.</summary>
    public void Saw(ObjectKey index, V1ConfigMap binding)
    {
        ArgumentNullException.ThrowIfNull(binding);
        if (_writes.TryGetValue(index, out var writes))
        {
            lock (writes)
            {
                if (writes.Binding is { } written && !IsNewer(written.Written.Metadata.ResourceVersion, binding.Metadata.ResourceVersion))
                {
                    writes.Binding = null;
                }
            }
        }
    }

    /// <summary>Remembers a Job that was just created.</summary>
    public void Created(ObjectKey index, V1Job job)
    {
        ArgumentNullException.ThrowIfNull(job);
        var writes = Of(index);
        lock (writes)
        {
            writes.Created[job.Metadata.Uid] = (job, time.GetUtcNow());
        }
    }

    /// <summary>Remembers a Job that was just deleted.</summary>
    public void Deleted(ObjectKey index, string uid)
    {
        var writes = Of(index);
        lock (writes)
        {
            writes.Created.Remove(uid);
            writes.Deleted[uid] = time.GetUtcNow();
        }
    }

    /// <summary>Forgets everything about a resource that is gone.</summary>
    public void Forget(ObjectKey index) => _writes.TryRemove(index, out _);

    private Writes Of(ObjectKey index) => _writes.GetOrAdd(index, _ => new Writes());

    // Resource versions are numbers in every released API server; where one is not, what the informer has is believed.
    internal static bool IsNewer(string? written, string? seen) =>
        ulong.TryParse(written, NumberStyles.None, CultureInfo.InvariantCulture, out var a)
        && ulong.TryParse(seen, NumberStyles.None, CultureInfo.InvariantCulture, out var b)
        && a > b;

    private sealed class Writes
    {
        public PretrainIndex? Index { get; set; }

        public (V1ConfigMap Written, DateTimeOffset At)? Binding { get; set; }

        public Dictionary<string, (V1Job Job, DateTimeOffset At)> Created { get; } = [];

        public Dictionary<string, DateTimeOffset> Deleted { get; } = [];
    }
}
