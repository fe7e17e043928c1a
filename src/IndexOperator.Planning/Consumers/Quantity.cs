using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace IndexOperator.Planning;

/// <summary>Sizes in a pod's JSON. The client library's quantity takes any exponent and has several ways of failing; a pod's is hostile.</summary>
internal static partial class Quantity
{
    /// <summary>One mebibyte.</summary>
    public const long Mi = 1L << 20;

    private const int Longest = 64;

    /// <summary>The bytes that a quantity in JSON says, rounded up; null where it is none, negative, or beyond what 64 bits hold.</summary>
    public static long? Bytes(JsonNode? node) => node switch
    {
        JsonValue value when value.GetValueKind() == JsonValueKind.String => Bytes(value.GetValue<string>()),
        JsonValue value when value.GetValueKind() == JsonValueKind.Number => Bytes(value.ToJsonString()),
        _ => null,
    };

    /// <inheritdoc cref="Bytes(JsonNode?)"/>
    public static long? Bytes(string text)
    {
        if (text.Length > Longest || Form().Match(text) is not { Success: true } match
            || !decimal.TryParse(match.Groups["number"].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }

        try
        {
            return (long)Math.Ceiling(number * Factor(match.Groups["suffix"].Value));
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    /// <summary>A size as Kubernetes writes it.</summary>
    public static string Text(long bytes) =>
        bytes % Mi == 0 ? string.Create(CultureInfo.InvariantCulture, $"{bytes / Mi}Mi") : bytes.ToString(CultureInfo.InvariantCulture);

    private static decimal Factor(string suffix) => suffix switch
    {
        "" => 1,
        "n" => 1e-9m,
        "u" => 1e-6m,
        "m" => 1e-3m,
        ['e' or 'E', '+' or '-' or (>= '0' and <= '9'), ..] => Power(10, int.Parse(suffix.AsSpan(1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)),
        [var letter, 'i'] => Power(1024, "KMGTPE".IndexOf(letter, StringComparison.Ordinal) + 1),
        _ => Power(1000, "KMGTPE".IndexOf(char.ToUpperInvariant(suffix[0]), StringComparison.Ordinal) + 1),
    };

    private static decimal Power(decimal of, int exponent)
    {
        var result = 1m;
        for (var i = 0; i < Math.Abs(exponent); i++)
        {
            result = exponent < 0 ? result / of : result * of;
        }

        return result;
    }

    [GeneratedRegex(@"^\+?(?<number>[0-9]+(\.[0-9]*)?|\.[0-9]+)(?<suffix>|[numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Form();
}
