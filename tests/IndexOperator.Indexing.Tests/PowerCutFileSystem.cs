using IndexOperator.TestSupport;

namespace IndexOperator.Indexing.Tests;

/// <summary>
/// A file system whose power fails before its n-th step, and which then keeps as little as POSIX lets it: no content that was neither synced
/// nor covered by a later barrier, and no name of a file in a directory that was not synced.
/// </summary>
/// <param name="cutAt">The step; 0 for none.</param>
internal sealed class PowerCutFileSystem(int cutAt) : ICacheFileSystem
{
    private readonly LocalFileSystem _local = LocalFileSystem.Instance;
    private readonly Dictionary<string, State> _unsafe = new(StringComparer.Ordinal);
    private readonly List<(string Source, string Target)> _renamed = [];

    public int Steps { get; private set; }

    /// <summary>Whether barriers are to be had.</summary>
    public bool HasBarriers { get; init; } = true;

    private bool IsOff => cutAt > 0 && Steps >= cutAt;

    public bool DirectoryExists(string path) => _local.DirectoryExists(path);

    public IReadOnlyList<string> ListDirectories(string path) => _local.ListDirectories(path);

    public void CreateDirectory(string path)
    {
        Step();
        _local.CreateDirectory(path);
    }

    public Stream CreateFile(string path)
    {
        Step();
        _unsafe[path] = new State();
        return new PoweredStream(_local.CreateFile(path), path, this);
    }

    public void SyncAndClose(Stream file)
    {
        Step();
        var stream = (PoweredStream)file;
        stream.Dispose();
        _unsafe[stream.Path].IsContentSafe = true;
    }

    public IWriteBarrier? OpenBarrier(string directory, long mostWaiting)
    {
        Step();
        return HasBarriers ? new Barrier(this) : null;
    }

    public void SyncDirectory(string path)
    {
        Step();
        foreach (var (file, state) in _unsafe)
        {
            state.IsNameSafe |= Path.GetDirectoryName(file) == path;
        }

        _renamed.RemoveAll(rename => Path.GetDirectoryName(rename.Target) == path);
    }

    public void RenameFile(string source, string target)
    {
        Step();
        _local.RenameFile(source, target);
        _unsafe[target] = new State { IsContentSafe = _unsafe[source].IsContentSafe };
        _unsafe.Remove(source);
    }

    public bool TryRenameDirectory(string source, string target)
    {
        Step();
        if (!_local.TryRenameDirectory(source, target))
        {
            return false;
        }

        foreach (var file in _unsafe.Keys.Where(file => file.StartsWith(source + "/", StringComparison.Ordinal)).ToList())
        {
            _unsafe.Remove(file, out var state);
            _unsafe[target + file[source.Length..]] = state!;
        }

        _renamed.Add((source, target));
        return true;
    }

    public void DeleteFile(string path)
    {
        Step();
        _local.DeleteFile(path);
        _unsafe.Remove(path);
    }

    public void DeleteDirectory(string path)
    {
        Step();
        _local.DeleteDirectory(path);
    }

    public long AvailableBytes(string path) => _local.AvailableBytes(path);

    public long AvailableFiles(string path) => _local.AvailableFiles(path);

    /// <summary>What is there when the power is back.</summary>
    /// <param name="keepsRenames">Whether renames of directories that were not synced yet happened to reach the disk.</param>
    public void Lose(bool keepsRenames)
    {
        foreach (var (file, state) in _unsafe.Where(file => File.Exists(file.Key)))
        {
            if (!state.IsNameSafe)
            {
                File.Delete(file);
            }
            else if (!state.IsContentSafe)
            {
                File.WriteAllBytes(file, new byte[new FileInfo(file).Length]);
            }
        }

        foreach (var (source, target) in _renamed.Where(rename => !keepsRenames))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(source)!);
            Directory.Move(target, source);
        }
    }

    private void Step()
    {
        if (!IsOff)
        {
            Steps++;
        }

        if (IsOff)
        {
            throw new IOException("the power is off");
        }
    }

    private sealed class State
    {
        /// <summary>Whether all that was written is on the disk.</summary>
        public bool IsContentSafe { get; set; }

        /// <summary>Whether the entry in the directory is.</summary>
        public bool IsNameSafe { get; set; }

        /// <summary>Whether it was closed, so that nothing of it is in the process any more.</summary>
        public bool IsClosed { get; set; }
    }

    private sealed class Barrier(PowerCutFileSystem files) : IWriteBarrier
    {
        public void Sync()
        {
            files.Step();
            foreach (var state in files._unsafe.Values.Where(state => state.IsClosed))
            {
                (state.IsContentSafe, state.IsNameSafe) = (true, true);
            }
        }

        public void Dispose()
        {
        }
    }

    private sealed class PoweredStream(Stream inner, string path, PowerCutFileSystem files) : WriteOnlyStream(inner)
    {
        public string Path => path;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            files.Step();
            Inner.Write(buffer);
        }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (files._unsafe.TryGetValue(path, out var state))
            {
                state.IsClosed = true;
            }
        }
    }
}
