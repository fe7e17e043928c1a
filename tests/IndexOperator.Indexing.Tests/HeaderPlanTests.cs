namespace IndexOperator.Indexing.Tests;

/// <summary>Plans from headers and a few pointers beside those from all lengths.</summary>
public sealed class HeaderPlanTests
{
    public static TheoryData<string> GoodCases => [.. GoldenCase.Names(expectError: false)];

    [Theory]
    [MemberData(nameof(GoodCases))]
    public void Headers_alone_foretell_every_name_and_size_that_Megatron_wrote(string name)
    {
        using var directory = new TemporaryDirectory();
        var golden = GoldenCase.Open(name);
        var request = golden.Request();

        var plan = IndexPlanner.Create(request, DatasetLoader.LoadHeaders(request, golden.Locate(directory)));

        Assert.Equal(
            golden.Outputs.Select(output => (output.File, output.Bytes)).OrderBy(output => output.File, StringComparer.Ordinal),
            plan.Files.Select(file => (file.Name, file.Bytes)).OrderBy(file => file.Name, StringComparer.Ordinal));
    }

    [Fact]
    public void A_file_beyond_4_gigabytes_is_planned_from_its_header_at_once()
    {
        // All lengths zero and all pointers zero: a file of holes but for its header and the last boundary.
        using var directory = new TemporaryDirectory();
        const long Sequences = 400_000_000;
        var prefix = directory["huge"];
        using (var file = File.Create(prefix + ".idx"))
        {
            using var writer = new BinaryWriter(file);
            writer.Write("MMIDIDX\0\0"u8);
            writer.Write(1L);
            writer.Write((byte)8);
            writer.Write(Sequences);
            writer.Write(2L);
            file.SetLength(34 + (12 * Sequences) + 16);
            file.Seek(-8, SeekOrigin.End);
            writer.Write(Sequences);
        }

        File.WriteAllBytes(prefix + ".bin", [0, 0]);
        var request = TestData.Single(prefix, samples: null);
        var data = DatasetLoader.LoadHeaders(request, path => path);
        Assert.Equal((Sequences, 0L), (data[prefix].SequenceCount, data[prefix].Tokens));
        Assert.True(data[prefix].Idx.Bytes > 1L << 32);

        var plan = IndexPlanner.Create(request, data);
        Assert.Equal(Sequences * 9 / 10, plan.Datasets[0].DocumentIndexLength);
    }

    [Fact]
    public void Tokens_beyond_2_to_the_31_are_counted()
    {
        using var directory = new TemporaryDirectory();
        var prefix = directory["long"];
        using (var writer = new TextCorpus.IndexedDatasetWriter(prefix))
        {
            for (var i = 0; i < 5; i++)
            {
                writer.AddHole(1_000_000_007);
                writer.EndDocument();
            }
        }

        var request = TestData.Single(prefix, samples: 7000) with { Split = "1,0,0", SequenceLength = 1_000_003 };
        var headers = IndexPlanner.Create(request, DatasetLoader.LoadHeaders(request, path => path)).Datasets[0];
        var lengths = IndexPlanner.Create(request, TestData.Load(request)).Datasets[0];
        Assert.Equal(5 * 1_000_000_007L, headers.TokensPerEpoch);
        Assert.Equal((lengths.TokensPerEpoch, lengths.Epochs, lengths.Hash), (headers.TokensPerEpoch, headers.Epochs, headers.Hash));
        BareOutput.Write(LocalFileSystem.Instance, directory["out"], request, path => path, new BuildOptions());
        IndexDirectoryVerifier.Verify(directory["out"], new BuildOptions());
    }

    [Theory]
    [InlineData(46, 3L)]
    [InlineData(54, -6L)]
    [InlineData(54, 1L << 40)]
    public void Pointers_that_cannot_be_right_are_refused(int offset, long value)
    {
        using var directory = new TemporaryDirectory();
        var prefix = TestData.Write(directory["d"], 3, 5, 7);
        var bytes = File.ReadAllBytes(prefix + ".idx");
        BitConverter.TryWriteBytes(bytes.AsSpan(offset), value);
        File.WriteAllBytes(prefix + ".idx", bytes);
        var request = TestData.Single(prefix) with { Split = "34,33,33" };

        var failure = Assert.Throws<IndexingException>(() => IndexPlanner.Create(request, DatasetLoader.LoadHeaders(request, path => path)));

        Assert.Equal(FailureReason.DataCorrupt, failure.Reason);
        Assert.Contains(prefix + ".idx", failure.Message, StringComparison.Ordinal);
    }
}
