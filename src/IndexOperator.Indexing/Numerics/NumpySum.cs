namespace IndexOperator.Indexing;

/// <summary>
/// <c>numpy.sum</c> and Megatron's <c>normalize</c> over doubles. numpy adds pairwise with eight accumulators, so the last
/// digits differ from a plain loop as soon as there are eight numbers, and those digits are in the key.
/// </summary>
public static class NumpySum
{
    private const int BlockSize = 128;

    /// <summary>The sum with numpy's order of additions.</summary>
    public static double Sum(ReadOnlySpan<double> values)
    {
        if (values.Length < 8)
        {
            // Starts from -0.0 so that a sum of negative zeros keeps its sign, as numpy does.
            var sum = -0.0;
            foreach (var value in values)
            {
                sum += value;
            }

            return sum;
        }

        if (values.Length <= BlockSize)
        {
            return SumBlock(values);
        }

        var half = values.Length / 2;
        half -= half % 8;
        return Sum(values[..half]) + Sum(values[half..]);
    }

    /// <summary>Each value divided by their <see cref="Sum"/> (<c>megatron/core/datasets/utils.py</c>, <c>normalize</c>).</summary>
    public static double[] Normalize(ReadOnlySpan<double> values)
    {
        var sum = Sum(values);
        var shares = new double[values.Length];
        for (var i = 0; i < shares.Length; i++)
        {
            shares[i] = values[i] / sum;
        }

        return shares;
    }

    private static double SumBlock(ReadOnlySpan<double> values)
    {
        Span<double> r = stackalloc double[8];
        values[..8].CopyTo(r);
        var i = 8;
        for (; i < values.Length - (values.Length % 8); i += 8)
        {
            for (var lane = 0; lane < 8; lane++)
            {
                r[lane] += values[i + lane];
            }
        }

        var sum = (r[0] + r[1] + (r[2] + r[3])) + (r[4] + r[5] + (r[6] + r[7]));
        for (; i < values.Length; i++)
        {
            sum += values[i];
        }

        return sum;
    }
}
