using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>
/// Which pods are one workload, and so get one version: by the user's label, else by what JobSet, the training operator and KubeRay write
/// on the pods of one job (also on those that they create again), else by the controller that owns the pod.
/// </summary>
public static class GroupKey
{
    // In this order. Each has a prefix of its own: a Ray cluster and a JobSet of one name are two workloads.
    private static readonly (string Label, string Prefix)[] Known =
    [
        (Api.Labels.Group, "group/"),
        ("jobset.sigs.k8s.io/jobset-uid", "jobset/"),
        ("jobset.sigs.k8s.io/jobset-name", "jobset-name/"),
        ("training.kubeflow.org/job-name", "job/"),
        ("ray.io/cluster", "ray/"),
    ];

    /// <summary>The labels that tell.</summary>
    public static IReadOnlyList<string> Labels { get; } = [.. Known.Select(known => known.Label)];

    /// <summary>The key of a pod's workload; null for a pod that is its own, and whose annotation alone is its pin.</summary>
    public static string? Of(V1Pod pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        foreach (var (label, prefix) in Known)
        {
            if (pod.Metadata.Labels?.TryGetValue(label, out var value) == true && !string.IsNullOrEmpty(value))
            {
                return prefix + value;
            }
        }

        return OwnerOf(pod) is { Uid.Length: > 0 } owner ? $"owner/{owner.Uid}" : null;
    }

    /// <summary>The controller that made the pod; null when none did.</summary>
    public static V1OwnerReference? OwnerOf(V1Pod pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        return pod.Metadata.OwnerReferences?.FirstOrDefault(owner => owner.Controller == true);
    }
}
