using System.IO.Hashing;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace IndexOperator.Indexing;

/// <summary>
/// Reads files of a version once and compares them with its manifest. A SHA-256 goes from the first byte to the last on one thread; the
/// CRC-32s of a large file's blocks do not depend on each other, so threads share them. Size and header are looked at in any case.
/// </summary>
/// <param name="version">The version.</param>
/// <param name="isWhole">Whether the SHA-256 of large files is computed too, and not only the checksums of their blocks.</param>
/// <param name="progress">Told the bytes read.</param>
/// <param name="options">Threads and cancellation.</param>
internal sealed class FileChecks(string version, bool isWhole, PhaseProgress progress, BuildOptions options)
{
    // A chunk stays in a core's own cache while it is read, hashed and looked at.
    private const int ChunkBytes = 256 << 10;

    /// <summary>Checks some of the files.</summary>
    /// <param name="files">The files.</param>
    /// <param name="entries">What the entries of a file must be; null where nothing is known.</param>
    /// <exception cref="IndexingException">VersionCorrupt naming a fault, or what the storage throws.</exception>
    public void Run(IEnumerable<IndexFile> files, Func<IndexFile, EntryCheck?> entries)
    {
        // Large files first: what remains at the end is small enough to be shared.
        var sources = files.OrderByDescending(file => file.Bytes).Select(file => new Source(version, file, entries(file))).ToList();
        var parts = sources.SelectMany(Parts).ToList();
        var (next, isOver) = (-1, false);
        try
        {
            Parallelism.ForEach(options, Math.Min(options.Threads, parts.Count), _ =>
            {
                var buffer = GC.AllocateUninitializedArray<byte>((int)Math.Clamp(sources[0].File.Bytes, NpyHeader.Size, ChunkBytes) + EntryCheck.Overlap);
                try
                {
                    for (int i; !Volatile.Read(ref isOver) && (i = Interlocked.Increment(ref next)) < parts.Count;)
                    {
                        Check(parts[i], buffer);
                    }
                }
                catch
                {
                    Volatile.Write(ref isOver, true);
                    throw;
                }
            });
        }
        finally
        {
            sources.ForEach(source => source.Dispose());
        }

        foreach (var source in sources)
        {
            ThrowIfWrong(source.File, source.Entries?.Finish());
        }
    }

    /// <summary>The failure of a file that has its name, size and place but another content.</summary>
    /// <param name="version">The version.</param>
    /// <param name="file">The file.</param>
    /// <param name="actual">Its SHA-256.</param>
    /// <param name="copy">Where the same bytes can be read, to find where they differ.</param>
    public static IndexingException AlteredCopy(string version, IndexFile file, string actual, string copy)
    {
        using var handle = File.OpenHandle(copy);
        return Altered(version, file, actual, Sums(handle, file.Bytes).Blocks);
    }

    /// <summary>Compares a size with the manifest's.</summary>
    /// <exception cref="IndexingException">VersionCorrupt: they differ.</exception>
    public static void CheckLength(string version, IndexFile file, long length)
    {
        if (length != file.Bytes)
        {
            throw VersionVerifier.Corrupt(version, $"{file.Name} has {length} bytes instead of {file.Bytes}: it {(length < file.Bytes ? "is cut off" : "has more")} from byte {Math.Min(length, file.Bytes)} on");
        }
    }

    private IEnumerable<Part> Parts(Source source)
    {
        var file = source.File;
        var parts = !isWhole && file.Bytes >= Math.Max(1, options.VerifyBlocksFrom) && BlockChecksums.Parse(file.Bytes, file.Blocks) is { } checksums
            ? BlockChecksums.Of(file.Bytes).Zip(checksums, (block, checksum) => new Part(source, block.Begin, block.End, checksum)).ToList()
            : [new Part(source, 0, file.Bytes, null)];
        source.Parts = parts.Count;
        return parts;
    }

    private void Check(Part part, byte[] buffer)
    {
        var (file, entries) = (part.Source.File, part.Source.Entries);
        var handle = part.Source.Open();
        CheckLength(version, file, RandomAccess.GetLength(handle));
        using var hash = part.Checksum is null ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        var crc = new Crc32();
        string? fault = null;
        if (part.Begin == part.End && file.Dtype is not null)
        {
            CheckHeader(file, []);
        }

        var capacity = buffer.Length - EntryCheck.Overlap;
        for (var offset = part.Begin; offset < part.End; offset += capacity)
        {
            options.CancellationToken.ThrowIfCancellationRequested();
            // With what belongs to it and lies behind it: the last entries, and in a very small first block the header.
            var length = (int)Math.Min(capacity, part.End - offset);
            var behind = offset == 0 ? Math.Max(EntryCheck.Overlap, NpyHeader.Size - length) : EntryCheck.Overlap;
            var bytes = buffer.AsSpan(0, (int)Math.Min(length + behind, file.Bytes - offset));
            Fill(handle, bytes, offset, file);
            if (offset == 0 && file.Dtype is not null)
            {
                CheckHeader(file, bytes);
            }

            if (hash is null)
            {
                crc.Append(bytes[..length]);
            }
            else
            {
                hash.AppendData(bytes[..length]);
            }

            fault ??= entries?.Check(bytes, offset, length);
            progress.Advance(length);
        }

        var isSame = hash is null ? crc.GetCurrentHashAsUInt32() == part.Checksum : Convert.ToHexStringLower(hash.GetHashAndReset()) == file.Sha256;
        if (!isSame)
        {
            // Once more, for what the message tells: a damaged version is rare.
            var (sha256, blocks) = Sums(handle, file.Bytes);
            throw Altered(version, file, sha256, blocks);
        }

        // Only now, since of changed bytes the change is what there is to tell.
        ThrowIfWrong(file, fault);
        part.Source.Finished();
    }

    private void Fill(SafeFileHandle handle, Span<byte> bytes, long offset, IndexFile file)
    {
        var filled = RegularFile.Fill(handle, bytes, offset);
        if (filled < bytes.Length)
        {
            CheckLength(version, file, offset + filled);
        }
    }

    private void CheckHeader(IndexFile file, ReadOnlySpan<byte> start)
    {
        var header = NpyHeader.Parse(start);
        if (header is null || header.Dtype != file.Dtype || file.Shape is null || !header.Shape.SequenceEqual(file.Shape)
            || NpyHeader.Size + (header.Items * NpyHeader.ItemSize(header.Dtype)) != file.Bytes)
        {
            throw VersionVerifier.Corrupt(version, $"the header of {file.Name}, bytes 0 to {NpyHeader.Size - 1}, does not describe {file.Dtype} [{string.Join(", ", file.Shape ?? [])}]");
        }
    }

    private void ThrowIfWrong(IndexFile file, string? fault)
    {
        if (fault is not null)
        {
            throw VersionVerifier.Corrupt(version, $"{file.Name} is as its manifest says and yet cannot be right: {fault}");
        }
    }

    private static (string Sha256, string Blocks) Sums(SafeFileHandle handle, long bytes)
    {
        var blocks = new BlockChecksums(bytes);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var chunk = new byte[(int)Math.Clamp(bytes, 1, ChunkBytes)];
        var offset = 0L;
        for (int read; (read = RandomAccess.Read(handle, chunk, offset)) > 0; offset += read)
        {
            hash.AppendData(chunk, 0, read);
            blocks.Append(chunk.AsSpan(0, read));
        }

        return (Convert.ToHexStringLower(hash.GetHashAndReset()), blocks.Finish());
    }

    private static IndexingException Altered(string version, IndexFile file, string actual, string blocks) => VersionVerifier.Corrupt(
        version,
        actual == file.Sha256 && blocks != file.Blocks
            ? $"{file.Name} has its SHA-256, but other checksums of blocks than its manifest says{Where(file, blocks)}"
            : $"{file.Name} has the SHA-256 {actual} instead of {file.Sha256}{Where(file, blocks)}");

    /// <summary>The first bytes that differ, and the entries that they are; nothing for a version without block checksums.</summary>
    private static string Where(IndexFile file, string blocks)
    {
        if (file.Blocks is null || BlockChecksums.FirstDifference(file.Bytes, file.Blocks, blocks) is not var (begin, end))
        {
            return "";
        }

        var bytes = $", first between bytes {begin} and {end - 1}";
        if (file.Dtype is null || begin < NpyHeader.Size)
        {
            return bytes;
        }

        var rowBytes = NpyHeader.ItemSize(file.Dtype) * (file.Shape is [_, var columns] ? columns : 1);
        return $"{bytes} ({(file.Shape is [_, _] ? "rows" : "entries")} {(begin - NpyHeader.Size) / rowBytes} to {(end - 1 - NpyHeader.Size) / rowBytes})";
    }

    /// <summary>Some bytes of a file with a checksum of their own, or all of it.</summary>
    private sealed record Part(Source Source, long Begin, long End, uint? Checksum);

    /// <summary>A file, open from its first part to its last: the kernel reads ahead of threads that share a descriptor as of one reader.</summary>
    private sealed class Source(string version, IndexFile file, EntryCheck? entries) : IDisposable
    {
        private readonly Lock _lock = new();
        private SafeFileHandle? _handle;
        private int _finished;

        public IndexFile File => file;

        public EntryCheck? Entries => entries;

        public int Parts { get; set; }

        public SafeFileHandle Open()
        {
            lock (_lock)
            {
                return _handle ??= RegularFile.OpenRead(Path.Combine(version, file.Name), VersionVerifier.Corrupt);
            }
        }

        public void Finished()
        {
            if (Interlocked.Increment(ref _finished) == Parts)
            {
                Dispose();
            }
        }

        public void Dispose() => _handle?.Dispose();
    }
}
