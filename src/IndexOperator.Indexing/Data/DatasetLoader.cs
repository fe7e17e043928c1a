using System.Runtime.ExceptionServices;

namespace IndexOperator.Indexing;

/// <summary>Reads the data of a request, several files at once.</summary>
public static class DatasetLoader
{
    // Each holds a file open.
    private const int MostLeft = 16;

    /// <summary>Reads every prefix of a request.</summary>
    /// <param name="request">Names the prefixes.</param>
    /// <param name="locate">Where a prefix's files are: its path without extension on this machine.</param>
    /// <param name="options">Threads, progress and cancellation.</param>
    /// <exception cref="IndexingException">What <see cref="IndexedDatasetReader"/> throws, for the first prefix that fails.</exception>
    public static IReadOnlyDictionary<string, IndexedDataset> Load(IndexRequest request, Func<string, string> locate, BuildOptions options)
    {
        using var loaded = Begin(request, locate, options, mayLeaveRest: () => false);
        return loaded.Datasets;
    }

    /// <summary>Reads and checks every prefix of a request without keeping lengths, for a fingerprint.</summary>
    /// <param name="request">Names the prefixes.</param>
    /// <param name="locate">Where a prefix's files are: its path without extension on this machine.</param>
    /// <param name="options">Threads, progress and cancellation.</param>
    /// <exception cref="IndexingException">What <see cref="IndexedDatasetReader"/> throws, for the first prefix that fails.</exception>
    public static IReadOnlyDictionary<string, IndexedDataset> LoadWithoutLengths(IndexRequest request, Func<string, string> locate, BuildOptions options)
    {
        var prefixes = request.Prefixes;
        var paths = prefixes.Select(locate).ToList();
        var progress = new PhaseProgress(options.Progress, BuildPhase.ReadData, paths.Sum(IdxBytes));
        var read = new IndexedDataset[prefixes.Count];
        Parallelism.ForEach(options, read.Length, i =>
            read[i] = IndexedDatasetReader.ReadWithoutLengths(prefixes[i], paths[i], progress.Advance, options.CancellationToken));
        progress.Finish();
        return read.ToDictionary(dataset => dataset.Prefix, StringComparer.Ordinal);
    }

    /// <summary>Reads the lengths of every prefix, and all of most: what is left of large files can be read beside other work.</summary>
    /// <param name="request">Names the prefixes.</param>
    /// <param name="locate">Where a prefix's files are: its path without extension on this machine.</param>
    /// <param name="options">Threads, progress and cancellation.</param>
    /// <param name="mayLeaveRest">Whether anything may be left; asked only where there is a file large enough.</param>
    /// <exception cref="IndexingException">What <see cref="IndexedDatasetReader"/> throws, for the first prefix that fails.</exception>
    internal static LoadedData Begin(IndexRequest request, Func<string, string> locate, BuildOptions options, Func<bool> mayLeaveRest)
    {
        var prefixes = request.Prefixes;
        var paths = prefixes.Select(locate).ToList();
        var bytes = paths.ConvertAll(IdxBytes);
        var progress = new PhaseProgress(options.Progress, BuildPhase.ReadData, bytes.Sum());
        var left = Enumerable.Range(0, paths.Count).Where(i => bytes[i] >= options.ReadBesideFrom).OrderByDescending(i => bytes[i]).Take(MostLeft).ToHashSet();
        if (left.Count > 0 && !mayLeaveRest())
        {
            left.Clear();
        }

        var scans = new IdxScan?[prefixes.Count];
        try
        {
            Parallelism.ForEach(options, prefixes.Count, i =>
                scans[i] = IndexedDatasetReader.Begin(prefixes[i], paths[i], left.Contains(i), progress.Advance, options.CancellationToken));
        }
        catch
        {
            foreach (var scan in scans)
            {
                scan?.Dispose();
            }

            throw;
        }

        if (left.Count == 0)
        {
            progress.Finish();
        }

        return new LoadedData([.. scans.Select(scan => scan!)], options.CancellationToken);
    }

    /// <summary>Reads the headers of a request's data, which is all that a plan needs.</summary>
    /// <exception cref="IndexingException">What <see cref="IndexedDatasetReader.ReadHeaderOnly"/> throws.</exception>
    public static IReadOnlyDictionary<string, IndexedDataset> LoadHeaders(IndexRequest request, Func<string, string> locate) =>
        request.Prefixes.ToDictionary(prefix => prefix, prefix => IndexedDatasetReader.ReadHeaderOnly(prefix, locate(prefix)), StringComparer.Ordinal);

    private static long IdxBytes(string path)
    {
        var file = new FileInfo(path + ".idx");
        return file.Exists ? file.Length : 0;
    }
}

/// <summary>Data whose lengths are read, and of which the rest may still have to be.</summary>
/// <param name="scans">The files.</param>
/// <param name="cancellationToken">Stops reading.</param>
internal sealed class LoadedData(IReadOnlyList<IdxScan> scans, CancellationToken cancellationToken) : IDisposable
{
    /// <summary>The data by prefix.</summary>
    public IReadOnlyDictionary<string, IndexedDataset> Datasets { get; } = scans.Select(scan => scan.Dataset).ToDictionary(dataset => dataset.Prefix, StringComparer.Ordinal);

    /// <summary>Reads each what is left of one file; until all were called, fingerprints are not known.</summary>
    public IReadOnlyList<Action> Rest { get; } =
        [.. scans.Where(scan => !scan.IsFinished).Select(scan => new Action(() => scan.Finish(cancellationToken)))];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var scan in scans)
        {
            scan.Dispose();
        }
    }
}

/// <summary>Runs numbered pieces of work on some threads and fails with the failure itself.</summary>
internal static class Parallelism
{
    public static void ForEach(BuildOptions options, int count, Action<int> work)
    {
        try
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = options.Threads, CancellationToken = options.CancellationToken }, work);
        }
        catch (AggregateException faults)
        {
            var cause = faults.InnerExceptions.FirstOrDefault(fault => fault is not OperationCanceledException) ?? faults.InnerExceptions[0];
            ExceptionDispatchInfo.Throw(cause);
        }
    }
}
