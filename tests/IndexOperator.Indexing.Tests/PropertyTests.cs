using CsCheck;

namespace IndexOperator.Indexing.Tests;

public sealed class PropertyTests
{
    private static readonly Gen<int[]> Lengths = Gen.Int[0, 40].Array[1, 60];

    [Fact]
    public void Any_single_dataset_has_the_arrays_of_the_naive_implementation() =>
        Gen.Select(Lengths, Gen.Int[1, 50], Gen.Long[0, 300], Gen.Bool, Gen.Bool, Gen.Bool, Gen.UInt).Sample(
            (lengths, sequenceLength, samples, hasSamples, hasExtra, dropLast, seed) =>
            {
                using var directory = new TemporaryDirectory();
                var prefix = TestData.Write(directory["d"], [.. lengths, 1]);
                lengths = [.. lengths, 1];
                var request = new IndexRequest
                {
                    BlendPerSplit = new(null, [new BlendEntry(prefix)], null),
                    SequenceLength = sequenceLength,
                    RandomSeed = seed,
                    Samples = new(null, hasSamples ? samples : null, null),
                    TokenizerIdentifiers = TestData.Tokenizer,
                    AddExtraTokenToSequence = hasExtra,
                    DropLastPartialValidationSequence = dropLast,
                };
                var expected = NaiveMegatron.BuildGpt(lengths, 0, lengths.Length, request.Samples.Valid, sequenceLength, hasExtra ? 1 : 0, dropLast, seed);
                if (expected is not { } arrays)
                {
                    Assert.Throws<IndexingException>(() => Build(directory, request));
                    return;
                }

                var plan = Build(directory, request).Datasets[0];
                Assert.Equal(arrays.Documents, Read(directory, plan.DocumentIndexFile));
                Assert.Equal(arrays.Samples, Read(directory, plan.SampleIndexFile));
                Assert.Equal(arrays.Shuffle, Read(directory, plan.ShuffleIndexFile));
            },
            iter: 300);

    [Fact]
    public void Any_blend_has_the_order_of_the_naive_implementation() =>
        Gen.Select(Gen.Double[0.01, 10].Array[1, 40], Gen.Long[0, 400], Gen.Int[0, 2]).Sample(
            (weights, size, kind) =>
            {
                using var directory = new TemporaryDirectory();
                var isWeighted = kind == 0;
                var entries = weights
                    .Select((weight, i) => new BlendEntry(TestData.Write(directory[$"d{i}"], [17, 10 + (i % 7), 40 + i]), isWeighted ? weight : null))
                    .ToList();
                var request = new IndexRequest
                {
                    Blend = isWeighted || entries.Count > 1 ? entries : [entries[0], entries[0]],
                    Split = "1,0,0",
                    SequenceLength = 16,
                    Samples = new(kind == 2 ? null : size, 0, 0),
                    TokenizerIdentifiers = TestData.Tokenizer,
                    MidLevelDatasetSurplus = 0.5,
                };
                var blend = IndexPlanner.Create(request, TestData.Load(request)).Blends[0];
                var lengths = blend.Members.Select(member => member.SampleCount).ToArray();
                var shares = kind == 2 ? lengths.Select(length => length / (double)lengths.Sum()).ToArray() : [.. blend.Weights];
                var (members, numbers) = NaiveMegatron.Blend(shares, lengths, blend.Size, kind == 2);
                var isOversampled = members.CountBy(member => member).Any(count => count.Value > lengths[count.Key]);
                if (isOversampled)
                {
                    Assert.Throws<IndexingException>(() => Build(directory, request));
                    return;
                }

                Build(directory, request);
                Assert.Equal(members, Read(directory, blend.DatasetIndexFile));
                Assert.Equal(numbers, Read(directory, blend.DatasetSampleIndexFile));
            },
            iter: 100);

    private static IndexPlan Build(TemporaryDirectory directory, IndexRequest request) =>
        BareOutput.Write(LocalFileSystem.Instance, directory["cache"], request, prefix => prefix, new BuildOptions()).Plan;

    private static long[] Read(TemporaryDirectory directory, PlannedFile planned)
    {
        using var file = NpyFile.Open(Path.Combine(directory["cache"], planned.Name));
        return [.. file.Items(CancellationToken.None)];
    }
}
