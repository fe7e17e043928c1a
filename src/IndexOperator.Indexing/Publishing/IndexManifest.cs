using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace IndexOperator.Indexing;

/// <summary>What a published version holds and what it was made of: <c>index-manifest.json</c>.</summary>
public sealed record IndexManifest
{
    /// <summary>The shape of this file; readers refuse what they do not know.</summary>
    public const int CurrentFormat = 1;

    /// <summary>Shape of this file.</summary>
    public required int Format { get; init; }

    /// <summary>The version, also the directory's name.</summary>
    public required string Version { get; init; }

    /// <summary>Fingerprint of the data.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>The label that the data had when this was built; no part of the identity.</summary>
    public string? DataVersion { get; init; }

    /// <summary>Program and version that built it.</summary>
    public required string Builder { get; init; }

    /// <summary>When it was built, UTC.</summary>
    public required DateTimeOffset BuiltAt { get; init; }

    /// <summary>The Megatron-Core release that was asked for.</summary>
    public required string MegatronCore { get; init; }

    /// <summary>Every parameter that is part of the version.</summary>
    public required JsonElement Parameters { get; init; }

    /// <summary>The splits.</summary>
    public required IReadOnlyList<ManifestSplit> Splits { get; init; }

    /// <summary>The data files.</summary>
    public required IReadOnlyList<ManifestData> Data { get; init; }

    /// <summary>Every other file of the version.</summary>
    public required IReadOnlyList<IndexFile> Files { get; init; }

    /// <summary>Seconds that reading the data and building took.</summary>
    public required ManifestTimings Timings { get; init; }

    /// <summary>SHA-256 of the manifest's own text without this last field; what is in every other file, the fields above tell.</summary>
    public string? Checksum { get; init; }

    /// <summary>The manifest as indented JSON in UTF-8, with its checksum.</summary>
    public byte[] ToJson()
    {
        // The checksum is the last field: it goes in front of the closing brace, instead of writing thousands of files once more.
        var content = Serialize(this with { Checksum = null });
        var field = $",\n  \"checksum\": \"{Convert.ToHexStringLower(SHA256.HashData(content))}\"\n}}";
        var end = content.AsSpan().LastIndexOf("\n}"u8);
        var json = new byte[end + field.Length];
        content.AsSpan(0, end).CopyTo(json);
        Encoding.ASCII.GetBytes(field, json.AsSpan(end));
        return json;
    }

    /// <summary>Reads a manifest; null when a single byte of the text is not as <see cref="ToJson"/> wrote it.</summary>
    public static IndexManifest? Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize(json, ReadableJson.Context.IndexManifest);
            return manifest is { Format: CurrentFormat, Parameters.ValueKind: JsonValueKind.Object } && HasNoGaps(manifest) && json.SequenceEqual(manifest.ToJson()) ? manifest : null;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or ArgumentException)
        {
            // Some texts, such as half a surrogate pair, are found out only when the value is written again.
            return null;
        }
    }

    /// <summary>That no list has a null in it, which the types forbid and the reader of JSON does not see.</summary>
    private static bool HasNoGaps(IndexManifest manifest) =>
        !manifest.Files.Contains(null!) && !manifest.Data.Contains(null!) && manifest.Splits.All(split => split is not null && !split.Hashes.Contains(null!));

    private static byte[] Serialize(IndexManifest manifest) => JsonSerializer.SerializeToUtf8Bytes(manifest, ReadableJson.Context.IndexManifest);
}

/// <summary>What a split's training code gets.</summary>
/// <param name="Split">train, valid or test.</param>
/// <param name="Class">BlendedDataset or GPTDataset.</param>
/// <param name="Hashes">Megatron's key; several for several validation sets.</param>
/// <param name="Samples">Samples in all.</param>
public sealed record ManifestSplit(string Split, string Class, IReadOnlyList<string> Hashes, long Samples);

/// <summary>A dataset that was indexed.</summary>
/// <param name="Prefix">Path without extension as the training run spells it.</param>
/// <param name="IdxSha256">SHA-256 of its <c>.idx</c>.</param>
/// <param name="IdxBytes">Bytes of its <c>.idx</c>.</param>
/// <param name="BinBytes">Bytes of its <c>.bin</c>.</param>
/// <param name="TokenType">numpy's name of the tokens' type.</param>
/// <param name="Sequences">Sequences.</param>
/// <param name="Documents">Documents.</param>
/// <param name="Tokens">Tokens.</param>
public sealed record ManifestData(string Prefix, string IdxSha256, long IdxBytes, long BinBytes, string TokenType, long Sequences, long Documents, long Tokens)
{
    /// <summary>Describes a dataset that was read.</summary>
    public static ManifestData Of(IndexedDataset data) => new(
        data.Prefix, data.IdxSha256, data.Idx.Bytes, data.Bin.Bytes, data.TokenType.Name, data.SequenceCount, data.DocumentCount - 1, data.Tokens);
}

/// <summary>Seconds that parts of a build took.</summary>
/// <param name="ReadSeconds">Reading, checking and hashing the data.</param>
/// <param name="BuildSeconds">Computing and writing the arrays.</param>
/// <param name="BlendSeconds">Of it, choosing the member of each sample of the blends; null in old versions.</param>
public sealed record ManifestTimings(double ReadSeconds, double BuildSeconds, double? BlendSeconds = null);

/// <summary>Source-generated JSON of the files in a version.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(IndexManifest))]
[JsonSerializable(typeof(Dictionary<string, long[]>))]
internal sealed partial class ManifestJson : JsonSerializerContext;

/// <summary>The same JSON with prefixes left readable instead of every character outside ASCII escaped.</summary>
internal static class ReadableJson
{
    /// <summary>The context; a class of its own, so that it is made after the one it copies.</summary>
    public static ManifestJson Context { get; } =
        new(new JsonSerializerOptions(ManifestJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
