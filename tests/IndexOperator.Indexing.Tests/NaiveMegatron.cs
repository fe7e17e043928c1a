using System.Numerics;

namespace IndexOperator.Indexing.Tests;

/// <summary>
/// A second, slow implementation of the arrays, written from the format's description and by other means than the
/// engine: it numbers tokens instead of walking documents, counts epochs one by one, and draws one number at a time.
/// </summary>
internal sealed class NaiveMegatron(uint seed)
{
    private readonly uint[] _state = Seed(seed);
    private int _next = 624;

    public static (long[] Documents, long[] Samples, long[] Shuffle)? BuildGpt(
        int[] lengths, int begin, int end, long? numSamples, int sequenceLength, int extra, bool dropLast, uint seed)
    {
        var range = Enumerable.Range(begin, end - begin).Select(i => (long)i).ToArray();
        var tokens = range.Sum(i => (long)lengths[i]);
        var epochs = 1;
        while (numSamples is { } wanted && epochs * tokens < (wanted * sequenceLength) + extra)
        {
            if (tokens == 0)
            {
                return null;
            }

            epochs++;
        }

        var total = (epochs * tokens) - extra;
        var count = dropLast ? total / sequenceLength : (long)Math.Ceiling((double)total / sequenceLength);
        var sansFinal = Floor(((epochs - 1) * tokens) - extra, sequenceLength);
        var perEpoch = Floor(tokens - extra, sequenceLength);
        var isSeparate = epochs > 1 && numSamples!.Value - sansFinal < (int)(0.80 * perEpoch);
        var random = new NaiveMegatron(seed);
        var documents = isSeparate
            ? [.. random.Shuffled(Repeat(range, epochs - 1)), .. random.Shuffled(range)]
            : random.Shuffled(Repeat(range, epochs));
        if (Samples(documents, lengths, count, sequenceLength, extra) is not { } samples)
        {
            return null;
        }

        var numbers = Repeat([.. Enumerable.Range(0, (int)count).Select(i => (long)i)], 1);
        var shuffle = isSeparate
            ? [.. random.Shuffled(numbers[..(int)sansFinal]), .. random.Shuffled(numbers[(int)sansFinal..])]
            : random.Shuffled(numbers);
        return (documents, samples, shuffle);
    }

    public static (long[] Members, long[] Numbers) Blend(double[] weights, long[] lengths, long size, bool exhaustive)
    {
        var counts = new long[weights.Length];
        var (members, numbers) = (new long[size], new long[size]);
        for (var sample = 0; sample < size; sample++)
        {
            var factor = sample == 0 ? 1.0 : sample;
            var best = Enumerable.Range(0, weights.Length)
                .Where(member => !exhaustive || counts[member] < lengths[member])
                .Select(member => (Error: (weights[member] * factor) - counts[member], Member: member))
                .Aggregate((a, b) => b.Error > a.Error ? b : a).Member;
            (members[sample], numbers[sample]) = (best, counts[best]++);
        }

        return (members, numbers);
    }

    /// <summary>The row of sample s is the place of its first token, found by the last token that the sample before it took.</summary>
    private static long[]? Samples(long[] documents, int[] lengths, long count, int sequenceLength, int extra)
    {
        var places = documents.SelectMany((document, position) => Enumerable.Repeat((long)position, lengths[document])).ToArray();
        var starts = new long[documents.Length];
        for (var i = 1; i < starts.Length; i++)
        {
            starts[i] = starts[i - 1] + lengths[documents[i - 1]];
        }

        var rows = new List<long> { 0, 0 };
        for (var sample = 1L; sample <= count; sample++)
        {
            var lastTaken = (sample * sequenceLength) + extra - 1;
            var isWhole = lastTaken < places.Length;
            var position = isWhole ? places[lastTaken] : documents.Length - 1;
            var offset = isWhole ? (sample * sequenceLength) - starts[position] : lengths[documents[position]] - extra;
            if (offset < 0)
            {
                return null;
            }

            rows.AddRange([position, offset]);
        }

        return [.. rows];
    }

    private long[] Shuffled(long[] items)
    {
        var shuffled = (long[])items.Clone();
        for (var i = shuffled.Length - 1; i > 0; i--)
        {
            var mask = BitOperations.RoundUpToPowerOf2((uint)i + 1) - 1;
            uint draw;
            do
            {
                draw = Next() & mask;
            }
            while (draw > i);
            (shuffled[i], shuffled[draw]) = (shuffled[draw], shuffled[i]);
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

    private static uint[] Seed(uint seed)
    {
        var state = new uint[624];
        state[0] = seed;
        for (var i = 1; i < 624; i++)
        {
            state[i] = unchecked((1812433253u * (state[i - 1] ^ (state[i - 1] >> 30))) + (uint)i);
        }

        return state;
    }

    private static long[] Repeat(long[] items, int times) => [.. Enumerable.Repeat(items, times).SelectMany(copy => copy)];

    private static long Floor(long dividend, long divisor) => (long)Math.Floor((double)dividend / divisor);
}
