using System.Globalization;
using IndexOperator.Api;
using BlendEntry = IndexOperator.Api.BlendEntry;

namespace IndexOperator.Builder.CheckRun;

/// <summary>The tokenizer of a run, as far as its key knows it.</summary>
/// <param name="Identifiers">Its identifiers as JSON text; null where they cannot be told from the settings.</param>
/// <param name="Shown">What the run says of it, for people.</param>
/// <param name="Path">Its model or vocabulary as the run spells it, if it names one.</param>
/// <param name="Unknown">Why the identifiers cannot be told.</param>
internal sealed record RunTokenizer(string? Identifiers, string Shown, string? Path = null, string? Unknown = null);

/// <summary>The number of samples that a person gives, where the settings do not tell.</summary>
internal sealed record GivenSizes(long? Train, long? Validation, long? Test)
{
    /// <summary>Reads <c>TRAIN,VALIDATION,TEST</c>, each a whole number or <c>-</c> for one epoch; null when it is something else.</summary>
    public static GivenSizes? Parse(string? text)
    {
        var sizes = (text ?? "").Split(',').Select(part => part.Trim() switch
        {
            "-" => (IsGood: true, Size: (long?)null),
            var digits when long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var size) => (true, size),
            _ => (false, null),
        }).ToList();
        return sizes.Count == 3 && sizes.TrueForAll(size => size.IsGood) ? new GivenSizes(sizes[0].Size, sizes[1].Size, sizes[2].Size) : null;
    }
}

/// <summary>What a training run will ask Megatron-Core for, read out of its settings.</summary>
internal sealed record RunSettings
{
    /// <summary>Whose arithmetic and names.</summary>
    public required TrainerFramework Framework { get; init; }

    /// <summary>One blend for all splits, or null.</summary>
    public IReadOnlyList<BlendEntry>? Blend { get; init; }

    /// <summary>A blend for each split, or null.</summary>
    public BlendPerSplit? BlendPerSplit { get; init; }

    /// <summary>Tokens of a sample.</summary>
    public required long SequenceLength { get; init; }

    /// <summary>The seed.</summary>
    public required long RandomSeed { get; init; }

    /// <summary>The text of the split; null with a blend for each split.</summary>
    public string? Split { get; init; }

    /// <summary>Megatron's dataset class.</summary>
    public string DatasetClass { get; init; } = DatasetClasses.Default;

    /// <summary>mid_level_dataset_surplus.</summary>
    public double Surplus { get; init; } = 0.005;

    /// <summary>multiple_validation_sets.</summary>
    public bool MultipleValidationSets { get; init; }

    /// <summary>full_validation.</summary>
    public bool FullValidation { get; init; }

    /// <summary>add_extra_token_to_sequence; null where the framework has no setting for it.</summary>
    public bool? AddExtraToken { get; init; }

    /// <summary>drop_last_partial_validation_sequence; null where the framework has no setting for it.</summary>
    public bool? DropLastPartial { get; init; }

    /// <summary>The settings that decide the sizes.</summary>
    public required TrainerSpec Trainer { get; init; }

    /// <summary>Why the sizes cannot be computed from them; null when they can.</summary>
    public string? SizesUnknown { get; init; }

    /// <summary>The tokenizer.</summary>
    public required RunTokenizer Tokenizer { get; init; }

    /// <summary>Where the run looks for the index; null when it does not say.</summary>
    public string? CachePath { get; init; }

    /// <summary>fast_cache_load.</summary>
    public bool FastCacheLoad { get; init; }

    /// <summary>defer_npy_index_mmap.</summary>
    public bool DeferMapping { get; init; }

    /// <summary>The file of per-dataset sequences.</summary>
    public string? SequencesPath { get; init; }

    /// <summary>The vocabulary's size, where the run says it.</summary>
    public long? VocabularySize { get; init; }

    /// <summary>What a person should know that is no difference.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Settings that may matter and were not understood.</summary>
    public IReadOnlyList<string> NotLookedAt { get; init; } = [];
}

/// <summary>What a person gives besides the run itself.</summary>
internal sealed record RunContext
{
    /// <summary>The Megatron-Core release of the run.</summary>
    public required string MegatronCore { get; init; }

    /// <summary>The framework's release; null for the default.</summary>
    public string? FrameworkVersion { get; init; }

    /// <summary>Processes over all nodes; null when nobody says.</summary>
    public long? WorldSize { get; init; }

    /// <summary>Samples by hand.</summary>
    public GivenSizes? Sizes { get; init; }

    /// <summary>The tokenizer's identifiers by hand.</summary>
    public string? TokenizerIdentifiers { get; init; }

    /// <summary>Variables that have a value.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>Reads a file that the run names.</summary>
    public required Func<string, string, string> ReadFile { get; init; }
}
