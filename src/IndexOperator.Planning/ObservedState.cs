using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>
/// Everything that a decision may depend on, as the API server told it: a bug report's <c>kubectl get -o yaml</c> can be put here as it is.
/// </summary>
public sealed record ObservedState
{
    /// <summary>The resource.</summary>
    public PretrainIndex Index { get; set; } = new();

    /// <summary>Every Job labelled with the resource's name.</summary>
    public IReadOnlyList<V1Job> Jobs { get; set; } = [];

    /// <summary>Every pod labelled with the resource's name, also those whose Job is gone.</summary>
    public IReadOnlyList<V1Pod> Pods { get; set; } = [];

    /// <summary>The claims that the spec names, as far as they exist.</summary>
    public IReadOnlyList<V1PersistentVolumeClaim> Claims { get; set; } = [];

    /// <summary>Pods that carry the label of the resource's consumers.</summary>
    public IReadOnlyList<V1Pod> Consumers { get; set; } = [];

    /// <summary>
    /// Other PretrainIndexes of the namespace that a decision may concern: those of the same content on the same cache, and, where versions
    /// are to be removed, those of the same cache that refer to one of them or have a build under way.
    /// </summary>
    public IReadOnlyList<PretrainIndex> Peers { get; set; } = [];

    /// <summary>Jobs of other resources that have not ended and build the same content on the same cache, or remove versions from it.</summary>
    public IReadOnlyList<V1Job> PeerJobs { get; set; } = [];

    /// <summary>Versions that live pods of other resources are pinned to, as far as they are among those that may be removed.</summary>
    public IReadOnlyList<string> PinnedElsewhere { get; set; } = [];

    /// <summary>
    /// What is going away with the resource inside: <c>namespace training</c>, <c>CustomResourceDefinition ...</c>; null when nothing is.
    /// Looked at only where the resource is being deleted and has consumers.
    /// </summary>
    public string? ScopeGoing { get; init; }

    /// <summary>The newest progress in the log of the running build pod; null when there is none.</summary>
    public BuildProgress? Progress { get; init; }

    /// <summary>What the API server said when an object of an earlier pass was refused; null when nothing was refused.</summary>
    public FailureStatus? Refusal { get; init; }

    /// <summary>What the API server said when the claim was to be made larger in this pass; null when it said nothing. Nothing waits for that.</summary>
    public FailureStatus? ExpansionRefusal { get; init; }

    /// <summary>The resource's own ConfigMap that tells what to mount; null when there is none.</summary>
    public V1ConfigMap? Binding { get; init; }

    /// <summary>Why that ConfigMap could not be written in this pass; null when it could. Nothing waits for that.</summary>
    public FailureStatus? BindingRefusal { get; init; }

    /// <summary>The time of the pass.</summary>
    public DateTimeOffset Now { get; init; }

    /// <summary>How the operator was set up.</summary>
    public PlannerSettings Settings { get; set; } = new();
}

/// <summary>How the operator was set up, as far as decisions depend on it.</summary>
public sealed record PlannerSettings
{
    /// <summary>Image of the build pods.</summary>
    public string BuilderImage { get; set; } = "indexoperator/builder:dev";

    /// <summary>The node label that <c>placement: GPUNodes</c> requires, with the value <c>true</c>.</summary>
    public string GpuNodeLabel { get; set; } = "nvidia.com/gpu.present";

    /// <summary>The extended resource of GPUs, and the key of their nodes' taint.</summary>
    public string GpuResource { get; set; } = "nvidia.com/gpu";

    /// <summary>CPU request of build pods that set none.</summary>
    public string DefaultCpuRequest { get; set; } = "250m";

    /// <summary>Memory request of build pods that set none.</summary>
    public string DefaultMemoryRequest { get; set; } = "512Mi";

    /// <summary>The most memory that a build is given after one was killed for its memory.</summary>
    public string MaximumBuildMemory { get; set; } = "64Gi";
}
