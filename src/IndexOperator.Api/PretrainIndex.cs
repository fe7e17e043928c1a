using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using IndexOperator.Api.Schema;
using k8s;
using k8s.Models;

namespace IndexOperator.Api;

/// <summary>
/// A pretraining index cache of Megatron-Core (NeMo, Megatron-LM, Megatron-Bridge): which data, how the training run will read it, and
/// on which volume the cache is published.
/// </summary>
/// <remarks>No member is <c>required</c>: the first thing on a watch may be an error or a bookmark in this type's place.</remarks>
[KubernetesEntity(Group = GroupName, ApiVersion = Version, Kind = KindName, PluralName = Plural)]
[Description("PretrainIndex declares the data and the cache location of a pretraining index cache. The operator builds it off the GPUs' time, publishes it as an immutable version and marks the resource Ready.")]
[PrinterColumn("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status")]
[PrinterColumn("Version", "string", ".status.current.version", Description = "The version that new training pods get.")]
[PrinterColumn("Data", "string", ".status.current.dataVersion", Description = "The data version that the current version was built for.")]
[PrinterColumn("Progress", "string", ".status.build.progress", Description = "Phase, percent and remaining time of the build under way.")]
[PrinterColumn("Size", "string", ".status.current.size")]
[PrinterColumn("Age", "date", ".metadata.creationTimestamp")]
[PrinterColumn("Reason", "string", ".status.conditions[?(@.type==\"Ready\")].reason", Priority = 1)]
[PrinterColumn("Job", "string", ".status.build.job", Priority = 1)]
[PrinterColumn("Claim", "string", ".status.claimName", Priority = 1)]
public sealed class PretrainIndex : IKubernetesObject<V1ObjectMeta>
{
    /// <summary>The API group.</summary>
    public const string GroupName = "indexoperator.io";

    /// <summary>The API version.</summary>
    public const string Version = "v1alpha1";

    /// <summary>The kind.</summary>
    public const string KindName = "PretrainIndex";

    /// <summary>The resource's name in URLs.</summary>
    public const string Plural = "pretrainindexes";

    /// <summary>Group and version as they stand in manifests.</summary>
    public const string GroupVersion = GroupName + "/" + Version;

    /// <inheritdoc/>
    [JsonPropertyName("apiVersion")]
    public string ApiVersion { get; set; } = GroupVersion;

    /// <inheritdoc/>
    [JsonPropertyName("kind")]
    public string Kind { get; set; } = KindName;

    /// <inheritdoc/>
    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What a person declares.</summary>
    [JsonPropertyName("spec")]
    [Required]
    [Description("What to build, from which data, and where to publish it.")]
    public PretrainIndexSpec Spec { get; set; } = new();

    /// <summary>Why the spec could not be read, when the schema let through what these types cannot hold; null in all other cases.</summary>
    [JsonIgnore]
    public string? Unreadable { get; set; }

    /// <summary>What the operator reports.</summary>
    [JsonPropertyName("status")]
    [DefaultEmptyObject]
    [Description("What the operator reports. Written by the operator only.")]
    public PretrainIndexStatus? Status { get; set; }

    /// <summary>The same resource with another status; everything else is shared.</summary>
    public PretrainIndex With(PretrainIndexStatus? status) => new()
    {
        ApiVersion = ApiVersion,
        Kind = Kind,
        Metadata = Metadata,
        Spec = Spec,
        Unreadable = Unreadable,
        Status = status,
    };

    /// <summary>The same resource with another spec; everything else is shared.</summary>
    public PretrainIndex WithSpec(PretrainIndexSpec spec) => new()
    {
        ApiVersion = ApiVersion,
        Kind = Kind,
        Metadata = Metadata,
        Spec = spec,
        Unreadable = Unreadable,
        Status = Status,
    };
}

/// <summary>A page of <see cref="PretrainIndex"/> as the API server lists them.</summary>
public sealed class PretrainIndexList : IKubernetesObject<V1ListMeta>, IItems<PretrainIndex>
{
    /// <inheritdoc/>
    [JsonPropertyName("apiVersion")]
    public string ApiVersion { get; set; } = PretrainIndex.GroupVersion;

    /// <inheritdoc/>
    [JsonPropertyName("kind")]
    public string Kind { get; set; } = PretrainIndex.KindName + "List";

    /// <inheritdoc/>
    [JsonPropertyName("metadata")]
    public V1ListMeta Metadata { get; set; } = new();

    /// <inheritdoc/>
    [JsonPropertyName("items")]
    public IList<PretrainIndex> Items { get; set; } = [];
}
