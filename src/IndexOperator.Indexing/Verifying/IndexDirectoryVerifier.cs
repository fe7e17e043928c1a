using System.Collections.Concurrent;

namespace IndexOperator.Indexing;

/// <summary>
/// Checks what a cache directory says by itself, without a manifest: keys, headers and ranges, that every shuffle is the
/// one of its seed, and that every blend follows from its weights and members. What only the data can tell, the exact
/// token offsets of a sample index, is checked when the data is at hand.
/// </summary>
public static class IndexDirectoryVerifier
{
    /// <summary>Checks every dataset of a directory. Takes the time and memory of a build.</summary>
    /// <param name="directory">A version, or a bare <c>index_mapping_dir</c>.</param>
    /// <param name="options">Threads, progress and cancellation.</param>
    /// <param name="load">Reads the data of a prefix; null checks without data.</param>
    /// <returns>The datasets found.</returns>
    /// <exception cref="IndexingException">VersionCorrupt naming the first fault; DataMissing when there is no index at all, and what <paramref name="load"/> throws.</exception>
    public static IReadOnlyList<CachedDataset> Verify(string directory, BuildOptions options, Func<string, IndexedDataset>? load = null)
    {
        var datasets = CachedDataset.FindAll(directory);
        if (datasets.Count == 0)
        {
            throw new IndexingException(FailureReason.DataMissing, $"{directory} holds no index. Name a version directory or an index_mapping_dir.");
        }

        var data = new ConcurrentDictionary<string, Lazy<IndexedDataset>>(StringComparer.Ordinal);
        IndexedDataset? Load(string prefix) => load is null ? null : data.GetOrAdd(prefix, key => new Lazy<IndexedDataset>(() => load(key))).Value;

        // Arrays are read once or twice; bytes are what they have in common.
        var progress = new PhaseProgress(options.Progress, BuildPhase.Verify, new DirectoryInfo(directory).EnumerateFiles("*.npy").Sum(file => file.Length));
        var samples = new long[datasets.Count];
        Parallelism.ForEach(options, datasets.Count, i =>
        {
            samples[i] = datasets[i].IsBlend ? 0 : GptDatasetVerifier.Verify(datasets[i], Load, progress, options.CancellationToken);
        });
        var samplesByStem = datasets.Index().Where(item => !item.Item.IsBlend)
            .ToDictionary(item => (item.Item.Hash, item.Item.Split), item => samples[item.Index]);
        Parallelism.ForEach(options, datasets.Count, i =>
        {
            if (datasets[i].IsBlend)
            {
                BlendVerifier.Verify(datasets[i], samplesByStem, progress, options.CancellationToken);
            }
        });
        return datasets;
    }

    /// <summary>Opens an array and checks its type.</summary>
    internal static NpyFile Open(CachedDataset dataset, string what, int dimensions, params string[] dtypes)
    {
        var file = NpyFile.Open(dataset.PathOf(what));
        if (file.Header.Shape.Count == dimensions && dtypes.Contains(file.Header.Dtype))
        {
            return file;
        }

        file.Dispose();
        throw NpyFile.Corrupt(file.Path, $"it holds {file.Header.Dtype} in {file.Header.Shape.Count} dimensions, not {string.Join(" or ", dtypes)} in {dimensions}");
    }
}
