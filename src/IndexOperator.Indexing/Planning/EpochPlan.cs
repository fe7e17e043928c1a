namespace IndexOperator.Indexing;

/// <summary>How often a dataset is read to give its samples (<c>gpt_dataset.py</c>, <c>_build_document_sample_shuffle_indices</c>).</summary>
/// <param name="NumEpochs">Times every document is used, 1 or more.</param>
/// <param name="SeparateFinalEpoch">Whether the last epoch is shuffled for itself because little of it is needed.</param>
/// <param name="SamplesSansFinalEpoch">Samples that the epochs before the last give; 0 for one epoch.</param>
/// <param name="SampleCount">Samples that are built, which can be more than were asked for.</param>
public sealed record EpochPlan(long NumEpochs, bool SeparateFinalEpoch, long SamplesSansFinalEpoch, long SampleCount)
{
    private const double SeparationThreshold = 0.80;

    /// <summary>Works out the epochs.</summary>
    /// <param name="tokensPerEpoch">Tokens of the split's sequences.</param>
    /// <param name="numSamples">Samples asked for; null for exactly one epoch.</param>
    /// <param name="sequenceLength">Tokens of a sample.</param>
    /// <param name="extraTokens">1 when a sample has a token more, else 0.</param>
    /// <param name="dropLastPartial">Whether a last sample that is not full is left out.</param>
    /// <param name="name">What the dataset is called in errors.</param>
    /// <exception cref="IndexingException">EmptySplit where Megatron would never return; InvalidSpec for sizes out of reach.</exception>
    public static EpochPlan Create(long tokensPerEpoch, long? numSamples, long sequenceLength, int extraTokens, bool dropLastPartial, string name)
    {
        var epochs = CountEpochs(tokensPerEpoch, numSamples, sequenceLength, extraTokens, name);
        var usable = (epochs * tokensPerEpoch) - extraTokens;
        var count = dropLastPartial
            ? usable / sequenceLength
            : (long)MathF.Ceiling((float)usable / sequenceLength); // Megatron's helper divides in single precision.
        if (count < 0)
        {
            throw new IndexingException(
                FailureReason.EmptySplit,
                $"{name} has {tokensPerEpoch} tokens, too few for even an empty sample index at sequence length {sequenceLength}. Give the split more data.");
        }

        if (epochs == 1)
        {
            return new EpochPlan(1, false, 0, count);
        }

        var sansFinal = FloorDivide(((epochs - 1) * tokensPerEpoch) - extraTokens, sequenceLength);
        var fromFinal = numSamples!.Value - sansFinal;
        var perEpoch = FloorDivide(tokensPerEpoch - extraTokens, sequenceLength);
        if (fromFinal < 0 || fromFinal > perEpoch + 1)
        {
            throw new IndexingException(
                FailureReason.InvalidSpec,
                $"{name}: {fromFinal} samples would come from the last of {epochs} epochs of {perEpoch} samples, which Megatron refuses. Change the number of samples.");
        }

        var separate = fromFinal < (long)(SeparationThreshold * perEpoch);
        if (separate && sansFinal > count)
        {
            // Megatron would shuffle samples that its single-precision count has left out.
            throw new IndexingException(
                FailureReason.InvalidSpec,
                $"{name} asks for {numSamples} samples, but Megatron's single-precision count gives {count}. Ask for fewer, or set dropLastPartialValidationSequence.");
        }

        return new EpochPlan(epochs, separate, sansFinal, count);
    }

    private static long CountEpochs(long tokensPerEpoch, long? numSamples, long sequenceLength, int extraTokens, string name)
    {
        if (numSamples is not { } samples)
        {
            return 1;
        }

        var needed = ((Int128)samples * sequenceLength) + extraTokens;
        if (tokensPerEpoch == 0)
        {
            return needed == 0
                ? 1
                : throw new IndexingException(
                    FailureReason.EmptySplit,
                    $"{name} has no tokens, but {samples} samples are asked of it; Megatron would never return. " +
                    "Give the split a larger share or more data, or remove its number of samples.");
        }

        var epochs = Int128.Max(1, (needed + tokensPerEpoch - 1) / tokensPerEpoch);
        return epochs * tokensPerEpoch <= long.MaxValue / 4
            ? (long)epochs
            : throw new IndexingException(
                FailureReason.InvalidSpec,
                $"{name}: {samples} samples of {sequenceLength} tokens would take {epochs} epochs. Ask for fewer samples.");
    }

    private static long FloorDivide(long dividend, long divisor) => dividend >= 0 ? dividend / divisor : -((-dividend + divisor - 1) / divisor);
}
