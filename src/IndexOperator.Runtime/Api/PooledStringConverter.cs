using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using CommunityToolkit.HighPerformance.Buffers;

namespace IndexOperator.Runtime;

/// <summary>
/// Reads equal short strings as one object. Ten thousand cached objects say "True", "Job" and the same label keys ten thousand
/// times. The pool is bounded and forgets what is least used; what is written is as ever.
/// </summary>
internal sealed class PooledStringConverter : JsonConverter<string>
{
    /// <summary>Bytes up to which a string is looked up. Names, keys, types, reasons and digests are shorter; texts for people are not.</summary>
    private const int LongestPooled = 96;

    /// <inheritdoc/>
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String ? Text(ref reader) : reader.GetString();

    /// <inheritdoc/>
    public override string ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Text(ref reader);

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);

    /// <inheritdoc/>
    public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WritePropertyName(value);

    // Only plain ASCII: what is not may be ill-formed, and the reader says so properly.
    private static string Text(ref Utf8JsonReader reader) =>
        !reader.HasValueSequence && !reader.ValueIsEscaped && reader.ValueSpan.Length <= LongestPooled && Ascii.IsValid(reader.ValueSpan)
            ? StringPool.Shared.GetOrAdd(reader.ValueSpan, Encoding.ASCII)
            : reader.GetString()!;
}
