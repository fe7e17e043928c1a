using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace IndexOperator.Indexing;

/// <summary>
/// Opens files that somebody else wrote. A pipe in a file's place would block whoever opens it plainly, for ever and out of
/// reach of cancellation; here it is refused like anything else that is no regular file.
/// </summary>
internal static partial class RegularFile
{
    private const int ReadOnlyNonBlocking = 0x80900; // O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK on Linux.
    private const int Enoent = 2;
    private const int Enxio = 6;
    private const int Eacces = 13;
    private const int Eperm = 1;
    private const int Enotdir = 20;

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="FileNotFoundException">It is not there.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="IndexingException">DataCorrupt: it is a directory, a pipe, a socket or a device.</exception>
    /// <exception cref="IOException">Anything else; the error number is its HResult.</exception>
    public static SafeFileHandle OpenRead(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        }

        var descriptor = Open(path, ReadOnlyNonBlocking);
        if (descriptor < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            var message = $"{Marshal.GetPInvokeErrorMessage(error)}: {path}";
            throw error switch
            {
                Enoent or Enotdir => new FileNotFoundException(message, path),
                Eacces or Eperm => new UnauthorizedAccessException(message, new IOException(message, error)),
                Enxio => NotRegular(path),
                _ => new IOException(message, error),
            };
        }

        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (Directory.Exists(path) || !IsSeekable(handle))
        {
            handle.Dispose();
            throw NotRegular(path);
        }

        return handle;
    }

    private static bool IsSeekable(SafeFileHandle handle)
    {
        try
        {
            _ = RandomAccess.GetLength(handle);
            return true;
        }
        catch (NotSupportedException)
        {
            return false;
        }
    }

    private static IndexingException NotRegular(string path) =>
        IdxFormat.Corrupt(path, "it is no regular file but a directory, a pipe, a socket or a device");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);
}
