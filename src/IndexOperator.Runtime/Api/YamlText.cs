using System.Buffers;
using System.Globalization;
using System.Text;

namespace IndexOperator.Runtime;

/// <summary>
/// JSON as a YAML parser takes it. The API server reads the body of a server-side apply as YAML, and that knows JSON's \uXXXX but no
/// pairs of surrogates: a single emoji in a message would make it refuse the whole object.
/// </summary>
internal static class YamlText
{
    private const int EscapeLength = 6;

    /// <summary>The same JSON with every escaped pair of surrogates written as the character itself.</summary>
    public static byte[] FromJson(byte[] json)
    {
        if (json.AsSpan().IndexOf("\\uD"u8) < 0)
        {
            return json;
        }

        var text = new ArrayBufferWriter<byte>(json.Length);
        var rest = json.AsSpan();
        while (rest.Length > 0)
        {
            var plain = rest.IndexOf((byte)'\\');
            if (plain < 0)
            {
                text.Write(rest);
                break;
            }

            text.Write(rest[..plain]);
            rest = rest[plain..];
            if (CodeUnit(rest) is { } high && rest.Length > EscapeLength && CodeUnit(rest[EscapeLength..]) is { } low && Rune.TryCreate(high, low, out var rune))
            {
                text.Advance(rune.EncodeToUtf8(text.GetSpan(4)));
                rest = rest[(2 * EscapeLength)..];
            }
            else
            {
                // The escape's second character may be a backslash: it begins no escape of its own.
                text.Write(rest[..2]);
                rest = rest[2..];
            }
        }

        return text.WrittenSpan.ToArray();
    }

    private static char? CodeUnit(ReadOnlySpan<byte> escape) =>
        escape.Length >= EscapeLength && escape[0] == '\\' && escape[1] == 'u'
        && ushort.TryParse(escape[2..EscapeLength], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit)
            ? (char)unit
            : null;
}
