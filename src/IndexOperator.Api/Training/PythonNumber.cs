namespace IndexOperator.Api.Training;

/// <summary>
/// A Python number that is not negative: an <c>int</c>, here of 63 bits and checked, or a <c>float</c>. Mixed arithmetic
/// turns the int into the nearest float first, as Python does.
/// </summary>
internal readonly struct PythonNumber
{
    private readonly long _whole;
    private readonly double? _fraction;

    private PythonNumber(long whole, double? fraction)
    {
        _whole = whole;
        _fraction = fraction;
    }

    public bool IsFloat => _fraction is not null;

    private double Value => _fraction ?? _whole;

    public static PythonNumber Int(long value) => new(value, null);

    public static PythonNumber Float(double value) => new(0, value);

    public static PythonNumber operator *(PythonNumber left, PythonNumber right) => left.IsFloat || right.IsFloat
        ? Float(left.Value * right.Value)
        : Int(SizeLimit.Checked(() => checked(left._whole * right._whole)));

    public static PythonNumber operator +(PythonNumber left, PythonNumber right) => left.IsFloat || right.IsFloat
        ? Float(left.Value + right.Value)
        : Int(SizeLimit.Checked(() => checked(left._whole + right._whole)));

    /// <summary>
    /// <c>left // right</c>. For floats <c>(left - fmod(left, right)) / right</c>, rounded to the next whole number, which
    /// is not the floor of the quotient: <c>100 // 0.1</c> is 999.
    /// </summary>
    public static PythonNumber FloorDivide(PythonNumber left, PythonNumber right)
    {
        if (!left.IsFloat && !right.IsFloat)
        {
            return Int(left._whole / right._whole);
        }

        var quotient = (left.Value - (left.Value % right.Value)) / right.Value;
        var floor = Math.Floor(quotient);
        return Float(quotient - floor > 0.5 ? floor + 1 : floor);
    }

    /// <summary><c>int(number)</c>: towards zero.</summary>
    public long Truncate()
    {
        var value = _fraction;
        var whole = _whole;
        return value is { } fraction ? SizeLimit.Checked(() => checked((long)fraction)) : whole;
    }

    /// <summary><c>int(left / right)</c> of two ints: the exact quotient rounded once to a float, then cut off.</summary>
    public static long TruncatedQuotient(long left, long right)
    {
        // 64 more bits of quotient, and one that stands for all that follow, are enough to round once.
        var (quotient, remainder) = UInt128.DivRem((UInt128)(ulong)left << 64, (UInt128)(ulong)right);
        if (remainder != 0)
        {
            quotient |= 1;
        }

        return SizeLimit.Checked(() => checked((long)Math.ScaleB(Nearest(quotient), -64)));
    }

    /// <summary>The nearest double, the even one on a tie.</summary>
    private static double Nearest(UInt128 value)
    {
        var excess = 128 - (int)UInt128.LeadingZeroCount(value) - 54;
        if (excess <= 0)
        {
            return (double)(ulong)value;
        }

        // Fifty-four bits: fifty-three and the one that decides, made odd where anything below it is set.
        var kept = (ulong)(value >> excess);
        var isTie = (value & ((UInt128.One << excess) - 1)) == 0;
        var half = kept & 1;
        kept >>= 1;
        kept += half == 1 && (!isTie || (kept & 1) == 1) ? 1UL : 0;
        return Math.ScaleB(kept, excess + 1);
    }
}

/// <summary>The largest number of samples: Megatron-Core keeps them in 64 bits.</summary>
internal static class SizeLimit
{
    public static long Checked(Func<long> compute)
    {
        try
        {
            return compute();
        }
        catch (OverflowException overflow)
        {
            throw new TrainerRefusedException(TrainerRefusal.SizeOutOfRange, "", "gives more samples than 64 bits hold. Correct the batch size, the length or the evaluation settings.", overflow);
        }
    }

    public static long Product(params ReadOnlySpan<long> factors)
    {
        var product = 1L;
        foreach (var factor in factors)
        {
            var left = product;
            product = Checked(() => checked(left * factor));
        }

        return product;
    }
}
