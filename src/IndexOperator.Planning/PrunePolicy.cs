using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>
/// Which versions beyond <c>cache.historyLimit</c> are removed: none that a live pod is pinned to, none that another resource of the
/// cache refers to, and none at all while a build on the cache may be about to reuse one.
/// </summary>
public static class PrunePolicy
{
    // Fewer at a time where a history has grown long, so that the arguments of one Job stay short.
    private const int MostAtOnce = 50;

    /// <summary>The versions to remove now.</summary>
    public static IReadOnlyList<string> ToRemove(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        if (ConsumerPolicy.VersionsInUse(observed) is not { } inUse || BuildingPeer(observed) is not null)
        {
            return [];
        }

        return Beyond(observed.Index).Where(version => !inUse.Contains(version) && !IsUsedByPeers(observed, version)).Take(MostAtOnce).ToList();
    }

    /// <summary>Another resource of the cache that builds or is about to, and may be about to reuse what is to be removed; null when there is none.</summary>
    public static PretrainIndex? BuildingPeer(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return Peers(observed).FirstOrDefault(SharedBuildPolicy.MayRefer);
    }

    /// <summary>
    /// The versions of a resource that is deleted together with what it published, without those in use: the deletion of one whose
    /// definition goes does not wait for pods.
    /// </summary>
    public static IReadOnlyList<string> AllOf(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return ConsumerPolicy.VersionsInUse(observed) is not { } inUse ? [] : (observed.Index.Status?.Previous ?? []).Prepend(observed.Index.Status?.Current)
            .Select(version => version?.Version)
            .Where(BuildAttempt.IsVersion)
            .OfType<string>()
            .Distinct()
            .Where(version => !inUse.Contains(version) && !IsUsedByPeers(observed, version))
            .ToList();
    }

    /// <summary>
    /// The earlier versions without those beyond the limit that another resource keeps: they are that one's to remove. One that a live pod
    /// of this resource may use stays known: whoever keeps it asks here before it removes it. What cannot be a version was written by hand.
    /// </summary>
    public static IReadOnlyList<VersionStatus>? WithoutForgotten(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var beyond = ConsumerPolicy.VersionsInUse(observed) is not { } inUse ? [] : Beyond(observed.Index).Where(version => !inUse.Contains(version) && IsKeptByPeers(observed, version)).ToHashSet();
        return NullIfEmpty((observed.Index.Status?.Previous ?? []).Where(version => BuildAttempt.IsVersion(version.Version) && !beyond.Contains(version.Version!)));
    }

    /// <summary>The versions beyond the limit, newest first.</summary>
    public static IEnumerable<string> Beyond(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        var (previous, limit) = (index.Status?.Previous ?? [], Math.Max(0, index.Spec.Cache.HistoryLimit));
        var kept = previous.Take(limit).Select(version => version.Version).Append(index.Status?.Current?.Version).ToHashSet();
        return previous.Skip(limit)
            .Select(version => version.Version)
            .Where(BuildAttempt.IsVersion)
            .OfType<string>()
            .Distinct()
            .Where(version => !kept.Contains(version));
    }

    internal static IReadOnlyList<VersionStatus>? NullIfEmpty(IEnumerable<VersionStatus> versions) => versions.ToList() is { Count: > 0 } some ? some : null;

    private static bool IsUsedByPeers(ObservedState observed, string version) =>
        observed.PinnedElsewhere.Contains(version) || IsKeptByPeers(observed, version) || Peers(observed).Any(peer => peer.Status is { Consumers: { } consumers } status
            // Pods that do not tell may use any version that was published for them.
            && (consumers.VersionsInUse?.Contains(version) ?? (consumers is not { Running: 0, Waiting: 0 } && Published(status, int.MaxValue).Contains(version))))
        // A workload without pods may come again, but not to a resource that goes.
        || Peers(observed).Any(peer => peer.Metadata.DeletionTimestamp is null && GroupPolicy.VersionsOf(peer.Status).Contains(version));

    // A resource that goes with its versions needs none of them any more; its pods may.
    private static bool IsKeptByPeers(ObservedState observed, string version) => Peers(observed)
        .Where(peer => peer.Metadata.DeletionTimestamp is null || peer.Spec.Cache.DeletionPolicy == Api.DeletionPolicy.Retain)
        .Any(peer => peer.Status is { } status && Published(status, peer.Spec.Cache.HistoryLimit).Contains(version));

    private static IEnumerable<string?> Published(PretrainIndexStatus status, int limit) =>
        (status.Previous ?? []).Take(Math.Max(0, limit)).Prepend(status.Current).Select(version => version?.Version);

    private static IEnumerable<PretrainIndex> Peers(ObservedState observed)
    {
        var cache = WantedBuild.CacheOf(observed.Index);
        return observed.Peers.Where(peer => peer.Metadata.Uid != observed.Index.Metadata.Uid && WantedBuild.CacheOf(peer) == cache);
    }
}
