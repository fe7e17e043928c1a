using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace IndexOperator.Api;

/// <summary>Writes times as Kubernetes does (<c>2026-11-20T08:15:00Z</c>, whole seconds, UTC) and reads any RFC 3339 time.</summary>
public sealed class Rfc3339Converter : JsonConverter<DateTimeOffset>
{
    /// <inheritdoc/>
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TryGetDateTimeOffset(out var time)
            ? time.ToUniversalTime()
            : throw new JsonException("Not a time in RFC 3339 form, for example 2026-11-20T08:15:00Z.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
    }
}
