using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;

namespace IndexOperator.Indexing;

/// <summary>
/// Text equal to Python's <c>json.dumps(value, indent=4)</c>, the text that Megatron hashes into a key
/// (<c>megatron_dataset.py</c>, <c>blended_dataset.py</c>: <c>unique_description</c>).
/// </summary>
/// <remarks>
/// Values are null, <see cref="bool"/>, <see cref="long"/>, <see cref="BigInteger"/>, <see cref="double"/>,
/// <see cref="string"/>, lists of values and lists of pairs (an object, in order).
/// </remarks>
public static class PythonJson
{
    private const int MaxDepth = 64;
    private const int MaxDigits = 4300;

    /// <summary>Renders a value; see the remarks of the class for what a value can be.</summary>
    public static string Dump(object? value)
    {
        var text = new StringBuilder();
        Write(text, value, 0);
        return text.ToString();
    }

    /// <summary>Reads JSON as Python's <c>json.loads</c> does: a repeated key keeps its first place and its last value.</summary>
    /// <param name="json">JSON text.</param>
    /// <exception cref="JsonException">The text is no JSON, or is nested more than 64 deep.</exception>
    public static object? Load(string json)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth });
        return Convert(document.RootElement);
    }

    private static object? Convert(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => ConvertObject(element),
        JsonValueKind.Array => element.EnumerateArray().Select(Convert).ToList(),
        JsonValueKind.String => ConvertString(element),
        JsonValueKind.Number => ConvertNumber(element.GetRawText()),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    private static List<KeyValuePair<string, object?>> ConvertObject(JsonElement element)
    {
        var members = new List<KeyValuePair<string, object?>>();
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var property in element.EnumerateObject())
        {
            var member = KeyValuePair.Create(property.Name, Convert(property.Value));
            if (places.TryAdd(property.Name, members.Count))
            {
                members.Add(member);
            }
            else
            {
                members[places[property.Name]] = member;
            }
        }

        return members;
    }

    private static string ConvertString(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException fault)
        {
            throw new JsonException("A string holds half of a surrogate pair.", fault);
        }
    }

    // Python refuses longer ints too (sys.set_int_max_str_digits), and reading them takes time that grows with their square.
    private static object ConvertNumber(string raw) => raw.Length > MaxDigits
        ? throw new JsonException($"A number has {raw.Length} characters; Python reads {MaxDigits}.")
        : raw.AsSpan().ContainsAny(".eE")
            ? double.Parse(raw, NumberStyles.Float, CultureInfo.InvariantCulture)
            : BigInteger.Parse(raw, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    private static void Write(StringBuilder text, object? value, int depth)
    {
        switch (value)
        {
            case null:
                text.Append("null");
                break;
            case bool flag:
                text.Append(flag ? "true" : "false");
                break;
            case double number:
                text.Append(double.IsFinite(number) ? PythonFloat.Repr(number) : double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
                break;
            case string words:
                WriteString(text, words);
                break;
            case IReadOnlyList<KeyValuePair<string, object?>> members:
                WriteContainer(text, '{', '}', members, depth, member =>
                {
                    WriteString(text, member.Key);
                    text.Append(": ");
                    Write(text, member.Value, depth + 1);
                });
                break;
            case IReadOnlyList<object?> items:
                WriteContainer(text, '[', ']', items, depth, item => Write(text, item, depth + 1));
                break;
            default:
                text.Append(CultureInfo.InvariantCulture, $"{value}");
                break;
        }
    }

    private static void WriteContainer<T>(StringBuilder text, char open, char close, IReadOnlyList<T> items, int depth, Action<T> writeItem)
    {
        text.Append(open);
        for (var i = 0; i < items.Count; i++)
        {
            text.Append(i == 0 ? "\n" : ",\n").Append(' ', 4 * (depth + 1));
            writeItem(items[i]);
        }

        if (items.Count > 0)
        {
            text.Append('\n').Append(' ', 4 * depth);
        }

        text.Append(close);
    }

    private static void WriteString(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                >= ' ' and <= '~' => text.Append(c),
                _ => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
            };
        }

        text.Append('"');
    }
}
