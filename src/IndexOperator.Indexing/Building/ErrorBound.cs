namespace IndexOperator.Indexing;

/// <summary>What the errors of the groups that a block of samples leaves out do not exceed: a line over the block.</summary>
/// <remarks>
/// <para>
/// Not drawn, a group keeps its count, so its exact error is a line over the block, nowhere above the line from the largest
/// error at the first sample to the largest at the last.
/// </para>
/// <para>
/// What is compared is rounded. Let u = 2^-53, P the largest product of a weight and a factor, B the larger magnitude of
/// the two ends. A rounded error of at most L belongs to an exact one below L + 1.1u(|L| + P), as rounding keeps order; in
/// the same way an exact error of at most L has a rounded one below L + 1.1u(|L| + P). Used once at the ends and once at
/// the sample, that is below 3u(B + P). Computing the line adds less than 11uB. The slack is 32u(B + P), and the smallest
/// normal number for products too small to be rounded relatively.
/// </para>
/// </remarks>
/// <param name="From">The factor of the first sample of the block.</param>
/// <param name="Error">The bound there.</param>
/// <param name="Slope">What the bound grows by where the factor grows by one.</param>
internal readonly record struct ErrorBound(double From, double Error, double Slope)
{
    private const double Slack = 32.0 / (1L << 53);
    private const double SmallestNormal = 2.2250738585072014E-308;

    /// <summary>Nothing is left out that could be drawn.</summary>
    public static ErrorBound None => new(0, double.NegativeInfinity, 0);

    /// <summary>The bound of a block.</summary>
    /// <param name="from">The factor of the first sample.</param>
    /// <param name="first">The largest error there of what is left out.</param>
    /// <param name="to">The factor of the last sample.</param>
    /// <param name="last">What the errors there do not exceed.</param>
    /// <param name="weight">The largest weight of what is left out.</param>
    public static ErrorBound Between(double from, double first, double to, double last, double weight)
    {
        if (double.IsNegativeInfinity(first))
        {
            return None; // All used up, if there are any.
        }

        var slack = (Slack * (Math.Max(Math.Abs(first), Math.Abs(last)) + (weight * to))) + SmallestNormal;
        return to > from ? new(from, first + slack, (last - first) / (to - from)) : new(from, last + slack, 0);
    }

    /// <summary>The bound at a sample of the block.</summary>
    public double At(double factor) => Error + (Slope * (factor - From));
}
