using System.Security.Cryptography;

namespace IndexOperator.Indexing;

/// <summary>
/// Copies a published version to fast storage, a RAM disk as a rule, and checks it on the way: the source is read once. The
/// manifest comes last, so a directory with one is whole; after a restart whatever is there and right is kept.
/// </summary>
public static class VersionStager
{
    private const string Probe = ".index-operator-stage";
    private const int PageBytes = 4096;
    private const long MarginBytes = 64 << 10;
    private const UnixFileMode DirectoryMode = ReadableFile | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Owner writes, all read: other containers of the pod run as other users.</summary>
    internal const UnixFileMode ReadableFile = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Copies.</summary>
    /// <param name="source">The version.</param>
    /// <param name="destination">Where to; made when it is not there, else it may hold nothing but files of the version.</param>
    /// <param name="options">Threads, progress and cancellation.</param>
    /// <param name="roomAdvice">What to do about a destination that is too small, given the bytes that the whole version needs.</param>
    /// <exception cref="IndexingException">
    /// VersionCorrupt: the source is damaged. OutOfSpace. InvalidSpec: the destination holds something else. Or what storage
    /// throws. Nothing that was copied is left then.
    /// </exception>
    public static StagedVersion Stage(string source, string destination, BuildOptions options, Func<long, string> roomAdvice)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(roomAdvice);
        var manifest = VersionVerifier.VerifySizes(source);
        var json = manifest.ToJson();
        try
        {
            Prepare(source, destination, manifest);
            var progress = new PhaseProgress(options.Progress, BuildPhase.Stage, manifest.Files.Sum(file => file.Bytes));
            var missing = Missing(destination, manifest, progress, options);
            if (missing.Count > 0)
            {
                // From here on the directory is not whole, until it has a manifest again.
                File.Delete(Path.Combine(destination, CacheLayout.Manifest));
                missing.ForEach(file => File.Delete(Path.Combine(destination, file.Name)));
                ThrowIfShort(destination, manifest, missing, json.Length, roomAdvice);
                Copy(source, destination, missing, progress, options, () => roomAdvice(Needed(manifest.Files, json.Length)));
            }

            WriteManifest(destination, json);
            progress.Finish();
            return new StagedVersion(manifest, missing.Count, missing.Sum(file => file.Bytes));
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Staging {source} to {destination}", isWrite: true);
        }
    }

    private static void Prepare(string source, string destination, IndexManifest manifest)
    {
        if (!Directory.Exists(destination))
        {
            Directory.CreateDirectory(destination);
            SetMode(destination, DirectoryMode);
        }

        var known = manifest.Files.Select(file => file.Name).Append(CacheLayout.Manifest).ToHashSet(StringComparer.Ordinal);
        foreach (var entry in new DirectoryInfo(destination).EnumerateFileSystemInfos())
        {
            if (entry is FileInfo { LinkTarget: null } && (entry.Name == Probe || entry.Name == Temporary))
            {
                entry.Delete();
            }
            else if (!known.Contains(entry.Name) || entry is not FileInfo || entry.LinkTarget is not null)
            {
                throw new IndexingException(
                    FailureReason.InvalidSpec,
                    $"{destination} holds {entry.Name}, which is no file of version {manifest.Version}. Name an empty directory, or remove what is there.");
            }
        }

        // Whatever links and mounts lead there: a file made in the one that shows in the other tells that they are the same.
        var probe = Path.Combine(destination, Probe);
        using (File.Create(probe))
        {
        }

        var isSame = File.Exists(Path.Combine(source, Probe));
        File.Delete(probe);
        if (isSame)
        {
            throw new IndexingException(FailureReason.InvalidSpec, $"{destination} is the version itself. Name another directory.");
        }
    }

    private static string Temporary => CacheLayout.Manifest + ".tmp";

    /// <summary>The files that are not there as they must be.</summary>
    private static List<IndexFile> Missing(string destination, IndexManifest manifest, PhaseProgress progress, BuildOptions options)
    {
        var isThere = new bool[manifest.Files.Count];
        Parallelism.ForEach(options, manifest.Files.Count, i =>
        {
            var file = manifest.Files[i];
            var path = new FileInfo(Path.Combine(destination, file.Name));
            if (path.Exists && path.Length == file.Bytes && Sha256(path.FullName, options.CancellationToken) == file.Sha256)
            {
                SetMode(path.FullName, ReadableFile);
                isThere[i] = true;
                progress.Advance(file.Bytes);
            }
        });
        return [.. manifest.Files.Where((_, i) => !isThere[i])];
    }

    private static string Sha256(string path, CancellationToken cancellation)
    {
        using var handle = File.OpenHandle(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var chunk = new byte[(int)Math.Clamp(RandomAccess.GetLength(handle), 1, 1 << 20)];
        var offset = 0L;
        for (int read; (read = RandomAccess.Read(handle, chunk, offset)) > 0; offset += read)
        {
            cancellation.ThrowIfCancellationRequested();
            hash.AppendData(chunk, 0, read);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void ThrowIfShort(string destination, IndexManifest manifest, List<IndexFile> missing, long manifestBytes, Func<long, string> roomAdvice)
    {
        var needed = Needed(missing, manifestBytes);
        var (available, files) = (LocalFileSystem.Instance.AvailableBytes(destination), LocalFileSystem.Instance.AvailableFiles(destination));
        if (available < needed || files < missing.Count + 2)
        {
            var room = available < needed ? $"room for {available} bytes, but version {manifest.Version} needs {needed}" : $"room for {files} more files (inodes), but version {manifest.Version} needs {missing.Count + 2}";
            throw new IndexingException(FailureReason.OutOfSpace, $"{destination} has {room}. {roomAdvice(Needed(manifest.Files, manifestBytes))}");
        }
    }

    private static long Needed(IEnumerable<IndexFile> files, long manifestBytes) =>
        files.Sum(file => (file.Bytes + PageBytes - 1) / PageBytes * PageBytes) + (2 * manifestBytes) + MarginBytes;

    private static void Copy(string source, string destination, List<IndexFile> missing, PhaseProgress progress, BuildOptions options, Func<string> roomAdvice)
    {
        try
        {
            using var copy = new ParallelCopy(source, destination, missing, progress, options);
            copy.Run();
        }
        catch (Exception fault)
        {
            missing.ForEach(file => LocalFileSystem.Instance.DeleteFile(Path.Combine(destination, file.Name)));
            if (StorageFaults.IsStorageFault(fault) && StorageFaults.Translate(fault, $"Staging {source} to {destination}", isWrite: true) is { Reason: FailureReason.OutOfSpace } full)
            {
                throw new IndexingException(FailureReason.OutOfSpace, $"{full.Message} {roomAdvice()}", fault);
            }

            throw;
        }
    }

    private static void WriteManifest(string destination, byte[] json)
    {
        var temporary = Path.Combine(destination, Temporary);
        File.WriteAllBytes(temporary, json);
        SetMode(temporary, ReadableFile);
        File.Move(temporary, Path.Combine(destination, CacheLayout.Manifest), overwrite: true);
    }

    /// <summary>Sets a mode whatever the process' mask is. A file system without modes, or another owner, is no fault: reading will tell.</summary>
    private static void SetMode(string path, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        try
        {
            File.SetUnixFileMode(path, mode);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            // See above.
        }
    }
}
