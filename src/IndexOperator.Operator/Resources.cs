using System.Text.Json;
using IndexOperator.Api;
using IndexOperator.Runtime;
using k8s.Models;

namespace IndexOperator.Operator;

/// <summary>Where the operator's own resource lives on the API server.</summary>
public static class Resources
{
    /// <summary>PretrainIndexes. One that cannot be read is still seen, with the reason, so that its status can say so.</summary>
    public static ResourceType<PretrainIndex> PretrainIndexes { get; } = new(
        PretrainIndex.GroupName,
        PretrainIndex.Version,
        PretrainIndex.KindName,
        PretrainIndex.Plural,
        ApiJsonContext.Default.PretrainIndex,
        unreadable: Unreadable);

    /// <summary>Definitions of kinds, this one among them.</summary>
    public static ResourceType<V1CustomResourceDefinition> Definitions { get; } = new(
        "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", RuntimeJson.TypeInfo<V1CustomResourceDefinition>(), namespaced: false);

    private static PretrainIndex Unreadable(JsonElement json, string reason) => new()
    {
        Metadata = json.TryGetProperty("metadata", out var metadata) ? metadata.Deserialize(RuntimeJson.TypeInfo<V1ObjectMeta>()) ?? new V1ObjectMeta() : new V1ObjectMeta(),
        Status = json.TryGetProperty("status", out var status) ? Try(status) : null,
        Unreadable = reason,
    };

    // A status that somebody wrote by hand may be the unreadable part; it is written anew then.
    private static PretrainIndexStatus? Try(JsonElement status)
    {
        try
        {
            return status.Deserialize(ApiJsonContext.Default.PretrainIndexStatus);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
