using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace IndexOperator.Indexing;

/// <summary>The few groups of a blend that can be drawn within a block of samples, side by side in memory.</summary>
internal sealed class BlendCandidates
{
    /// <summary>The most candidates: one bit each.</summary>
    public const int Room = 64;

    // Vectors looked at in a step.
    private const int Stride = 4;

    private readonly BlendGroups _groups;
    private readonly int[] _chosen = new int[Room];
    private Slots _slots;
    private int _count;
    private int _vectors;

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
        var step = Stride * Vector256<double>.Count;
        var filled = Math.Max(1, (groups.Length + step - 1) / step) * step;
        weights[groups.Length..filled].Clear();
        rounds[groups.Length..filled].Fill(double.PositiveInfinity);
        _vectors = filled / Vector256<double>.Count;
    }

    /// <summary>
    /// Draws for the samples from <paramref name="sample"/> on, for as long as the largest error of a candidate is larger
    /// than any that a group left out can have.
    /// </summary>
    /// <returns>How many samples were drawn for.</returns>
    public int Draw(Span<short> order, long sample, ErrorBound leftOut)
    {
        var drawn = 0;
        for (; drawn < order.Length; drawn++)
        {
            var factor = Math.Max((double)(sample + drawn), 1.0);
            var largest = Largest(factor);
            if (!(largest.ToScalar() > leftOut.At(factor)))
            {
                break;
            }

            var slots = SlotsWith(largest);
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

    /// <summary>Computes all errors.</summary>
    /// <returns>The largest, in every lane.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<double> Largest(double factor)
    {
        // Inside the rows: _vectors is a multiple of Stride and at most what Room holds.
        ref var weights = ref Unsafe.As<Row, Vector256<double>>(ref _slots.Weights);
        ref var rounds = ref Unsafe.As<Row, Vector256<double>>(ref _slots.Rounds);
        ref var errors = ref Unsafe.As<Row, Vector256<double>>(ref _slots.Errors);
        var factors = Vector256.Create(factor);
        var (largest, other) = (Vector256.Create(double.NegativeInfinity), Vector256.Create(double.NegativeInfinity));
        for (var i = 0; i < _vectors; i += Stride)
        {
            var a = (Unsafe.Add(ref weights, i) * factors) - Unsafe.Add(ref rounds, i);
            var b = (Unsafe.Add(ref weights, i + 1) * factors) - Unsafe.Add(ref rounds, i + 1);
            var c = (Unsafe.Add(ref weights, i + 2) * factors) - Unsafe.Add(ref rounds, i + 2);
            var d = (Unsafe.Add(ref weights, i + 3) * factors) - Unsafe.Add(ref rounds, i + 3);
            Unsafe.Add(ref errors, i) = a;
            Unsafe.Add(ref errors, i + 1) = b;
            Unsafe.Add(ref errors, i + 2) = c;
            Unsafe.Add(ref errors, i + 3) = d;
            largest = Vector256.MaxNative(largest, Vector256.MaxNative(a, b));
            other = Vector256.MaxNative(other, Vector256.MaxNative(c, d));
        }

        largest = Vector256.MaxNative(largest, other);
        largest = Vector256.MaxNative(largest, Vector256.Shuffle(largest, Vector256.Create(2L, 3, 0, 1)));
        return Vector256.MaxNative(largest, Vector256.Shuffle(largest, Vector256.Create(1L, 0, 3, 2)));
    }

    /// <summary>The slots with this error, a bit each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong SlotsWith(Vector256<double> error)
    {
        ref var errors = ref Unsafe.As<Row, Vector256<double>>(ref _slots.Errors);
        var slots = 0UL;
        for (var i = 0; i < _vectors; i += Stride)
        {
            var a = Vector256.ExtractMostSignificantBits(Vector256.Equals(Unsafe.Add(ref errors, i), error));
            var b = Vector256.ExtractMostSignificantBits(Vector256.Equals(Unsafe.Add(ref errors, i + 1), error));
            var c = Vector256.ExtractMostSignificantBits(Vector256.Equals(Unsafe.Add(ref errors, i + 2), error));
            var d = Vector256.ExtractMostSignificantBits(Vector256.Equals(Unsafe.Add(ref errors, i + 3), error));
            slots |= (ulong)((a | (b << 4)) | ((c << 8) | (d << 12))) << (i * Vector256<double>.Count);
        }

        return slots;
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
        // As a whole vector: a vector read after a narrower write waits until that has left the processor's write buffer.
        ref var rounds = ref Unsafe.Add(ref Unsafe.As<Row, Vector256<double>>(ref _slots.Rounds), slot / Vector256<double>.Count);
        rounds += Vector256.LoadUnsafe(ref MemoryMarshal.GetReference(One), (nuint)(3 - (slot % Vector256<double>.Count)));
        if (_slots.Rounds[slot] == _groups.Limit(_chosen[slot]))
        {
            _slots.Rounds[slot] = double.PositiveInfinity;
        }
    }

    private static ReadOnlySpan<double> One => [0, 0, 0, 1, 0, 0, 0];

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
