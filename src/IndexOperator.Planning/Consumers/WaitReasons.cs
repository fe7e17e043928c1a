using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>Why a pod waits: one of <see cref="PodReasons"/>, and for a person what to do. The same words as long as nothing changes.</summary>
/// <param name="Reason">The reason.</param>
/// <param name="Message">The words.</param>
public sealed record WaitReason(string Reason, string Message);

/// <summary>Tells for each waiting pod whether it may be opened, and if not, why.</summary>
/// <param name="observed">What is observed.</param>
/// <param name="after">The status that this pass writes.</param>
/// <param name="shelf">The versions that there are.</param>
public sealed class WaitReasons(ObservedState observed, PretrainIndexStatus after, Shelf shelf)
{
    private const int MostVersionsNamed = 5;
    private const int MaxQuoted = 512;

    // Scheduler and kubelet say the same in other words every few minutes: a thousand pods would be told each time.
    private static readonly string?[] Changing = [Reasons.Unschedulable, Reasons.ClaimPending, Reasons.ImagePull, Reasons.ContainerStart];

    private readonly string _name = observed.Index.Metadata.Name;

    /// <summary>Why the pods of an index that is not there wait.</summary>
    public static WaitReason Missing(string name) => new(
        PodReasons.IndexMissing, $"There is no PretrainIndex {name} in this namespace. Create it, or correct the pod's label {Labels.Index}.");

    /// <summary>True when the version is what the pod asks for, or what a running pod of its workload asked for with the same words.</summary>
    public static bool Suits(Shelf shelf, V1Pod pod, string version, IReadOnlyList<V1Pod> running)
    {
        ArgumentNullException.ThrowIfNull(shelf);
        ArgumentNullException.ThrowIfNull(running);
        return (ConsumerPolicy.VersionOf(pod) is not { } pinned || pinned == version)
            && (ConsumerPod.DataVersionOf(pod) is not { } asked || shelf.Find(version)?.DataVersion == asked || running.Any(other => ConsumerPod.DataVersionOf(other) == asked));
    }

    /// <summary>
    /// True when the pod is to be opened with its workload's version. Where others of the workload run, it is not kept from them by a newer
    /// version that is being built; where none does, the index must be Ready, but for a pod that insists on something else than the newest.
    /// </summary>
    public bool MayOpen(V1Pod pod, Workload workload)
    {
        ArgumentNullException.ThrowIfNull(workload);
        return IsAllowed(workload) && workload.Version is { } version && Suits(shelf, pod, version, workload.Running) && shelf.IsMountable(version)
            && (workload.Running.Count > 0 || shelf.IsReady || !shelf.AsksForNewest(pod)) && TooSmall(pod, version) is null;
    }

    /// <summary>Why the pod waits; null when it may be opened, or will be in a moment.</summary>
    public WaitReason? Of(V1Pod pod, Workload workload)
    {
        ArgumentNullException.ThrowIfNull(pod);
        ArgumentNullException.ThrowIfNull(workload);
        return !IsAllowed(workload) ? Deleting()
            : MayOpen(pod, workload) ? null
            : workload.Version is { } version ? OfPinned(pod, workload, version)
            : ConsumerPolicy.VersionOf(pod) is { } asked ? shelf.Find(asked) is null ? NoVersion($"Version {asked}, which the annotation {Annotations.Version} names, is not there.") : OfIndex()
            : shelf.AsksForNewest(pod) || shelf.Versions.Any(kept => kept.DataVersion == ConsumerPod.DataVersionOf(pod)) ? OfIndex()
            : new WaitReason(PodReasons.DataVersionUnavailable, $"The pod insists on data version \"{Quoted(ConsumerPod.DataVersionOf(pod))}\" ({Annotations.DataVersion}), and PretrainIndex {_name} has and builds another. {Kept()}");
    }

    // A resource that is being deleted waits for workloads that run; those of their pods that are created again meanwhile belong to them.
    private bool IsAllowed(Workload workload) => observed.Index.Metadata.DeletionTimestamp is null
        || (workload.Running.Count > 0 && Ready() is { Reason: Reasons.InUse });

    private WaitReason? OfPinned(V1Pod pod, Workload workload, string version)
    {
        if (!Suits(shelf, pod, version, workload.Running))
        {
            return ConsumerPolicy.VersionOf(pod) is { } asked
                ? NoVersion($"The annotation {Annotations.Version} names version {asked}, and the pod's workload has version {version}: all its pods get the same.")
                : new WaitReason(PodReasons.DataVersionUnavailable, $"The pod insists on data version \"{Quoted(ConsumerPod.DataVersionOf(pod))}\", and its workload has version {version} of another: all its pods get the same. {Kept()}");
        }

        if (shelf.Find(version) is null)
        {
            return NoVersion($"The pod's workload runs with version {version}, which is not there any more: {ConsumerPolicy.Names(workload.Running)}. End those pods, and all get a newer one.");
        }

        return shelf.IsMountable(version) && (workload.Running.Count > 0 || shelf.IsReady || !shelf.AsksForNewest(pod)) ? TooSmall(pod, version) : OfIndex();
    }

    private WaitReason? TooSmall(V1Pod pod, string version) =>
        ConsumerPod.StagingSizeOf(pod) is { } size && Bytes(size) is { } limit && shelf.Find(version)?.SizeBytes is { } bytes && bytes > limit
            ? new WaitReason(
                PodReasons.StagingTooSmall,
                $"Version {version} has {ProgressText.Size(bytes)}, and the pod's RAM disk holds {ProgressText.Size((long)Math.Min(limit, long.MaxValue))}. Create the pod again, with a larger {Annotations.StagingSize} if it has one: a pod's volumes cannot be changed.")
            : null;

    // What the index is: the words do not change while a build goes on, so that they are written once.
    private WaitReason? OfIndex()
    {
        var ready = Ready();
        if (ready is { Status: "True" } || shelf.IsAboutToBeReady)
        {
            return null;
        }

        return ready is { Reason: Reasons.Suspended }
            ? new WaitReason(PodReasons.IndexSuspended, $"PretrainIndex {_name} is suspended before what this pod needs was published. Set its spec.suspend to false.")
            : after.Conditions?.FirstOrDefault(condition => condition.Type == ConditionTypes.Stalled) is { Status: "True" } stalled
            ? new WaitReason(PodReasons.IndexStalled, $"PretrainIndex {_name} is stalled ({stalled.Reason}): {(Changing.Contains(stalled.Reason) ? $"`kubectl describe pretrainindex {_name}` tells more." : Quoted(stalled.Message))}")
            : new WaitReason(PodReasons.IndexNotReady, $"PretrainIndex {_name} is not Ready yet. `kubectl get pretrainindex {_name}` shows how far it is.");
    }

    private WaitReason Deleting() => new(PodReasons.IndexDeleting, $"PretrainIndex {_name} is being deleted. The pod is opened when one of the name is created and Ready, or can be deleted.");

    private WaitReason NoVersion(string why) => new(PodReasons.VersionUnavailable, $"{why} {Kept()}");

    private string Kept()
    {
        var kept = shelf.Versions.ToList();
        var named = string.Join(", ", kept.Take(MostVersionsNamed).Select(version => $"{version.Version} (data version \"{Quoted(version.DataVersion ?? "")}\")"));
        return kept.Count == 0 ? $"PretrainIndex {_name} has published nothing." : $"PretrainIndex {_name} has {named}{(kept.Count > MostVersionsNamed ? $" and {kept.Count - MostVersionsNamed} more" : "")}.";
    }

    private Condition? Ready() => after.Conditions?.FirstOrDefault(condition => condition.Type == ConditionTypes.Ready);

    private static string Quoted(string? text) => Clip.Characters(Clip.Plain(text ?? ""), MaxQuoted);

    private static decimal? Bytes(ResourceQuantity size)
    {
        try
        {
            return size.ToDecimal();
        }
        catch (Exception fault) when (fault is FormatException or OverflowException or ArgumentException)
        {
            // The API server took it; whatever it is, the kubelet decides.
            return null;
        }
    }
}
