using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace IndexOperator.Indexing;

/// <summary>
/// The members of a blend, those of one weight (and, where members can be used up, of one length) taken together.
/// </summary>
/// <remarks>
/// Members of one weight take turns in the order of the blend: of two of them the one drawn less often has the larger
/// error, and of two drawn equally often the first is drawn. So a group behaves as one member whose count grows once a
/// round. Without this, exact ties between a thousand equal members would leave nothing to tell candidates by.
/// </remarks>
internal sealed class BlendGroups
{
    /// <summary>How many numbers more than there are groups the receiver of <see cref="Above"/> has room for.</summary>
    public const int Overhang = 4;

    private readonly double[] _weights;
    private readonly double[] _rounds;
    private readonly double[] _limits;
    private readonly int[] _firsts;
    private readonly int[] _fronts;
    private readonly int[] _after;

    /// <summary>Groups the members.</summary>
    /// <param name="weights">The share of each member.</param>
    /// <param name="limits">How many samples each member has, if it no longer takes part once they are used up.</param>
    public BlendGroups(double[] weights, long[]? limits)
    {
        var groups = new Dictionary<(double Weight, long Limit), (int Group, int Last)>();
        var firsts = new List<int>();
        _after = new int[weights.Length];
        for (var member = 0; member < weights.Length; member++)
        {
            ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(groups, (weights[member], limits?[member] ?? 0), out var exists);
            if (exists)
            {
                _after[known.Last] = member;
            }
            else
            {
                known.Group = firsts.Count;
                firsts.Add(member);
            }

            known.Last = member;
            _after[member] = firsts[known.Group];
        }

        _firsts = [.. firsts];
        _fronts = [.. firsts];
        _limits = [.. firsts.Select(first => limits?[first] ?? double.PositiveInfinity)];

        // Filled up to whole steps of Above with groups that are infinitely far ahead and so never drawn.
        var padded = (Count + Overhang - 1) / Overhang * Overhang;
        _weights = new double[padded];
        _rounds = new double[padded];
        _rounds.AsSpan(Count).Fill(double.PositiveInfinity);
        for (var group = 0; group < Count; group++)
        {
            _weights[group] = weights[firsts[group]];
        }
    }

    /// <summary>Groups.</summary>
    public int Count => _fronts.Length;

    /// <summary>The weight of each member of a group.</summary>
    public double Weight(int group) => _weights[group];

    /// <summary>How often the front of each group was drawn; infinity for a group that is used up.</summary>
    public Span<double> Rounds => _rounds;

    /// <summary>The member of a group that is drawn next.</summary>
    public int Front(int group) => _fronts[group];

    /// <summary>How many samples each member of a group has, if it no longer takes part once they are used up.</summary>
    public double Limit(int group) => _limits[group];

    /// <summary>The error of a group's front, rounded as the blend's definition has it.</summary>
    public double Error(int group, double factor) => (_weights[group] * factor) - _rounds[group];

    /// <summary>Draws the front of a group. Counting the round is up to the caller.</summary>
    /// <returns>Whether a round ended with it.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Draw(int group, out int member)
    {
        member = _fronts[group];
        var next = _after[member];
        _fronts[group] = next;
        return next <= member;
    }

    /// <summary>Draws the member with the largest error, the first of equal ones, by looking at every group.</summary>
    public int DrawLargest(double factor)
    {
        var best = 0;
        var largest = Error(0, factor);
        for (var group = 1; group < Count; group++)
        {
            var error = Error(group, factor);
            if (error > largest || (error == largest && _fronts[group] < _fronts[best]))
            {
                (best, largest) = (group, error);
            }
        }

        if (Draw(best, out var member))
        {
            var rounds = _rounds[best] + 1;
            _rounds[best] = rounds == _limits[best] ? double.PositiveInfinity : rounds;
        }

        return member;
    }

    /// <summary>How many samples of each member were drawn so far.</summary>
    public long[] Counts()
    {
        var counts = new long[_after.Length];
        for (var group = 0; group < Count; group++)
        {
            var rounds = (long)(double.IsPositiveInfinity(_rounds[group]) ? _limits[group] : _rounds[group]);
            var member = _firsts[group];
            do
            {
                counts[member] = rounds + (member < _fronts[group] ? 1 : 0);
                member = _after[member];
            }
            while (member != _firsts[group]);
        }

        return counts;
    }

    /// <summary>Finds the groups whose error at the end of a block, if they are not drawn in it, lies above a threshold.</summary>
    /// <param name="from">The factor of the first sample of the block.</param>
    /// <param name="to">The factor of its last sample.</param>
    /// <param name="threshold">The threshold.</param>
    /// <param name="above">Receives these groups.</param>
    /// <param name="leftOut">Of the others, the largest error at the beginning and the largest weight.</param>
    /// <returns>How many lie above.</returns>
    public int Above(double from, double to, double threshold, Span<int> above, out (double Error, double Weight) leftOut) =>
        BlendVectors.Above(_weights, _rounds, from, to, threshold, above, out leftOut);
}
