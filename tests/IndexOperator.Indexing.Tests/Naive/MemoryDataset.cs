namespace IndexOperator.Indexing.Tests.Naive;

/// <summary>Data that was never in a file.</summary>
internal static class MemoryDataset
{
    public static IndexedDataset Of(string prefix, int[] lengths) => new()
    {
        Prefix = prefix,
        Path = prefix,
        TokenType = TokenType.FromCode(8)!,
        SequenceLengths = lengths,
        DocumentCount = lengths.Length + 1,
        Tokens = lengths.Sum(length => (long)length),
        LongestSequence = lengths.DefaultIfEmpty().Max(),
        IsMultimodal = false,
        IdxSha256 = new string('0', 64),
        Idx = default,
        Bin = default,
    };
}
