using Microsoft.Win32.SafeHandles;

namespace IndexOperator.Indexing;

/// <summary>
/// Reads and checks <c>.idx</c> files in one pass, hashing the bytes that it parses, so that fingerprint and index are of
/// the same bytes. Plain reads, no memory map: a file that shrinks meanwhile is an error here, not a signal.
/// </summary>
public static class IndexedDatasetReader
{
    /// <summary>Reads one dataset.</summary>
    /// <param name="prefix">Path without extension as the training run spells it; goes into the result.</param>
    /// <param name="path">Path without extension where the files are.</param>
    /// <param name="advanced">Told the bytes read since the last call.</param>
    /// <param name="cancellationToken">Stops between two chunks of a mebibyte.</param>
    /// <exception cref="IndexingException">DataMissing, DataCorrupt, PermissionDenied or StorageError.</exception>
    public static IndexedDataset Read(string prefix, string path, Action<long>? advanced = null, CancellationToken cancellationToken = default)
    {
        using var scan = Begin(prefix, path, rest: false, advanced, cancellationToken);
        return scan.Dataset;
    }

    /// <summary>Reads and checks one dataset as <see cref="Read"/> does, but does not keep its lengths.</summary>
    /// <param name="prefix">Path without extension as the training run spells it; goes into the result.</param>
    /// <param name="path">Path without extension where the files are.</param>
    /// <param name="advanced">Told the bytes read since the last call.</param>
    /// <param name="cancellationToken">Stops between two chunks.</param>
    /// <exception cref="IndexingException">DataMissing, DataCorrupt, PermissionDenied or StorageError.</exception>
    public static IndexedDataset ReadWithoutLengths(string prefix, string path, Action<long>? advanced = null, CancellationToken cancellationToken = default)
    {
        try
        {
            var bin = Stamp(path + ".bin", prefix);
            using var file = Open(path + ".idx", prefix);
            return IdxDigest.Read(prefix, path, file, Stamp(file), bin, advanced, cancellationToken);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Reading {path}.idx", isWrite: false);
        }
    }

    /// <summary>Reads the lengths of a dataset, which is all that the arrays depend on, and the rest now or later.</summary>
    /// <param name="prefix">Path without extension as the training run spells it; goes into the result.</param>
    /// <param name="path">Path without extension where the files are.</param>
    /// <param name="rest">True to leave the rest, and with it checksum and remaining checks, to <see cref="IdxScan.Finish"/>.</param>
    /// <param name="advanced">Told the bytes read since the last call.</param>
    /// <param name="cancellationToken">Stops between two chunks of a mebibyte.</param>
    /// <exception cref="IndexingException">DataMissing, DataCorrupt, PermissionDenied or StorageError.</exception>
    internal static IdxScan Begin(string prefix, string path, bool rest, Action<long>? advanced, CancellationToken cancellationToken)
    {
        var idxPath = path + ".idx";
        try
        {
            var bin = Stamp(path + ".bin", prefix);
            var file = Open(idxPath, prefix);
            try
            {
                var scan = new IdxScan(prefix, path, file, Stamp(file), bin, advanced);
                scan.ReadLengths(hash: !rest, cancellationToken);
                if (!rest)
                {
                    scan.Finish(cancellationToken);
                }

                return scan;
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Reading {idxPath}", isWrite: false);
        }
    }

    /// <summary>Reads only the header of an <c>.idx</c> file.</summary>
    /// <exception cref="IndexingException">DataMissing, DataCorrupt, PermissionDenied or StorageError.</exception>
    public static IdxHeader ReadHeader(string idxPath)
    {
        try
        {
            using var file = Open(idxPath, idxPath);
            Span<byte> header = stackalloc byte[IdxHeader.Size];
            var length = RandomAccess.GetLength(file);
            var read = RandomAccess.Read(file, header, 0);
            return IdxFormat.ParseHeader(header[..read], length, idxPath);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Reading {idxPath}", isWrite: false);
        }
    }

    /// <summary>
    /// Reads the header and looks at a few numbers behind it: enough to plan, in no time whatever the size. Lengths, the
    /// longest sequence and the checksum are not known then.
    /// </summary>
    /// <exception cref="IndexingException">DataMissing, DataCorrupt, PermissionDenied or StorageError.</exception>
    public static IndexedDataset ReadHeaderOnly(string prefix, string path)
    {
        var idxPath = path + ".idx";
        var header = ReadHeader(idxPath);
        try
        {
            var bin = Stamp(path + ".bin", prefix);
            var pointers = new PointerSums(idxPath, header, bin.Bytes);
            pointers.CheckDocuments();
            CheckBin(path + ".bin", bin.Bytes, 0);
            return new IndexedDataset
            {
                Prefix = prefix,
                Path = path,
                TokenType = header.TokenType,
                SequenceLengths = [],
                DocumentCount = header.DocumentCount,
                Tokens = pointers.TokensIn(0, header.SequenceCount),
                LongestSequence = 0,
                IsMultimodal = header.IsMultimodal,
                IdxSha256 = "",
                Idx = Stamp(idxPath, prefix),
                Bin = bin,
                Pointers = pointers,
            };
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Reading {idxPath}", isWrite: false);
        }
    }

    /// <summary>Sizes and times of both files of a dataset.</summary>
    /// <exception cref="IndexingException">DataMissing, DataCorrupt (no regular file), PermissionDenied or StorageError.</exception>
    internal static (FileStamp Idx, FileStamp Bin) StampsOf(string prefix, string path)
    {
        try
        {
            return (Stamp(path + ".idx", prefix), Stamp(path + ".bin", prefix));
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Looking at {path}", isWrite: false);
        }
    }

    /// <summary>Fails when either file is no longer what it was when the dataset was read.</summary>
    /// <exception cref="IndexingException">DataCorrupt: changed; DataMissing: gone.</exception>
    public static void ThrowIfChanged(IndexedDataset dataset)
    {
        foreach (var (path, stamp) in new[] { (dataset.Path + ".idx", dataset.Idx), (dataset.Path + ".bin", dataset.Bin) })
        {
            if (Stamp(path, dataset.Prefix) != stamp)
            {
                throw new IndexingException(
                    FailureReason.DataCorrupt,
                    $"{path} changed while it was being indexed. Build again once whatever writes it has finished.");
            }
        }
    }

    internal static void CheckBin(string binPath, long actual, long needed)
    {
        if (actual == 0)
        {
            throw IdxFormat.Corrupt(binPath, "it is empty, and Megatron cannot map an empty file");
        }

        if (actual < needed)
        {
            throw IdxFormat.Corrupt(binPath, $"its .idx describes {needed} bytes of tokens, but it has {actual}");
        }
    }

    private static SafeFileHandle Open(string path, string prefix) => Guard(path, prefix, () => RegularFile.OpenRead(path, IdxFormat.Corrupt));

    private static FileStamp Stamp(string path, string prefix)
    {
        using var file = Open(path, prefix);
        return Stamp(file);
    }

    private static FileStamp Stamp(SafeFileHandle file) => new(RandomAccess.GetLength(file), File.GetLastWriteTimeUtc(file));

    private static SafeFileHandle Guard(string path, string prefix, Func<SafeFileHandle> open)
    {
        try
        {
            return open();
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new IndexingException(
                FailureReason.DataMissing,
                $"{path} is not there (dataset {prefix}). A prefix stands for a .bin and an .idx file: correct the prefix, or mount the data that holds it.",
                fault);
        }
    }
}
