using System.Numerics;

namespace IndexOperator.Indexing;

/// <summary>
/// What manifest and descriptions of a version say about its arrays: which there are, how long they are, and in which range their entries
/// lie. Shapes are those of the manifest, with which the arrays' own headers must agree. Seeds and weights are left to
/// <see cref="IndexDirectoryVerifier"/>.
/// </summary>
internal sealed class VersionContents
{
    private readonly string _version;
    private readonly IndexManifest _manifest;
    private readonly Dictionary<string, IndexFile> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, EntryCheck> _checks = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Hash, Split Split), long> _samples = [];

    /// <param name="version">The version.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="datasets">The datasets whose descriptions it has.</param>
    /// <exception cref="IndexingException">VersionCorrupt: counts do not agree.</exception>
    public VersionContents(string version, IndexManifest manifest, IReadOnlyList<CachedDataset> datasets)
    {
        _version = version;
        _manifest = manifest;
        foreach (var file in manifest.Files)
        {
            _files[file.Name] = file;
        }

        foreach (var dataset in datasets.Where(dataset => !dataset.IsBlend))
        {
            AddSingle(dataset);
        }

        foreach (var blend in datasets.Where(dataset => dataset.IsBlend))
        {
            AddBlend(blend);
        }

        CheckSplits(datasets);
    }

    /// <summary>What the entries of a file must be; null where nothing is known.</summary>
    public EntryCheck? CheckOf(IndexFile file) => _checks.GetValueOrDefault(file.Name);

    private void AddSingle(CachedDataset dataset)
    {
        var path = dataset.DatasetPath ?? throw NpyFile.Corrupt(dataset.PathOf("description.txt"), "it names no dataset_path");
        var documents = Array(dataset, "document_index.npy", 1, "<i4");
        var rows = Array(dataset, "sample_index.npy", 2, "<i4", "<i8");
        var shuffle = Array(dataset, "shuffle_index.npy", 1, "<u4", "<i8");
        var (sequenceLength, samples) = (dataset.Number("sequence_length", 1, int.MaxValue), shuffle.Shape![0]);
        if (rows.Shape![0] != samples + 1)
        {
            throw NpyFile.Corrupt(dataset.PathOf("sample_index.npy"), $"it has {rows.Shape[0]} rows, but {samples} samples are shuffled");
        }

        _samples[(dataset.Hash, dataset.Split)] = samples;
        var rules = new SampleRows(samples, documents.Shape![0], sequenceLength);
        var sequences = _manifest.Data.FirstOrDefault(data => data.Prefix == path)?.Sequences ?? int.MaxValue;
        _checks[documents.Name] = new RangeCheck<int>(sequences, "sequences of the data", isInEpochs: true);
        _checks[rows.Name] = rows.Dtype == "<i8" ? new RowCheck<long>(rules) : new RowCheck<int>(rules);
        _checks[shuffle.Name] = shuffle.Dtype == "<i8" ? new RangeCheck<long>(samples, "samples") : new RangeCheck<uint>(samples, "samples");
    }

    private void AddBlend(CachedDataset blend)
    {
        var members = Array(blend, "dataset_index.npy", 1, "<i2");
        var numbers = Array(blend, "dataset_sample_index.npy", 1, "<i8");
        var built = blend.MemberHashes
            .Select(hash => _samples.TryGetValue((hash, blend.Split), out var samples)
                ? samples
                : throw NpyFile.Corrupt(blend.PathOf("description.txt"), $"its member {hash} has no files here"))
            .ToArray();
        var weights = blend.Identity.Field("weights") is List<object?> given && given.TrueForAll(weight => weight is double or BigInteger) ? given.Count : 0;
        if (built.Length == 0 || weights != built.Length)
        {
            throw NpyFile.Corrupt(blend.PathOf("description.txt"), $"it has {weights} weights for {built.Length} members");
        }

        var size = blend.Identity.Field("size") is null ? built.Sum() : blend.Number("size", 0, long.MaxValue);
        foreach (var file in new[] { members, numbers })
        {
            if (file.Shape![0] != size)
            {
                throw NpyFile.Corrupt(Path.Combine(_version, file.Name), $"it has {file.Shape[0]} samples, but the blend has {size}");
            }
        }

        _samples[(blend.Hash, blend.Split)] = size;
        _checks[members.Name] = new RangeCheck<short>(built.Length, "members");
        _checks[numbers.Name] = new RangeCheck<long>(built.Max(), "samples of the largest member");
    }

    private void CheckSplits(IReadOnlyList<CachedDataset> datasets)
    {
        var known = datasets.Select(dataset => (dataset.ClassName, dataset.Split, dataset.Hash)).ToHashSet();
        foreach (var split in _manifest.Splits)
        {
            var samples = 0L;
            foreach (var hash in split.Hashes)
            {
                samples += SplitNames.TryParse(split.Split, out var parsed) && known.Contains((split.Class, parsed, hash))
                    ? _samples[(hash, parsed)]
                    : throw VersionVerifier.Corrupt(_version, $"its manifest gives {split.Split} the {split.Class} {hash}, which has no files here");
            }

            if (samples != split.Samples)
            {
                throw VersionVerifier.Corrupt(_version, $"its manifest gives {split.Split} {split.Samples} samples, but its arrays have {samples}");
            }
        }
    }

    private IndexFile Array(CachedDataset dataset, string what, int dimensions, params string[] dtypes)
    {
        var path = dataset.PathOf(what);
        var file = _files.GetValueOrDefault(Path.GetFileName(path)) ?? throw NpyFile.Corrupt(path, "it is missing");
        if (file.Shape?.Count != dimensions || !dtypes.Contains(file.Dtype))
        {
            throw NpyFile.Corrupt(path, $"it holds {file.Dtype} in {file.Shape?.Count ?? 0} dimensions, not {string.Join(" or ", dtypes)} in {dimensions}");
        }

        // The checks of entries rely on it.
        var header = new NpyHeader(file.Dtype!, file.Shape);
        return (dimensions == 1 || file.Shape[1] == 2) && NpyHeader.Size + (header.Items * NpyHeader.ItemSize(header.Dtype)) == file.Bytes
            ? file
            : throw NpyFile.Corrupt(path, $"it has {file.Bytes} bytes, which are not {file.Dtype} [{string.Join(", ", file.Shape)}]");
    }
}
