namespace IndexOperator.Indexing;

/// <summary>One <c>BlendedDataset</c>: its members, its weights and its files.</summary>
public sealed record BlendedDatasetPlan
{
    /// <summary>Megatron's class name, part of key and file names.</summary>
    public const string ClassName = "BlendedDataset";

    /// <summary>The split.</summary>
    public required Split Split { get; init; }

    /// <summary>The members in the order of the blend; the same dataset can occur twice.</summary>
    public required IReadOnlyList<GptDatasetPlan> Members { get; init; }

    /// <summary>Shares that add up to one; empty for an exhaustive blend.</summary>
    public required IReadOnlyList<double> Weights { get; init; }

    /// <summary>Whether every sample of every member is used once.</summary>
    public required bool IsExhaustive { get; init; }

    /// <summary>Samples of the blend.</summary>
    public required long Size { get; init; }

    /// <summary>The value whose text is the description.</summary>
    internal List<KeyValuePair<string, object?>> Identity { get; init; } = [];

    /// <summary>The text that is hashed into the key; ASCII.</summary>
    public required string Description { get; init; }

    /// <summary>Megatron's key: lower-case hex MD5 of the description.</summary>
    public required string Hash { get; init; }

    /// <summary>Text for <c>*-description.txt</c>.</summary>
    public PlannedFile DescriptionFile => new(Name("description.txt"), Description.Length);

    /// <summary>int16[size]: the member that each sample comes from.</summary>
    public PlannedFile DatasetIndexFile => PlannedFile.Array(Name("dataset_index.npy"), "<i2", Size);

    /// <summary>int64[size]: the sample of that member.</summary>
    public PlannedFile DatasetSampleIndexFile => PlannedFile.Array(Name("dataset_sample_index.npy"), "<i8", Size);

    /// <summary>All files, in the order in which Megatron writes them.</summary>
    public IEnumerable<PlannedFile> Files => [DescriptionFile, DatasetIndexFile, DatasetSampleIndexFile];

    private string Name(string what) => ReleaseRules.FileName(Hash, ClassName, Split, what);
}
