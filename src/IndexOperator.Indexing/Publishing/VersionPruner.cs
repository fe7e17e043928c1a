namespace IndexOperator.Indexing;

/// <summary>What pruning did, or would do, with one entry of <c>versions</c>.</summary>
public enum PruneAction
{
    /// <summary>Removed.</summary>
    Removed,

    /// <summary>A version that stays.</summary>
    Kept,

    /// <summary>Not a published version, so not for a program to remove.</summary>
    LeftAlone,
}

/// <summary>One entry of <c>versions</c>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Action">What was done.</param>
/// <param name="Reason">Why, for a person.</param>
/// <param name="Bytes">Bytes of its files; 0 for what is left alone.</param>
public sealed record PrunedEntry(string Name, PruneAction Action, string Reason, long Bytes);

/// <summary>Which published versions go.</summary>
public sealed record PruneRequest
{
    /// <summary>The versions to remove; null = all that are not kept.</summary>
    public IReadOnlySet<string>? Remove { get; init; }

    /// <summary>The versions that something refers to; they stay whatever else is asked.</summary>
    public IReadOnlySet<string> Keep { get; init; } = new HashSet<string>();

    /// <summary>Versions built more recently stay, since what refers to them may not be known yet; not those in <see cref="Remove"/>.</summary>
    public TimeSpan MinimumAge { get; init; }

    /// <summary>Whether to tell only what would be done.</summary>
    public bool IsDryRun { get; init; }
}

/// <summary>
/// Removes published versions that nothing refers to. A version leaves <c>versions</c> by one rename and is deleted in the
/// staging area, so that whoever looks sees it whole or not at all, also when the pruning is interrupted.
/// </summary>
public sealed class VersionPruner
{
    private const string TrashPrefix = "pruned-";

    private readonly ICacheFileSystem _files;
    private readonly string _cacheRoot;
    private readonly PruneRequest _request;
    private readonly BuildOptions _options;

    private VersionPruner(ICacheFileSystem files, string cacheRoot, PruneRequest request, BuildOptions options)
    {
        _files = files;
        _cacheRoot = cacheRoot;
        _request = request;
        _options = options;
    }

    /// <summary>Removes versions; finishes what an interrupted pruning began.</summary>
    /// <param name="files">File system of the cache.</param>
    /// <param name="cacheRoot">Root of the cache.</param>
    /// <param name="request">Which versions.</param>
    /// <param name="options">Time, progress and cancellation.</param>
    /// <returns>Every entry of <c>versions</c>, in order of name.</returns>
    /// <exception cref="IndexingException">InvalidSpec: no cache root, no version's name, or a version to keep that is not there; or what the storage throws.</exception>
    public static IReadOnlyList<PrunedEntry> Prune(ICacheFileSystem files, string cacheRoot, PruneRequest request, BuildOptions options)
    {
        var pruner = new VersionPruner(files, cacheRoot, request, options);
        try
        {
            return pruner.Run();
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Removing versions of {cacheRoot}", isWrite: true);
        }
    }

    private string Versions => Path.Combine(_cacheRoot, CacheLayout.Versions);

    private List<PrunedEntry> Run()
    {
        CheckRequest();
        if (!_request.IsDryRun)
        {
            _ = StagingSweep.Remove(_files, _cacheRoot, TrashPrefix);
        }

        var entries = Directory.Exists(Versions)
            ? Directory.EnumerateFileSystemEntries(Versions).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal).Select(Decide).ToList()
            : [];
        var removed = entries.FindAll(entry => entry.Action == PruneAction.Removed);
        if (removed.Count > 0 && !_request.IsDryRun)
        {
            _files.CreateDirectory(Path.Combine(_cacheRoot, CacheLayout.Staging));
            var progress = new PhaseProgress(_options.Progress, BuildPhase.Publish, removed.Sum(entry => entry.Bytes));
            foreach (var entry in removed)
            {
                _options.CancellationToken.ThrowIfCancellationRequested();
                Remove(entry.Name);
                progress.Advance(entry.Bytes);
            }
        }

        return entries;
    }

    private void CheckRequest()
    {
        if (!_files.DirectoryExists(_cacheRoot))
        {
            throw new IndexingException(FailureReason.InvalidSpec, $"{_cacheRoot} is no directory. Name the root of a cache, the directory that holds {CacheLayout.Versions}.");
        }

        foreach (var name in _request.Keep.Concat(_request.Remove ?? new HashSet<string>()).Order(StringComparer.Ordinal))
        {
            if (!CacheLayout.IsVersionName(name))
            {
                throw new IndexingException(FailureReason.InvalidSpec, $"\"{name}\" is no version: a version is 20 lower-case hex digits, as in status.version. Nothing was removed.");
            }
        }

        // Whoever keeps what is not there has probably named another cache, where everything else would go.
        if (_request.Keep.Order(StringComparer.Ordinal).FirstOrDefault(name => !_files.DirectoryExists(CacheLayout.VersionPath(_cacheRoot, name))) is { } missing)
        {
            throw new IndexingException(FailureReason.InvalidSpec, $"{missing} is to be kept but is not in {Versions}. Check --cache-root and the version. Nothing was removed.");
        }
    }

    private PrunedEntry Decide(string name)
    {
        var path = Path.Combine(Versions, name);
        if (!CacheLayout.IsVersionName(name) || !Directory.Exists(path) || new DirectoryInfo(path).LinkTarget is not null)
        {
            return new(name, PruneAction.LeftAlone, "it is no version", 0);
        }

        var bytes = VersionVerifier.SizeOf(path);
        if (_request.Keep.Contains(name))
        {
            return new(name, PruneAction.Kept, "it is to be kept", bytes);
        }

        if (_request.Remove is { } asked)
        {
            return asked.Contains(name) ? new(name, PruneAction.Removed, "it was named", bytes) : new(name, PruneAction.Kept, "it was not named", bytes);
        }

        if (BuiltAt(path) is not { } built)
        {
            return new(name, PruneAction.LeftAlone, "it has no readable manifest; look at it, then name it with --remove", 0);
        }

        return _options.Time.GetUtcNow() - built < _request.MinimumAge
            ? new(name, PruneAction.Kept, $"it was built at {built:u}, too recently", bytes)
            : new(name, PruneAction.Removed, "nothing refers to it", bytes);
    }

    private static DateTimeOffset? BuiltAt(string path)
    {
        try
        {
            return VersionVerifier.ReadManifest(path).BuiltAt;
        }
        catch (IndexingException failure) when (failure.Reason == FailureReason.VersionCorrupt)
        {
            return null;
        }
    }

    private void Remove(string version)
    {
        var trash = CacheLayout.StagingPath(_cacheRoot, TrashPrefix + version);
        if (!_files.TryRenameDirectory(CacheLayout.VersionPath(_cacheRoot, version), trash))
        {
            throw new IndexingException(FailureReason.StorageError, $"{trash} is in the way: another pruning runs. Try again when it has ended.");
        }

        _files.SyncDirectory(Versions);
        _files.DeleteDirectory(trash);
    }
}
