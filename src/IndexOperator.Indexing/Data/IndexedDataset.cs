namespace IndexOperator.Indexing;

/// <summary>
/// What an index depends on of one Megatron dataset: the checked content of its <c>.idx</c> file, and the size of its
/// <c>.bin</c>. Token values never matter to an index.
/// </summary>
public sealed record IndexedDataset
{
    /// <summary>Path without extension as the training run spells it.</summary>
    public required string Prefix { get; init; }

    /// <summary>Path without extension where the files were read.</summary>
    public required string Path { get; init; }

    /// <summary>Type of the tokens.</summary>
    public required TokenType TokenType { get; init; }

    /// <summary>Tokens of each sequence, zero or more each; empty when only the header was read.</summary>
    public required int[] SequenceLengths { get; init; }

    /// <summary>Number of sequences.</summary>
    public long SequenceCount => Pointers?.SequenceCount ?? SequenceLengths.Length;

    /// <summary>Length of the document indices, which is the number of documents plus one, as Megatron's header counts.</summary>
    public required long DocumentCount { get; init; }

    /// <summary>Tokens of all sequences.</summary>
    public required long Tokens { get; init; }

    /// <summary>Tokens of the longest sequence.</summary>
    public required int LongestSequence { get; init; }

    /// <summary>Whether the file carries a mode for each sequence (multimodal data).</summary>
    public required bool IsMultimodal { get; init; }

    /// <summary>SHA-256 of the <c>.idx</c> file, lower-case hex, over the same bytes that were parsed; empty until all of them are read.</summary>
    public required string IdxSha256 { get => Scan?.Sha256 ?? field; init; }

    /// <summary>The <c>.idx</c> file as it was when read.</summary>
    public required FileStamp Idx { get; init; }

    /// <summary>The <c>.bin</c> file as it was when the <c>.idx</c> was read.</summary>
    public required FileStamp Bin { get; init; }

    /// <summary>What reads the file, and may still have to read the rest of it.</summary>
    internal IdxScan? Scan { get; init; }

    /// <summary>Stands in for the lengths when only the header was read.</summary>
    internal PointerSums? Pointers { get; init; }

    /// <summary>Tokens of the sequences [begin, end).</summary>
    /// <exception cref="IndexingException">DataCorrupt: only the header was read, and its pointers cannot be right.</exception>
    public long TokensIn(long begin, long end) =>
        Pointers?.TokensIn(begin, end) ?? LengthSums.Of(SequenceLengths.AsSpan((int)begin, (int)Math.Max(0, end - begin))).Sum;
}

/// <summary>Size and time of a file: enough to notice that it was replaced or appended to.</summary>
/// <param name="Bytes">Size in bytes.</param>
/// <param name="ModifiedUtc">Time of the last change of its content.</param>
public readonly record struct FileStamp(long Bytes, DateTime ModifiedUtc);

/// <summary>Sizes from the header of an <c>.idx</c>, checked against its file size.</summary>
/// <param name="TokenType">Type of the tokens.</param>
/// <param name="SequenceCount">Number of sequences, 0 to 2^31-1.</param>
/// <param name="DocumentCount">Length of the document indices, at least 1.</param>
/// <param name="IsMultimodal">Whether a mode for each sequence follows.</param>
public sealed record IdxHeader(TokenType TokenType, long SequenceCount, long DocumentCount, bool IsMultimodal)
{
    /// <summary>Bytes of the fixed part in front of the lengths.</summary>
    public const int Size = 34;
}
