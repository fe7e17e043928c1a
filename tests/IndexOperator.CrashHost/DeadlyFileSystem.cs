using System.Diagnostics;
using IndexOperator.Indexing;

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

    public void SyncDirectory(string path) => Next(() => _local.SyncDirectory(path));

    public void RenameFile(string source, string target) => Next(() => _local.RenameFile(source, target));

    public bool TryRenameDirectory(string source, string target) => Next(() => _local.TryRenameDirectory(source, target));

    public void DeleteFile(string path) => Next(() => _local.DeleteFile(path));

    public void DeleteDirectory(string path) => Next(() => _local.DeleteDirectory(path));

    public long AvailableBytes(string path) => Next(() => _local.AvailableBytes(path));

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

    /// <summary>Writes half of what it is given before it dies.</summary>
    private sealed class DeadlyStream(Stream inner, DeadlyFileSystem files) : Stream
    {
        public Stream Inner => inner;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            inner.Write(buffer[..(buffer.Length / 2)]);
            inner.Flush();
            files.Next(() => { });
            inner.Write(buffer[(buffer.Length / 2)..]);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
