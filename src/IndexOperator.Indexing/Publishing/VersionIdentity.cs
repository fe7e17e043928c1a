using System.Security.Cryptography;
using System.Text;

namespace IndexOperator.Indexing;

/// <summary>The names of data and of caches. The exact texts are fixed in <c>docs/cache-format.md</c>.</summary>
public static class VersionIdentity
{
    /// <summary>Grows when the same request over the same data is to be built anew.</summary>
    public const int FormatRevision = 1;

    private const int VersionDigits = 20;

    /// <summary>
    /// <c>sha256:</c> and the hex SHA-256 of one line a prefix, ordered by prefix: prefix as JSON string, SHA-256 of the
    /// <c>.idx</c>, bytes of the <c>.idx</c>, bytes of the <c>.bin</c>, parted by tabs.
    /// </summary>
    public static string Fingerprint(IEnumerable<IndexedDataset> data) => Fingerprint(data.Select(ManifestData.Of));

    /// <summary>The same of data as a manifest describes it.</summary>
    public static string Fingerprint(IEnumerable<ManifestData> data)
    {
        var text = new StringBuilder("indexoperator-fingerprint 1\n");
        foreach (var dataset in data.OrderBy(dataset => dataset.Prefix, StringComparer.Ordinal))
        {
            text.Append(PythonJson.Dump(dataset.Prefix)).Append('\t').Append(dataset.IdxSha256).Append('\t')
                .Append(dataset.IdxBytes).Append('\t').Append(dataset.BinBytes).Append('\n');
        }

        return "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text.ToString())));
    }

    /// <summary>
    /// The first 20 hex digits of the SHA-256 of the fingerprint, the format revision and every parameter that changes
    /// bytes or keys.
    /// </summary>
    public static string Version(string fingerprint, IndexRequest request)
    {
        var text = "indexoperator-version " + FormatRevision + "\n" + fingerprint + "\n" + PythonJson.Dump(Parameters(request)) + "\n";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)))[..VersionDigits];
    }

    /// <summary>The parameters as an ordered JSON value, the same for requests that give the same cache.</summary>
    internal static List<KeyValuePair<string, object?>> Parameters(IndexRequest request) =>
    [
        new("behaviour", ReleaseRules.For(request.MegatronCore).Behaviour),
        new("datasetClass", request.DatasetClass),
        new("blend", Entries(request.Blend)),
        new("blendPerSplit", request.BlendPerSplit is { } perSplit ? ForSplits(split => Entries(perSplit[split])) : null),
        new("split", request.Split),
        new("sequenceLength", request.SequenceLength),
        new("randomSeed", request.RandomSeed),
        new("samples", ForSplits(split => request.Samples[split])),
        new("tokenizer", RequestRules.ParseTokenizer(request.TokenizerIdentifiers)),
        new("addExtraTokenToSequence", request.AddExtraTokenToSequence),
        new("dropLastPartialValidationSequence", request.DropLastPartialValidationSequence),
        new("midLevelDatasetSurplus", request.MidLevelDatasetSurplus),
        new("multipleValidationSets", request.MultipleValidationSets),

        // Only where it is asked for, so that versions of all other requests keep their names.
        .. request.RenormalizeBlendWeights ? new KeyValuePair<string, object?>[] { new("renormalizeBlendWeights", true) } : [],
    ];

    private static List<object?>? Entries(IReadOnlyList<BlendEntry>? entries) =>
        entries?.Select(entry => (object?)new List<object?> { entry.Prefix, entry.Weight }).ToList();

    private static List<KeyValuePair<string, object?>> ForSplits(Func<Split, object?> value) =>
        [.. SplitNames.All.Select(split => KeyValuePair.Create(split.Name(), value(split)))];
}
