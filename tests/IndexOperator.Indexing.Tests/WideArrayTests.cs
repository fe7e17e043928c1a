using System.Globalization;
using IndexOperator.Indexing.Tests.Naive;

namespace IndexOperator.Indexing.Tests;

/// <summary>Sizes on both sides of 32 bits; arrays that large are planned here, never built.</summary>
public sealed class WideArrayTests
{
    private const long Limit = int.MaxValue;

    // One document of one token, read n+1 times for n samples of one token and the token after it.
    private static readonly IndexedDataset OneToken = MemoryDataset.Of("/data/one", [1]);

    [Theory]
    [InlineData("0.7", Limit - 1, "<i4")]
    [InlineData("0.8", 1, "<i8")]
    [InlineData("0.9", 1, "<i8")]
    [InlineData("0.10", Limit - 1, "<i4")]
    [InlineData("0.10", Limit, "<i8")]
    [InlineData("0.19", Limit - 1, "<i4")]
    [InlineData("0.19", Limit, "<i8")]
    public void Sample_indices_widen_when_positions_need_it(string release, long samples, string dtype)
    {
        var dataset = Plan(release, samples);
        Assert.Equal(samples + 1, dataset.DocumentIndexLength);
        Assert.Equal((dtype, samples + 1), (dataset.SampleIndexFile.Dtype, dataset.SampleIndexFile.Shape![0]));
        Assert.Equal(128 + ((samples + 1) * 2 * (dtype == "<i4" ? 4 : 8)), dataset.SampleIndexFile.Bytes);
        Assert.Equal(("<i4", 128 + (4 * (samples + 1))), (dataset.DocumentIndexFile.Dtype, dataset.DocumentIndexFile.Bytes));
    }

    [Theory]
    [InlineData(uint.MaxValue - 2L, "<u4", 4)]
    [InlineData(uint.MaxValue - 1L, "<i8", 8)]
    public void Shuffle_indices_widen_two_below_the_end_of_32_bits(long samples, string dtype, int itemSize)
    {
        var file = Plan("0.19", samples).ShuffleIndexFile;
        Assert.Equal((dtype, 128 + (itemSize * samples)), (file.Dtype, file.Bytes));
        var header = new NpyHeader(file.Dtype!, file.Shape!);
        Assert.Equal(dtype, NpyHeader.Parse(header.ToBytes())!.Dtype);
        Assert.Equal(samples, NpyHeader.Parse(header.ToBytes())!.Items);
    }

    [Fact]
    public void Core_0_7_is_refused_where_its_positions_overflow()
    {
        var failure = Assert.Throws<IndexingException>(() => Plan("0.7", Limit));
        Assert.Equal(FailureReason.InvalidSpec, failure.Reason);
        Assert.Contains("train of /data/one", failure.Message, StringComparison.Ordinal);
        Assert.Contains("2147483648", failure.Message, StringComparison.Ordinal);
        Assert.Contains("0.7 counts them in 32 bits", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1L << 41)]
    [InlineData(long.MaxValue / 8)]
    [InlineData(long.MaxValue)]
    public void Sizes_that_no_machine_holds_are_refused_and_never_wrap_around(long samples)
    {
        foreach (var request in new[] { Request("0.19", samples), Blend(samples) })
        {
            var failure = Assert.Throws<IndexingException>(() => Plan(request));
            Assert.Equal(FailureReason.InvalidSpec, failure.Reason);
            Assert.Contains("train of /data/one", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_blend_can_have_more_than_2_to_the_31_samples()
    {
        var blend = Plan(Blend(5_000_000_000)).Blends.Single();
        Assert.Equal(5_000_000_000, blend.Size);
        Assert.Equal(128 + 10_000_000_000, blend.DatasetIndexFile.Bytes);
        Assert.Equal(128 + 40_000_000_000, blend.DatasetSampleIndexFile.Bytes);
    }

    [Fact]
    public void Arrays_beyond_the_memory_of_the_machine_are_an_error_that_names_them()
    {
        var failure = Assert.Throws<IndexingException>(() => new NativeBuffer<long>(1L << 50, "The shuffle index of train of /data/a"));
        Assert.Equal(FailureReason.OutOfMemory, failure.Reason);
        Assert.StartsWith("The shuffle index of train of /data/a has 1125899906842624 entries", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Wide_and_narrow_arrays_hold_the_same_numbers()
    {
        var data = MemoryDataset.Of("/data/a", TestData.Lengths(3000));
        var plan = IndexPlanner.Create(TestData.Single("/data/a", 20_000), new Dictionary<string, IndexedDataset> { ["/data/a"] = data }).Datasets[0];

        var (narrowSamples, narrowShuffle) = Arrays<int, uint>(plan);
        var (wideSamples, wideShuffle) = Arrays<long, long>(plan);

        Assert.True(plan.SampleCount > 20_000, plan.SampleCount.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(2 * (plan.SampleCount + 1), wideSamples.Count);
        Assert.Equal(narrowSamples.Select(number => (long)number), wideSamples);
        Assert.Equal(narrowShuffle.Select(number => (long)number), wideShuffle);
        Assert.Equal(plan.SampleCount, wideShuffle.Distinct().Count());
    }

    [Theory]
    [InlineData(1L << 32)]
    [InlineData((1L << 33) - 1)]
    [InlineData(5_000_000_000L)]
    [InlineData(long.MaxValue)]
    public void A_draw_of_more_than_32_bits_takes_two_outputs_the_upper_half_first(long limit)
    {
        var (random, outputs) = (new RandomState(7), new RandomState(7));
        var mask = limit;
        for (var shift = 1; shift < 64; shift *= 2)
        {
            mask |= mask >> shift;
        }

        for (var draw = 0; draw < 1000; draw++)
        {
            long expected;
            do
            {
                var upper = outputs.NextUInt32() * 4294967296UL;
                expected = (long)((upper + outputs.NextUInt32()) & (ulong)mask);
            }
            while (expected > limit);
            Assert.Equal((ulong)expected, random.NextInterval((ulong)limit));
        }
    }

    [Fact]
    public void More_than_2_to_the_31_tokens_are_walked_without_loss()
    {
        // Offsets reach 2^31-1 and sums pass 2^33: rows are checked against positions in one long run of tokens.
        const int Length = int.MaxValue;
        const long SequenceLength = (1L << 30) + 1;
        using var directory = new TemporaryDirectory();
        var prefix = directory["long"];
        using (var writer = new TextCorpus.IndexedDatasetWriter(prefix))
        {
            for (var i = 0; i < 5; i++)
            {
                writer.AddHole(Length - i);
                writer.EndDocument();
            }
        }

        var request = TestData.Single(prefix, null) with { SequenceLength = SequenceLength, Split = "1,0,0" };
        var (plan, _) = BareOutput.Write(LocalFileSystem.Instance, directory["cache"], request, path => path, new BuildOptions());

        var dataset = plan.Datasets.Single();
        Assert.Equal((5L * Length) - 10, dataset.TokensPerEpoch);
        using var documents = NpyFile.Open(Path.Combine(directory["cache"], dataset.DocumentIndexFile.Name));
        using var samples = NpyFile.Open(Path.Combine(directory["cache"], dataset.SampleIndexFile.Name));
        Assert.Equal("<i4", samples.Header.Dtype);
        Assert.Equal((((5L * Length) - 11) / SequenceLength) + 1, samples.Header.Shape[0]);
        var starts = new List<long> { 0 };
        foreach (var document in documents.Items(TestContext.Current.CancellationToken))
        {
            starts.Add(starts[^1] + Length - document);
        }

        for (var row = 0L; row < samples.Header.Shape[0]; row++)
        {
            var token = row * SequenceLength;
            var position = starts.FindLastIndex(start => start <= token);
            Assert.Equal((position, token - starts[position]), (samples[2 * row], samples[(2 * row) + 1]));
        }
    }

    private static (List<TSample> Samples, List<TShuffle> Shuffle) Arrays<TSample, TShuffle>(GptDatasetPlan plan)
        where TSample : unmanaged, System.Numerics.INumberBase<TSample>
        where TShuffle : unmanaged, System.Numerics.INumberBase<TShuffle>
    {
        var indices = new GptIndices(plan, (_, _) => { });
        using var documents = indices.BuildDocumentIndex();
        var samples = new List<TSample>();
        indices.WalkSamples<TSample>(documents, rows => samples.AddRange(rows));
        using var shuffle = indices.BuildShuffleIndex<TShuffle>();
        return (samples, [.. shuffle.Slice(0, (int)shuffle.Length)]);
    }

    private static GptDatasetPlan Plan(string release, long samples) => Plan(Request(release, samples)).Datasets.Single();

    private static IndexPlan Plan(IndexRequest request) => IndexPlanner.Create(request, new Dictionary<string, IndexedDataset> { ["/data/one"] = OneToken });

    private static IndexRequest Request(string release, long samples) => new()
    {
        Blend = [new("/data/one")],
        Split = "1,0,0",
        SequenceLength = 1,
        Samples = new(samples, null, null),
        TokenizerIdentifiers = TestData.Tokenizer,
        MegatronCore = release,
    };

    private static IndexRequest Blend(long samples) => Request("0.19", samples) with
    {
        Blend = [new("/data/one", 1), new("/data/one", 1)],
        Samples = new(samples, 0, 0),
    };
}
