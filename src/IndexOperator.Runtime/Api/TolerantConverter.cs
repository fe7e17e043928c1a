using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace IndexOperator.Runtime;

/// <summary>
/// Reads an object by its contract, and what the contract cannot read by the caller's own means. A schema lets more through than a type
/// can hold (a duration of a million years, a number beyond 32 bits): without this, one such object would blind the whole informer.
/// </summary>
/// <param name="contract">The contract of the type.</param>
/// <param name="unreadable">Makes an object of what can be read, and of what is wrong.</param>
internal sealed class TolerantConverter<T>(JsonTypeInfo<T> contract, Func<JsonElement, string, T> unreadable) : JsonConverter<T>
    where T : class
{
    public override T? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var start = reader;
        try
        {
            return JsonSerializer.Deserialize(ref reader, contract);
        }
        catch (Exception error) when (error is JsonException or FormatException or OverflowException or ArgumentException or InvalidOperationException or NotSupportedException)
        {
            reader = start;
            using var document = JsonDocument.ParseValue(ref reader);
            return unreadable(document.RootElement.Clone(), error is JsonException { Path: { Length: > 2 } path } ? $"{path[2..]}: {error.InnerException?.Message ?? error.Message}" : error.Message);
        }
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => JsonSerializer.Serialize(writer, value, contract);
}
