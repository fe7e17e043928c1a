using System.Numerics;
using System.Text;

namespace IndexOperator.Indexing;

/// <summary>
/// The shortest decimal digits that read back as a given double, the closest of them, as Python's <c>repr</c> finds them
/// (<c>Python/dtoa.c</c>, mode 0; the algorithm is Steele and White's, in exact integers).
/// </summary>
/// <remarks>
/// .NET's own round-trip format is not used: at powers of two, where the gap below a number is half the gap above it, it
/// can be one digit short and then reads back as the neighbour (2^-25 prints as 2.980232238769531E-08).
/// </remarks>
internal static class ShortestDigits
{
    private const int FractionBits = 52;
    private const int LowestExponent = -1074;

    /// <summary>Digits without leading or trailing zeros, and how many of them stand before the decimal point.</summary>
    /// <param name="value">A finite number above zero.</param>
    public static (string Digits, int PointAfter) Of(double value)
    {
        var (mantissa, exponent) = Decompose(value);
        var isPowerOfTwo = mantissa == 1L << FractionBits && exponent > LowestExponent;

        // value = rest / unit; the neighbours' midpoints are (rest - below) / unit and (rest + above) / unit.
        var shift = isPowerOfTwo ? 2 : 1;
        var rest = (BigInteger)mantissa << (Math.Max(exponent, 0) + shift);
        var unit = BigInteger.One << (Math.Max(-exponent, 0) + shift);
        var below = BigInteger.One << Math.Max(exponent, 0);
        var above = isPowerOfTwo ? below * 2 : below;

        // A midpoint itself reads back as the number with the even mantissa.
        var isEven = mantissa % 2 == 0;
        var point = (int)Math.Ceiling(Math.Log10(value) - 1e-10);
        var power = BigInteger.Pow(10, Math.Abs(point));
        (rest, unit, below, above) = point >= 0 ? (rest, unit * power, below, above) : (rest * power, unit, below * power, above * power);
        if (Reaches(rest + above, unit, isEven))
        {
            (point, unit) = (point + 1, unit * 10);
        }

        return (Generate(rest, unit, below, above, isEven), point);
    }

    private static string Generate(BigInteger rest, BigInteger unit, BigInteger below, BigInteger above, bool isEven)
    {
        var digits = new StringBuilder();
        while (true)
        {
            var digit = (int)BigInteger.DivRem(rest * 10, unit, out rest);
            (below, above) = (below * 10, above * 10);
            var canStop = Reaches(below, rest, isEven);
            var canRoundUp = Reaches(rest + above, unit, isEven);
            if (!canStop && !canRoundUp)
            {
                digits.Append((char)('0' + digit));
                continue;
            }

            var isHigher = !canStop || (canRoundUp && rest + above != unit && IsAboveHalf(rest, unit, digit));
            digits.Append((char)('0' + digit + (isHigher ? 1 : 0)));
            return digits.ToString().TrimEnd('0');
        }
    }

    private static bool Reaches(BigInteger value, BigInteger bound, bool isInclusive) => isInclusive ? value >= bound : value > bound;

    /// <summary>Whether the rest rounds up: a half does after an odd digit.</summary>
    private static bool IsAboveHalf(BigInteger rest, BigInteger unit, int digit)
    {
        var half = (rest * 2).CompareTo(unit);
        return half > 0 || (half == 0 && digit % 2 == 1);
    }

    private static (long Mantissa, int Exponent) Decompose(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var fraction = bits & ((1L << FractionBits) - 1);
        var exponent = (int)(bits >> FractionBits) & 0x7ff;
        return exponent == 0 ? (fraction, LowestExponent) : (fraction | (1L << FractionBits), exponent - 1075);
    }
}
