namespace IndexOperator.Indexing;

/// <summary>
/// Everything that publishing asks of a file system. Implementations throw the runtime's <see cref="IOException"/> and
/// <see cref="UnauthorizedAccessException"/>; tests put failures behind it.
/// </summary>
public interface ICacheFileSystem
{
    /// <summary>Whether a directory is there.</summary>
    bool DirectoryExists(string path);

    /// <summary>Names of the directories in a directory; none when it is not there.</summary>
    IReadOnlyList<string> ListDirectories(string path);

    /// <summary>Creates a directory and those above it; nothing when it is there.</summary>
    void CreateDirectory(string path);

    /// <summary>Creates a file that must not be there yet.</summary>
    Stream CreateFile(string path);

    /// <summary>Forces a file's content to the device and closes it.</summary>
    void SyncAndClose(Stream file);

    /// <summary>
    /// Opens what makes many files durable at once, before the first of them is created. Null where the file system is not known to keep
    /// that promise and to tell of every failed write, and where so much else waits to be written that syncing each file is less to wait for.
    /// </summary>
    /// <param name="directory">Where the files will be.</param>
    /// <param name="mostWaiting">Bytes of others that may be waited for.</param>
    IWriteBarrier? OpenBarrier(string directory, long mostWaiting);

    /// <summary>Forces the names in a directory to the device.</summary>
    void SyncDirectory(string path);

    /// <summary>Renames a file over whatever has the new name.</summary>
    void RenameFile(string source, string target);

    /// <summary>Renames a directory; false when another has the new name already.</summary>
    bool TryRenameDirectory(string source, string target);

    /// <summary>Removes a file; nothing when it is not there.</summary>
    void DeleteFile(string path);

    /// <summary>Removes a directory and what it holds, following no links; nothing when it is not there.</summary>
    void DeleteDirectory(string path);

    /// <summary>Bytes that this user can still write on the file system of a directory.</summary>
    long AvailableBytes(string path);

    /// <summary>Files that this user can still create on the file system of a directory; <see cref="long.MaxValue"/> where it sets no limit.</summary>
    long AvailableFiles(string path);
}

/// <summary>Makes durable at once what was written to a file system.</summary>
public interface IWriteBarrier : IDisposable
{
    /// <summary>
    /// Returns when all content that was written and closed, in whatever file of the file system, is on the device; throws when any
    /// that was written since this was opened could not be.
    /// </summary>
    /// <exception cref="IOException">Something could not be written.</exception>
    void Sync();
}
