using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace IndexOperator.Indexing;

/// <summary>Python's <c>repr(float)</c> and <c>float(str)</c>, as keys and split texts need them.</summary>
public static partial class PythonFloat
{
    /// <summary>
    /// The shortest text that reads back as the same double: fixed notation with at least one decimal for
    /// 1e-4 &lt;= |x| &lt; 1e16, otherwise an exponent with sign and two digits; <c>inf</c>, <c>-inf</c>, <c>nan</c>.
    /// </summary>
    public static string Repr(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }

        var sign = double.IsNegative(value) ? "-" : "";
        var (digits, pointAfter) = value == 0 ? ("0", 1) : ShortestDigits.Of(Math.Abs(value));
        return sign + Dress(digits, pointAfter);
    }

    /// <summary>Python's <c>float(text)</c> for texts made of digits and points only.</summary>
    /// <returns>False where Python raises <c>ValueError</c>.</returns>
    public static bool TryParseDigits(string text, out double value) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value);

    /// <summary>
    /// Whether Python's <c>float(text)</c> reads the text as a number: blanks around it, a sign, single underscores between
    /// digits, digits of any script, <c>inf</c> and <c>nan</c> are all allowed. Megatron takes such an item of a list of
    /// paths for a weight (<c>megatron/core/datasets/utils.py</c>, <c>get_blend_from_list</c>).
    /// </summary>
    public static bool IsNumber(string text)
    {
        var ascii = new StringBuilder(text.Length);
        foreach (var rune in text.Trim().EnumerateRunes())
        {
            ascii.Append(Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber
                ? ((int)Rune.GetNumericValue(rune)).ToString(CultureInfo.InvariantCulture)
                : rune.ToString());
        }

        return Number().IsMatch(ascii.ToString());
    }

    [GeneratedRegex(
        @"\A[+-]?(inf(inity)?|nan|(([0-9](_?[0-9])*)?\.[0-9](_?[0-9])*|[0-9](_?[0-9])*\.?)(e[+-]?[0-9](_?[0-9])*)?)\z",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Number();

    private static string Dress(string digits, int pointAfter)
    {
        if (pointAfter is > -4 and <= 16)
        {
            return pointAfter <= 0 ? "0." + new string('0', -pointAfter) + digits
                : digits.Length <= pointAfter ? digits + new string('0', pointAfter - digits.Length) + ".0"
                : digits[..pointAfter] + "." + digits[pointAfter..];
        }

        var power = pointAfter - 1;
        var mantissa = digits.Length == 1 ? digits : digits[..1] + "." + digits[1..];
        return string.Create(CultureInfo.InvariantCulture, $"{mantissa}e{(power < 0 ? '-' : '+')}{Math.Abs(power):00}");
    }
}
