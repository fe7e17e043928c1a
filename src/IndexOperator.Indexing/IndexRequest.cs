namespace IndexOperator.Indexing;

/// <summary>One dataset of a blend.</summary>
/// <param name="Prefix">Path without <c>.bin</c>/<c>.idx</c>, as the training run spells it; part of the key.</param>
/// <param name="Weight">Share of the blend, above zero; given for every entry of a blend or for none.</param>
public sealed record BlendEntry(string Prefix, double? Weight = null);

/// <summary>One value for each split.</summary>
/// <typeparam name="T">What each split has.</typeparam>
public sealed record PerSplit<T>(T Train, T Valid, T Test)
{
    /// <summary>The value of one split.</summary>
    public T this[Split split] => split switch { Split.Train => Train, Split.Valid => Valid, _ => Test };
}

/// <summary>
/// What to build: the part of Megatron's <c>BlendedMegatronDatasetConfig</c> and <c>GPTDatasetConfig</c> that decides
/// names or bytes of the cache. Field names follow Megatron's.
/// </summary>
public sealed record IndexRequest
{
    /// <summary>One distribution for all splits, cut by <see cref="Split"/>; null when <see cref="BlendPerSplit"/> is given.</summary>
    public IReadOnlyList<BlendEntry>? Blend { get; init; }

    /// <summary>A distribution for each split; a null entry means that the split has no dataset.</summary>
    public PerSplit<IReadOnlyList<BlendEntry>?>? BlendPerSplit { get; init; }

    /// <summary>Tokens of a sample, 1 or more.</summary>
    public required long SequenceLength { get; init; }

    /// <summary>Seed of numpy's <c>RandomState</c>, 0 to 4294967295.</summary>
    public long RandomSeed { get; init; } = 1234;

    /// <summary>Shares of the splits such as <c>900,50,50</c>; the exact text is in the key. With <see cref="Blend"/> only.</summary>
    public string? Split { get; init; }

    /// <summary>Samples to provide for each split; null means exactly one epoch.</summary>
    public PerSplit<long?> Samples { get; init; } = new(null, null, null);

    /// <summary>The tokenizer's <c>unique_identifiers</c> as JSON text; order and spelling are in the key.</summary>
    public required string TokenizerIdentifiers { get; init; }

    /// <summary>The Megatron-Core release to follow; see <see cref="ReleaseRules.Supported"/>.</summary>
    public string MegatronCore { get; init; } = ReleaseRules.Default;

    /// <summary>Megatron's dataset class: <c>GPTDataset</c> or a subclass that shares its cache; in key and file names.</summary>
    public string DatasetClass { get; init; } = "GPTDataset";

    /// <summary>Whether a weighted blend follows the samples built instead of the weights given; releases 0.9 and 0.10 only.</summary>
    public bool RenormalizeBlendWeights { get; init; }

    /// <summary>Whether a sample has one token more than <see cref="SequenceLength"/>, for the shifted labels.</summary>
    public bool AddExtraTokenToSequence { get; init; } = true;

    /// <summary>Whether the validation split leaves out a last sample that is not full.</summary>
    public bool DropLastPartialValidationSequence { get; init; } = true;

    /// <summary>The share of samples built on top of what a weighted blend needs of a member, 0 or more.</summary>
    public double MidLevelDatasetSurplus { get; init; } = ReleaseRules.DefaultSurplus;

    /// <summary>Whether validation is one dataset per prefix instead of a blend; with <see cref="BlendPerSplit"/> only.</summary>
    public bool MultipleValidationSets { get; init; }

    /// <summary>Whether validation reads everything once; the validation samples must then be null.</summary>
    public bool FullValidation { get; init; }

    /// <summary>Every prefix once, in the order of first mention.</summary>
    public IReadOnlyList<string> Prefixes
    {
        get
        {
            var entries = Blend ?? [];
            if (BlendPerSplit is { } perSplit)
            {
                entries = [.. entries, .. SplitNames.All.SelectMany(split => perSplit[split] ?? [])];
            }

            return [.. entries.Select(entry => entry.Prefix).Distinct(StringComparer.Ordinal)];
        }
    }
}
