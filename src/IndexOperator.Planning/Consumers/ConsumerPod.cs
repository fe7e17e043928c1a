using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>What a pod that uses an index tells of itself.</summary>
public static class ConsumerPod
{
    /// <summary>The value of <see cref="Annotations.Injected"/> on pods that an init container holds back.</summary>
    public const string ByInitContainer = "InitContainer";

    /// <summary>Where the gate is in <c>spec.schedulingGates</c>; null when the pod has none of ours.</summary>
    public static int? GateOf(V1Pod pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        var gates = pod.Spec?.SchedulingGates ?? [];
        for (var i = 0; i < gates.Count; i++)
        {
            if (gates[i].Name == SchedulingGates.IndexReady)
            {
                return i;
            }
        }

        return null;
    }

    /// <summary>True while a gate or an init container holds the pod back: it uses no version.</summary>
    public static bool IsHeldBack(V1Pod pod) =>
        GateOf(pod) is not null || (Annotation(pod, Annotations.Injected) == ByInitContainer && ConsumerPolicy.VersionOf(pod) is null);

    /// <summary>True for a pod that is held back and still may be opened.</summary>
    public static bool IsWaiting(V1Pod pod) =>
        IsHeldBack(pod) && pod.Metadata.DeletionTimestamp is null && pod.Status?.Phase is not ("Succeeded" or "Failed");

    /// <summary>The data version that the pod insists on; null when any will do.</summary>
    public static string? DataVersionOf(V1Pod pod) => Annotation(pod, Annotations.DataVersion) is { Length: > 0 } asked ? asked : null;

    /// <summary>The RAM disk that the webhook gave the pod; null when it has none.</summary>
    public static V1Volume? StagingOf(V1Pod pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        return pod.Spec?.Volumes?.FirstOrDefault(volume => volume.Name == InjectedNames.StagingVolume && volume.EmptyDir is not null);
    }

    /// <summary>The size of the pod's RAM disk; null when it has none, or one without a limit.</summary>
    public static ResourceQuantity? StagingSizeOf(V1Pod pod) => StagingOf(pod)?.EmptyDir.SizeLimit;

    /// <summary>What the pod was told.</summary>
    public static V1PodCondition? ToldTo(V1Pod pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        return pod.Status?.Conditions?.FirstOrDefault(condition => condition.Type == PodConditionTypes.IndexReady);
    }

    /// <summary>Why no node fits the pod, in the scheduler's words; null while nothing is wrong.</summary>
    public static string? UnschedulableOf(V1Pod pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        return pod.Status?.Conditions?.FirstOrDefault(condition => condition is { Type: "PodScheduled", Status: "False", Reason: "Unschedulable" })?.Message;
    }

    private static string? Annotation(V1Pod pod, string name)
    {
        ArgumentNullException.ThrowIfNull(pod);
        return pod.Metadata.Annotations?.TryGetValue(name, out var value) == true ? value : null;
    }
}
