using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using IndexOperator.Api.Schema;

namespace IndexOperator.Api;

/// <summary>What the operator reports. Every member is nullable: a server-side apply owns exactly what it sends.</summary>
public sealed record PretrainIndexStatus
{
    /// <summary>The generation that this status speaks of; -1 before the first report, so that nothing reads it as finished.</summary>
    [DefaultValue(-1L)]
    [Description("The metadata.generation that this status speaks of.")]
    public long? ObservedGeneration { get; init; }

    /// <summary>The version that new training pods get.</summary>
    [Description("The version that new training pods get.")]
    public VersionStatus? Current { get; init; }

    /// <summary>Earlier versions, newest first.</summary>
    [ItemCount(0, 100), ListType("atomic")]
    [Description("Earlier published versions, newest first.")]
    public IReadOnlyList<VersionStatus>? Previous { get; init; }

    /// <summary>The build under way or waited for.</summary>
    [Description("The build under way, or the one that is waited for.")]
    public BuildStatus? Build { get; init; }

    /// <summary>What the last look at the data found.</summary>
    [Description("What the last look at the data of the current version found.")]
    public DataStatus? Data { get; init; }

    /// <summary>What makes the current version wrong, until it is replaced.</summary>
    [Description("What makes the current version wrong for new pods: its data changed in place, or its files did. Gone once another version is current.")]
    public ChangeStatus? Change { get; init; }

    /// <summary>Pods that need the index.</summary>
    [Description("Pods that carry the label indexoperator.io/index of this resource.")]
    public ConsumersStatus? Consumers { get; init; }

    /// <summary>The claim that holds the cache.</summary>
    [Description("The claim that holds the cache.")]
    public string? ClaimName { get; init; }

    /// <summary>The last carried-out value of the rebuild annotation.</summary>
    [Description("The value of the annotation indexoperator.io/rebuild that was last carried out.")]
    public string? RebuildToken { get; init; }

    /// <summary>Conditions, one of each type.</summary>
    [ListType("map", "type")]
    [Description("Conditions: Ready, Available, Reconciling, Stalled, DataCurrent, Verified.")]
    public IReadOnlyList<Condition>? Conditions { get; init; }
}

/// <summary>A published version.</summary>
public sealed record VersionStatus
{
    /// <summary>First 20 hex digits of the SHA-256 over fingerprint, build parameters and format revision.</summary>
    [Description("Identity of the version: its folder's name under versions/.")]
    public string? Version { get; init; }

    /// <summary>The data version it was built for.</summary>
    [Description("The spec.dataVersion that the version was published for.")]
    public string? DataVersion { get; init; }

    /// <summary><c>sha256:</c> and 64 hex digits over the content that the index depends on.</summary>
    [Description("Fingerprint of the data that the version was built from.")]
    public string? Fingerprint { get; init; }

    /// <summary>Path below the cache root.</summary>
    [Description("Path of the version below the cache root.")]
    public string? Path { get; init; }

    /// <summary>Bytes on disk.</summary>
    [Description("Size of the version's files in bytes.")]
    public long? SizeBytes { get; init; }

    /// <summary>Bytes on disk for a person, for example 823Mi.</summary>
    [Description("Size of the version's files for a person.")]
    public string? Size { get; init; }

    /// <summary>Number of files.</summary>
    [Description("Number of files of the version.")]
    public long? Files { get; init; }

    /// <summary>Samples that each split can serve.</summary>
    [Description("Samples that each split can serve.")]
    public SamplesSpec? Samples { get; init; }

    /// <summary>When it was published, or first found to be there.</summary>
    [JsonConverter(typeof(Rfc3339Converter))]
    [Description("When the version was published, or found on the volume.")]
    public DateTimeOffset? BuiltAt { get; init; }

    /// <summary>Seconds that the build took.</summary>
    [Description("Seconds that building (or verifying, where it was reused) took.")]
    public double? BuildSeconds { get; init; }

    /// <summary>When its checksums were last confirmed.</summary>
    [JsonConverter(typeof(Rfc3339Converter))]
    [Description("When the version's checksums were last confirmed.")]
    public DateTimeOffset? VerifiedAt { get; init; }

    /// <summary>What asked for this version: the spec, and the change of its data where there was one. Equal keys ask for the same build.</summary>
    [Description("Hash of what asked for this version: the part of the spec, and the change of the data where there was one.")]
    public string? BuildKey { get; init; }

    /// <summary>The part of the spec alone that asked for this version.</summary>
    [Description("Hash of the part of the spec alone that asked for this version.")]
    public string? SpecKey { get; init; }

    /// <summary>Sizes and times of the data files when they were last found to be what the version was built from; 32 hex digits.</summary>
    [Description("Sizes and times of the data files when they were last found to be what the version was built from, as one hash.")]
    public string? DataStamp { get; init; }

    /// <summary><c>Built</c>, or <c>Reused</c> when the version was already on the volume.</summary>
    [Description("Built, or Reused when the version was already on the volume.")]
    public string? Outcome { get; init; }
}

/// <summary>The build under way, or the one waited for.</summary>
public sealed record BuildStatus
{
    /// <summary>Hash of the part of the spec that the Job carries out; a change starts a new series of attempts.</summary>
    [Description("Hash of the part of the spec that the Job carries out.")]
    public string? JobKey { get; init; }

    /// <summary>Attempt, from 1.</summary>
    [Description("Attempt, counted from 1.")]
    public int? Attempt { get; init; }

    /// <summary>The Job of the attempt.</summary>
    [Description("The Job of this attempt.")]
    public string? Job { get; init; }

    /// <summary>The step the builder is at.</summary>
    [Description("The step that the builder is at.")]
    public string? Phase { get; init; }

    /// <summary>0 to 100.</summary>
    [Description("How much is done, 0 to 100.")]
    public int? Percent { get; init; }

    /// <summary>Seconds until done, as the builder estimates.</summary>
    [Description("Seconds until the build is done, as the builder estimates.")]
    public long? EtaSeconds { get; init; }

    /// <summary>Phase, percent and remaining time for a person.</summary>
    [Description("Phase, percent and remaining time for a person.")]
    public string? Progress { get; init; }

    /// <summary>When the attempt's Job was created.</summary>
    [JsonConverter(typeof(Rfc3339Converter))]
    [Description("When this attempt began.")]
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the builder itself began, after scheduling and image pull.</summary>
    [JsonConverter(typeof(Rfc3339Converter))]
    [Description("When the builder itself began, after scheduling and pulling the image.")]
    public DateTimeOffset? RunningSince { get; init; }

    /// <summary>When the next attempt begins.</summary>
    [JsonConverter(typeof(Rfc3339Converter))]
    [Description("When the next attempt begins.")]
    public DateTimeOffset? NextRetryAt { get; init; }

    /// <summary>Bytes of memory that the attempt is given in place of <c>spec.build.resources</c>; null when that decides.</summary>
    [Description("Bytes of memory that this attempt is given, more than spec.build.resources says, because the attempt before was killed for its memory.")]
    public long? MemoryBytes { get; init; }

    /// <summary>Why the last attempt failed.</summary>
    [Description("Why the last attempt failed.")]
    public FailureStatus? LastFailure { get; init; }
}

/// <summary>Why an attempt failed.</summary>
public sealed record FailureStatus
{
    /// <summary>One of <see cref="Reasons"/>.</summary>
    [Description("Reason in one word.")]
    public string? Reason { get; init; }

    /// <summary>What happened, to what, and what to do.</summary>
    [Description("What happened, to what, and what to do.")]
    public string? Message { get; init; }
}

/// <summary>What the last look at the data of the current version found.</summary>
public sealed record DataStatus
{
    /// <summary>When the last look ended.</summary>
    [JsonConverter(typeof(Rfc3339Converter))]
    [Description("When the last look ended.")]
    public DateTimeOffset? CheckedAt { get; init; }

    /// <summary><c>Unchanged</c>, <c>Changed</c> or <c>BeingWritten</c>; null when no look has told yet.</summary>
    [Description("Unchanged, Changed or BeingWritten.")]
    public string? State { get; init; }

    /// <summary>How many looks there were; every tenth reads the content.</summary>
    [Description("How many looks there were; every tenth reads the content.")]
    public long? Looks { get; init; }

    /// <summary>How many looks in a row could not tell.</summary>
    [Description("How many looks in a row could not tell.")]
    public int? Failures { get; init; }

    /// <summary>Why the last look could not tell.</summary>
    [Description("Why the last look could not tell.")]
    public FailureStatus? LastFailure { get; init; }
}

/// <summary>What makes the current version wrong for new pods.</summary>
public sealed record ChangeStatus
{
    /// <summary>The <see cref="VersionStatus.SpecKey"/> for which it was found: a changed spec asks for a build of its own.</summary>
    [Description("Hash of the part of the spec for which it was found.")]
    public string? SpecKey { get; init; }

    /// <summary>Tells changes apart: the same change found twice asks for one build.</summary>
    [Description("Tells this change from others.")]
    public string? Token { get; init; }

    /// <summary><c>DataChanged</c> or <c>VersionCorrupt</c>.</summary>
    [Description("DataChanged or VersionCorrupt.")]
    public string? Reason { get; init; }

    /// <summary>What differs.</summary>
    [Description("What differs.")]
    public string? Message { get; init; }

    /// <summary>When it was found.</summary>
    [JsonConverter(typeof(Rfc3339Converter))]
    [Description("When it was found.")]
    public DateTimeOffset? FoundAt { get; init; }
}

/// <summary>Pods that need the index.</summary>
public sealed record ConsumersStatus
{
    /// <summary>Pods that do not run yet: held back until the index is Ready, or not started.</summary>
    [Description("Pods that do not run yet: held back until the index is Ready, or not started.")]
    public int? Waiting { get; init; }

    /// <summary>Pods that have the index mounted.</summary>
    [Description("Pods that run with the index.")]
    public int? Running { get; init; }

    /// <summary>Versions that live pods are pinned to.</summary>
    [ListType("atomic")]
    [Description("Versions that live pods are pinned to.")]
    public IReadOnlyList<string>? VersionsInUse { get; init; }

    /// <summary>Workloads that were given a version, so that all their pods get the same one.</summary>
    [ListType("atomic"), ItemCount(0, MostGroups)]
    [Description("Workloads that were given a version: all their pods get the same one, also those that are created again.")]
    public IReadOnlyList<GroupStatus>? Groups { get; init; }

    /// <summary>How many workloads are remembered at most.</summary>
    public const int MostGroups = 200;
}

/// <summary>A workload and the version that its pods get.</summary>
public sealed record GroupStatus
{
    /// <summary>The key of the workload: by which label or owner its pods belong together, and its value.</summary>
    [Required, StringLength(317)]
    [Description("The workload: by which label or owner its pods belong together, and that label's value or owner's uid.")]
    public string? Group { get; init; }

    /// <summary>The version.</summary>
    [Required, StringLength(20)]
    [Description("The version that its pods get.")]
    public string? Version { get; init; }

    /// <summary>Since when it has no live pod; null while it has. An hour later it is forgotten.</summary>
    [JsonConverter(typeof(Rfc3339Converter))]
    [Description("Since when it has no live pod. It is forgotten an hour later.")]
    public DateTimeOffset? GoneSince { get; init; }
}

/// <summary>A condition in the shape of metav1.Condition.</summary>
public sealed record Condition
{
    /// <summary>One of <see cref="ConditionTypes"/>.</summary>
    [Required, StringLength(316)]
    [Description("Type of the condition.")]
    public string? Type { get; init; }

    /// <summary><c>True</c>, <c>False</c> or <c>Unknown</c>.</summary>
    [Required, AllowedValues("True", "False", "Unknown")]
    [Description("True, False or Unknown.")]
    public string? Status { get; init; }

    /// <summary>The generation that the condition speaks of.</summary>
    [Description("The metadata.generation that the condition speaks of.")]
    public long? ObservedGeneration { get; init; }

    /// <summary>When the status last flipped.</summary>
    [Required, JsonConverter(typeof(Rfc3339Converter))]
    [Description("When the status last flipped.")]
    public DateTimeOffset? LastTransitionTime { get; init; }

    /// <summary>One of <see cref="Reasons"/>.</summary>
    [Required, StringLength(1024, MinimumLength = 1)]
    [Description("Reason in one CamelCase word.")]
    public string? Reason { get; init; }

    /// <summary>For a person; at most 32768 characters.</summary>
    [Required, StringLength(32768)]
    [Description("Details for a person.")]
    public string? Message { get; init; }
}
