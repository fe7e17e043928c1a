using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using k8s;
using k8s.Models;

namespace IndexOperator.Runtime;

/// <summary>Kinds of events on a watch.</summary>
public enum WatchEventKind
{
    /// <summary>A kind this runtime does not know.</summary>
    Unknown,

    /// <summary>An object appeared.</summary>
    Added,

    /// <summary>An object changed.</summary>
    Modified,

    /// <summary>An object went away.</summary>
    Deleted,

    /// <summary>Nothing changed up to a resource version.</summary>
    Bookmark,

    /// <summary>The watch failed; it ends after this.</summary>
    Error,
}

/// <summary>One event of a watch.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Entity">The object, for Added, Modified and Deleted.</param>
/// <param name="ResourceVersion">The resource version to resume from, for all but Error.</param>
/// <param name="Error">What failed, for Error.</param>
public sealed record WatchEvent<T>(WatchEventKind Kind, T? Entity, string? ResourceVersion, ApiException? Error)
    where T : class, IKubernetesObject<V1ObjectMeta>;

/// <summary>One page of a list.</summary>
/// <param name="Items">The objects of this page.</param>
/// <param name="ResourceVersion">The resource version of the whole list.</param>
/// <param name="Continue">The token of the next page; null or empty on the last one.</param>
public sealed record ListPage<T>(IReadOnlyList<T> Items, string ResourceVersion, string? Continue)
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>
    /// Whether the listing starts here. It is true again in mid-listing when the server forgot the continue token (410)
    /// and the list began anew: what the earlier pages said no longer counts.
    /// </summary>
    public bool IsFirst { get; init; }

    /// <summary>Whether the listing is complete with this page.</summary>
    public bool IsLast => string.IsNullOrEmpty(Continue);
}

/// <summary>Reads <c>{"type": ..., "object": ...}</c>; what the object is read as depends on the type.</summary>
internal sealed class WatchEventConverter<T>(JsonTypeInfo<T> item) : JsonConverter<WatchEvent<T>>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    public override WatchEvent<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var kind = default(WatchEventKind?);
        var pending = default(Utf8JsonReader);
        var hasPending = false;
        var result = default(WatchEvent<T>);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("type"u8))
            {
                reader.Read();
                kind = KindOf(ref reader);
            }
            else if (reader.ValueTextEquals("object"u8))
            {
                reader.Read();
                if (kind is { } known)
                {
                    result = ReadObject(known, ref reader);
                }
                else
                {
                    // The object came first: remember where it starts and come back when its type is known.
                    pending = reader;
                    hasPending = true;
                    reader.Skip();
                }
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        if (result is null && hasPending && kind is { } late)
        {
            result = ReadObject(late, ref pending);
        }

        return result ?? throw new JsonException("a watch event has neither type nor object");
    }

    public override void Write(Utf8JsonWriter writer, WatchEvent<T> value, JsonSerializerOptions options) =>
        throw new NotSupportedException("watch events are only read");

    private static WatchEventKind KindOf(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("ADDED"u8) ? WatchEventKind.Added
        : reader.ValueTextEquals("MODIFIED"u8) ? WatchEventKind.Modified
        : reader.ValueTextEquals("DELETED"u8) ? WatchEventKind.Deleted
        : reader.ValueTextEquals("BOOKMARK"u8) ? WatchEventKind.Bookmark
        : reader.ValueTextEquals("ERROR"u8) ? WatchEventKind.Error
        : WatchEventKind.Unknown;

    private WatchEvent<T> ReadObject(WatchEventKind kind, ref Utf8JsonReader reader)
    {
        switch (kind)
        {
            case WatchEventKind.Error:
                var status = JsonSerializer.Deserialize(ref reader, RuntimeJsonContext.Default.StatusObject);
                return new WatchEvent<T>(kind, null, null, ApiException.FromStatus(status, "watch"));
            case WatchEventKind.Bookmark or WatchEventKind.Unknown:
                // A bookmark carries the object's kind with nothing but a resource version in it: T may refuse that.
                var mark = JsonSerializer.Deserialize(ref reader, RuntimeJsonContext.Default.BookmarkObject);
                return new WatchEvent<T>(kind, null, mark?.Metadata?.ResourceVersion, null);
            default:
                var entity = JsonSerializer.Deserialize(ref reader, item) ?? throw new JsonException("a watch event without an object");
                return new WatchEvent<T>(kind, entity, entity.Metadata?.ResourceVersion, null);
        }
    }
}

/// <summary>Reads a list of any kind, whatever its own kind is called.</summary>
internal sealed class ListPageConverter<T>(JsonTypeInfo<T> item) : JsonConverter<ListPage<T>>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    public override ListPage<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var items = new List<T>();
        var metadata = default(ListMetadata);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("metadata"u8))
            {
                reader.Read();
                metadata = JsonSerializer.Deserialize(ref reader, RuntimeJsonContext.Default.ListMetadata);
            }
            else if (reader.ValueTextEquals("items"u8))
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.StartArray)
                {
                    continue; // Go writes an empty list as null
                }

                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    items.Add(JsonSerializer.Deserialize(ref reader, item) ?? throw new JsonException("a null in a list"));
                }
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        return new ListPage<T>(items, metadata?.ResourceVersion ?? "", metadata?.Continue);
    }

    public override void Write(Utf8JsonWriter writer, ListPage<T> value, JsonSerializerOptions options) =>
        throw new NotSupportedException("lists are only read");
}
