using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using k8s;
using k8s.Models;

namespace IndexOperator.Runtime;

/// <summary>
/// How this project reads and writes JSON: always through source-generated contracts. For the types of Kubernetes
/// itself it uses the contracts that KubernetesClient generates; for everything else the caller hands one in.
/// </summary>
public static class RuntimeJson
{
    private static readonly PooledStringConverter Pooled = new();

    private static readonly Lazy<JsonSerializerOptions> Known = new(() => new JsonSerializerOptions(SourceGenerationContext.Default.Options)
    {
        TypeInfoResolver = SourceGenerationContext.Default.WithAddedModifier(DropManagedFields),
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { Pooled },
    });

    /// <summary>The contract of a type of Kubernetes itself (V1Pod, V1Job, ...), which never reads managedFields.</summary>
    public static JsonTypeInfo<T> TypeInfo<T>() => (JsonTypeInfo<T>)Known.Value.GetTypeInfo(typeof(T));

    /// <summary>
    /// The same contract, but with equal short strings read as one, and skipping <c>metadata.managedFields</c> at the parser. They are often half of an object's
    /// bytes and no controller looks at them, so they should never become garbage, let alone stay in a store.
    /// </summary>
    public static JsonTypeInfo<T> WithoutManagedFields<T>(JsonTypeInfo<T> info)
    {
        ArgumentNullException.ThrowIfNull(info);
        if (ReferenceEquals(info.Options, Known.Value) || info.Options.TypeInfoResolver is not { } resolver)
        {
            return info;
        }

        var options = new JsonSerializerOptions(info.Options) { TypeInfoResolver = resolver.WithAddedModifier(DropManagedFields), Converters = { Pooled } };
        return (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
    }

    private static void DropManagedFields(JsonTypeInfo info)
    {
        if (info.Type != typeof(V1ObjectMeta) || info.Kind != JsonTypeInfoKind.Object)
        {
            return;
        }

        for (var i = info.Properties.Count - 1; i >= 0; i--)
        {
            if (info.Properties[i].Name == "managedFields")
            {
                info.Properties.RemoveAt(i);
            }
        }
    }
}

/// <summary>Shared members of objects that the runtime writes itself.</summary>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ListMetadata))]
[JsonSerializable(typeof(BookmarkObject))]
[JsonSerializable(typeof(StatusObject))]
internal sealed partial class RuntimeJsonContext : JsonSerializerContext;

internal sealed class ListMetadata
{
    public string? ResourceVersion { get; set; }

    public string? Continue { get; set; }

    public long? RemainingItemCount { get; set; }
}

internal sealed class BookmarkObject
{
    public BookmarkMetadata? Metadata { get; set; }
}

internal sealed class BookmarkMetadata
{
    public string? ResourceVersion { get; set; }
}

/// <summary>What the runtime reads of a Status; lenient, since proxies and aggregated servers write their own.</summary>
internal sealed class StatusObject
{
    public string? Status { get; set; }

    public string? Reason { get; set; }

    public string? Message { get; set; }

    public int? Code { get; set; }

    public StatusObjectDetails? Details { get; set; }
}

internal sealed class StatusObjectDetails
{
    public int? RetryAfterSeconds { get; set; }
}
