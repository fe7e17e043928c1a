using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace IndexOperator.Indexing;

/// <summary>
/// Builds a version into a cache root so that <c>versions/&lt;version&gt;</c> is complete at every instant at which it
/// exists: through a killed process, a power cut, and two builders at once. There are no locks.
/// </summary>
public sealed class CachePublisher
{
    private readonly ICacheFileSystem _files;
    private readonly string _cacheRoot;
    private readonly BuildIdentity _identity;
    private readonly BuildOptions _options;
    private readonly string _staging;
    private string _stamp = "";
    private string? _quarantined;

    private CachePublisher(ICacheFileSystem files, string cacheRoot, BuildIdentity identity, BuildOptions options)
    {
        _files = files;
        _cacheRoot = cacheRoot;
        _identity = identity;
        _options = options;
        _staging = CacheLayout.StagingPath(cacheRoot, identity.BuildId);
    }

    /// <summary>Publishes the version that a request has over its data, or verifies and reuses it when it is there.</summary>
    /// <param name="files">File system of the cache.</param>
    /// <param name="cacheRoot">Root of the cache; created when missing.</param>
    /// <param name="request">What to build.</param>
    /// <param name="locate">Where a prefix's files are: its path without extension on this machine.</param>
    /// <param name="identity">Names the build.</param>
    /// <param name="options">Threads, progress, time and cancellation.</param>
    /// <exception cref="IndexingException">Any reason but Timeout and BuilderCrashed; nothing of the build is left behind then.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing of the build is left behind.</exception>
    public static PublishResult Publish(
        ICacheFileSystem files,
        string cacheRoot,
        IndexRequest request,
        Func<string, string> locate,
        BuildIdentity identity,
        BuildOptions options)
    {
        var publisher = new CachePublisher(files, cacheRoot, identity, options);
        try
        {
            files.DeleteDirectory(publisher._staging); // What an earlier, killed run of this build left.
            return publisher.Run(request, locate);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Publishing into {cacheRoot}", isWrite: true);
        }
        finally
        {
            Quietly.Do(() => files.DeleteDirectory(publisher._staging));
        }
    }

    /// <summary>Removes the staging directory of one build and nothing else. False when there was none.</summary>
    /// <exception cref="IndexingException">InvalidSpec for an unusable build id, or what the storage throws.</exception>
    public static bool Prune(ICacheFileSystem files, string cacheRoot, string buildId)
    {
        var staging = CacheLayout.StagingPath(cacheRoot, buildId);
        try
        {
            var existed = files.DirectoryExists(staging);
            files.DeleteDirectory(staging);
            return existed;
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Removing {staging}", isWrite: true);
        }
    }

    private PublishResult Run(IndexRequest request, Func<string, string> locate)
    {
        RequestRules.Check(request);
        QuietData.Await(request.Prefixes, locate, _options);
        var started = _options.Time.GetTimestamp();
        using var loaded = DatasetLoader.Begin(request, locate, _options, mayLeaveRest: () => _options.Threads > 1 && IsCertainlyNew(request, locate));
        var data = loaded.Datasets;
        _stamp = DataStamp.Of(data.Values);
        var readSeconds = _options.Time.GetElapsedTime(started).TotalSeconds;
        if (loaded.Rest.Count == 0 && TryReuse(CacheLayout.VersionPath(_cacheRoot, VersionIdentity.Version(VersionIdentity.Fingerprint(data.Values), request)), out var reused))
        {
            return reused;
        }

        var plan = IndexPlanner.Create(request, data);
        PrepareStaging();
        DiskSpace.ThrowIfShort(_files, _staging, plan);
        started = _options.Time.GetTimestamp();
        using var durable = DurableFiles.For(_files, _staging, plan, _options);
        var written = IndexBuilder.Build(plan, new StagingDirectory(_files, _staging, durable), _options, loaded.Rest, out var blending);
        Parallelism.ForEach(_options, plan.Data.Count, i => IndexedDatasetReader.ThrowIfChanged(plan.Data[i]));

        var fingerprint = VersionIdentity.Fingerprint(data.Values);
        var version = VersionIdentity.Version(fingerprint, request);
        var target = CacheLayout.VersionPath(_cacheRoot, version);
        var manifest = new IndexManifest
        {
            Format = IndexManifest.CurrentFormat,
            Version = version,
            Fingerprint = fingerprint,
            DataVersion = _identity.DataVersion,
            Builder = _identity.Builder,
            BuiltAt = _options.Time.GetUtcNow(),
            MegatronCore = request.MegatronCore,
            Parameters = JsonDocument.Parse(PythonJson.Dump(VersionIdentity.Parameters(request))).RootElement,
            Splits = [.. plan.Splits.Select(split => Describe(split, request))],
            Data = [.. plan.Data.Select(ManifestData.Of)],
            Files = [.. written, WriteSequences(plan)],
            Timings = new ManifestTimings(Seconds(readSeconds), Seconds(_options.Time.GetElapsedTime(started).TotalSeconds), Seconds(blending.TotalSeconds)),
        };
        durable.Complete();
        return Seal(target, manifest);
    }

    /// <summary>
    /// True when no version that is there can be the one that is asked for, whatever the content of the data: the arrays can be begun then
    /// before all of it is read. One that cannot be read may be it, damaged.
    /// </summary>
    private bool IsCertainlyNew(IndexRequest request, Func<string, string> locate)
    {
        var versions = Path.Combine(_cacheRoot, CacheLayout.Versions);
        if (!_files.DirectoryExists(versions))
        {
            return true;
        }

        using var parameters = JsonDocument.Parse(PythonJson.Dump(VersionIdentity.Parameters(request)));
        try
        {
            var sizes = request.Prefixes.ToDictionary(prefix => prefix, SizesOf, StringComparer.Ordinal);
            return _files.ListDirectories(versions).All(name => IsOther(Path.Combine(versions, name), sizes));
        }
        catch (IndexingException)
        {
            return false; // Reading the data meets the same, and names the file.
        }

        (long Idx, long Bin) SizesOf(string prefix)
        {
            var (idx, bin) = IndexedDatasetReader.StampsOf(prefix, locate(prefix));
            return (idx.Bytes, bin.Bytes);
        }

        bool IsOther(string version, Dictionary<string, (long Idx, long Bin)> sizes)
        {
            try
            {
                var manifest = VersionVerifier.ReadManifest(version);
                return !JsonElement.DeepEquals(manifest.Parameters, parameters.RootElement)
                    || manifest.Data.Any(data => sizes.GetValueOrDefault(data.Prefix) != (data.IdxBytes, data.BinBytes));
            }
            catch (Exception fault) when (fault is IndexingException || StorageFaults.IsStorageFault(fault))
            {
                return false;
            }
        }
    }

    private bool TryReuse(string target, [NotNullWhen(true)] out PublishResult? result)
    {
        result = null;
        if (!_files.DirectoryExists(target))
        {
            return false;
        }

        try
        {
            var manifest = VersionVerifier.Verify(target, _options);
            result = new PublishResult(PublishOutcome.Reused, target, manifest, VersionVerifier.SizeOf(target)) { Stamp = _stamp, Quarantined = _quarantined };
            return true;
        }
        catch (IndexingException fault) when (fault.Reason == FailureReason.VersionCorrupt && _options.Repair)
        {
            PutAside(target);
            return false;
        }
    }

    // A rename: pods that have the version open keep what they have, and a person can still look at it.
    private void PutAside(string target)
    {
        var aside = CacheLayout.QuarantinePath(_cacheRoot, Path.GetFileName(target), _identity.BuildId);
        _files.CreateDirectory(Path.GetDirectoryName(aside)!);
        if (!_files.TryRenameDirectory(target, aside))
        {
            throw new IndexingException(FailureReason.StorageError, $"{target} is corrupt and cannot be moved to {aside}: that is there already. Remove it and try again.");
        }

        _files.SyncDirectory(Path.GetDirectoryName(target)!);
        _files.SyncDirectory(Path.GetDirectoryName(aside)!);
        _quarantined = Path.GetRelativePath(_cacheRoot, aside);
    }

    private void PrepareStaging()
    {
        _files.CreateDirectory(Path.Combine(_cacheRoot, CacheLayout.Versions));
        _files.CreateDirectory(_staging);
        _files.SyncDirectory(_cacheRoot);
    }

    private PublishResult Seal(string target, IndexManifest manifest)
    {
        _options.CancellationToken.ThrowIfCancellationRequested();
        _options.Progress?.Report(BuildPhase.Publish, 0, 1);
        var json = manifest.ToJson();
        var path = Path.Combine(_staging, CacheLayout.Manifest);
        WriteFile(path + ".tmp", json);
        _files.RenameFile(path + ".tmp", path);
        _files.SyncDirectory(_staging);
        if (!_files.TryRenameDirectory(_staging, target))
        {
            // Another builder was faster. What it published is checked, since both stand for the same promise.
            return TryReuse(target, out var reused)
                ? reused
                : throw new IndexingException(FailureReason.StorageError, $"{target} appeared and vanished while it was being published. Try again.");
        }

        _files.SyncDirectory(Path.GetDirectoryName(target)!);
        _options.Progress?.Report(BuildPhase.Publish, 1, 1);
        return new PublishResult(PublishOutcome.Built, target, manifest, manifest.Files.Sum(file => file.Bytes) + json.Length) { Stamp = _stamp, Quarantined = _quarantined };
    }

    private IndexFile WriteSequences(IndexPlan plan)
    {
        var json = PerDatasetSequences.ToJson(plan.Data);
        WriteFile(Path.Combine(_staging, CacheLayout.PerDatasetSequences), json);
        var blocks = new BlockChecksums(json.Length);
        blocks.Append(json);
        return new IndexFile(CacheLayout.PerDatasetSequences, json.Length, PerDatasetSequences.Sha256(json), Blocks: blocks.Finish());
    }

    private void WriteFile(string path, byte[] content)
    {
        var file = _files.CreateFile(path);
        try
        {
            file.Write(content);
            _files.SyncAndClose(file);
        }
        catch
        {
            Quietly.Close(file);
            throw;
        }
    }

    private static ManifestSplit Describe(PlannedSplit split, IndexRequest request) => new(
        split.Split.Name(),
        split.Blended is null ? request.DatasetClass : BlendedDatasetPlan.ClassName,
        split.Blended is { } blended ? [blended.Hash] : [.. split.Datasets.Select(dataset => dataset.Hash)],
        split.Samples);

    private static double Seconds(double seconds) => Math.Round(seconds, 3);
}
