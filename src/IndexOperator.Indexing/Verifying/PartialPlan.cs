namespace IndexOperator.Indexing;

/// <summary>
/// Plans made from what a cache tells instead of a request, to compute its arrays again. Releases differ in the refusals
/// of that computation but not in its numbers, so the rules are those of a release that refuses little.
/// </summary>
internal static class PartialPlan
{
    /// <summary>A plan of one empty epoch; the caller fills in what it knows.</summary>
    public static GptDatasetPlan Of(string className, Split split, string hash, IndexedDataset data) => new()
    {
        ClassName = className,
        Data = data,
        Split = split,
        NumSamples = null,
        BeginSequence = 0,
        EndSequence = 0,
        TokensPerEpoch = 0,
        Epochs = new EpochPlan(1, false, 0, 0),
        SequenceLength = 1,
        ExtraTokens = 1,
        RandomSeed = 0,
        Description = "",
        Hash = hash,
        Rules = ReleaseRules.For("0.9"),
    };

    /// <summary>Stands for data of which nothing is known but its name.</summary>
    public static IndexedDataset NoData(string prefix) => new()
    {
        Prefix = prefix,
        Path = prefix,
        TokenType = TokenType.FromCode(1)!,
        SequenceLengths = [],
        DocumentCount = 1,
        Tokens = 0,
        LongestSequence = 0,
        IsMultimodal = false,
        IdxSha256 = "",
        Idx = default,
        Bin = default,
    };
}
