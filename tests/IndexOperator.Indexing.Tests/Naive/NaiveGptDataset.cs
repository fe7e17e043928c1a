namespace IndexOperator.Indexing.Tests.Naive;

/// <summary>Where Megatron hangs, aborts, asserts or trains into an IndexError.</summary>
internal sealed class NaiveRefusalException(string why, FailureReason reason = FailureReason.InvalidSpec, bool isOfArrays = false) : Exception(why)
{
    /// <summary>What a user has to be told.</summary>
    public FailureReason Reason => reason;

    /// <summary>Whether only drawing the arrays shows it.</summary>
    public bool IsOfArrays => isOfArrays;
}

/// <summary>The three arrays of a GPTDataset by other means than the engine's: epochs are counted one by one, tokens are numbered.</summary>
internal sealed record NaiveGptDataset(List<long> Documents, List<long> Samples, List<long> Shuffle)
{
    private const int MostEpochs = 100_000;

    public long Count => Shuffle.Count;

    public static NaiveGptDataset Build(int[] lengths, int begin, int end, long? numSamples, long seq, int x, bool dropLast, bool writesMinusOne, uint seed)
    {
        var range = Enumerable.Range(begin, Math.Max(0, end - begin)).Select(i => (long)i).ToList();
        var perEpochTokens = range.Sum(i => (long)lengths[i]);
        var epochs = 1L;
        while (numSamples is { } wanted && epochs * perEpochTokens < (wanted * seq) + x)
        {
            epochs++;
            if (perEpochTokens == 0 || epochs > MostEpochs)
            {
                throw new NaiveRefusalException("Megatron would loop for ever.", FailureReason.EmptySplit);
            }
        }

        var total = (epochs * perEpochTokens) - x;
        var count = dropLast ? total / seq : (long)Math.Ceiling((double)((float)total / (float)seq));
        if (count < 0)
        {
            throw new NaiveRefusalException("There would be fewer than no samples.", FailureReason.EmptySplit);
        }

        var sansFinal = NaivePython.FloorDivide(((epochs - 1) * perEpochTokens) - x, seq);
        var isSeparate = false;
        if (epochs > 1)
        {
            var perEpoch = NaivePython.FloorDivide(perEpochTokens - x, seq);
            var fromFinal = numSamples!.Value - sansFinal;
            if (fromFinal < 0 || fromFinal > perEpoch + 1)
            {
                throw new NaiveRefusalException("Megatron asserts that the final epoch's samples are in its range.");
            }

            isSeparate = fromFinal < (int)(0.80 * perEpoch);
        }

        var random = new NaiveRandom(seed);
        var documents = isSeparate
            ? [.. random.Shuffled(Repeat(range, epochs - 1)), .. random.Shuffled(range)]
            : random.Shuffled(Repeat(range, epochs));
        var samples = Walk(documents, lengths, count, seq, x, writesMinusOne);
        var numbers = Enumerable.Range(0, (int)count).Select(i => (long)i).ToList();
        var shuffle = isSeparate
            ? [.. random.Shuffled(numbers[..(int)sansFinal]), .. random.Shuffled(numbers[(int)sansFinal..])]
            : random.Shuffled(numbers);
        return new(documents, samples, shuffle);
    }

    /// <summary>Row s is found by the last token that sample s-1 took; a sample that runs out of tokens ends at the last document's end.</summary>
    private static List<long> Walk(List<long> documents, int[] lengths, long count, long seq, int x, bool writesMinusOne)
    {
        var ends = new List<long>();
        foreach (var document in documents)
        {
            ends.Add((ends.Count == 0 ? 0 : ends[^1]) + lengths[document]);
        }

        var rows = new List<long> { 0, 0 };
        for (var sample = 1L; sample <= count; sample++)
        {
            var lastTaken = (sample * seq) + x - 1;
            var isWhole = lastTaken < (ends.Count == 0 ? 0 : ends[^1]);
            var position = isWhole ? ends.FindIndex(end => end > lastTaken) : documents.Count - 1;
            var offset = isWhole ? (sample * seq) - (ends[position] - lengths[documents[position]]) : lengths[documents[position]] - x;
            if (offset < 0 && !writesMinusOne)
            {
                throw new NaiveRefusalException("Megatron asserts that no offset is negative.", isOfArrays: true);
            }

            rows.AddRange([position, offset]);
        }

        return rows;
    }

    private static IEnumerable<long> Repeat(List<long> items, long times) => Enumerable.Repeat(items, (int)times).SelectMany(copy => copy);
}
