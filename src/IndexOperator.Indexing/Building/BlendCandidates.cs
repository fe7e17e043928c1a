using System.Numerics;
using System.Runtime.CompilerServices;

namespace IndexOperator.Indexing;

/// <summary>The few groups of a blend that can be drawn within a block of samples, side by side in memory.</summary>
internal sealed class BlendCandidates
{
    /// <summary>The most candidates: one bit each.</summary>
    public const int Room = 64;

    private readonly BlendGroups _groups;
    private readonly int[] _chosen = new int[Room];
    private Slots _slots;
    private int _count;
    private int _filled;

    /// <summary>Candidates among the groups of a blend; none yet.</summary>
    public BlendCandidates(BlendGroups groups) => _groups = groups;

    /// <summary>Takes these groups in place of those before.</summary>
    public void Take(ReadOnlySpan<int> groups)
    {
        _count = groups.Length;
        groups.CopyTo(_chosen);
        Span<double> weights = _slots.Weights;
        Span<double> rounds = _slots.Rounds;
        for (var slot = 0; slot < groups.Length; slot++)
        {
            weights[slot] = _groups.Weight(groups[slot]);
            rounds[slot] = _groups.Rounds[groups[slot]];
        }

        // Infinitely far ahead: never drawn.
        _filled = Math.Max(1, (groups.Length + BlendVectors.Step - 1) / BlendVectors.Step) * BlendVectors.Step;
        weights[groups.Length.._filled].Clear();
        rounds[groups.Length.._filled].Fill(double.PositiveInfinity);
    }

    /// <summary>
    /// Draws for the samples from <paramref name="sample"/> on, for as long as the largest error of a candidate is larger
    /// than any that a group left out can have.
    /// </summary>
    /// <returns>How many samples were drawn for.</returns>
    public int Draw(Span<short> order, long sample, ErrorBound leftOut)
    {
        // Inside the rows: _filled is a multiple of the step and at most what Room holds.
        ref var weights = ref Unsafe.As<Row, double>(ref _slots.Weights);
        ref var rounds = ref Unsafe.As<Row, double>(ref _slots.Rounds);
        ref var errors = ref Unsafe.As<Row, double>(ref _slots.Errors);
        var drawn = 0;
        for (; drawn < order.Length; drawn++)
        {
            var factor = Math.Max((double)(sample + drawn), 1.0);
            var largest = BlendVectors.Largest(ref weights, ref rounds, ref errors, _filled, factor);
            if (!(largest > leftOut.At(factor)))
            {
                break;
            }

            var slots = BlendVectors.SlotsWith(ref errors, _filled, largest);
            var slot = (slots & (slots - 1)) == 0 ? BitOperations.TrailingZeroCount(slots) : First(slots);
            var isRound = _groups.Draw(_chosen[slot], out var member);
            order[drawn] = (short)member;
            if (isRound)
            {
                CountRound(slot);
            }
        }

        for (var slot = 0; slot < _count; slot++)
        {
            _groups.Rounds[_chosen[slot]] = _slots.Rounds[slot];
        }

        return drawn;
    }

    /// <summary>Of slots with equal errors the one whose front comes first in the blend.</summary>
    private int First(ulong slots)
    {
        var first = BitOperations.TrailingZeroCount(slots);
        for (slots &= slots - 1; slots != 0; slots &= slots - 1)
        {
            var slot = BitOperations.TrailingZeroCount(slots);
            first = _groups.Front(_chosen[slot]) < _groups.Front(_chosen[first]) ? slot : first;
        }

        return first;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CountRound(int slot)
    {
        BlendVectors.Increment(ref Unsafe.As<Row, double>(ref _slots.Rounds), slot);
        if (_slots.Rounds[slot] == _groups.Limit(_chosen[slot]))
        {
            _slots.Rounds[slot] = double.PositiveInfinity;
        }
    }

    private struct Slots
    {
        public Row Weights;
        public Row Rounds;
        public Row Errors;
    }

    [InlineArray(Room)]
    private struct Row
    {
        private double _first;
    }
}
