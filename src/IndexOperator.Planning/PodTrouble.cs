using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>What keeps a pod from starting.</summary>
/// <param name="Reason">One of <see cref="Reasons"/>.</param>
/// <param name="Message">What happened, to what, and what to do.</param>
/// <param name="Since">Since when; null when the pod does not say.</param>
public sealed record PodTrouble(string Reason, string Message, DateTimeOffset? Since)
{
    /// <summary>
    /// How long a trouble may last before a person is asked for: a cluster autoscaler may be bringing a node, a registry may be busy.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>What keeps the pod from starting; null when nothing does, or when there is no pod.</summary>
    public static PodTrouble? Of(V1Pod? pod)
    {
        if (pod?.Status is not { } status || status.Phase is "Running" or "Succeeded")
        {
            return null;
        }

        if (status.Conditions?.FirstOrDefault(condition => condition.Type == "PodScheduled") is { Status: "False", Reason: "Unschedulable" } unscheduled)
        {
            return new PodTrouble(
                Reasons.Unschedulable,
                $"No node fits pod {pod.Metadata.Name}: {Clip.Sentence(unscheduled.Message ?? "the scheduler gave no message")} {HintOf(pod)}",
                BuildAttempt.Utc(unscheduled.LastTransitionTime) ?? BuildAttempt.Utc(pod.Metadata.CreationTimestamp));
        }

        var waiting = BuildAttempt.ContainerOf(pod)?.State?.Waiting;
        var image = pod.Spec?.Containers?.FirstOrDefault(container => container.Name == BuildAttempt.ContainerName)?.Image;
        var since = BuildAttempt.Utc(status.StartTime ?? pod.Metadata.CreationTimestamp);
        return waiting?.Reason switch
        {
            "ErrImagePull" or "ImagePullBackOff" or "InvalidImageName" or "ErrImageNeverPull" or "ImageInspectError" or "RegistryUnavailable" => new PodTrouble(
                Reasons.ImagePull,
                $"The builder image {image} cannot be pulled ({waiting.Reason}): {Clip.Sentence(waiting.Message ?? "no message")} Check the operator's --builder-image, the registry, and spec.build.imagePullSecrets.",
                since),
            "CreateContainerConfigError" or "CreateContainerError" or "RunContainerError" or "StartError" => new PodTrouble(
                Reasons.ContainerStart,
                $"The kubelet cannot start the builder ({waiting.Reason}): {Clip.Sentence(waiting.Message ?? "no message")} Check spec.build.podSecurityContext and spec.build.runtimeClassName.",
                since),
            _ => null,
        };
    }

    private static string HintOf(V1Pod pod) =>
        pod.Spec?.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution is null
            ? "Check spec.build.nodeSelector, tolerations and resources."
            : "Builds go to GPU nodes by default: add one, or set spec.build.placement to Any. Check also spec.build.nodeSelector, affinity, tolerations and resources.";
}
