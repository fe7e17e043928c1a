namespace IndexOperator.Indexing;

/// <summary>What a split's training code gets: a blend, one dataset, or a list of datasets (several validation sets).</summary>
/// <param name="Split">The split.</param>
/// <param name="Blended">The blend, if it is one.</param>
/// <param name="Datasets">The datasets: the blend's members, or what stands for the split itself.</param>
public sealed record PlannedSplit(Split Split, BlendedDatasetPlan? Blended, IReadOnlyList<GptDatasetPlan> Datasets)
{
    /// <summary>Samples that training code sees in the split.</summary>
    public long Samples => Blended?.Size ?? Datasets.Sum(dataset => dataset.SampleCount);
}

/// <summary>Everything a build will write, worked out before anything is written.</summary>
public sealed record IndexPlan
{
    /// <summary>What was asked for.</summary>
    public required IndexRequest Request { get; init; }

    /// <summary>The data, each prefix once in the order of first mention.</summary>
    public required IReadOnlyList<IndexedDataset> Data { get; init; }

    /// <summary>The splits that have a dataset.</summary>
    public required IReadOnlyList<PlannedSplit> Splits { get; init; }

    /// <summary>Every dataset to build, once.</summary>
    public required IReadOnlyList<GptDatasetPlan> Datasets { get; init; }

    /// <summary>Every blend to build, once.</summary>
    public IReadOnlyList<BlendedDatasetPlan> Blends => [.. Splits.Select(split => split.Blended).OfType<BlendedDatasetPlan>()];

    /// <summary>Every file to write.</summary>
    public IReadOnlyList<PlannedFile> Files => [.. Datasets.SelectMany(dataset => dataset.Files), .. Blends.SelectMany(blend => blend.Files)];

    /// <summary>Bytes of all files.</summary>
    public long TotalBytes => Files.Sum(file => file.Bytes);

    // A description lives as a tree of values, as text and as bytes.
    private const long BytesPerCharacter = 8;

    /// <summary>
    /// The most memory that a build holds in arrays, in bytes: all sequence lengths, all blends' member numbers, and the
    /// largest datasets that <paramref name="threads"/> threads build at once.
    /// </summary>
    public long PeakArrayBytes(int threads)
    {
        var lengths = Data.Sum(data => 4L * data.SequenceCount);
        var texts = BytesPerCharacter * Blends.Sum(blend => (long)blend.Description.Length);
        var datasets = Datasets
            .Select(dataset => Math.Max(4 * dataset.DocumentIndexLength, dataset.ShuffleIndexItemSize * dataset.SampleCount))
            .OrderDescending()
            .Take(threads)
            .ToList();

        // All blends are computed before anything is written, and then written first: one thread may still be at them
        // while the others have begun with the datasets.
        var whileBlends = Blends.Sum(blend => 2 * blend.Size) + datasets.Take(threads - 1).Sum();
        return lengths + texts + Math.Max(whileBlends, datasets.Sum());
    }
}
