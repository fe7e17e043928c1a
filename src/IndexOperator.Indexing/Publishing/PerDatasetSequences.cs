using System.Security.Cryptography;
using System.Text.Json;

namespace IndexOperator.Indexing;

/// <summary>
/// The file that Megatron's <c>--per-dataset-sequences-path</c> reads: prefix to [sequence count, document count], the
/// latter as the <c>.idx</c> header counts it, documents plus one (<c>tools/build_sequences_per_dataset.py</c>).
/// </summary>
internal static class PerDatasetSequences
{
    public static byte[] ToJson(IReadOnlyList<IndexedDataset> data) => JsonSerializer.SerializeToUtf8Bytes(
        data.ToDictionary(dataset => dataset.Prefix, dataset => new[] { dataset.SequenceLengths.LongLength, dataset.DocumentCount }, StringComparer.Ordinal),
        ManifestJson.Default.DictionaryStringInt64Array);

    public static string Sha256(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
