using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder;

/// <summary>One line of a Job's log.</summary>
/// <param name="Event">What happened: <c>started</c>, <c>waiting</c> or <c>finished</c>.</param>
/// <param name="Name">Name of the resource.</param>
/// <param name="Builder">Program and version.</param>
/// <param name="Threads">Threads in use.</param>
/// <param name="Report">The result, with <c>finished</c>.</param>
/// <param name="Version">The version that was waited for.</param>
/// <param name="Message">The same for a person, with <c>waiting</c>.</param>
internal sealed record BuilderEvent(
    string Event, string? Name = null, string? Builder = null, int? Threads = null, BuildReport? Report = null, string? Version = null, string? Message = null);

/// <summary>What <c>wait</c> says.</summary>
internal sealed record WaitResult(string Version);

/// <summary>What <c>stage</c> says.</summary>
/// <param name="Version">The version.</param>
/// <param name="Path">Where it is now.</param>
/// <param name="Files">Files in all, with the manifest.</param>
/// <param name="Bytes">Bytes of them.</param>
/// <param name="Copied">Files that were copied now; the others were there already, and are what they must be.</param>
/// <param name="CopiedBytes">Bytes of them.</param>
/// <param name="Seconds">Time that it took.</param>
internal sealed record StageResult(string Version, string Path, int Files, long Bytes, int Copied, long CopiedBytes, double Seconds);

/// <summary>What <c>fingerprint</c> says.</summary>
internal sealed record FingerprintResult(string Fingerprint, string Version, IReadOnlyList<ManifestData> Data);

/// <summary>What <c>plan</c> says.</summary>
internal sealed record PlanResult(
    string? Fingerprint,
    string? Version,
    long SizeBytes,
    long PeakMemoryBytes,
    double ExpectedSeconds,
    IReadOnlyList<PlannedDataset> Datasets,
    IReadOnlyList<PlannedBlend> Blends,
    IReadOnlyList<PlannedFile> Files);

/// <summary>A dataset of a plan.</summary>
internal sealed record PlannedDataset(
    string Split, string Prefix, string Hash, long? SamplesRequested, long Samples, long Sequences, long TokensPerEpoch, long Epochs, bool SeparateFinalEpoch);

/// <summary>A blend of a plan.</summary>
internal sealed record PlannedBlend(string Split, string Hash, long Samples, int Members);

/// <summary>What <c>verify</c> says.</summary>
internal sealed record VerifyResult(string Path, string Kind, string? Version, int Datasets, int Files, long Bytes, bool Recomputed, bool WithData);

/// <summary>What <c>prune</c> says.</summary>
/// <param name="Removed">Names of the removed staging directories or versions, or of those that would be removed.</param>
/// <param name="Versions">Every entry beside the published versions and what was done with it; empty when staging was pruned.</param>
/// <param name="FreedBytes">Bytes of the removed versions.</param>
/// <param name="DryRun">Whether nothing was really removed.</param>
internal sealed record PruneResult(IReadOnlyList<string> Removed, IReadOnlyList<PrunedEntry> Versions, long FreedBytes, bool DryRun);

/// <summary>What <c>inspect</c> says of an <c>.idx</c>.</summary>
internal sealed record IdxResult(string Path, string TokenType, long Sequences, long Documents, long Tokens, long LongestSequence, bool Multimodal, string Sha256);

/// <summary>What <c>inspect</c> says of an <c>.npy</c>.</summary>
internal sealed record NpyResult(string Path, string Dtype, IReadOnlyList<long> Shape, IReadOnlyList<long> First);

/// <summary>What <c>inspect --sample</c> says of one sample.</summary>
internal sealed record SampleResult(SampleTrace Trace, string? Text);

/// <summary>What <c>explain</c> says.</summary>
internal sealed record ExplainResult(bool Found, IReadOnlyList<DescriptionMatch> Datasets);

/// <summary>What <c>tokenizer</c> says.</summary>
/// <param name="Identifiers">JSON text, its order and spelling kept.</param>
internal sealed record TokenizerResult(string Identifiers);

/// <summary>What <c>inspect</c> says of an index_mapping_dir.</summary>
internal sealed record DirectoryResult(string Path, IReadOnlyList<CachedDatasetResult> Datasets, ReleaseFinding WrittenBy);

/// <summary>A dataset of an index_mapping_dir.</summary>
internal sealed record CachedDatasetResult(string Split, string Class, string Hash, string? Prefix, int Members);

/// <summary>What went wrong.</summary>
internal sealed record ErrorResult(string Reason, string Message);

/// <summary>Source-generated JSON of what the command line prints.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(BuilderEvent))]
[JsonSerializable(typeof(BuildProgressLine))]
[JsonSerializable(typeof(FingerprintResult))]
[JsonSerializable(typeof(PlanResult))]
[JsonSerializable(typeof(VerifyResult))]
[JsonSerializable(typeof(PruneResult))]
[JsonSerializable(typeof(IdxResult))]
[JsonSerializable(typeof(NpyResult))]
[JsonSerializable(typeof(IndexManifest))]
[JsonSerializable(typeof(IReadOnlyList<SampleResult>))]
[JsonSerializable(typeof(ExplainResult))]
[JsonSerializable(typeof(TokenizerResult))]
[JsonSerializable(typeof(DirectoryResult))]
[JsonSerializable(typeof(ReleaseFinding))]
[JsonSerializable(typeof(CheckRun.RunReport))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(WaitResult))]
[JsonSerializable(typeof(StageResult))]
[JsonSerializable(typeof(ErrorResult))]
internal sealed partial class BuilderJson : JsonSerializerContext;

/// <summary>The same JSON for logs: one line, and with signs such as + left as they are.</summary>
internal static class LogJson
{
    public static BuilderJson Context { get; } = new(new JsonSerializerOptions(BuilderJson.Default.Options)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}

/// <summary>The same JSON for people: indented, and with every letter left as it is.</summary>
internal static class PrettyJson
{
    public static BuilderJson Context { get; } = new(new JsonSerializerOptions(BuilderJson.Default.Options)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
