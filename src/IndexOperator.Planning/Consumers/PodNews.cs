using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>
/// What pods are told by their condition <see cref="PodConditionTypes.IndexReady"/>: once, and again when it changes. A pod that was never
/// told that it waits is not told that it does not.
/// </summary>
public static class PodNews
{
    /// <summary>Of a workload's pods so many get an event too: a thousand events that say the same would drown all others.</summary>
    public const int MostEvents = 10;

    // A condition's message may be longer; nobody reads more.
    private const int MaxMessage = 2048;

    /// <summary>What a waiting pod is told; nothing where it has been told that.</summary>
    public static IEnumerable<TellPod> OfWaiting(V1Pod pod, WaitReason reason, bool isFirst)
    {
        ArgumentNullException.ThrowIfNull(reason);
        // That an index is being built is no event.
        return Tell(pod, isReady: false, reason, isFirst && reason.Reason != PodReasons.IndexNotReady);
    }

    /// <summary>What a pod that has its version is told.</summary>
    public static IEnumerable<TellPod> OfRunning(V1Pod pod)
    {
        if (ConsumerPolicy.VersionOf(pod) is not { } version)
        {
            return [];
        }

        if (ConsumerPod.StagingOf(pod) is not null && ConsumerPod.UnschedulableOf(pod) is { } words && words.Contains("Insufficient memory", StringComparison.OrdinalIgnoreCase))
        {
            var size = ConsumerPod.StagingSizeOf(pod) is { } limit ? $"of {limit} " : "";
            return Tell(pod, isReady: true, new WaitReason(
                PodReasons.StagingUnschedulable,
                $"The RAM disk {size}for the index makes the pod too large for the nodes: no node has that much memory beside what the containers ask for. Leave out {Annotations.Staging}: Memory, or ask for less memory."), tellEvent: true);
        }

        return ConsumerPod.ToldTo(pod) is null ? [] : Tell(pod, isReady: true, new WaitReason(PodReasons.Pinned, $"The pod is pinned to version {version}."), tellEvent: false);
    }

    private static IEnumerable<TellPod> Tell(V1Pod pod, bool isReady, WaitReason reason, bool tellEvent)
    {
        var message = Clip.Characters(reason.Message, MaxMessage);
        return ConsumerPod.ToldTo(pod) is { } told && told.Status == (isReady ? "True" : "False") && told.Reason == reason.Reason && told.Message == message
            ? []
            : [new TellPod(pod.Metadata.Name, pod.Metadata.Uid, isReady, reason.Reason, message, tellEvent)];
    }
}
