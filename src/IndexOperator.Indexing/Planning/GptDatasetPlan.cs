namespace IndexOperator.Indexing;

/// <summary>One <c>GPTDataset</c> of one split: what it is made of, its key and its files.</summary>
public sealed record GptDatasetPlan
{
    /// <summary>Megatron's class name, part of key and file names.</summary>
    public required string ClassName { get; init; }

    /// <summary>The data.</summary>
    public required IndexedDataset Data { get; init; }

    /// <summary>The split.</summary>
    public required Split Split { get; init; }

    /// <summary>Samples asked for, surplus included; null for one epoch.</summary>
    public required long? NumSamples { get; init; }

    /// <summary>First sequence of the split.</summary>
    public required long BeginSequence { get; init; }

    /// <summary>The sequence after the split's last one.</summary>
    public required long EndSequence { get; init; }

    /// <summary>Tokens of the split's sequences.</summary>
    public required long TokensPerEpoch { get; init; }

    /// <summary>How often the data is read.</summary>
    public required EpochPlan Epochs { get; init; }

    /// <summary>Tokens of a sample.</summary>
    public required long SequenceLength { get; init; }

    /// <summary>1 when a sample has a token more, else 0.</summary>
    public required int ExtraTokens { get; init; }

    /// <summary>Seed of the shuffles.</summary>
    public required uint RandomSeed { get; init; }

    /// <summary>The value whose text is the description.</summary>
    internal List<KeyValuePair<string, object?>> Identity { get; init; } = [];

    /// <summary>The text that is hashed into the key, and the content of the description file; ASCII.</summary>
    public required string Description { get; init; }

    /// <summary>Megatron's key: lower-case hex MD5 of the description.</summary>
    public required string Hash { get; init; }

    /// <summary>The release's rules.</summary>
    public required ReleaseRules Rules { get; init; }

    /// <summary>Samples that are built.</summary>
    public long SampleCount => Epochs.SampleCount;

    /// <summary>Entries of the document index: sequences of the split times epochs.</summary>
    public long DocumentIndexLength => (EndSequence - BeginSequence) * Epochs.NumEpochs;

    /// <summary>Bytes of a number in the sample index, 4 or 8.</summary>
    public int SampleIndexItemSize => Rules.SampleIndexItemSize(DocumentIndexLength, Data.LongestSequence);

    /// <summary>Bytes of a number in the shuffle index, 4 or 8 (<c>gpt_dataset.py</c>, <c>_build_shuffle_index</c>).</summary>
    public int ShuffleIndexItemSize => SampleCount < uint.MaxValue - 1L ? 4 : 8;

    /// <summary>Text for <c>*-description.txt</c>.</summary>
    public PlannedFile DescriptionFile => new(Name("description.txt"), Description.Length);

    /// <summary>int32[documents * epochs]: sequence ids in the order of reading.</summary>
    public PlannedFile DocumentIndexFile => PlannedFile.Array(Name("document_index.npy"), "<i4", DocumentIndexLength);

    /// <summary>[samples + 1, 2]: position in the document index and token offset where each sample begins.</summary>
    public PlannedFile SampleIndexFile => PlannedFile.Array(Name("sample_index.npy"), SampleIndexItemSize == 4 ? "<i4" : "<i8", SampleCount + 1, 2);

    /// <summary>uint32[samples], int64 from 2^32-2 samples on: which sample is the n-th of training.</summary>
    public PlannedFile ShuffleIndexFile => PlannedFile.Array(Name("shuffle_index.npy"), ShuffleIndexItemSize == 4 ? "<u4" : "<i8", SampleCount);

    /// <summary>All files, in the order in which Megatron writes them.</summary>
    public IEnumerable<PlannedFile> Files => [DescriptionFile, DocumentIndexFile, SampleIndexFile, ShuffleIndexFile];

    private string Name(string what) => ReleaseRules.FileName(Hash, ClassName, Split, what);
}
