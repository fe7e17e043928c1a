namespace IndexOperator.Indexing;

/// <summary>How wide the numbers of a sample index are.</summary>
public enum SampleIndexWidth
{
    /// <summary>4 bytes whatever the size (0.7).</summary>
    Narrow,

    /// <summary>8 bytes whatever the size (0.8 and 0.9).</summary>
    Wide,

    /// <summary>8 bytes only when a position or an offset may pass 2^31-1 (0.10 and later).</summary>
    ByNeed,
}

/// <summary>
/// What differs between Megatron-Core releases, each difference by name and all of them in this file: five byte
/// behaviours (0.7, 0.8, 0.9, 0.10, 0.11 and later) and two options that came later still. Found by running every
/// release over one battery of requests; <c>docs/cache-format.md</c> section 6 has the table.
/// </summary>
public sealed record ReleaseRules
{
    /// <summary>The release taken when none is named.</summary>
    public const string Default = "0.19";

    /// <summary>Surplus of releases without the option, and the option's default elsewhere.</summary>
    public const double DefaultSurplus = 0.005;

    private const double OldSurplusFactor = 1.005;

    private static readonly ReleaseRules Core07 = new()
    {
        Behaviour = "core-0.7",
        SampleIndexWidth = SampleIndexWidth.Narrow,
        RoundsMembersTwice = false,
        RefusesNegativeOffset = false,
        MiscountsUndrawnMembers = true,
        HasRenormalizeOption = false,
        HasSurplusOption = false,
        HasMultipleValidationSets = false,
    };

    private static readonly ReleaseRules Core08 = Core07 with
    {
        Behaviour = "core-0.8",
        SampleIndexWidth = SampleIndexWidth.Wide,
        MiscountsUndrawnMembers = false,
    };

    private static readonly ReleaseRules Core09 = Core08 with { Behaviour = "core-0.9", HasRenormalizeOption = true };

    private static readonly ReleaseRules Core10 = Core09 with
    {
        Behaviour = "core-0.10",
        SampleIndexWidth = SampleIndexWidth.ByNeed,
        RefusesNegativeOffset = true,
    };

    private static readonly ReleaseRules Core11 = Core10 with { Behaviour = "core-0.11", RoundsMembersTwice = true, HasRenormalizeOption = false };

    private static readonly ReleaseRules Core13 = Core11 with { HasSurplusOption = true };

    private static readonly ReleaseRules Core14 = Core13 with { HasMultipleValidationSets = true };

    private static readonly Dictionary<string, ReleaseRules> ByRelease = new(StringComparer.Ordinal)
    {
        ["0.7"] = Core07,
        ["0.8"] = Core08,
        ["0.9"] = Core09,
        ["0.10"] = Core10,
        ["0.11"] = Core11,
        ["0.12"] = Core11,
        ["0.13"] = Core13,
        ["0.14"] = Core14,
        ["0.15"] = Core14,
        ["0.16"] = Core14,
        ["0.17"] = Core14,
        ["0.18"] = Core14,
        ["0.19"] = Core14,
        ["main"] = Core14,
    };

    /// <summary>The releases that can be asked for, oldest first; <c>main</c> stands for the development branch after 0.19.</summary>
    public static IReadOnlyList<string> Supported { get; } = [.. ByRelease.Keys];

    /// <summary>Name of the byte behaviour: releases with one behaviour write the same names and bytes.</summary>
    public required string Behaviour { get; init; }

    /// <summary>How wide the numbers of a sample index are.</summary>
    public required SampleIndexWidth SampleIndexWidth { get; init; }

    /// <summary>
    /// Whether a weighted blend rounds a member's share up before the surplus is added and counts those shares as its
    /// size (0.11 and later). Before, it rounds once, after the surplus, and counts the surplus too.
    /// </summary>
    public required bool RoundsMembersTwice { get; init; }

    /// <summary>
    /// Whether a partial sample that ends in an empty document is refused (0.10 and later). Before, its offset is written
    /// as -1, which reads as no tokens of that document.
    /// </summary>
    public required bool RefusesNegativeOffset { get; init; }

    /// <summary>
    /// Whether every start of a run compares what a blend draws of its k-th drawn member with the length of its k-th
    /// member, which are not the same once a member is never drawn (0.7). Later releases compare so when they build, if at
    /// all, and never with a cache that is there.
    /// </summary>
    public required bool MiscountsUndrawnMembers { get; init; }

    /// <summary>Whether <c>renormalize_blend_weights</c> exists and ends every blend's key (0.9 and 0.10).</summary>
    public required bool HasRenormalizeOption { get; init; }

    /// <summary>Whether <c>mid_level_dataset_surplus</c> can be chosen (0.13 and later).</summary>
    public required bool HasSurplusOption { get; init; }

    /// <summary>Whether <c>multiple_validation_sets</c> and <c>full_validation</c> exist (0.14 and later).</summary>
    public required bool HasMultipleValidationSets { get; init; }

    /// <summary>The rules of a release.</summary>
    /// <exception cref="IndexingException">InvalidSpec: the release is not supported.</exception>
    public static ReleaseRules For(string megatronCore) =>
        ByRelease.TryGetValue(megatronCore, out var rules)
            ? rules
            : throw new IndexingException(
                FailureReason.InvalidSpec,
                $"megatronCore \"{megatronCore}\" is not supported: {WhyNot(megatronCore)} " +
                $"Use one of {string.Join(", ", Supported)} (the release that the training image runs).");

    /// <summary>
    /// Samples that a weighted blend of <paramref name="size"/> plans to draw of a member, and those built for it:
    /// <c>ceil(size*w)</c> and <c>ceil(ceil(size*w)*(1+surplus))</c>, each product in doubles
    /// (<c>blended_megatron_dataset_builder.py</c>, <c>_get_size_per_split_per_dataset</c>); up to 0.10 both are
    /// <c>ceil(size*w*1.005)</c>.
    /// </summary>
    /// <exception cref="IndexingException">InvalidSpec: more samples than 2^62.</exception>
    public (long Target, long Built) MemberSamples(long size, double weight, double surplus)
    {
        if (!RoundsMembersTwice)
        {
            var both = Ceiling(size * weight * OldSurplusFactor);
            return (both, both);
        }

        var target = Ceiling(size * weight);
        return (target, Ceiling(target * (1 + (HasSurplusOption ? surplus : DefaultSurplus))));
    }

    /// <summary>Bytes of a number in the sample index, 4 or 8 (<c>helpers.py</c>, <c>build_sample_idx</c>).</summary>
    public int SampleIndexItemSize(long documentIndexLength, int longestSequence) => SampleIndexWidth switch
    {
        SampleIndexWidth.Narrow => 4,
        SampleIndexWidth.Wide => 8,
        _ => Math.Max(documentIndexLength, longestSequence) <= int.MaxValue ? 4 : 8,
    };

    /// <summary>Entries of a document index that the sample index can still point into: 0.7 overflows silently after them.</summary>
    public long LongestDocumentIndex => SampleIndexWidth == SampleIndexWidth.Narrow ? int.MaxValue : long.MaxValue;

    /// <summary>Name of a cache file; <paramref name="what"/> is for example <c>document_index.npy</c>.</summary>
    public static string FileName(string hash, string className, Split split, string what) => $"{hash}-{className}-{split.Name()}-{what}";

    private static string WhyNot(string megatronCore) => megatronCore switch
    {
        "0.4" => "its keys have other fields, and no tokenizer among them.",
        "0.5" or "0.6" => "its file names do not tell the splits apart, and its blends follow other rules.",
        _ => "it is no release whose keys and arithmetic are known.",
    };

    private static long Ceiling(double value)
    {
        var ceiling = Math.Ceiling(value);
        return ceiling < 4.6e18
            ? (long)ceiling
            : throw new IndexingException(FailureReason.InvalidSpec, "The samples asked for do not fit into 62 bits; ask for fewer.");
    }
}
