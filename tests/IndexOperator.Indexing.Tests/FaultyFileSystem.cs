namespace IndexOperator.Indexing.Tests;

/// <summary>A file system whose n-th change fails, as a full or read-only one would.</summary>
internal sealed class FaultyFileSystem(Func<int, Exception?> faultOfChange) : ICacheFileSystem
{
    private readonly LocalFileSystem _local = LocalFileSystem.Instance;
    private int _changes;

    public int Changes => _changes;

    public long? Available { get; init; }

    public bool DirectoryExists(string path) => _local.DirectoryExists(path);

    public IReadOnlyList<string> ListDirectories(string path) => _local.ListDirectories(path);

    public void CreateDirectory(string path) => Change(() => _local.CreateDirectory(path));

    public Stream CreateFile(string path)
    {
        Change(() => { });
        return _local.CreateFile(path);
    }

    public void SyncAndClose(Stream file) => Change(() => _local.SyncAndClose(file));

    public void SyncDirectory(string path) => Change(() => _local.SyncDirectory(path));

    public void RenameFile(string source, string target) => Change(() => _local.RenameFile(source, target));

    public bool TryRenameDirectory(string source, string target)
    {
        Change(() => { });
        return _local.TryRenameDirectory(source, target);
    }

    public void DeleteFile(string path) => _local.DeleteFile(path);

    public void DeleteDirectory(string path) => _local.DeleteDirectory(path);

    public long AvailableBytes(string path) => Available ?? _local.AvailableBytes(path);

    private void Change(Action change)
    {
        if (faultOfChange(Interlocked.Increment(ref _changes)) is { } fault)
        {
            throw fault;
        }

        change();
    }
}
