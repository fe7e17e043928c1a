using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace IndexOperator.Api;

/// <summary>
/// A length of time in the text form of Go's <c>time.ParseDuration</c> (<c>2h</c>, <c>1h30m</c>, <c>90s</c>, <c>0</c>), which is
/// what Kubernetes resources use. The text is kept as written, so that nothing in the spec is respelled.
/// </summary>
[JsonConverter(typeof(GoDurationJsonConverter))]
public readonly record struct GoDuration
{
    /// <summary>The schema's pattern: no sign; days and weeks do not exist in Go.</summary>
    public const string Pattern = @"^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$";

    /// <summary>The longest text that is read.</summary>
    public const int MaxLength = 64;

    // 292 years: Go's own limit.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(106_751);

    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    private readonly string? _text;

    private GoDuration(string text, TimeSpan value)
    {
        _text = text;
        Value = value;
    }

    /// <summary>
    /// The length of time, at .NET's resolution of 100 ns; at most 292 years. Longer texts count as 292 years instead of being refused:
    /// the schema's pattern lets them pass, and a stored resource must stay readable.
    /// </summary>
    public TimeSpan Value { get; }

    /// <summary>Reads Go's text form.</summary>
    /// <exception cref="FormatException">The text is not a duration.</exception>
    public static GoDuration Parse(string text) =>
        TryParse(text, out var duration)
            ? duration
            : throw new FormatException($"\"{Clip(text)}\" is not a duration. Write for example 90s, 30m, 2h or 1h30m.");

    /// <summary>Reads Go's text form; false when the text is not one.</summary>
    public static bool TryParse(string? text, out GoDuration duration)
    {
        duration = default;
        if (string.IsNullOrEmpty(text) || text.Length > MaxLength)
        {
            return false;
        }

        if (text == "0")
        {
            duration = new GoDuration(text, TimeSpan.Zero);
            return true;
        }

        double ticks = 0;
        var rest = text.AsSpan();
        while (rest.Length > 0)
        {
            var digits = rest.IndexOfAnyExcept(NumberCharacters);
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            {
                return false;
            }

            rest = rest[digits..];
            var letters = rest.IndexOfAny(NumberCharacters);
            var unit = letters < 0 ? rest : rest[..letters];
            if (TicksOf(unit) is not { } each)
            {
                return false;
            }

            ticks += number * each;
            rest = rest[unit.Length..];
        }

        duration = new GoDuration(text, ticks < Longest.Ticks ? TimeSpan.FromTicks((long)ticks) : Longest);
        return true;
    }

    /// <summary>The text as it was written.</summary>
    public override string ToString() => _text ?? "0";

    private static double? TicksOf(ReadOnlySpan<char> unit) => unit switch
    {
        "ns" => 0.01,
        "us" or "µs" => 10,
        "ms" => TimeSpan.TicksPerMillisecond,
        "s" => TimeSpan.TicksPerSecond,
        "m" => TimeSpan.TicksPerMinute,
        "h" => TimeSpan.TicksPerHour,
        _ => null,
    };

    private static string Clip(string text) => text.Length <= 64 ? text : string.Concat(text.AsSpan(0, 64), "…");
}

/// <summary>Reads and writes <see cref="GoDuration"/> as a JSON string.</summary>
public sealed class GoDurationJsonConverter : JsonConverter<GoDuration>
{
    /// <inheritdoc/>
    public override GoDuration Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            throw new JsonException("A duration is a string, for example \"2h\".");
        }

        return GoDuration.TryParse(reader.GetString(), out var duration)
            ? duration
            : throw new JsonException("Not a duration. Write for example 90s, 30m, 2h or 1h30m.");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, GoDuration value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStringValue(value.ToString());
    }
}
