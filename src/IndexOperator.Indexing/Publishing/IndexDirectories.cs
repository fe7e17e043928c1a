using System.Collections.Concurrent;
using System.Globalization;

namespace IndexOperator.Indexing;

/// <summary>A staging directory: files have their final names at once, since the directory itself is renamed later.</summary>
internal sealed class StagingDirectory(ICacheFileSystem files, string path, DurableFiles durable) : IIndexDirectory
{
    /// <inheritdoc/>
    public Stream Create(string name) => files.CreateFile(Path.Combine(path, name));

    /// <inheritdoc/>
    public void Seal(string name, Stream stream, long bytes) => durable.Close(stream, bytes);

    /// <inheritdoc/>
    public void Abandon(string name, Stream stream) => Quietly.Close(stream);
}

/// <summary>
/// A bare <c>index_mapping_dir</c>: files get their names when all of them are written, each whole, over an older one if
/// there is one. A build that fails leaves the directory as it was.
/// </summary>
internal sealed class OutputDirectory(ICacheFileSystem files, string path, DurableFiles durable) : IIndexDirectory
{
    private readonly string _suffix = string.Create(CultureInfo.InvariantCulture, $".{Guid.NewGuid():N}.tmp");
    private readonly ConcurrentDictionary<string, bool> _sealed = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public Stream Create(string name) => files.CreateFile(Temporary(name));

    /// <inheritdoc/>
    public void Seal(string name, Stream stream, long bytes)
    {
        durable.Close(stream, bytes);
        _sealed[name] = true;
    }

    /// <inheritdoc/>
    public void Abandon(string name, Stream stream)
    {
        Quietly.Close(stream);
        Quietly.Do(() => files.DeleteFile(Temporary(name)));
    }

    /// <summary>Gives all files their names, once all are durable.</summary>
    public void Commit()
    {
        durable.Complete();
        foreach (var name in _sealed.Keys.Order(StringComparer.Ordinal))
        {
            files.RenameFile(Temporary(name), Path.Combine(path, name));
            _sealed.TryRemove(name, out _);
        }

        files.SyncDirectory(path);
    }

    /// <summary>Drops the files that have no name yet; never fails.</summary>
    public void Discard()
    {
        foreach (var name in _sealed.Keys)
        {
            Quietly.Do(() => files.DeleteFile(Temporary(name)));
        }
    }

    private string Temporary(string name) => Path.Combine(path, "." + name + _suffix);
}

/// <summary>Cleaning up after a failure, which must not hide the failure.</summary>
internal static class Quietly
{
    public static void Do(Action action)
    {
        try
        {
            action();
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            // The failure that led here is the one to report.
        }
    }

    /// <summary>Closing writes what is buffered, so a full disk fails here too; a second close then frees the handle.</summary>
    public static void Close(Stream stream)
    {
        Do(stream.Dispose);
        Do(stream.Dispose);
    }
}
