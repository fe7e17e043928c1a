using System.Numerics;

namespace IndexOperator.Indexing;

/// <summary>Checks a blend's arrays: they follow from its weights, its size and what is built for its members.</summary>
internal static class BlendVerifier
{
    /// <summary>Checks one blend.</summary>
    /// <param name="blend">The blend.</param>
    /// <param name="samplesByStem">Samples of each single dataset of the directory.</param>
    /// <param name="progress">Told the bytes read.</param>
    /// <param name="cancellationToken">Stops the check.</param>
    /// <exception cref="IndexingException">VersionCorrupt naming file and entry.</exception>
    public static void Verify(
        CachedDataset blend,
        Dictionary<(string Hash, Split Split), long> samplesByStem,
        PhaseProgress progress,
        CancellationToken cancellationToken)
    {
        using var members = IndexDirectoryVerifier.Open(blend, "dataset_index.npy", 1, "<i2");
        using var numbers = IndexDirectoryVerifier.Open(blend, "dataset_sample_index.npy", 1, "<i8");
        if (members.Header.Items != numbers.Header.Items)
        {
            throw NpyFile.Corrupt(numbers.Path, $"it has {numbers.Header.Items} samples, but the dataset index has {members.Header.Items}");
        }

        var built = blend.MemberHashes
            .Select(hash => samplesByStem.TryGetValue((hash, blend.Split), out var samples)
                ? samples
                : throw NpyFile.Corrupt(blend.PathOf("description.txt"), $"its member {hash} has no files here"))
            .ToArray();
        using var expected = Compute(blend, Plan(blend, built, members), cancellationToken);
        var counts = new long[built.Length];
        var sample = 0L;
        foreach (var (member, number) in members.Items(cancellationToken, items => progress.Advance(10 * items)).Zip(numbers.Items(cancellationToken)))
        {
            var wanted = expected.Members[sample];
            if (member != wanted)
            {
                throw NpyFile.Corrupt(members.Path, $"entry {sample} is {member}, but by the blend's weights it is {wanted}");
            }

            if (number != counts[wanted])
            {
                throw NpyFile.Corrupt(numbers.Path, $"entry {sample} is {number}, but it is sample {counts[wanted]} of member {wanted}");
            }

            counts[wanted]++;
            sample++;
        }
    }

    private static BlendIndex Compute(CachedDataset blend, BlendedDatasetPlan plan, CancellationToken cancellationToken)
    {
        try
        {
            return BlendIndex.Compute(plan, null, cancellationToken);
        }
        catch (IndexingException failure) when (failure.Reason == FailureReason.OversampledBlend)
        {
            throw NpyFile.Corrupt(blend.PathOf("description.txt"), $"a training run that uses this blend fails: {failure.Message}");
        }
    }

    /// <summary>The plan that the description stands for; of its members only the number of samples matters.</summary>
    private static BlendedDatasetPlan Plan(CachedDataset blend, long[] built, NpyFile members)
    {
        var isExhaustive = blend.Identity.Field("size") is null;
        var size = isExhaustive ? built.Sum() : blend.Number("size", 0, long.MaxValue);
        if (members.Header.Items != size)
        {
            throw NpyFile.Corrupt(members.Path, $"it has {members.Header.Items} samples, but the blend has {size}");
        }

        var weights = blend.Identity.Field("weights") as List<object?> ?? [];
        if (built.Length == 0 || weights.Count != built.Length || !weights.TrueForAll(weight => weight is double or BigInteger))
        {
            throw NpyFile.Corrupt(blend.PathOf("description.txt"), $"it has {weights.Count} weights for {built.Length} members");
        }

        return new BlendedDatasetPlan
        {
            Split = blend.Split,
            Members = [.. built.Zip(blend.MemberHashes, (samples, hash) => MemberOf(blend, hash, samples))],
            Weights = isExhaustive ? [] : [.. weights.Select(weight => weight is double number ? number : (double)(BigInteger)weight!)],
            IsExhaustive = isExhaustive,
            Size = size,
            Description = "",
            Hash = blend.Hash,
        };
    }

    private static GptDatasetPlan MemberOf(CachedDataset blend, string hash, long samples) =>
        PartialPlan.Of(blend.ClassName, blend.Split, hash, PartialPlan.NoData(hash)) with { Epochs = new EpochPlan(1, false, 0, samples) };
}
