namespace IndexOperator.Indexing.Tests;

/// <summary>What Megatron hangs, aborts or trains into an IndexError on, in every release.</summary>
public sealed class RefusalTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var release in ReleaseRules.Supported)
            {
                foreach (var what in Requests.Keys)
                {
                    data.Add(release, what);
                }
            }

            return data;
        }
    }

    /// <summary>By what is wrong; "/one" has one document, "/holes" ten without tokens, "/many" 110 samples an epoch, "/short" one sample.</summary>
    private static Dictionary<string, (string Word, FailureReason Reason, IndexRequest Request)> Requests { get; } = new()
    {
        ["a range without data and with a size"] = ("valid", FailureReason.EmptySplit, Single("/one", 10) with { Split = "900,50,50", Samples = new(10, 3, 3) }),
        ["a range without data and with the size 0"] = ("valid", FailureReason.EmptySplit, Single("/one", 10) with { Split = "900,50,50", Samples = new(10, 0, 0) }),
        ["documents without tokens"] = ("train", FailureReason.EmptySplit, Single("/holes", 1) with { Split = "1,1,0" }),
        ["an empty member of an unweighted blend with a size"] = ("train", FailureReason.EmptySplit, Blend(5, ("/many", null), ("/holes", null)) with { Split = "1,1,0" }),
        ["an empty member of an unweighted blend"] = ("train", FailureReason.EmptySplit, Blend(null, ("/many", null), ("/holes", null)) with { Split = "1,1,0" }),
        ["an empty member of a weighted blend"] = ("train", FailureReason.EmptySplit, Blend(5, ("/many", 1), ("/holes", 1)) with { Split = "1,1,0" }),
        ["a weighted blend of the size 0 with an empty member"] = ("train", FailureReason.EmptySplit, Blend(0, ("/many", 1), ("/holes", 1)) with { Split = "1,1,0" }),
        ["a weight of 0"] = ("train", FailureReason.InvalidSpec, Blend(5, ("/many", 1), ("/one", 0))),
        ["a weight below 0"] = ("train", FailureReason.InvalidSpec, Blend(5, ("/many", 1), ("/one", -1))),
        ["a weight that is no number"] = ("train", FailureReason.InvalidSpec, Blend(5, ("/many", 1), ("/one", double.NaN))),
        ["weights too unlike to add up"] = ("train", FailureReason.InvalidSpec, Blend(5, ("/many", double.MaxValue), ("/one", double.MaxValue))),
        ["weights on some members"] = ("train", FailureReason.InvalidSpec, Blend(5, ("/many", 1), ("/one", null))),
        ["weights without a size"] = ("test", FailureReason.InvalidSpec, Blend(5, ("/many", 1), ("/one", 2)) with { Samples = new(5, 5, null) }),
        ["a negative size"] = ("train", FailureReason.InvalidSpec, Blend(-1, ("/many", 1), ("/one", 2))),
        ["four shares"] = ("train", FailureReason.InvalidSpec, Single("/many", 5) with { Split = "90,5,4,1" }),
        ["shares of nothing"] = ("train", FailureReason.InvalidSpec, Single("/many", 5) with { Split = "0,0,0" }),
        ["a split without numbers"] = ("train", FailureReason.InvalidSpec, Single("/many", 5) with { Split = "all" }),
        ["a split with half numbers"] = ("train", FailureReason.InvalidSpec, Single("/many", 5) with { Split = "1.2.3,1" }),
        ["a heavy member next to many tiny ones"] = (
            "train",
            FailureReason.OversampledBlend,
            Blend(100, [("/many", 1e6), .. Enumerable.Repeat(("/short", (double?)1), 60)])),
        ["fewer samples than asked for, by single precision"] = (
            "valid",
            FailureReason.InvalidSpec,
            Single("/single", 1) with { Split = "0,1,0", SequenceLength = 1, Samples = new(1, 16_777_217, 1), DropLastPartialValidationSequence = false }),
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void It_is_refused_naming_dataset_and_split_before_anything_is_written(string release, string what)
    {
        WriteData();
        var (word, reason, request) = Requests[what];

        var failure = Assert.Throws<IndexingException>(() => Build(request with { MegatronCore = release }));

        Assert.Equal(reason, failure.Reason);
        Assert.Contains(word, failure.Message, StringComparison.Ordinal);
        Assert.Contains(request.Prefixes, prefix => failure.Message.Contains(prefix, StringComparison.Ordinal));
        Assert.Empty(_directory.FilesUnder("cache"));
    }

    [Fact]
    public void Releases_before_0_10_write_a_partial_sample_that_ends_in_an_empty_document_as_minus_one()
    {
        WriteData();
        var request = Single("/tail", null) with { Split = "0,1,0", DropLastPartialValidationSequence = false, Samples = new(null, null, null), SequenceLength = 7 };
        foreach (var release in ReleaseRules.Supported)
        {
            var asked = request with { MegatronCore = release, RandomSeed = SeedThatEndsInTheEmptyDocument() };
            if (ReleaseRules.For(release).RefusesNegativeOffset)
            {
                var failure = Assert.Throws<IndexingException>(() => Build(asked));
                Assert.Contains("valid of /tail ends, in shuffled order, with an empty document", failure.Message, StringComparison.Ordinal);
                Assert.Empty(_directory.FilesUnder("cache"));
            }
            else
            {
                var output = "cache-" + release;
                var (plan, _) = BareOutput.Write(LocalFileSystem.Instance, _directory[output], asked, Locate, new BuildOptions());
                using var samples = NpyFile.Open(Path.Combine(_directory[output], plan.Datasets[0].SampleIndexFile.Name));
                Assert.Equal(-1, samples[samples.Header.Items - 1]);
                IndexDirectoryVerifier.Verify(_directory[output], new BuildOptions());
                Assert.Equal(release == "0.7" ? ["0.7"] : ["0.8", "0.9"], ReleaseEvidence.Of(_directory[output]).Releases);
            }
        }
    }

    [Fact]
    public void Core_0_7_alone_is_refused_a_blend_whose_members_it_miscounts()
    {
        WriteData();
        var request = Blend(3, ("/short", null), ("/many", null), ("/some", null));
        foreach (var release in ReleaseRules.Supported)
        {
            if (release == "0.7")
            {
                var failure = Assert.Throws<IndexingException>(() => Build(request with { MegatronCore = release }));
                Assert.Equal(FailureReason.OversampledBlend, failure.Reason);
                Assert.Contains("train blend never draws /short", failure.Message, StringComparison.Ordinal);
                Assert.Empty(_directory.FilesUnder("cache"));
            }
            else
            {
                Build(request with { MegatronCore = release });
            }
        }
    }

    [Fact]
    public void A_weighted_blend_of_the_size_0_is_empty_in_every_release()
    {
        WriteData();
        foreach (var release in ReleaseRules.Supported)
        {
            var output = "cache-" + release;
            var request = Blend(0, ("/many", 1), ("/one", 2)) with { MegatronCore = release };
            var (plan, _) = BareOutput.Write(LocalFileSystem.Instance, _directory[output], request, Locate, new BuildOptions());
            Assert.Equal(0, plan.Blends[0].Size);
            Assert.Equal([128L, 128L], plan.Blends[0].Files.Skip(1).Select(file => new FileInfo(Path.Combine(_directory[output], file.Name)).Length));
        }
    }

    public void Dispose() => _directory.Dispose();

    private static IndexRequest Single(string prefix, long? samples) => TestData.Single(prefix, samples) with { Split = "1,0,0" };

    private static IndexRequest Blend(long? samples, params (string Prefix, double? Weight)[] members) => Single("", samples) with
    {
        Blend = [.. members.Select(member => new BlendEntry(member.Prefix, member.Weight))],
        Samples = new(samples, samples, samples),
    };

    private static long SeedThatEndsInTheEmptyDocument()
    {
        for (var seed = 0U; ; seed++)
        {
            int[] documents = [0, 1, 2];
            new RandomState(seed).Shuffle(documents.AsSpan());
            if (documents[2] == 2)
            {
                return seed;
            }
        }
    }

    private void Build(IndexRequest request) => BareOutput.Write(LocalFileSystem.Instance, _directory["cache"], request, Locate, new BuildOptions());

    private string Locate(string prefix) => _directory[prefix[1..]];

    private void WriteData()
    {
        TestData.Write(Locate("/one"), 40);
        TestData.Write(Locate("/holes"), 0, 0, 40, 1);
        TestData.Write(Locate("/many"), [.. Enumerable.Repeat(16, 110), 1]);
        TestData.Write(Locate("/some"), [.. Enumerable.Repeat(16, 39), 1]);
        TestData.Write(Locate("/short"), 17);
        TestData.Write(Locate("/tail"), 10, 8, 0);
        using var single = new TextCorpus.IndexedDatasetWriter(Locate("/single"));
        single.AddHole((1 << 24) + 2);
        single.EndDocument();
    }
}
