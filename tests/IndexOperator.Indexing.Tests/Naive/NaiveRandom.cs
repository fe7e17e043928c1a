using System.Numerics;

namespace IndexOperator.Indexing.Tests.Naive;

/// <summary>numpy's <c>RandomState(seed)</c> and its <c>shuffle</c>, one draw at a time.</summary>
internal sealed class NaiveRandom
{
    private readonly uint[] _state = new uint[624];
    private int _next = 624;

    public NaiveRandom(uint seed)
    {
        _state[0] = seed;
        for (var i = 1; i < 624; i++)
        {
            _state[i] = unchecked((1812433253u * (_state[i - 1] ^ (_state[i - 1] >> 30))) + (uint)i);
        }
    }

    public List<long> Shuffled(IEnumerable<long> items)
    {
        var shuffled = items.ToList();
        for (var i = shuffled.Count - 1; i > 0; i--)
        {
            var mask = BitOperations.RoundUpToPowerOf2((uint)i + 1) - 1;
            uint draw;
            do
            {
                draw = Next() & mask;
            }
            while (draw > i);
            (shuffled[i], shuffled[(int)draw]) = (shuffled[(int)draw], shuffled[i]);
        }

        return shuffled;
    }

    private uint Next()
    {
        if (_next == 624)
        {
            for (var i = 0; i < 624; i++)
            {
                var y = (_state[i] & 0x80000000u) + (_state[(i + 1) % 624] & 0x7fffffffu);
                _state[i] = _state[(i + 397) % 624] ^ (y >> 1) ^ (y % 2 == 0 ? 0 : 2567483615u);
            }

            _next = 0;
        }

        var value = _state[_next++];
        value ^= value >> 11;
        value ^= (value << 7) & 2636928640u;
        value ^= (value << 15) & 4022730752u;
        return value ^ (value >> 18);
    }
}
