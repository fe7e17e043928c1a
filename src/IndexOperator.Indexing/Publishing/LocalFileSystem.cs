using System.Runtime.InteropServices;

namespace IndexOperator.Indexing;

/// <summary>The machine's file system.</summary>
public sealed partial class LocalFileSystem : ICacheFileSystem
{
    private const int Enotempty = 39;
    private const int Eexist = 17;

    /// <summary>O_RDONLY | O_CLOEXEC, the same on every Linux. O_DIRECTORY is not: its number on x86 is O_DIRECT on arm64, which no directory takes.</summary>
    internal const int OpenDirectoryReadOnly = 0x80000;

    /// <summary>The only instance; it has no state.</summary>
    public static LocalFileSystem Instance { get; } = new();

    /// <inheritdoc/>
    public bool DirectoryExists(string path) => Directory.Exists(path);

    /// <inheritdoc/>
    public void CreateDirectory(string path) => Directory.CreateDirectory(path);

    /// <inheritdoc/>
    public Stream CreateFile(string path) => new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);

    /// <inheritdoc/>
    public void SyncAndClose(Stream file)
    {
        ((FileStream)file).Flush(flushToDisk: true);
        file.Dispose();
    }

    /// <inheritdoc/>
    public IWriteBarrier? OpenBarrier(string directory, long mostWaiting) => FileSystemBarrier.TryOpen(directory, mostWaiting);

    /// <inheritdoc/>
    public void SyncDirectory(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // Only Linux lets a directory be opened and synced; elsewhere builds are for trying out.
        }

        var descriptor = Open(path, OpenDirectoryReadOnly);
        if (descriptor < 0)
        {
            throw LastError(path);
        }

        try
        {
            if (Fsync(descriptor) < 0)
            {
                throw LastError(path);
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <inheritdoc/>
    public void RenameFile(string source, string target) => File.Move(source, target, overwrite: true);

    /// <inheritdoc/>
    public bool TryRenameDirectory(string source, string target)
    {
        // rename(2) itself: a check before it, as Directory.Move makes, would leave a gap between two builders.
        if (Rename(source, target) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() is Enotempty or Eexist ? false : throw LastError(target);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> ListDirectories(string path)
    {
        try
        {
            return [.. Directory.EnumerateDirectories(path).Select(directory => Path.GetFileName(directory))];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    /// <inheritdoc/>
    public void DeleteFile(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            // It is gone already.
        }
    }

    /// <inheritdoc/>
    public void DeleteDirectory(string path)
    {
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // It is gone already.
        }
    }

    /// <inheritdoc/>
    public long AvailableBytes(string path) => new DriveInfo(Path.GetFullPath(path)).AvailableFreeSpace;

    /// <inheritdoc/>
    public long AvailableFiles(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return long.MaxValue;
        }

        // struct statvfs of 64-bit Linux: eleven numbers of eight bytes, f_files the sixth and f_favail the eighth, and some room.
        var fields = new ulong[32];
        if (StatVfs(Path.GetFullPath(path), fields) != 0)
        {
            throw LastError(path);
        }

        // A file system that makes inodes as it needs them (btrfs, many NFS servers) counts none.
        return fields[5] == 0 ? long.MaxValue : (long)Math.Min(fields[7], long.MaxValue);
    }

    internal static IOException LastError(string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{Marshal.GetPInvokeErrorMessage(error)}: {path}", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "statvfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatVfs(string path, [Out] ulong[] fields);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(string source, string target);
}
