using System.Text.RegularExpressions;

namespace IndexOperator.Api;

/// <summary>
/// Which dataset classes have the cache that is built here. A subclass of <c>GPTDataset</c> inherits files and
/// arrays; only its own name stands in the key and in the file names (<c>megatron_dataset.py</c>).
/// </summary>
public static partial class DatasetClasses
{
    /// <summary>Megatron's plain class, and the default.</summary>
    public const string Default = "GPTDataset";

    /// <summary>CEL: none of <see cref="OtherCaches"/>; a test holds the two together.</summary>
    internal const string Rule =
        "!(self in ['BERTMaskedWordPieceDataset', 'T5MaskedWordPieceDataset', 'MaskedWordPieceDataset', 'MultimodalDataset', 'MockGPTDataset', 'MockMultimodalDataset', 'SFTDataset', 'GPTSFTDataset', 'RETRODataset', 'BlendedDataset'])";

    private static readonly Dictionary<string, string> OtherCaches = new(StringComparer.Ordinal)
    {
        ["BERTMaskedWordPieceDataset"] = "its samples are pairs of sentences, with masking options in the key",
        ["T5MaskedWordPieceDataset"] = "its samples are spans of sentences, with masking options in the key",
        ["MaskedWordPieceDataset"] = "its samples are spans of sentences, with masking options in the key",
        ["MultimodalDataset"] = "it wraps generated data and keeps no index of files",
        ["MockGPTDataset"] = "it generates its data, so there is nothing to index",
        ["MockMultimodalDataset"] = "it generates its data, so there is nothing to index",
        ["SFTDataset"] = "it reads JSON lines and keeps no index",
        ["GPTSFTDataset"] = "it reads JSON lines and keeps no index",
        ["RETRODataset"] = "it needs neighbour files besides an index",
        ["BlendedDataset"] = "it is what the members of data.blend are put together with; name the members' class",
    };

    /// <summary>Why a class cannot be built, or null when it can.</summary>
    public static string? WhyNot(string className)
    {
        if (OtherCaches.TryGetValue(className, out var reason))
        {
            return $"is {className}, which does not share GPTDataset's cache: {reason}. Only GPTDataset and its subclasses are built.";
        }

        return Identifier().IsMatch(className)
            ? null
            : $"is \"{(className.Length > 64 ? className[..64] : className)}\", which is no Python class name. Write the bare name of the class, for example GPTDataset.";
    }

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]{0,127}$", RegexOptions.CultureInvariant)]
    private static partial Regex Identifier();
}
