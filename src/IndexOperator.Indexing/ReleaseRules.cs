namespace IndexOperator.Indexing;

/// <summary>
/// What differs between Megatron-Core releases, each difference by name and all of them in this file. The releases that
/// are supported now write equal names and bytes for what they all accept and differ in the options they know.
/// </summary>
public sealed record ReleaseRules
{
    /// <summary>The release taken when none is named.</summary>
    public const string Default = "0.19";

    /// <summary>Surplus of releases without the option, and the option's default elsewhere.</summary>
    public const double DefaultSurplus = 0.005;

    private static readonly ReleaseRules TwoCeilings = new()
    {
        Behaviour = "core-0.11",
        HasSurplusOption = false,
        HasMultipleValidationSets = false,
        HasSplitInFileNames = true,
        SampleIndexIsWideByNeed = true,
    };

    private static readonly ReleaseRules WithSurplus = TwoCeilings with { HasSurplusOption = true };

    private static readonly ReleaseRules Today = WithSurplus with { HasMultipleValidationSets = true };

    private static readonly Dictionary<string, ReleaseRules> ByRelease = new(StringComparer.Ordinal)
    {
        ["0.11"] = TwoCeilings,
        ["0.12"] = TwoCeilings,
        ["0.13"] = WithSurplus,
        ["0.14"] = Today,
        ["0.15"] = Today,
        ["0.16"] = Today,
        ["0.17"] = Today,
        ["0.18"] = Today,
        ["0.19"] = Today,
    };

    /// <summary>The releases that can be asked for, oldest first.</summary>
    public static IReadOnlyList<string> Supported { get; } = [.. ByRelease.Keys];

    /// <summary>Name of the byte behaviour: releases with one behaviour write the same names and bytes.</summary>
    public required string Behaviour { get; init; }

    /// <summary>Whether <c>mid_level_dataset_surplus</c> can be chosen (0.13 and later).</summary>
    public required bool HasSurplusOption { get; init; }

    /// <summary>Whether <c>multiple_validation_sets</c> and <c>full_validation</c> exist (0.14 and later).</summary>
    public required bool HasMultipleValidationSets { get; init; }

    /// <summary>Whether file names carry the split (0.7 and later).</summary>
    public required bool HasSplitInFileNames { get; init; }

    /// <summary>Whether the sample index is 64 bits wide only where 32 do not suffice (0.10 and later).</summary>
    public required bool SampleIndexIsWideByNeed { get; init; }

    /// <summary>The rules of a release.</summary>
    /// <exception cref="IndexingException">InvalidSpec: the release is not supported.</exception>
    public static ReleaseRules For(string megatronCore) =>
        ByRelease.TryGetValue(megatronCore, out var rules)
            ? rules
            : throw new IndexingException(
                FailureReason.InvalidSpec,
                $"megatronCore \"{megatronCore}\" is not supported: its keys or arithmetic differ from those this builder follows. " +
                $"Use one of {string.Join(", ", Supported)} (the release that the training image runs).");

    /// <summary>
    /// Samples that a weighted blend of <paramref name="size"/> plans to draw of a member, and those built for it:
    /// <c>ceil(size*w)</c> and <c>ceil(ceil(size*w)*(1+surplus))</c>, each product in doubles
    /// (<c>blended_megatron_dataset_builder.py</c>, <c>_get_size_per_split_per_dataset</c>).
    /// </summary>
    /// <exception cref="IndexingException">InvalidSpec: more samples than 2^62.</exception>
    public (long Target, long Built) MemberSamples(long size, double weight, double surplus)
    {
        var target = Ceiling(size * weight);
        return (target, Ceiling(target * (1 + (HasSurplusOption ? surplus : DefaultSurplus))));
    }

    /// <summary>
    /// Bytes of a number in the sample index: 4, or 8 when a position or an offset may pass 2^31-1
    /// (<c>helpers.py</c>, <c>build_sample_idx</c>).
    /// </summary>
    public int SampleIndexItemSize(long documentIndexLength, int longestSequence)
    {
        var needed = Math.Max(documentIndexLength, longestSequence) <= int.MaxValue ? 4 : 8;
        return SampleIndexIsWideByNeed ? needed : 8;
    }

    /// <summary>Name of a cache file; <paramref name="what"/> is for example <c>document_index.npy</c>.</summary>
    public string FileName(string hash, string className, Split split, string what)
    {
        var which = HasSplitInFileNames ? $"{split.Name()}-" : "";
        return $"{hash}-{className}-{which}{what}";
    }

    private static long Ceiling(double value)
    {
        var ceiling = Math.Ceiling(value);
        return ceiling < 4.6e18
            ? (long)ceiling
            : throw new IndexingException(FailureReason.InvalidSpec, "The samples asked for do not fit into 62 bits; ask for fewer.");
    }
}
