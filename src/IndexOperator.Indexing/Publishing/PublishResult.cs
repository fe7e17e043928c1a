namespace IndexOperator.Indexing;

/// <summary>How a build came to its result.</summary>
public enum PublishOutcome
{
    /// <summary>The version was built and published by this build.</summary>
    Built,

    /// <summary>The version was there already, or another build published it first; it was verified.</summary>
    Reused,
}

/// <summary>A published version.</summary>
/// <param name="Outcome">How it came about.</param>
/// <param name="Path">Directory of the version.</param>
/// <param name="Manifest">Its manifest.</param>
/// <param name="SizeBytes">Bytes of all its files, the manifest too.</param>
public sealed record PublishResult(PublishOutcome Outcome, string Path, IndexManifest Manifest, long SizeBytes)
{
    /// <summary>Number of files, the manifest too.</summary>
    public int Files => Manifest.Files.Count + 1;

    /// <summary>The data's stamp when it was read (<see cref="DataStamp"/>).</summary>
    public required string Stamp { get; init; }

    /// <summary>Where a corrupt version that was in the way lies now, relative to the cache root; null when there was none.</summary>
    public string? Quarantined { get; init; }
}

/// <summary>What a build is, apart from its request.</summary>
/// <param name="BuildId">Names the staging directory; a second run of the same build takes over its leftovers.</param>
/// <param name="Builder">Program and version for the manifest.</param>
/// <param name="DataVersion">Label of the data for the manifest.</param>
public sealed record BuildIdentity(string BuildId, string Builder, string? DataVersion = null);
