using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using IndexOperator.Api.Schema;
using k8s.Models;

namespace IndexOperator.Api;

/// <summary>How and where the build Job runs.</summary>
public sealed record BuildSpec
{
    /// <summary>Which nodes may run the build.</summary>
    [DefaultValue(Api.Placement.GPUNodes)]
    [Description("Which nodes may run the build: GPUNodes requires the GPU label and tolerates the GPU taint; Any leaves it to the scheduler.")]
    public Placement Placement { get; set; } = Placement.GPUNodes;

    /// <summary>GPUs to request; building needs none.</summary>
    [Range(0, 64), DefaultValue(0)]
    [Description("nvidia.com/gpu to request; building needs none.")]
    public int Gpus { get; init; }

    /// <summary>Pods that build side by side.</summary>
    [Range(1, 1000), DefaultValue(1)]
    [Description("Pods that build side by side, one shard of the blend each.")]
    public int Parallelism { get; set; } = 1;

    /// <summary>Resources of the build container; the operator's defaults where absent.</summary>
    [Description("Resources of the build container; the operator's defaults where absent.")]
    public V1ResourceRequirements? Resources { get; init; }

    /// <summary>Node labels that the build needs.</summary>
    [Description("Node labels that the build pod needs, besides placement's.")]
    public IDictionary<string, string>? NodeSelector { get; init; }

    /// <summary>Affinity of the build pod.</summary>
    [Description("Affinity of the build pod; placement's requirement is added to it.")]
    public V1Affinity? Affinity { get; init; }

    /// <summary>Tolerations of the build pod.</summary>
    [ItemCount(0, 64), ListType("atomic")]
    [Description("Tolerations of the build pod, besides placement's.")]
    public IReadOnlyList<V1Toleration>? Tolerations { get; init; }

    /// <summary>Priority class of the build pod.</summary>
    [StringLength(253)]
    [Description("Priority class of the build pod.")]
    public string? PriorityClassName { get; init; }

    /// <summary>Runtime class of the build pod.</summary>
    [StringLength(253)]
    [Description("Runtime class of the build pod.")]
    public string? RuntimeClassName { get; init; }

    /// <summary>Scheduler of the build pod.</summary>
    [StringLength(253)]
    [Description("Scheduler of the build pod.")]
    public string? SchedulerName { get; init; }

    /// <summary>Secrets in this namespace with which images are pulled.</summary>
    [ItemCount(0, 16), ListType("atomic")]
    [Description("Secrets in this namespace with which the builder image is pulled.")]
    public IReadOnlyList<V1LocalObjectReference>? ImagePullSecrets { get; init; }

    /// <summary>User and groups of the build pod.</summary>
    [Description("User and groups of the build pod. Everything else of its security context is fixed (restricted profile).")]
    public BuildPodSecurityContext? PodSecurityContext { get; init; }

    /// <summary>Labels added to the build pod; the operator's own win.</summary>
    [Description("Labels added to the build pod; names under indexoperator.io/ are refused.")]
    public IDictionary<string, string>? PodLabels { get; init; }

    /// <summary>Annotations added to the build pod; the operator's own win.</summary>
    [Description("Annotations added to the build pod; names under indexoperator.io/ are refused.")]
    public IDictionary<string, string>? PodAnnotations { get; init; }

    /// <summary>The longest that one attempt may take.</summary>
    [RegularExpression(GoDuration.Pattern), DefaultValue("2h")]
    [CelRule("self.matches('[1-9]')", "must be above 0")]
    [Description("The longest that one attempt may take.")]
    public GoDuration Timeout { get; set; } = GoDuration.Parse("2h");

    /// <summary>How often a failed build is tried again.</summary>
    [Range(0, 100), DefaultValue(3)]
    [Description("How often a build that failed for a passing reason is tried again.")]
    public int Retries { get; set; } = 3;

    /// <summary>The user's own index-building image.</summary>
    [Description("Own index-building logic: this image runs between the operator's check and its publishing.")]
    public CustomBuildSpec? Custom { get; init; }
}

/// <summary>User and groups of the build pod.</summary>
public sealed record BuildPodSecurityContext
{
    /// <summary>User id; not 0.</summary>
    [Range(1L, 2147483647L)]
    [Description("User id of the build; not 0.")]
    public long? RunAsUser { get; init; }

    /// <summary>Primary group id.</summary>
    [Range(0L, 2147483647L)]
    [Description("Primary group id of the build.")]
    public long? RunAsGroup { get; init; }

    /// <summary>Group that owns the volumes.</summary>
    [Range(0L, 2147483647L)]
    [Description("Group that the volumes are given to, where the volume type supports it.")]
    public long? FsGroup { get; init; }

    /// <summary>Further groups.</summary>
    [ItemCount(0, 64), ListType("atomic")]
    [Description("Further group ids.")]
    public IReadOnlyList<long>? SupplementalGroups { get; init; }
}

/// <summary>The user's own index-building image (DESIGN: it runs between check and seal).</summary>
public sealed record CustomBuildSpec
{
    /// <summary>Image.</summary>
    [Required, StringLength(1024, MinimumLength = 1)]
    [Description("Image that writes Megatron-named files into $INDEX_OUTPUT.")]
    public string? Image { get; init; }

    /// <summary>Entry point.</summary>
    [ItemCount(0, 64), ListType("atomic")]
    [Description("Entry point; the image's own when absent.")]
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>Arguments.</summary>
    [ItemCount(0, 256), ListType("atomic")]
    [Description("Arguments; the image's own when absent.")]
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary>Environment.</summary>
    [ItemCount(0, 256), ListType("atomic")]
    [Description("Environment, besides INDEX_SPEC and INDEX_OUTPUT.")]
    public IReadOnlyList<V1EnvVar>? Env { get; init; }
}
