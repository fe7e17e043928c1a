using System.Runtime.ExceptionServices;

namespace IndexOperator.Indexing;

/// <summary>Reads the data of a request, several files at once.</summary>
public static class DatasetLoader
{
    /// <summary>Reads every prefix of a request.</summary>
    /// <param name="request">Names the prefixes.</param>
    /// <param name="locate">Where a prefix's files are: its path without extension on this machine.</param>
    /// <param name="options">Threads, progress and cancellation.</param>
    /// <exception cref="IndexingException">What <see cref="IndexedDatasetReader"/> throws, for the first prefix that fails.</exception>
    public static IReadOnlyDictionary<string, IndexedDataset> Load(IndexRequest request, Func<string, string> locate, BuildOptions options)
    {
        var prefixes = request.Prefixes;
        var paths = prefixes.Select(locate).ToList();
        var progress = new PhaseProgress(options.Progress, BuildPhase.ReadData, paths.Sum(IdxBytes));
        var datasets = new IndexedDataset[prefixes.Count];
        Parallelism.ForEach(options, prefixes.Count, i =>
            datasets[i] = IndexedDatasetReader.Read(prefixes[i], paths[i], progress.Advance, options.CancellationToken));
        progress.Finish();
        return datasets.ToDictionary(dataset => dataset.Prefix, StringComparer.Ordinal);
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
