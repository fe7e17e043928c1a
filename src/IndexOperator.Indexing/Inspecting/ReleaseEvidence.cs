using System.Numerics;
using System.Text.RegularExpressions;

namespace IndexOperator.Indexing;

/// <summary>What a cache directory tells about the release that wrote it.</summary>
/// <param name="Releases">Releases that can have written all of it, oldest first; empty when it holds files of several that exclude each other, as a directory used over years does.</param>
/// <param name="Reasons">What was seen, a sentence each.</param>
public sealed record ReleaseFinding(IReadOnlyList<string> Releases, IReadOnlyList<string> Reasons);

/// <summary>
/// Finds out which Megatron-Core releases can have written a cache. Version texts of builds between two releases do not
/// tell; names, fields and number widths do (see <see cref="ReleaseRules"/>).
/// </summary>
public static partial class ReleaseEvidence
{
    private const string OldNames = "File names do not tell the splits apart, as 0.5 and 0.6 write them; later releases never find them.";

    /// <summary>Looks at names, descriptions and headers of a directory.</summary>
    /// <exception cref="IndexingException">VersionCorrupt or a storage reason.</exception>
    public static ReleaseFinding Of(string directory)
    {
        var datasets = CachedDataset.FindAll(directory);
        var isOld = Directory.EnumerateFiles(directory).Any(path => NameWithoutSplit().IsMatch(Path.GetFileName(path)));
        if (isOld && datasets.Count == 0)
        {
            return new(["0.5", "0.6"], [OldNames]);
        }

        var releases = ReleaseRules.Supported.ToList();
        var reasons = new List<string>();

        void Keep(Func<ReleaseRules, bool> fits, string reason)
        {
            releases.RemoveAll(release => !fits(ReleaseRules.For(release)));
            reasons.Add(reason);
        }

        if (isOld)
        {
            Keep(_ => false, OldNames);
        }

        foreach (var isWide in datasets.Where(dataset => !dataset.IsBlend).Select(IsWide).OfType<bool>().Distinct())
        {
            Keep(
                rules => isWide == (rules.SampleIndexWidth == SampleIndexWidth.Wide),
                isWide ? "A sample index is 64 bits wide without need, as 0.8 and 0.9 write it." : "A sample index is 32 bits wide, as 0.8 and 0.9 never write it.");
        }

        if (datasets.Any(EndsBeforeADocument))
        {
            Keep(rules => !rules.RefusesNegativeOffset, "A sample index ends in the token offset -1, which 0.10 and later refuse to write.");
        }

        var blends = datasets.Where(dataset => dataset.IsBlend).ToList();
        foreach (var isNamed in blends.Select(blend => blend.Identity.Exists(member => member.Key == "renormalize_blend_weights")).Distinct())
        {
            Keep(rules => rules.HasRenormalizeOption == isNamed, $"A blend's key {(isNamed ? "ends with" : "lacks")} renormalize_blend_weights, which 0.9 and 0.10 write.");
        }

        foreach (var (size, built) in blends.Select(Sizes).OfType<(BigInteger Size, BigInteger Built)>().Where(sizes => sizes.Built > 0).Distinct())
        {
            Keep(
                rules => size == built ? !rules.RoundsMembersTwice || rules.HasSurplusOption : rules.RoundsMembersTwice,
                size == built
                    ? $"A weighted blend's size, {size}, is the sum of its members' num_samples: 0.7 to 0.10, or 0.13 and later with a surplus of 0."
                    : $"A weighted blend's size, {size}, is less than its members' num_samples, {built}: 0.11 and later.");
        }

        if (datasets.Any(dataset => TokenizerClass(dataset)?.StartsWith("megatron.core.tokenizers.", StringComparison.Ordinal) == true))
        {
            Keep(rules => rules.HasMultipleValidationSets, "The tokenizer is of megatron.core.tokenizers, which 0.15 and later have.");
            releases.Remove("0.14");
        }

        return new(releases, reasons.Count > 0 ? reasons : ["Nothing here differs between the releases."]);
    }

    /// <summary>Whether the sample index is wider than it need be; null when it is wide by need or not there.</summary>
    private static bool? IsWide(CachedDataset dataset)
    {
        using var samples = NpyFile.Open(dataset.PathOf("sample_index.npy"));
        using var documents = NpyFile.Open(dataset.PathOf("document_index.npy"));
        return documents.Header.Items > int.MaxValue ? null : samples.Header.Dtype == "<i8";
    }

    private static bool EndsBeforeADocument(CachedDataset dataset)
    {
        if (dataset.IsBlend)
        {
            return false;
        }

        using var samples = NpyFile.Open(dataset.PathOf("sample_index.npy"));
        return samples.Header.Items > 0 && samples[samples.Header.Items - 1] == -1;
    }

    /// <summary>The size of a weighted blend and the sum of its members' samples; null for other blends.</summary>
    private static (BigInteger Size, BigInteger Built)? Sizes(CachedDataset blend)
    {
        var members = blend.Identity.Field("datasets") as List<object?> ?? [];
        var samples = members.Select(member => member is List<KeyValuePair<string, object?>> fields ? fields.Field("num_samples") : null).ToList();
        return blend.Identity.Field("size") is BigInteger size && samples.TrueForAll(count => count is BigInteger)
            ? (size, samples.Aggregate(BigInteger.Zero, (sum, count) => sum + (BigInteger)count!))
            : null;
    }

    private static string? TokenizerClass(CachedDataset dataset) =>
        dataset.Identity.Field("tokenizer") is List<KeyValuePair<string, object?>> tokenizer ? tokenizer.Field("class") as string : null;

    [GeneratedRegex(@"^[0-9a-f]{32}-[A-Za-z_][A-Za-z0-9_]*-(description\.txt|(document|sample|shuffle|dataset|dataset_sample)_index\.npy)$", RegexOptions.CultureInvariant)]
    private static partial Regex NameWithoutSplit();
}
