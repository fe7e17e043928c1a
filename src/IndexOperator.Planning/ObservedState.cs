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

    /// <summary>The newest progress in the log of the running build pod; null when there is none.</summary>
    public BuildProgress? Progress { get; init; }

    /// <summary>What the API server said when an object of an earlier pass was refused; null when nothing was refused.</summary>
    public FailureStatus? Refusal { get; init; }

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
}
