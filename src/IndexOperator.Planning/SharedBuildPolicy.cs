using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>
/// Resources of a namespace that want the same content on the same cache wait for one build: for the one that builds already, else for
/// the oldest. Those that waited find the version on disk, and their builders only verify it.
/// </summary>
public static class SharedBuildPolicy
{
    /// <summary>Whom to wait for, by a name for a person; null when nobody is ahead.</summary>
    public static string? Ahead(ObservedState observed, WantedBuild wanted)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(wanted);
        if (observed.PeerJobs.FirstOrDefault(job => BuildAttempt.TaskOf(job) == BuildAttempt.BuildTask) is { } job)
        {
            return $"Job {job.Metadata.Name} of another PretrainIndex";
        }

        return observed.Peers
            .Where(peer => peer.Metadata.Uid != observed.Index.Metadata.Uid && WillBuild(peer, wanted) && IsOlder(peer, observed.Index))
            .OrderBy(peer => peer.Metadata.CreationTimestamp)
            .ThenBy(peer => peer.Metadata.Name, StringComparer.Ordinal)
            .FirstOrDefault() is { } older ? $"PretrainIndex {older.Metadata.Name}" : null;
    }

    /// <summary>Whether another resource waits for this one's build.</summary>
    public static bool IsAwaited(ObservedState observed, WantedBuild wanted)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return observed.Peers.Any(peer => peer.Metadata.Uid != observed.Index.Metadata.Uid && WillBuild(peer, wanted));
    }

    /// <summary>
    /// Whether a resource builds or is about to. Whoever is stuck, suspended or going is not relied on: the next in line builds, and what
    /// it comes to want later waits in its turn.
    /// </summary>
    public static bool MayBuild(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return index.Metadata.DeletionTimestamp is null && !index.Spec.Suspend && index.Unreadable is null && !IsTrue(index, ConditionTypes.Stalled)
            && index.Status?.Current?.BuildKey != WantedBuild.Of(index).BuildKey;
    }

    /// <summary>
    /// Whether a resource may come to refer to a version that it does not name: it builds or is about to, or it has not reported yet, or
    /// its status was erased by hand and is about to be read from its Jobs again. Nothing is removed under it.
    /// </summary>
    public static bool MayRefer(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return MayBuild(index) || (index is { Metadata.DeletionTimestamp: null, Unreadable: null } && index.Status is null or { Current: null, Conditions: null });
    }

    // One that waits for its next attempt leaves the turn to whoever can build now.
    private static bool WillBuild(PretrainIndex peer, WantedBuild wanted) =>
        peer.Status?.Build?.NextRetryAt is null && MayBuild(peer) && WantedBuild.Of(peer).ContentKey == wanted.ContentKey;

    private static bool IsTrue(PretrainIndex peer, string type) => peer.Status?.Conditions?.Any(condition => condition.Type == type && condition.Status == "True") == true;

    private static bool IsOlder(PretrainIndex peer, PretrainIndex index)
    {
        var byTime = Nullable.Compare(peer.Metadata.CreationTimestamp, index.Metadata.CreationTimestamp);
        return byTime < 0 || (byTime == 0 && string.CompareOrdinal(peer.Metadata.Name, index.Metadata.Name) < 0);
    }
}
