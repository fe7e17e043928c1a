using System.Diagnostics;
using IndexOperator.Indexing;
using IndexOperator.TestSupport;

namespace IndexOperator.CrashHost;

/// <summary>The real file system, before whose n-th call the process dies; each write to a file is a call of its own.</summary>
internal sealed class DeadlyFileSystem(int deadly) : ICacheFileSystem
{
    private readonly LocalFileSystem _local = LocalFileSystem.Instance;

    public int Calls { get; private set; }

    public bool DirectoryExists(string path) => Next(() => _local.DirectoryExists(path));

    public IReadOnlyList<string> ListDirectories(string path) => Next(() => _local.ListDirectories(path));

    public void CreateDirectory(string path) => Next(() => _local.CreateDirectory(path));

    public Stream CreateFile(string path) => Next(() => new DeadlyStream(_local.CreateFile(path), this));

    public void SyncAndClose(Stream file) => Next(() => _local.SyncAndClose(((DeadlyStream)file).Inner));

    public IWriteBarrier? OpenBarrier(string directory, long mostWaiting) => Next(() => new DeadlyBarrier(this));

    public void SyncDirectory(string path) => Next(() => _local.SyncDirectory(path));

    public void RenameFile(string source, string target) => Next(() => _local.RenameFile(source, target));

    public bool TryRenameDirectory(string source, string target) => Next(() => _local.TryRenameDirectory(source, target));

    public void DeleteFile(string path) => Next(() => _local.DeleteFile(path));

    public void DeleteDirectory(string path) => Next(() => _local.DeleteDirectory(path));

    public long AvailableBytes(string path) => Next(() => _local.AvailableBytes(path));

    public long AvailableFiles(string path) => Next(() => _local.AvailableFiles(path));

    private void Next(Action call) => Next(() =>
    {
        call();
        return true;
    });

    private T Next<T>(Func<T> call)
    {
        Calls++;
        if (Calls == deadly)
        {
            Process.GetCurrentProcess().Kill();
            new ManualResetEventSlim().Wait(); // The signal is on its way; nothing more may be done meanwhile.
        }

        return call();
    }

    /// <summary>A kill loses nothing that was written, synced or not, so nothing is synced here.</summary>
    private sealed class DeadlyBarrier(DeadlyFileSystem files) : IWriteBarrier
    {
        public void Sync() => files.Next(() => { });

        public void Dispose()
        {
        }
    }

    /// <summary>Writes half of what it is given before it dies.</summary>
    private sealed class DeadlyStream(Stream inner, DeadlyFileSystem files) : WriteOnlyStream(inner)
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Inner.Write(buffer[..(buffer.Length / 2)]);
            Inner.Flush();
            files.Next(() => { });
            Inner.Write(buffer[(buffer.Length / 2)..]);
        }
    }
}
