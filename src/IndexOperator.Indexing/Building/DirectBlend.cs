using System.Numerics;
using System.Runtime.InteropServices;

namespace IndexOperator.Indexing;

/// <summary>
/// The greedy blend as Megatron writes it: every sample looks at every member. The plain twin of
/// <see cref="CandidateBlend"/>, and the faster of the two for few members.
/// </summary>
internal sealed class DirectBlend : IBlendOrder
{
    private readonly double[] _weights;
    private readonly double[] _behind;
    private readonly long[] _counts;
    private readonly long[]? _limits;
    private long _sample;

    /// <summary>Begins at the first sample.</summary>
    /// <param name="weights">The share of each member.</param>
    /// <param name="limits">How many samples each member has, if it no longer takes part once they are used up.</param>
    public DirectBlend(double[] weights, long[]? limits)
    {
        // Filled up to whole vectors with members that are infinitely far ahead and so never chosen.
        var padded = (weights.Length + Vector<double>.Count - 1) / Vector<double>.Count * Vector<double>.Count;
        _weights = new double[padded];
        _behind = new double[padded];
        _counts = new long[weights.Length];
        _limits = limits;
        weights.CopyTo(_weights, 0);
        _behind.AsSpan(weights.Length).Fill(double.PositiveInfinity);
    }

    /// <inheritdoc/>
    public void Fill(Span<short> order)
    {
        for (var i = 0; i < order.Length; i++)
        {
            var x = Math.Max((double)_sample++, 1.0);
            var member = _counts.Length < 2 * Vector<double>.Count ? LargestOfFew(x) : LargestOfMany(x);
            order[i] = (short)member;
            _counts[member]++;
            _behind[member] = _limits is not null && _counts[member] == _limits[member] ? double.PositiveInfinity : _behind[member] + 1;
        }
    }

    /// <inheritdoc/>
    public long[] Counts() => [.. _counts];

    private int LargestOfFew(double sample)
    {
        var best = 0;
        var largest = (_weights[0] * sample) - _behind[0];
        for (var member = 1; member < _counts.Length; member++)
        {
            var error = (_weights[member] * sample) - _behind[member];
            if (error > largest)
            {
                (best, largest) = (member, error);
            }
        }

        return best;
    }

    private int LargestOfMany(double sample)
    {
        var weights = MemoryMarshal.Cast<double, Vector<double>>(_weights);
        var counts = MemoryMarshal.Cast<double, Vector<double>>(_behind);
        var factor = new Vector<double>(sample);
        var largest = (weights[0] * factor) - counts[0];
        var blocks = Vector<long>.Zero;
        for (var block = 1; block < weights.Length; block++)
        {
            var error = (weights[block] * factor) - counts[block];
            var isLarger = Vector.GreaterThan(error, largest);
            largest = Vector.ConditionalSelect(isLarger, error, largest);
            blocks = Vector.ConditionalSelect(isLarger, new Vector<long>(block), blocks);
        }

        var best = (int)(blocks[0] * Vector<double>.Count);
        for (var lane = 1; lane < Vector<double>.Count; lane++)
        {
            var member = (int)(blocks[lane] * Vector<double>.Count) + lane;
            var current = largest[best % Vector<double>.Count];
            if (largest[lane] > current || (largest[lane] == current && member < best))
            {
                best = member;
            }
        }

        return best;
    }
}
