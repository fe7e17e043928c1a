using System.Numerics;
using System.Runtime.Intrinsics.X86;

namespace IndexOperator.Indexing;

/// <summary>
/// numpy's legacy <c>RandomState</c> as far as Megatron uses it: seeding with an integer and shuffling a one-dimensional
/// array. Its stream is frozen by numpy's policy (NEP 19). Not safe for use by several threads at once.
/// </summary>
public sealed class RandomState
{
    private const int StateLength = 624;
    private const int Offset = 397;
    private const int SmallBatch = 1024;
    private const int LargeBatch = 1 << 16;
    private const int ToldEvery = 1 << 18;
    private const int PrefetchDistance = 24;

    private readonly uint[] _state = new uint[StateLength];
    private readonly uint[] _output = new uint[StateLength];
    private int _position = StateLength;

    /// <summary>Seeds by the classic <c>init_genrand</c>, which is what a plain integer seed selects in numpy.</summary>
    public RandomState(uint seed)
    {
        _state[0] = seed;
        for (var i = 1; i < StateLength; i++)
        {
            _state[i] = (1812433253u * (_state[i - 1] ^ (_state[i - 1] >> 30))) + (uint)i;
        }
    }

    /// <summary>The next 32 random bits.</summary>
    public uint NextUInt32()
    {
        if (_position == StateLength)
        {
            Refill();
        }

        return _output[_position++];
    }

    /// <summary>
    /// Shuffles in place exactly as <c>RandomState.shuffle</c> does for any item size: from the last item down, swapped
    /// with a masked and rejected draw. Arrays of no or one item draw nothing.
    /// </summary>
    /// <param name="items">What to shuffle.</param>
    /// <param name="advanced">Told the number of items placed since the last call, now and then; may throw to stop.</param>
    public unsafe void Shuffle<T>(Span<T> items, Action<long>? advanced = null)
        where T : unmanaged
    {
        fixed (T* first = items)
        {
            Shuffle(first, items.Length, advanced);
        }
    }

    /// <summary>Shuffles memory of any length; see <see cref="Shuffle{T}(Span{T}, Action{long})"/>.</summary>
    /// <param name="items">The first item.</param>
    /// <param name="length">How many.</param>
    /// <param name="advanced">Told the number of items placed since the last call, now and then; may throw to stop.</param>
    /// <param name="pool">Makes the next draws on another thread where one is free; null to make all on this one.</param>
    internal unsafe void Shuffle<T>(T* items, long length, Action<long>? advanced = null, WorkPool? pool = null)
        where T : unmanaged
    {
        var i = length - 1;
        for (; i > uint.MaxValue; i--)
        {
            var draw = (long)NextInterval((ulong)i);
            (items[i], items[draw]) = (items[draw], items[i]);
            if (i % ToldEvery == 0)
            {
                advanced?.Invoke(ToldEvery);
            }
        }

        // Draws do not depend on the items, so a batch of them is drawn ahead of its swaps: that lets the swaps' memory be fetched before
        // it is needed, and another thread do it.
        var batch = (int)Math.Clamp(length / 64, SmallBatch, pool is null ? SmallBatch : LargeBatch);
        var (now, next) = (new uint[batch], new uint[batch]);
        var count = i >= 1 ? Draw(now, (uint)i) : 0;
        var untold = 0;
        while (i >= 1)
        {
            var rest = i - count;
            var drawn = 0;
            var (at, drawing, swapping) = (i, next, now.AsMemory(0, count));
            WorkPool.Both(batch > SmallBatch ? pool : null, () => Swap(items + at, items, swapping.Span), () => drawn = rest >= 1 ? Draw(drawing, (uint)rest) : 0);
            untold += count;
            if (untold >= ToldEvery)
            {
                advanced?.Invoke(untold);
                untold = 0;
            }

            (i, count, now, next) = (rest, drawn, next, now);
        }

        advanced?.Invoke(untold);
    }

    /// <summary>
    /// A number in [0, <paramref name="limit"/>] for limits of more than 32 bits: two outputs, the first one the upper
    /// half, masked and rejected (numpy's <c>random_interval</c>).
    /// </summary>
    internal ulong NextInterval(ulong limit)
    {
        var mask = ulong.MaxValue >> BitOperations.LeadingZeroCount(limit);
        ulong draw;
        do
        {
            var high = (ulong)NextUInt32() << 32;
            draw = (high | NextUInt32()) & mask;
        }
        while (draw > limit);
        return draw;
    }

    private static unsafe void Swap<T>(T* last, T* items, ReadOnlySpan<uint> draws)
        where T : unmanaged
    {
        for (var p = 0; p < draws.Length; p++)
        {
            if (Sse.IsSupported && p + PrefetchDistance < draws.Length)
            {
                Sse.Prefetch0(items + draws[p + PrefetchDistance]);
            }

            var drawn = items + draws[p];
            (*drawn, last[-p]) = (last[-p], *drawn);
        }
    }

    /// <summary>Draws for as many places as there is room for and limits of one bit length, which share a mask; gives how many.</summary>
    private int Draw(uint[] draws, uint limit)
    {
        var mask = uint.MaxValue >> BitOperations.LeadingZeroCount(limit);
        var count = (int)Math.Min(draws.Length, limit - (mask >> 1));
        Draw(draws.AsSpan(0, count), mask, limit);
        return count;
    }

    /// <summary>Draws a number in [0, limit] for the first place, in [0, limit-1] for the next, and so on.</summary>
    private void Draw(Span<uint> draws, uint mask, uint limit)
    {
        var taken = 0;
        while (taken < draws.Length)
        {
            if (_position == StateLength)
            {
                Refill();
            }

            var output = _output;
            var position = _position;
            for (; position < output.Length && taken < draws.Length; position++)
            {
                // Written always, kept only when small enough: no branch to mispredict.
                var draw = output[position] & mask;
                draws[taken] = draw;
                taken += draw <= limit - (uint)taken ? 1 : 0;
            }

            _position = position;
        }
    }

    private void Refill()
    {
        Twist(0, StateLength - Offset, Offset);
        Twist(StateLength - Offset, StateLength - 1, Offset - StateLength);
        _state[^1] = Mix(_state[^1], _state[0], _state[Offset - 1]);
        Temper();
        _position = 0;
    }

    private void Twist(int from, int to, int distance)
    {
        var state = _state;
        var i = from;
        for (; i + Vector<uint>.Count <= to; i += Vector<uint>.Count)
        {
            var y = (new Vector<uint>(state, i) & new Vector<uint>(0x80000000u)) | (new Vector<uint>(state, i + 1) & new Vector<uint>(0x7fffffffu));
            var odd = Vector.Equals(y & Vector<uint>.One, Vector<uint>.One) & new Vector<uint>(0x9908b0dfu);
            (new Vector<uint>(state, i + distance) ^ (y >>> 1) ^ odd).CopyTo(state, i);
        }

        for (; i < to; i++)
        {
            state[i] = Mix(state[i], state[i + 1], state[i + distance]);
        }
    }

    private static uint Mix(uint high, uint low, uint far)
    {
        var y = (high & 0x80000000u) | (low & 0x7fffffffu);
        return far ^ (y >> 1) ^ ((y & 1) * 0x9908b0dfu);
    }

    private void Temper()
    {
        for (var i = 0; i < StateLength; i += Vector<uint>.Count)
        {
            // 624 is a multiple of every vector width in use (4, 8, 16 numbers).
            var y = new Vector<uint>(_state, i);
            y ^= y >>> 11;
            y ^= (y << 7) & new Vector<uint>(0x9d2c5680u);
            y ^= (y << 15) & new Vector<uint>(0xefc60000u);
            y ^= y >>> 18;
            y.CopyTo(_output, i);
        }
    }
}
