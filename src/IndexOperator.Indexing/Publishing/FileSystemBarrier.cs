using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace IndexOperator.Indexing;

/// <summary>
/// <c>syncfs(2)</c>, which writes a whole file system out. Its manual promises little; what it does depends on the file system and the
/// kernel, so it is used only where both are known.
/// </summary>
/// <remarks>
/// <para>
/// A write that failed in the background is told to a descriptor that was open before it, from Linux 5.8 on, and a failure to write the
/// journal from 5.17 on; before, syncfs returned 0. FUSE file systems other than virtiofs never hear of a syncfs at all. What network file
/// systems make of it is up to each; there, and everywhere that is not listed, every file is synced for itself.
/// </para>
/// <para>
/// It also waits for what others wrote to the same file system. Such file systems are local to the machine, so its memory that waits to be
/// written is the most that can be.
/// </para>
/// </remarks>
internal sealed partial class FileSystemBarrier : IWriteBarrier
{
    private static readonly Version FirstKernel = new(5, 17);

    // ext4, XFS, btrfs, tmpfs: f_type of statfs(2).
    private static readonly long[] Known = [0xEF53, 0x58465342, 0x9123683E, 0x01021994];

    private readonly SafeFileHandle _directory;
    private readonly string _path;

    private FileSystemBarrier(SafeFileHandle directory, string path)
    {
        _directory = directory;
        _path = path;
    }

    /// <summary>Opens it, or gives null where it would not do.</summary>
    /// <exception cref="IOException">The directory cannot be opened.</exception>
    public static FileSystemBarrier? TryOpen(string directory, long mostWaiting)
    {
        if (!OperatingSystem.IsLinux() || !IsReliable(Environment.OSVersion.Version, TypeOf(directory)) || BytesToWrite(ReadMemoryInfo()) is not { } waiting || waiting > mostWaiting)
        {
            return null;
        }

        var descriptor = LocalFileSystem.Open(directory, LocalFileSystem.OpenDirectoryReadOnly);
        return descriptor < 0 ? throw LocalFileSystem.LastError(directory) : new FileSystemBarrier(new SafeFileHandle(descriptor, ownsHandle: true), directory);
    }

    /// <summary>Whether syncfs makes content durable, and tells when it could not.</summary>
    /// <param name="kernel">Version of Linux.</param>
    /// <param name="type">The file system's type as statfs(2) gives it; null when unknown.</param>
    public static bool IsReliable(Version kernel, long? type) => kernel >= FirstKernel && type is { } known && Known.Contains(known);

    /// <summary>Bytes in memory that are not on a device yet, by the text of <c>/proc/meminfo</c>; null when it does not tell.</summary>
    public static long? BytesToWrite(string memoryInfo)
    {
        var (found, kibibytes) = (0, 0L);
        foreach (var line in memoryInfo.Split('\n'))
        {
            if (line.StartsWith("Dirty:", StringComparison.Ordinal) || line.StartsWith("Writeback:", StringComparison.Ordinal))
            {
                var value = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Replace("kB", "", StringComparison.Ordinal);
                if (!long.TryParse(value, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var number) || number > long.MaxValue >> 12)
                {
                    return null;
                }

                (found, kibibytes) = (found + 1, kibibytes + number);
            }
        }

        return found == 2 ? kibibytes << 10 : null;
    }

    /// <inheritdoc/>
    public void Sync()
    {
        if (SyncFs(_directory) < 0)
        {
            throw LocalFileSystem.LastError(_path);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();

    private static string ReadMemoryInfo()
    {
        try
        {
            return File.ReadAllText("/proc/meminfo");
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            return "";
        }
    }

    private static long? TypeOf(string directory)
    {
        // struct statfs of 64-bit Linux begins with f_type in eight bytes; some room behind it.
        var fields = new long[32];
        return StatFs(directory, fields) == 0 ? fields[0] : null;
    }

    [LibraryImport("libc", EntryPoint = "statfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatFs(string path, [Out] long[] fields);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFs(SafeFileHandle descriptor);
}
