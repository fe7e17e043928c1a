using IndexOperator.Runtime;

namespace IndexOperator.Operator;

/// <summary>A Job whose pod was refused.</summary>
/// <param name="Job">The Job.</param>
/// <param name="Uid">Its uid: another of its name is none of ours.</param>
/// <param name="UntilReady">Whether its index must be Ready, and not only be there.</param>
public sealed record RefusedJob(ObjectKey Job, string Uid, bool UntilReady);

/// <summary>
/// Jobs whose pods were refused for want of an index, by index. Kept in memory and bounded: what is lost or forgotten comes back by the
/// Job controller's own pause.
/// </summary>
/// <param name="capacity">How many Jobs are kept; the oldest is forgotten for one more.</param>
public sealed class RefusedJobs(int capacity = RefusedJobs.DefaultCapacity)
{
    /// <summary>A few hundred bytes each.</summary>
    public const int DefaultCapacity = 10_000;

    private readonly Lock _gate = new();
    private readonly LinkedList<(ObjectKey Index, RefusedJob Job)> _oldestFirst = [];
    private readonly Dictionary<ObjectKey, Dictionary<string, LinkedListNode<(ObjectKey Index, RefusedJob Job)>>> _byIndex = [];

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _oldestFirst.Count;
            }
        }
    }

    /// <summary>Remembers a Job.</summary>
    public void Add(ObjectKey index, RefusedJob job)
    {
        ArgumentNullException.ThrowIfNull(job);
        lock (_gate)
        {
            if (_byIndex.TryGetValue(index, out var jobs) && jobs.TryGetValue(job.Uid, out var known))
            {
                Remove(known);
            }

            if (_oldestFirst.Count >= capacity)
            {
                Remove(_oldestFirst.First!);
            }

            if (!_byIndex.TryGetValue(index, out jobs))
            {
                _byIndex[index] = jobs = [];
            }

            jobs[job.Uid] = _oldestFirst.AddLast((index, job));
        }
    }

    /// <summary>Whether any Job waits for an index.</summary>
    public bool Any(ObjectKey index)
    {
        lock (_gate)
        {
            return _byIndex.ContainsKey(index);
        }
    }

    /// <summary>Takes the Jobs that need not wait any longer.</summary>
    /// <param name="index">The index, which is there.</param>
    /// <param name="isReady">Whether it is Ready.</param>
    public IReadOnlyList<RefusedJob> Take(ObjectKey index, bool isReady)
    {
        lock (_gate)
        {
            if (!_byIndex.TryGetValue(index, out var jobs))
            {
                return [];
            }

            var taken = jobs.Values.Where(node => isReady || !node.Value.Job.UntilReady).ToList();
            foreach (var node in taken)
            {
                Remove(node);
            }

            return [.. taken.Select(node => node.Value.Job)];
        }
    }

    private void Remove(LinkedListNode<(ObjectKey Index, RefusedJob Job)> node)
    {
        _oldestFirst.Remove(node);
        var jobs = _byIndex[node.Value.Index];
        jobs.Remove(node.Value.Job.Uid);
        if (jobs.Count == 0)
        {
            _byIndex.Remove(node.Value.Index);
        }
    }
}
