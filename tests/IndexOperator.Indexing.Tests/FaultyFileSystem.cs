using IndexOperator.TestSupport;

namespace IndexOperator.Indexing.Tests;

/// <summary>A file system whose n-th change fails, as a full or read-only one would.</summary>
internal sealed class FaultyFileSystem(Func<int, Exception?> faultOfChange) : ICacheFileSystem
{
    private readonly LocalFileSystem _local = LocalFileSystem.Instance;
    private int _changes;

    public int Changes => _changes;

    public long? Available { get; init; }

    /// <summary>Called before a directory is renamed: where two builders meet.</summary>
    public Action? BeforeRename { get; init; }

    /// <summary>Fails each file's write that would go beyond this many bytes, after a short one.</summary>
    public long? BytesOfFile { get; init; }

    public bool DirectoryExists(string path) => _local.DirectoryExists(path);

    public IReadOnlyList<string> ListDirectories(string path) => _local.ListDirectories(path);

    public void CreateDirectory(string path) => Change(() => _local.CreateDirectory(path));

    public Stream CreateFile(string path)
    {
        Change(() => { });
        var file = _local.CreateFile(path);
        return BytesOfFile is { } bytes ? new ShortStream(file, bytes) : file;
    }

    public void SyncAndClose(Stream file) => Change(() => _local.SyncAndClose(file is ShortStream { Inner: var inner } ? inner : file));

    /// <summary>A barrier that syncs nothing: what is lost with the power is another test's.</summary>
    public IWriteBarrier? OpenBarrier(string directory, long mostWaiting)
    {
        Change(() => { });
        return new Barrier(this);
    }

    public void SyncDirectory(string path) => Change(() => _local.SyncDirectory(path));

    public void RenameFile(string source, string target) => Change(() => _local.RenameFile(source, target));

    public bool TryRenameDirectory(string source, string target)
    {
        Change(() => { });
        BeforeRename?.Invoke();
        return _local.TryRenameDirectory(source, target);
    }

    public void DeleteFile(string path) => _local.DeleteFile(path);

    public void DeleteDirectory(string path) => _local.DeleteDirectory(path);

    public long AvailableBytes(string path) => Available ?? _local.AvailableBytes(path);

    /// <summary>What <see cref="AvailableFiles"/> says instead of the truth.</summary>
    public long? Inodes { get; set; }

    public long AvailableFiles(string path) => Inodes ?? _local.AvailableFiles(path);

    private void Change(Action change)
    {
        if (faultOfChange(Interlocked.Increment(ref _changes)) is { } fault)
        {
            throw fault;
        }

        change();
    }

    private sealed class Barrier(FaultyFileSystem files) : IWriteBarrier
    {
        public void Sync() => files.Change(() => { });

        public void Dispose()
        {
        }
    }

    /// <summary>A file under a quota: it takes what fits, then no more.</summary>
    private sealed class ShortStream(Stream inner, long bytes) : WriteOnlyStream(inner)
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            var room = (int)Math.Min(buffer.Length, bytes - Inner.Position);
            Inner.Write(buffer[..room]);
            if (room < buffer.Length)
            {
                throw new IOException("Disk quota exceeded", 122);
            }
        }
    }
}
