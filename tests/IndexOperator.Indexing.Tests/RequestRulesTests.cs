namespace IndexOperator.Indexing.Tests;

public sealed class RequestRulesTests
{
    private static readonly IndexRequest Good = TestData.Single("/data/a");

    public static TheoryData<string, IndexRequest> Broken => new()
    {
        { "exactly one", Good with { BlendPerSplit = new(null, null, null) } },
        { "exactly one", Good with { Blend = null } },
        { "sequenceLength", Good with { SequenceLength = 0 } },
        { "randomSeed", Good with { RandomSeed = -1 } },
        { "randomSeed", Good with { RandomSeed = 1L << 32 } },
        { "split", Good with { Split = null } },
        { "weights on some", Good with { Blend = [new("/data/a", 1), new("/data/b")] } },
        { "above 0", Good with { Blend = [new("/data/a", 1), new("/data/b", 0)], Samples = new(1, 1, 1) } },
        { "no number of samples", Good with { Blend = [new("/data/a", 1)] } },
        { "multipleValidationSets", Good with { MultipleValidationSets = true } },
        { "fullValidation", Good with { FullValidation = true, Samples = new(1, 1, 1) } },
        { "no JSON", Good with { TokenizerIdentifiers = "{" } },
        { "JSON object", Good with { TokenizerIdentifiers = "[]" } },
        { "0.7, 0.8", Good with { MegatronCore = "0.6" } },
        { "\"0.20\"", Good with { MegatronCore = "0.20" } },
        { "only 0.9 and 0.10", Good with { MegatronCore = "0.8", RenormalizeBlendWeights = true } },
        { "only 0.9 and 0.10", Good with { MegatronCore = "0.11", RenormalizeBlendWeights = true } },
        { "datasetClass", Good with { DatasetClass = "BlendedDataset" } },
        { "datasetClass", Good with { DatasetClass = "../evil" } },
        { "midLevelDatasetSurplus", Good with { MegatronCore = "0.12", MidLevelDatasetSurplus = 0.01 } },
        { "came with 0.14", Good with { MegatronCore = "0.13", FullValidation = true } },
        { "samples of train", Good with { Samples = new(-1, null, null) } },
    };

    [Theory]
    [MemberData(nameof(Broken), DisableDiscoveryEnumeration = true)]
    public void A_request_that_Megatron_would_refuse_is_refused_with_the_field(string words, IndexRequest request)
    {
        var failure = Assert.Throws<IndexingException>(() => RequestRules.Check(request));
        Assert.Equal(FailureReason.InvalidSpec, failure.Reason);
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_supported_release_takes_a_plain_request()
    {
        foreach (var release in ReleaseRules.Supported)
        {
            RequestRules.Check(Good with { MegatronCore = release });
        }
    }
}
