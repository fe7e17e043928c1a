using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace CrdGen;

/// <summary>Writes JSON as block YAML, always the same bytes for the same value.</summary>
public static partial class YamlText
{
    private const int Width = 120;

    private static readonly HashSet<string> Words = new(StringComparer.OrdinalIgnoreCase) { "true", "false", "yes", "no", "on", "off", "y", "n", "null" };

    /// <summary>The value as a YAML document, without the document marker.</summary>
    public static string Write(JsonNode value)
    {
        var text = new StringBuilder();
        Block(text, value, 0);
        return text.ToString();
    }

    private static void Block(StringBuilder text, JsonNode? value, int indent)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 } mapping:
                foreach (var (key, item) in mapping)
                {
                    text.Append(' ', indent).Append(Quoted(key)).Append(':');
                    // A list stands at its key's own column, as kubectl and controller-gen write it.
                    Inside(text, item, item is JsonArray ? indent : indent + 2);
                }

                break;
            case JsonArray { Count: > 0 } list:
                foreach (var item in list)
                {
                    text.Append(' ', indent).Append('-');
                    if (item is JsonObject { Count: > 0 })
                    {
                        // The first key follows the dash on the same line.
                        var from = text.Length;
                        Block(text, item, indent + 2);
                        text.Remove(from, indent + 1);
                    }
                    else
                    {
                        Inside(text, item, indent + 2);
                    }
                }

                break;
            default:
                throw new InvalidOperationException("A document is a mapping or a list that is not empty.");
        }
    }

    private static void Inside(StringBuilder text, JsonNode? value, int indent)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 } or JsonArray { Count: > 0 }:
                text.Append('\n');
                Block(text, value, indent);
                break;
            case JsonObject:
                text.Append(" {}\n");
                break;
            case JsonArray:
                text.Append(" []\n");
                break;
            case JsonValue scalar when scalar.GetValueKind() == JsonValueKind.String:
                Text(text, scalar.GetValue<string>(), indent);
                break;
            default:
                text.Append(' ').Append(value?.ToJsonString() ?? "null").Append('\n');
                break;
        }
    }

    private static void Text(StringBuilder text, string value, int indent)
    {
        if (value.Length <= Width - indent - 20 || !Foldable().IsMatch(value))
        {
            text.Append(' ').Append(Quoted(value)).Append('\n');
            return;
        }

        text.Append(" >-\n");
        var width = Math.Max(60, Width - indent);
        var column = 0;
        foreach (var word in value.Split(' '))
        {
            if (column > 0 && column + 1 + word.Length > width)
            {
                text.Append('\n');
                column = 0;
            }

            if (column == 0)
            {
                text.Append(' ', indent);
            }
            else
            {
                text.Append(' ');
                column++;
            }

            text.Append(word);
            column += word.Length;
        }

        text.Append('\n');
    }

    private static string Quoted(string value)
    {
        if (value.Any(char.IsControl))
        {
            throw new SchemaException(string.Create(CultureInfo.InvariantCulture, $"\"{value}\" holds a control character, which is not written."));
        }

        var plain = Plain().IsMatch(value) && !value.Contains(": ", StringComparison.Ordinal) && !value.EndsWith(':') && !value.EndsWith(' ')
            && !value.Contains(" #", StringComparison.Ordinal) && !Words.Contains(value);
        return plain ? value : $"'{value.Replace("'", "''", StringComparison.Ordinal)}'";
    }

    [GeneratedRegex(@"^[A-Za-z][^\[\]{}]*$")]
    private static partial Regex Plain();

    // Words with one blank between them, which folding brings back exactly.
    [GeneratedRegex(@"^\S+( \S+){8,}$")]
    private static partial Regex Foldable();
}
