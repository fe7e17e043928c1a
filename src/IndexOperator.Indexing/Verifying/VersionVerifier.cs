using System.Security.Cryptography;

namespace IndexOperator.Indexing;

/// <summary>Checks a published version against its manifest, byte for byte.</summary>
public static class VersionVerifier
{
    private const int MaxManifestBytes = 1 << 30;
    private const int ChunkBytes = 1 << 20;

    /// <summary>Checks every file's size, checksum, header and shape, and that no file is missing or strange.</summary>
    /// <returns>The manifest.</returns>
    /// <exception cref="IndexingException">VersionCorrupt naming the first fault, or what the storage throws.</exception>
    public static IndexManifest Verify(string versionPath, BuildOptions options)
    {
        try
        {
            var manifest = ReadManifest(versionPath);
            CheckNames(versionPath, manifest);
            var progress = new PhaseProgress(options.Progress, BuildPhase.Verify, manifest.Files.Sum(file => file.Bytes));
            Parallelism.ForEach(options, manifest.Files.Count, i => CheckFile(versionPath, manifest.Files[i], progress, options.CancellationToken));
            return manifest;
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Reading {versionPath}", isWrite: false);
        }
    }

    /// <summary>Checks that every file is there with its size and nothing else is: quick, whatever the size, and blind to changed bytes.</summary>
    /// <returns>The manifest.</returns>
    /// <exception cref="IndexingException">VersionCorrupt naming the first fault, or what the storage throws.</exception>
    public static IndexManifest VerifySizes(string versionPath)
    {
        try
        {
            var manifest = ReadManifest(versionPath);
            CheckNames(versionPath, manifest);
            foreach (var file in manifest.Files)
            {
                CheckLength(versionPath, file, new FileInfo(Path.Combine(versionPath, file.Name)).Length);
            }

            return manifest;
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Looking at {versionPath}", isWrite: false);
        }
    }

    /// <summary>Reads the manifest of a version.</summary>
    /// <exception cref="IndexingException">VersionCorrupt: it is missing or no manifest.</exception>
    public static IndexManifest ReadManifest(string versionPath)
    {
        try
        {
            var json = RegularFile.ReadAll(Path.Combine(versionPath, CacheLayout.Manifest), MaxManifestBytes, Corrupt);
            return json is not null && IndexManifest.Parse(json) is { } manifest
                ? manifest
                : throw Corrupt(versionPath, $"its {CacheLayout.Manifest} is no manifest of format {IndexManifest.CurrentFormat} that is as it was written: its text or its checksum changed");
        }
        catch (FileNotFoundException)
        {
            throw Corrupt(versionPath, $"it has no {CacheLayout.Manifest}");
        }
    }

    /// <summary>Bytes of all files of a version.</summary>
    public static long SizeOf(string versionPath) => new DirectoryInfo(versionPath).EnumerateFiles().Sum(file => file.Length);

    private static void CheckNames(string path, IndexManifest manifest)
    {
        // A moved or copied version keeps its manifest, but a directory under another version's name is a mistake.
        var directory = new DirectoryInfo(path);
        if (directory.Parent?.Name == CacheLayout.Versions && directory.Name != manifest.Version)
        {
            throw Corrupt(path, $"its manifest is of the version {manifest.Version}");
        }

        var expected = manifest.Files.Select(file => file.Name).Append(CacheLayout.Manifest).ToHashSet(StringComparer.Ordinal);
        foreach (var name in expected.Where(name => name != Path.GetFileName(name) || name is "" or "." or ".."))
        {
            throw Corrupt(path, $"its manifest names \"{name}\", which is no file of the directory");
        }

        foreach (var entry in directory.EnumerateFileSystemInfos())
        {
            if (!expected.Remove(entry.Name))
            {
                throw Corrupt(path, $"it holds {entry.Name}, which its manifest does not name");
            }

            if (entry is not FileInfo || entry.LinkTarget is not null)
            {
                throw Corrupt(path, $"{entry.Name} is a {(entry.LinkTarget is null ? "directory" : "link")}, and a version has only files");
            }
        }

        if (expected.Order(StringComparer.Ordinal).FirstOrDefault() is { } missing)
        {
            throw Corrupt(path, $"{missing} is missing");
        }
    }

    private static void CheckFile(string path, IndexFile file, PhaseProgress progress, CancellationToken cancellationToken)
    {
        using var handle = RegularFile.OpenRead(Path.Combine(path, file.Name), Corrupt);
        var length = RandomAccess.GetLength(handle);
        CheckLength(path, file, length);
        var blocks = new BlockChecksums(file.Bytes);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var chunk = new byte[(int)Math.Min(ChunkBytes, Math.Max(1, length))];
        for (var offset = 0L; ;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var read = RandomAccess.Read(handle, chunk, offset);
            if (offset == 0 && file.Dtype is not null)
            {
                CheckHeader(path, file, chunk.AsSpan(0, read));
            }

            if (read == 0)
            {
                break;
            }

            hash.AppendData(chunk, 0, read);
            blocks.Append(chunk.AsSpan(0, read));
            offset += read;
            progress.Advance(read);
        }

        var actual = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (actual != file.Sha256)
        {
            throw Altered(path, file, actual, blocks.Finish());
        }
    }

    private static void CheckLength(string path, IndexFile file, long length)
    {
        if (length != file.Bytes)
        {
            throw Corrupt(path, $"{file.Name} has {length} bytes instead of {file.Bytes}: it {(length < file.Bytes ? "is cut off" : "has more")} from byte {Math.Min(length, file.Bytes)} on");
        }
    }

    private static void CheckHeader(string path, IndexFile file, ReadOnlySpan<byte> start)
    {
        var header = NpyHeader.Parse(start);
        if (header is null || header.Dtype != file.Dtype || file.Shape is null || !header.Shape.SequenceEqual(file.Shape)
            || NpyHeader.Size + (header.Items * NpyHeader.ItemSize(header.Dtype)) != file.Bytes)
        {
            throw Corrupt(path, $"the header of {file.Name}, bytes 0 to {NpyHeader.Size - 1}, does not describe {file.Dtype} [{string.Join(", ", file.Shape ?? [])}]");
        }
    }

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

    private static IndexingException Altered(string path, IndexFile file, string actual, string blocks) =>
        Corrupt(path, $"{file.Name} has the SHA-256 {actual} instead of {file.Sha256}{Where(file, blocks)}");

    /// <summary>The failure of a version, of a file that has its name, size and place but another content.</summary>
    /// <param name="path">The version.</param>
    /// <param name="file">The file.</param>
    /// <param name="actual">Its SHA-256.</param>
    /// <param name="copy">Where the same bytes can be read, to find where they differ.</param>
    internal static IndexingException AlteredCopy(string path, IndexFile file, string actual, string copy)
    {
        var blocks = new BlockChecksums(file.Bytes);
        using var handle = File.OpenHandle(copy);
        var chunk = new byte[(int)Math.Clamp(file.Bytes, 1, ChunkBytes)];
        var offset = 0L;
        for (int read; (read = RandomAccess.Read(handle, chunk, offset)) > 0; offset += read)
        {
            blocks.Append(chunk.AsSpan(0, read));
        }

        return Altered(path, file, actual, blocks.Finish());
    }

    /// <summary>The failure of a version.</summary>
    internal static IndexingException Corrupt(string path, string cause) => new(
        FailureReason.VersionCorrupt,
        $"The published version {path} is corrupt: {cause}. Move it away once no pod uses it, and build again.");
}
