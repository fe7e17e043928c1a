namespace IndexOperator.Indexing;

/// <summary>What came of staging a version.</summary>
/// <param name="Manifest">The version's manifest.</param>
/// <param name="Copied">Files copied now, the manifest not counted.</param>
/// <param name="CopiedBytes">Bytes of them.</param>
public sealed record StagedVersion(IndexManifest Manifest, int Copied, long CopiedBytes);
