using System.Globalization;
using System.Text;
using System.Text.Json;

namespace IndexOperator.Indexing.Tests.Naive;

/// <summary>What the naive cache needs of Python and numpy, written from their documentation.</summary>
internal static class NaivePython
{
    /// <summary>numpy.sum: pairwise, eight lanes from eight numbers on, halves of a multiple of eight above 128.</summary>
    public static double Sum(double[] a)
    {
        if (a.Length < 8)
        {
            return a.Aggregate(-0.0, (sum, value) => sum + value);
        }

        if (a.Length > 128)
        {
            var half = a.Length / 2 / 8 * 8;
            return Sum(a[..half]) + Sum(a[half..]);
        }

        var r = a[..8];
        var i = 8;
        for (; i + 8 <= a.Length; i += 8)
        {
            for (var lane = 0; lane < 8; lane++)
            {
                r[lane] += a[i + lane];
            }
        }

        var total = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
        for (; i < a.Length; i++)
        {
            total += a[i];
        }

        return total;
    }

    public static double[] Normalize(IEnumerable<double> weights)
    {
        var values = weights.ToArray();
        var sum = Sum(values);
        return [.. values.Select(value => value / sum)];
    }

    /// <summary>round(x) of a non-negative double: to the nearest integer, halves to the even one.</summary>
    public static long Round(double x)
    {
        var floor = Math.Floor(x);
        var rest = x - floor;
        var up = rest > 0.5 || (rest == 0.5 && floor % 2 == 1);
        return (long)floor + (up ? 1 : 0);
    }

    public static long FloorDivide(long a, long b) => (a / b) - (a % b < 0 ? 1 : 0);

    /// <summary>json.dumps(value, indent=4). Objects are lists of pairs; a JsonElement is the tokenizer as it was given.</summary>
    public static string Dumps(object? value, string indent = "") => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        string text => Quote(text),
        double number => Repr(number),
        JsonElement element => Dumps(FromJson(element), indent),
        List<(string Key, object? Value)> fields => Wrap("{", "}", indent, fields.Select(field => $"{Quote(field.Key)}: {Dumps(field.Value, indent + "    ")}")),
        List<object?> items => Wrap("[", "]", indent, items.Select(item => Dumps(item, indent + "    "))),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    /// <summary>repr(float), made by trying ever more digits until the text reads back.</summary>
    public static string Repr(double x)
    {
        if (x < 0 || (x == 0 && double.IsNegative(x)))
        {
            return "-" + Repr(-x);
        }

        var scientific = Enumerable.Range(0, 17)
            .Select(digits => x.ToString("E" + digits, CultureInfo.InvariantCulture))
            .First(text => double.Parse(text, CultureInfo.InvariantCulture) == x);
        var parts = scientific.Split('E');
        var (mantissa, exponent) = (parts[0].Replace(".", "", StringComparison.Ordinal).TrimEnd('0'), int.Parse(parts[1], CultureInfo.InvariantCulture));
        mantissa = mantissa.Length == 0 ? "0" : mantissa;
        if (exponent is < -4 or >= 16)
        {
            var fraction = mantissa.Length > 1 ? "." + mantissa[1..] : "";
            return $"{mantissa[0]}{fraction}e{(exponent < 0 ? "-" : "+")}{Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture)}";
        }

        if (exponent < 0)
        {
            return "0." + new string('0', -exponent - 1) + mantissa;
        }

        mantissa = mantissa.PadRight(exponent + 2, '0');
        return mantissa[..(exponent + 1)] + "." + mantissa[(exponent + 1)..];
    }

    private static string Wrap(string open, string close, string indent, IEnumerable<string> items)
    {
        var lines = items.Select(item => $"{indent}    {item}").ToList();
        return lines.Count == 0 ? open + close : $"{open}\n{string.Join(",\n", lines)}\n{indent}{close}";
    }

    private static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            quoted.Append(c switch
            {
                '"' or '\\' => "\\" + c,
                '\b' => "\\b",
                '\f' => "\\f",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                < ' ' or > '~' => "\\u" + ((int)c).ToString("x4", CultureInfo.InvariantCulture),
                _ => c.ToString(),
            });
        }

        return quoted.Append('"').ToString();
    }

    private static object? FromJson(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().GroupBy(field => field.Name).Select(field => (field.Key, FromJson(field.Last().Value))).ToList(),
        JsonValueKind.Array => element.EnumerateArray().Select(FromJson).ToList(),
        JsonValueKind.String => element.GetString(),
        JsonValueKind.Number => element.GetRawText().IndexOfAny(['.', 'e', 'E']) >= 0 ? element.GetDouble() : System.Numerics.BigInteger.Parse(element.GetRawText(), CultureInfo.InvariantCulture),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };
}
