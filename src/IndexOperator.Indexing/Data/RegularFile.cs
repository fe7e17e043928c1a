using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace IndexOperator.Indexing;

/// <summary>
/// Opens files that somebody else wrote. A pipe in a file's place would block whoever opens it plainly, for ever and out of
/// reach of cancellation; here it is refused like anything else that is no regular file.
/// </summary>
internal static class RegularFile
{
    private const int ReadOnlyNonBlocking = 0x80900; // O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK on Linux.
    private const string NotRegular = "it is no regular file but a directory, a pipe, a socket or a device";
    private const int Enoent = 2;
    private const int Enxio = 6;
    private const int Eacces = 13;
    private const int Eperm = 1;
    private const int Enotdir = 20;

    /// <summary>Opens a file for reading.</summary>
    /// <param name="path">The file.</param>
    /// <param name="refuse">Makes the error of a path and a cause, for what is a directory, a pipe, a socket or a device.</param>
    /// <exception cref="FileNotFoundException">It is not there.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="IndexingException">Whatever <paramref name="refuse"/> makes.</exception>
    /// <exception cref="IOException">Anything else; the error number is its HResult.</exception>
    public static SafeFileHandle OpenRead(string path, Func<string, string, IndexingException> refuse)
    {
        if (!OperatingSystem.IsLinux())
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        }

        var descriptor = LocalFileSystem.Open(path, ReadOnlyNonBlocking);
        if (descriptor < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            var message = $"{Marshal.GetPInvokeErrorMessage(error)}: {path}";
            throw error switch
            {
                Enoent or Enotdir => new FileNotFoundException(message, path),
                Eacces or Eperm => new UnauthorizedAccessException(message, new IOException(message, error)),
                Enxio => refuse(path, NotRegular),
                _ => new IOException(message, error),
            };
        }

        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (Directory.Exists(path) || !IsSeekable(handle))
        {
            handle.Dispose();
            throw refuse(path, NotRegular);
        }

        return handle;
    }

    /// <summary>Reads a small file whole; null when it is longer than <paramref name="maxBytes"/>.</summary>
    /// <exception cref="IOException">As for <see cref="OpenRead"/>.</exception>
    public static byte[]? ReadAll(string path, int maxBytes, Func<string, string, IndexingException> refuse)
    {
        using var handle = OpenRead(path, refuse);
        var length = RandomAccess.GetLength(handle);
        if (length > maxBytes)
        {
            return null;
        }

        var bytes = new byte[length];
        return bytes[..Fill(handle, bytes, 0)];
    }

    /// <summary>Reads until a buffer is full or the file has no more, which one read need not do.</summary>
    /// <param name="handle">The file.</param>
    /// <param name="buffer">What to fill.</param>
    /// <param name="offset">Where in the file the buffer begins.</param>
    /// <returns>Bytes read; fewer than the buffer has where the file ends before.</returns>
    public static int Fill(SafeFileHandle handle, Span<byte> buffer, long offset)
    {
        var filled = 0;
        for (int read; filled < buffer.Length && (read = RandomAccess.Read(handle, buffer[filled..], offset + filled)) > 0; filled += read)
        {
        }

        return filled;
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
}
