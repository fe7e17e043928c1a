namespace IndexOperator.Indexing;

/// <summary>
/// The greedy blend without a look at every member for every sample: within a block of samples, only the groups that are
/// far enough behind to be drawn in it are compared, by the same arithmetic as in <see cref="DirectBlend"/>.
/// </summary>
/// <remarks>
/// Candidates are the groups whose error at the block's last sample, if they are not drawn, lies above a threshold, and
/// <see cref="ErrorBound"/> is what the others can reach. As long as a candidate's error is larger than that, the largest
/// of the candidates is the largest of all; where it is not, the block ends early. So the choice of candidates decides
/// how fast the order is found, and never which order.
/// </remarks>
internal sealed class CandidateBlend : IBlendOrder
{
    // With 1,000 members as much time goes into choosing candidates as into comparing them; measured.
    private const int BlockLength = 32;
    private const int Wanted = 44;

    // A block that ends earlier costs more than looking at all members would have.
    private const int ShortestBlock = 8;
    private const int LongestScan = 256;

    private const double LargestProduct = 1L << 51;

    private readonly BlendGroups _groups;
    private readonly BlendCandidates _candidates;
    private readonly int[] _above;
    private readonly double[] _errors;
    private double _threshold = double.NegativeInfinity;
    private int _toScan;
    private int _nextScan = 1;
    private long _sample;

    /// <summary>Begins at the first sample.</summary>
    /// <param name="weights">The share of each member.</param>
    /// <param name="limits">How many samples each member has, if it no longer takes part once they are used up.</param>
    public CandidateBlend(double[] weights, long[]? limits)
    {
        _groups = new BlendGroups(weights, limits);
        _candidates = new BlendCandidates(_groups);
        _above = [.. Enumerable.Range(0, _groups.Count + BlendGroups.Overhang)];
        _errors = new double[_groups.Count];
    }

    /// <summary>From how many members on this is faster than <see cref="DirectBlend"/>; measured.</summary>
    public const int FewestMembers = 8;

    /// <summary>
    /// Whether a blend can be computed this way: no negative weight, so that errors only grow until a draw, and errors so
    /// small that one drawn sample more always shows in them.
    /// </summary>
    public static bool IsFor(double[] weights, long size) =>
        Array.TrueForAll(weights, weight => weight >= 0 && Math.Max(weight, 1) * size <= LargestProduct);

    /// <inheritdoc/>
    public void Fill(Span<short> order)
    {
        while (order.Length > 0)
        {
            var drawn = _groups.Count <= BlendCandidates.Room ? DrawFromAll(order) : DrawBlock(order);
            order = order[drawn..];
            _sample += drawn;
        }
    }

    /// <inheritdoc/>
    public long[] Counts() => _groups.Counts();

    private static double Factor(long sample) => Math.Max((double)sample, 1.0);

    private int DrawFromAll(Span<short> order)
    {
        _candidates.Take(_above.AsSpan(0, _groups.Count));
        var drawn = _candidates.Draw(order, _sample, ErrorBound.None);
        return drawn > 0 ? drawn : Scan(order[..1]);
    }

    private int DrawBlock(Span<short> order)
    {
        if (_toScan > 0)
        {
            var scanned = Scan(order[..Math.Min(order.Length, _toScan)]);
            _toScan -= scanned;
            return scanned;
        }

        var length = Math.Min(order.Length, BlockLength);
        var leftOut = Choose(Factor(_sample), Factor(_sample + length - 1));
        var drawn = _candidates.Draw(order[..length], _sample, leftOut);
        if (drawn >= Math.Min(length, ShortestBlock))
        {
            _nextScan = 1;
            return drawn;
        }

        // The members cannot be told apart just now: choosing again and again would make it slower than never choosing.
        _threshold = double.NegativeInfinity;
        _toScan = _nextScan;
        _nextScan = Math.Min(2 * _nextScan, LongestScan);
        return drawn;
    }

    private int Scan(Span<short> order)
    {
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = (short)_groups.DrawLargest(Factor(_sample + i));
        }

        return order.Length;
    }

    private ErrorBound Choose(double from, double to)
    {
        var found = _groups.Above(from, to, _threshold, _above, out var leftOut);
        if (found < ShortestBlock)
        {
            _threshold = double.NegativeInfinity;
            found = _groups.Above(from, to, _threshold, _above, out leftOut);
        }

        if (found > BlendCandidates.Room)
        {
            found = Narrow(from, to, found, ref leftOut);
        }

        _candidates.Take(_above.AsSpan(0, found));
        var bound = ErrorBound.Between(from, leftOut.Error, to, _threshold, leftOut.Weight);

        // Errors lie about evenly spread over a length of one, so this halves the distance to the number wanted.
        _threshold += 0.5 * (found - Wanted) / _groups.Count;
        return bound;
    }

    /// <summary>Raises the threshold so that the largest of the groups found are left.</summary>
    private int Narrow(double from, double to, int found, ref (double Error, double Weight) leftOut)
    {
        for (var i = 0; i < found; i++)
        {
            _errors[i] = _groups.Error(_above[i], to);
        }

        _threshold = Selection.NthLargest(_errors.AsSpan(0, found), Wanted);
        var kept = 0;
        for (var i = 0; i < found; i++)
        {
            var group = _above[i];
            if (_groups.Error(group, to) > _threshold)
            {
                _above[kept++] = group;
            }
            else
            {
                leftOut = (Math.Max(leftOut.Error, _groups.Error(group, from)), Math.Max(leftOut.Weight, _groups.Weight(group)));
            }
        }

        return kept;
    }
}
