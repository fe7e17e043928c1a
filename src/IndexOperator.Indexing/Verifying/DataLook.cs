using System.Globalization;
using System.Security.Cryptography;

namespace IndexOperator.Indexing;

/// <summary>What a look at the data of a published version found.</summary>
public enum DataState
{
    /// <summary>It is what the version was built from.</summary>
    Unchanged,

    /// <summary>It is not any more.</summary>
    Changed,

    /// <summary>Somebody is writing to it: what it will be is not known yet.</summary>
    BeingWritten,
}

/// <summary>What a look at the data of a published version found.</summary>
/// <param name="State">How it is.</param>
/// <param name="Stamp">Its stamp now (<see cref="DataStamp"/>); equal to the one that was given means that nobody wrote since.</param>
/// <param name="Fingerprint">Its fingerprint now; null when it is being written.</param>
/// <param name="ContentRead">Whether the content was read, and not only sizes and times.</param>
/// <param name="Changes">A sentence for each file that differs from the version's manifest.</param>
public sealed record DataFinding(DataState State, string Stamp, string? Fingerprint, bool ContentRead, IReadOnlyList<string> Changes);

/// <summary>
/// Compares data with what a published version was built from: sizes and times first, the content of the <c>.idx</c> files where those
/// moved. A touched file with the same bytes is no change.
/// </summary>
public static class DataLook
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>Looks at the data that a manifest names.</summary>
    /// <param name="version">The version's manifest.</param>
    /// <param name="locate">Where a prefix's files are: its path without extension on this machine.</param>
    /// <param name="knownStamp">The stamp at which the data was last known to be the version's; null when there is none.</param>
    /// <param name="readContent">Read the content even where sizes and times did not move.</param>
    /// <param name="options">Threads, progress, cancellation, and for how long data must have stood still to count as written.</param>
    /// <exception cref="IndexingException">DataMissing, DataCorrupt, PermissionDenied or StorageError.</exception>
    public static DataFinding At(IndexManifest version, Func<string, string> locate, string? knownStamp, bool readContent, BuildOptions options)
    {
        ArgumentNullException.ThrowIfNull(version);
        ArgumentNullException.ThrowIfNull(locate);
        ArgumentNullException.ThrowIfNull(options);
        var paths = version.Data.Select(data => locate(data.Prefix)).ToList();
        var before = Stamps(version, paths);
        var stamp = StampOf(version, before);
        if (stamp == knownStamp && !readContent)
        {
            return new DataFinding(DataState.Unchanged, stamp, version.Fingerprint, ContentRead: false, []);
        }

        var now = Read(version, paths, before, options);
        var changes = version.Data.Zip(now, Differences).SelectMany(found => found).ToList();
        var isBeingWritten = StampOf(version, Stamps(version, paths)) != stamp || (changes.Count > 0 && QuietData.IsFresh(before.SelectMany(pair => new[] { pair.Idx, pair.Bin }), options));
        return isBeingWritten
            ? new DataFinding(DataState.BeingWritten, stamp, null, ContentRead: true, changes)
            : new DataFinding(changes.Count == 0 ? DataState.Unchanged : DataState.Changed, stamp, VersionIdentity.Fingerprint(now), ContentRead: true, changes);
    }

    private static List<(FileStamp Idx, FileStamp Bin)> Stamps(IndexManifest version, List<string> paths) =>
        [.. version.Data.Zip(paths, (data, path) => IndexedDatasetReader.StampsOf(data.Prefix, path))];

    private static string StampOf(IndexManifest version, List<(FileStamp Idx, FileStamp Bin)> stamps) =>
        DataStamp.Of(version.Data.Zip(stamps, (data, pair) => (data.Prefix, pair.Idx, pair.Bin)));

    private static ManifestData[] Read(IndexManifest version, List<string> paths, List<(FileStamp Idx, FileStamp Bin)> stamps, BuildOptions options)
    {
        var progress = new PhaseProgress(options.Progress, BuildPhase.ReadData, stamps.Sum(pair => pair.Idx.Bytes));
        var read = new ManifestData[paths.Count];
        Parallelism.ForEach(options, paths.Count, i => read[i] = version.Data[i] with
        {
            IdxSha256 = Sha256(paths[i] + ".idx", progress, options.CancellationToken),
            IdxBytes = stamps[i].Idx.Bytes,
            BinBytes = stamps[i].Bin.Bytes,
        });
        progress.Finish();
        return read;
    }

    private static string Sha256(string path, PhaseProgress progress, CancellationToken cancellationToken)
    {
        try
        {
            using var file = RegularFile.OpenRead(path, IdxFormat.Corrupt);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var chunk = new byte[ChunkBytes];
            for (var offset = 0L; RandomAccess.Read(file, chunk, offset) is > 0 and var count; offset += count)
            {
                cancellationToken.ThrowIfCancellationRequested();
                hash.AppendData(chunk, 0, count);
                progress.Advance(count);
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Reading {path}", isWrite: false);
        }
    }

    private static IEnumerable<string> Differences(ManifestData then, ManifestData now)
    {
        var culture = CultureInfo.InvariantCulture;
        if (now.IdxBytes != then.IdxBytes)
        {
            yield return string.Create(culture, $"{then.Prefix}.idx has {now.IdxBytes} bytes instead of {then.IdxBytes}.");
        }
        else if (now.IdxSha256 != then.IdxSha256)
        {
            yield return $"{then.Prefix}.idx has other content of the same size.";
        }

        if (now.BinBytes != then.BinBytes)
        {
            yield return string.Create(culture, $"{then.Prefix}.bin has {now.BinBytes} bytes instead of {then.BinBytes}.");
        }
    }
}
