using IndexOperator.Api;
using IndexOperator.Planning;
using k8s.Models;

namespace IndexOperator.Operator;

/// <summary>
/// What the caches keep of an object: what the planner reads, and nothing of what else a pod, a Job or a claim carries.
/// With thousands of builds this is the larger part of the operator's memory. Each form shares its parts with the object it is made of.
/// </summary>
public static class SlimForms
{
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";
    private static readonly string[] KeptLabels = [Labels.OwnerName, Labels.Task];
    private static readonly string[] KeptAnnotations =
    [
        Annotations.ContentKey, Annotations.BuildKey, Annotations.JobKey, Annotations.Attempt, Annotations.Generation, Annotations.SpecConfigMap, Annotations.Versions, Annotations.Cache, Annotations.Memory,
    ];

    private static readonly string[] ConsumerLabels = [Labels.Index, .. GroupKey.Labels];
    private static readonly string[] ConsumerAnnotations = [Annotations.DataVersion, Annotations.Injected];

    /// <summary>A resource without the second copy of itself that <c>kubectl apply</c> leaves in an annotation.</summary>
    public static PretrainIndex Of(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        if (index.Metadata.Annotations?.Remove(LastApplied) == true && index.Metadata.Annotations.Count == 0)
        {
            index.Metadata.Annotations = null;
        }

        return index;
    }

    /// <summary>A Job: who it is, its annotations (the build's identity), its status, and its image while it runs.</summary>
    public static V1Job Of(V1Job job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return new V1Job
        {
            Metadata = Of(job.Metadata, annotations: true),
            // A Job that has ended is never stuck on its image.
            Spec = job.Status?.CompletionTime is not null ? null : new V1JobSpec { Template = new V1PodTemplateSpec { Spec = new V1PodSpec { Containers = Of(job.Spec?.Template?.Spec?.Containers) } } },
            Status = job.Status is null ? null : new V1JobStatus { CompletionTime = job.Status.CompletionTime, Conditions = job.Status.Conditions },
        };
    }

    /// <summary>A pod: who it is, until it has succeeded its image and placement, and of its status what explains an end or a delay.</summary>
    public static V1Pod Of(V1Pod pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        return new V1Pod
        {
            Metadata = Of(pod.Metadata, annotations: false),
            Spec = pod.Status?.Phase == "Succeeded" ? null : new V1PodSpec { Affinity = pod.Spec?.Affinity, Containers = Of(pod.Spec?.Containers) },
            Status = pod.Status is not { } status ? null : new V1PodStatus
            {
                Phase = status.Phase,
                Reason = status.Reason,
                Message = status.Message,
                StartTime = status.StartTime,
                Conditions = status.Conditions?.Where(condition => condition.Status == "False" || condition.Type == "DisruptionTarget").ToList(),
                ContainerStatuses = status.ContainerStatuses,
            },
        };
    }

    /// <summary>
    /// A pod that uses an index: who it is, to which workload it belongs, which version it is pinned to or asks for, what holds it back, how
    /// large its RAM disk is, what it was told, and whether it runs.
    /// </summary>
    public static V1Pod OfConsumer(V1Pod pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        var metadata = Of(pod.Metadata, annotations: false);
        metadata.OwnerReferences = GroupKey.OwnerOf(pod) is { } owner ? [owner] : null;
        metadata.Labels = Only(pod.Metadata.Labels, ConsumerLabels);
        metadata.Annotations = pod.Metadata.Annotations is null ? null : Only(pod.Metadata.Annotations, ConsumerAnnotations);
        if (ConsumerPolicy.VersionOf(pod) is { } version)
        {
            metadata.Annotations ??= new Dictionary<string, string>(1);
            metadata.Annotations[Annotations.Version] = version;
        }

        return new V1Pod
        {
            Metadata = metadata,
            Spec = SpecOfConsumer(pod),
            Status = new V1PodStatus { Phase = pod.Status?.Phase, Conditions = ConditionsOfConsumer(pod) },
        };
    }

    /// <summary>A claim: who it is, how it may be mounted, how large it is asked to be, whether it is bound.</summary>
    public static V1PersistentVolumeClaim Of(V1PersistentVolumeClaim claim)
    {
        ArgumentNullException.ThrowIfNull(claim);
        return new V1PersistentVolumeClaim
        {
            Metadata = Of(claim.Metadata, annotations: false),
            Spec = new V1PersistentVolumeClaimSpec { AccessModes = claim.Spec?.AccessModes, Resources = claim.Spec?.Resources is { } resources ? new V1VolumeResourceRequirements { Requests = resources.Requests } : null },
            Status = new V1PersistentVolumeClaimStatus { Phase = claim.Status?.Phase },
        };
    }

    /// <summary>A binding: who it is, and what it tells.</summary>
    public static V1ConfigMap Of(V1ConfigMap binding)
    {
        ArgumentNullException.ThrowIfNull(binding);
        return new V1ConfigMap { Metadata = Of(binding.Metadata, annotations: false), Data = binding.Data };
    }

    private static V1PodSpec? SpecOfConsumer(V1Pod pod)
    {
        var (gates, staging) = (pod.Spec?.SchedulingGates is { Count: > 0 } some ? some : null, ConsumerPod.StagingOf(pod));
        return gates is null && staging is null ? null : new V1PodSpec { Containers = [], SchedulingGates = gates, Volumes = staging is null ? null : [staging] };
    }

    // Of the scheduler's words only those about a pod with a RAM disk are read.
    private static List<V1PodCondition>? ConditionsOfConsumer(V1Pod pod)
    {
        var kept = new[] { ConsumerPod.ToldTo(pod), ConsumerPod.StagingOf(pod) is not null && ConsumerPod.UnschedulableOf(pod) is not null ? pod.Status.Conditions.First(condition => condition.Type == "PodScheduled") : null };
        return kept.OfType<V1PodCondition>().ToList() is { Count: > 0 } conditions ? conditions : null;
    }

    private static V1ObjectMeta Of(V1ObjectMeta metadata, bool annotations) => new()
    {
        Name = metadata.Name,
        NamespaceProperty = metadata.NamespaceProperty,
        Uid = metadata.Uid,
        ResourceVersion = metadata.ResourceVersion,
        Generation = metadata.Generation,
        CreationTimestamp = metadata.CreationTimestamp,
        DeletionTimestamp = metadata.DeletionTimestamp,
        OwnerReferences = metadata.OwnerReferences,
        Finalizers = metadata.Finalizers,
        Annotations = annotations ? Only(metadata.Annotations, KeptAnnotations) : null,
        Labels = Only(metadata.Labels, KeptLabels),
    };

    // With the constants for keys: each object read has its own copy of them.
    private static Dictionary<string, string> Only(IDictionary<string, string>? all, string[] kept)
    {
        var found = new Dictionary<string, string>(kept.Length);
        foreach (var key in kept)
        {
            if (all?.TryGetValue(key, out var value) == true)
            {
                found[key] = value;
            }
        }

        return found;
    }

    private static List<V1Container> Of(IList<V1Container>? containers) =>
        [.. (containers ?? []).Select(container => new V1Container { Name = container.Name, Image = container.Image })];
}
