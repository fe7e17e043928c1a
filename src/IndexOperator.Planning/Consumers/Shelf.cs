using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>
/// The versions that pods may be opened with: what the status names once this pass has written it, without what a Job removes, is damaged
/// or out of reach.
/// </summary>
public sealed class Shelf
{
    private readonly PretrainIndex _index;
    private readonly PretrainIndexStatus _after;
    private readonly HashSet<string> _going;
    private readonly bool _isInReach;

    /// <summary>Looks at what there is.</summary>
    /// <param name="observed">What is observed.</param>
    /// <param name="after">The status that this pass writes.</param>
    public Shelf(ObservedState observed, PretrainIndexStatus after)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(after);
        (_index, _after) = (observed.Index, after);
        _going = [.. observed.Jobs.Concat(observed.PeerJobs).Where(Removes).SelectMany(BuildAttempt.VersionsOf)];
        _isInReach = _index.Unreadable is null && ClaimPolicy.CacheLost(observed) is null;
        IsReady = IsReadyIn(_index, _index.Status) && IsReadyIn(_index, after) && after.Current?.Version is { } current && IsMountable(current);
    }

    /// <summary>
    /// The index was Ready when this pass began, for this generation, and still is: whoever sees a pod opened also sees why, and what is
    /// delivered in this very pass is written down first.
    /// </summary>
    public bool IsReady { get; }

    /// <summary>Whether the index becomes Ready with this pass: the next one opens.</summary>
    public bool IsAboutToBeReady => IsReadyIn(_index, _after);

    /// <summary>The versions, current first. One without a key is known to be unfit.</summary>
    public IEnumerable<VersionStatus> Versions => (_after.Previous ?? []).Prepend(_after.Current).OfType<VersionStatus>().Where(version => version.BuildKey is not null && BuildAttempt.IsVersion(version.Version));

    /// <summary>The version, where the status names it and nobody is removing it.</summary>
    public VersionStatus? Find(string version) => _going.Contains(version) ? null : Versions.FirstOrDefault(kept => kept.Version == version);

    /// <summary>True for a version that a pod could mount and read.</summary>
    public bool IsMountable(string version) => _isInReach && Find(version) is not null && !(version == _after.Current?.Version && ChangeOf(Reasons.VersionCorrupt));

    /// <summary>True when the pod asks for what the spec asks for, and so waits for Ready.</summary>
    public bool AsksForNewest(V1Pod pod) => ConsumerPolicy.VersionOf(pod) is null && (ConsumerPod.DataVersionOf(pod) is not { } asked || asked == _index.Spec.DataVersion);

    /// <summary>The version for a pod whose workload has none yet; null when there is none to be opened with now.</summary>
    public string? Offer(V1Pod pod)
    {
        if (ConsumerPolicy.VersionOf(pod) is { } pinned)
        {
            return IsMountable(pinned) ? pinned : null;
        }

        if (AsksForNewest(pod))
        {
            return IsReady ? _after.Current!.Version : null;
        }

        var asked = ConsumerPod.DataVersionOf(pod);
        var labelled = Versions.Where(version => version.DataVersion == asked && IsMountable(version.Version!) && !(version == _after.Current && IsOfOtherData())).ToList();
        if (labelled.Count == 0)
        {
            return null;
        }

        // Built for another data version but else for what the spec says: a training run computes its keys from the rest of the spec.
        var key = WantedBuild.Of(_index.WithSpec(_index.Spec with { DataVersion = asked })).SpecKey;
        return (labelled.FirstOrDefault(version => WantedBuild.SpecKeyOf(version) == key) ?? labelled[0]).Version;
    }

    /// <summary>Whether a status says that the index is Ready for its present spec.</summary>
    public static bool IsReadyIn(PretrainIndex index, PretrainIndexStatus? status)
    {
        ArgumentNullException.ThrowIfNull(index);
        return status?.Conditions?.Any(condition => condition is { Type: ConditionTypes.Ready, Status: "True" } && condition.ObservedGeneration == index.Metadata.Generation) == true;
    }

    private bool IsOfOtherData() => _index.Spec.Refresh.OnChange != ChangePolicy.Report && ChangeOf(Reasons.DataChanged);

    private bool ChangeOf(string reason) =>
        _after is { Change: { } change, Current: { } current } && change.Reason == reason && change.SpecKey == WantedBuild.SpecKeyOf(current);

    // One that failed too: what it had begun with is no longer whole.
    private static bool Removes(V1Job job) => BuildAttempt.TaskOf(job) is BuildAttempt.PruneTask or BuildAttempt.CleanupTask;
}
