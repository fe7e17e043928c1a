using System.Text.Json;
using System.Text.Json.Serialization;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using k8s;
using k8s.Models;

namespace IndexOperator.Operator;

/// <summary>A Workload of Kueue, as far as the gate needs it.</summary>
public sealed class KueueWorkload : IKubernetesObject<V1ObjectMeta>
{
    /// <inheritdoc/>
    [JsonPropertyName("apiVersion")]
    public string ApiVersion { get; set; } = "";

    /// <inheritdoc/>
    [JsonPropertyName("kind")]
    public string Kind { get; set; } = "Workload";

    /// <inheritdoc/>
    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>Its pods.</summary>
    [JsonPropertyName("spec")]
    public KueueWorkloadSpec? Spec { get; set; }

    /// <summary>What its templates ask for.</summary>
    public IReadOnlyList<IndexAsk> Asks() =>
        [.. (Spec?.PodSets ?? []).Select(set => IndexAsk.Of(set.Template?.Metadata?.Labels, set.Template?.Metadata?.Annotations)).OfType<IndexAsk>().Distinct()];

    /// <summary>The indexes that it waits for, as keys; none where our gate is off.</summary>
    public IEnumerable<string> IndexKeys() =>
        KueuePolicy.IsGated(Metadata.Annotations) ? Asks().Select(ask => $"{Metadata.NamespaceProperty}/{ask.Index}").Distinct() : [];
}

/// <summary>The spec of a Workload.</summary>
public sealed class KueueWorkloadSpec
{
    /// <summary>Pods of one template each.</summary>
    [JsonPropertyName("podSets")]
    public IReadOnlyList<KueuePodSet>? PodSets { get; set; }
}

/// <summary>Pods of one template.</summary>
public sealed class KueuePodSet
{
    /// <summary>The template.</summary>
    [JsonPropertyName("template")]
    public KueuePodTemplate? Template { get; set; }
}

/// <summary>A pod template, of which only labels and annotations are read.</summary>
public sealed class KueuePodTemplate
{
    /// <summary>Labels and annotations.</summary>
    [JsonPropertyName("metadata")]
    public KueueTemplateMetadata? Metadata { get; set; }
}

/// <summary>Labels and annotations of a template.</summary>
public sealed class KueueTemplateMetadata
{
    /// <summary>The labels.</summary>
    [JsonPropertyName("labels")]
    public IDictionary<string, string>? Labels { get; set; }

    /// <summary>The annotations.</summary>
    [JsonPropertyName("annotations")]
    public IDictionary<string, string>? Annotations { get; set; }
}

/// <summary>A job that Kueue queues, of which only the metadata is read.</summary>
public sealed class KueueJob : IKubernetesObject<V1ObjectMeta>
{
    /// <inheritdoc/>
    [JsonPropertyName("apiVersion")]
    public string ApiVersion { get; set; } = "";

    /// <inheritdoc/>
    [JsonPropertyName("kind")]
    public string Kind { get; set; } = "";

    /// <inheritdoc/>
    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();
}

/// <summary>Where Kueue's Workloads and the jobs behind them are on the API server.</summary>
public static class KueueResources
{
    /// <summary>The API group of Kueue.</summary>
    public const string Group = "kueue.x-k8s.io";

    /// <summary>The kinds of jobs that the operator may change. Those of other kinds take the gate off themselves, or by hand.</summary>
    public static IReadOnlyList<(string Group, string Kind, string Plural)> JobKinds { get; } =
    [
        ("batch", "Job", "jobs"),
        ("jobset.x-k8s.io", "JobSet", "jobsets"),
        ("kubeflow.org", "PyTorchJob", "pytorchjobs"),
        ("trainer.kubeflow.org", "TrainJob", "trainjobs"),
        ("ray.io", "RayCluster", "rayclusters"),
        ("ray.io", "RayJob", "rayjobs"),
    ];

    /// <summary>The versions of the Workload API that are known, the newest first.</summary>
    public static IReadOnlyList<string> Versions { get; } = ["v1beta2", "v1beta1"];

    /// <summary>Workloads.</summary>
    public static ResourceType<KueueWorkload> Workloads(string version) => new(Group, version, "Workload", "workloads", KueueJsonContext.Default.KueueWorkload, unreadable: Unreadable);

    /// <summary>The resource of a job; null for a kind that the operator may not change.</summary>
    public static ResourceType<KueueJob>? JobOf(V1OwnerReference owner)
    {
        ArgumentNullException.ThrowIfNull(owner);
        return owner.ApiVersion?.Split('/') is [var group, { Length: > 0 } version] && JobKinds.FirstOrDefault(job => job.Group == group && job.Kind == owner.Kind) is { Plural: { } plural }
            ? new ResourceType<KueueJob>(group, version, owner.Kind, plural, KueueJsonContext.Default.KueueJob)
            : null;
    }

    // One that cannot be read is nobody's: it must not keep the others from being seen.
    private static KueueWorkload Unreadable(JsonElement json, string reason) => new()
    {
        Metadata = json.TryGetProperty("metadata", out var metadata) ? metadata.Deserialize(RuntimeJson.TypeInfo<V1ObjectMeta>()) ?? new V1ObjectMeta() : new V1ObjectMeta(),
    };
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(KueueWorkload))]
[JsonSerializable(typeof(KueueJob))]
internal sealed partial class KueueJsonContext : JsonSerializerContext;
