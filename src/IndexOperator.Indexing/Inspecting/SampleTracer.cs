using System.Text.Json;

namespace IndexOperator.Indexing;

/// <summary>
/// Follows samples through a cache as training does: dataset index, shuffle index, sample index, document index
/// (<c>blended_dataset.py</c>, <c>__getitem__</c>; <c>gpt_dataset.py</c>, <c>_query_document_sample_shuffle_indices</c>).
/// </summary>
public sealed class SampleTracer
{
    private readonly CachedDataset _top;
    private readonly Dictionary<(string Hash, Split Split), CachedDataset> _datasets;
    private readonly Func<string, string> _locate;
    private readonly int _extraTokens;
    private readonly IBuildProgress? _progress;
    private readonly Dictionary<string, IndexedDataset> _data = new(StringComparer.Ordinal);

    private SampleTracer(CachedDataset top, IReadOnlyList<CachedDataset> datasets, Func<string, string> locate, int extraTokens, IBuildProgress? progress)
    {
        _top = top;
        _datasets = datasets.ToDictionary(dataset => (dataset.Hash, dataset.Split));
        _locate = locate;
        _extraTokens = extraTokens;
        _progress = progress;
    }

    /// <summary>Opens what a split's training code would open.</summary>
    /// <param name="directory">A version, or a bare <c>index_mapping_dir</c>.</param>
    /// <param name="split">The split.</param>
    /// <param name="hash">Key of the dataset to follow; needed only where the directory has several for the split.</param>
    /// <param name="locate">Where a prefix's files are: its path without extension on this machine.</param>
    /// <param name="progress">Told how reading an <c>.idx</c> goes on.</param>
    /// <exception cref="IndexingException">InvalidSpec: none or several datasets fit; VersionCorrupt: the cache is damaged.</exception>
    public static SampleTracer Open(string directory, Split split, string? hash, Func<string, string> locate, IBuildProgress? progress = null)
    {
        var datasets = CachedDataset.FindAll(directory);
        var manifest = File.Exists(Path.Combine(directory, CacheLayout.Manifest)) ? VersionVerifier.ReadManifest(directory) : null;
        var candidates = Candidates(datasets, manifest, split, hash);
        return candidates.Count == 1
            ? new SampleTracer(candidates[0], datasets, locate, ExtraTokens(manifest), progress)
            : throw new IndexingException(
                FailureReason.InvalidSpec,
                candidates.Count == 0
                    ? $"{directory} has no {split.Name()} dataset{(hash is null ? "" : " " + hash)}. Choose another --split."
                    : $"{directory} has {candidates.Count} {split.Name()} datasets: choose one with --dataset ({string.Join(", ", candidates.Take(5).Select(candidate => candidate.Hash))}).");
    }

    /// <summary>Traces one sample.</summary>
    /// <param name="sample">Number of the sample, from 0.</param>
    /// <exception cref="IndexingException">InvalidSpec: there is no such sample; VersionCorrupt; DataMissing; DataCorrupt.</exception>
    public SampleTrace Trace(long sample)
    {
        if (!_top.IsBlend)
        {
            return Trace(_top, sample, sample, null);
        }

        using var members = NpyFile.Open(_top.PathOf("dataset_index.npy"));
        using var numbers = NpyFile.Open(_top.PathOf("dataset_sample_index.npy"));
        CheckSample(sample, members.Header.Items);
        var member = members[sample];
        var hashes = _top.MemberHashes;
        return member >= 0 && member < hashes.Count && _datasets.TryGetValue((hashes[(int)member], _top.Split), out var dataset)
            ? Trace(dataset, numbers[sample], sample, member)
            : throw NpyFile.Corrupt(members.Path, $"sample {sample} comes from member {member}, which has no files here");
    }

    /// <summary>The tokens of a trace, as bytes of the <c>.bin</c> file.</summary>
    /// <returns>The tokens' type and their bytes, little-endian.</returns>
    /// <exception cref="IndexingException">DataMissing, DataCorrupt or PermissionDenied.</exception>
    public (TokenType Type, byte[] Bytes) ReadTokens(SampleTrace trace)
    {
        var data = Data(trace.Prefix);
        var size = data.TokenType.ItemSize;
        try
        {
            using var bin = File.OpenHandle(data.Path + ".bin");
            var bytes = new byte[trace.Tokens * size];
            var filled = 0;
            foreach (var segment in trace.Segments)
            {
                var first = LengthSums.Of(data.SequenceLengths.AsSpan(0, (int)segment.Sequence)).Sum + segment.Offset;
                filled += RandomAccess.Read(bin, bytes.AsSpan(filled, (int)segment.Length * size), first * size);
            }

            return (data.TokenType, bytes);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Reading {data.Path}.bin", isWrite: false);
        }
    }

    private SampleTrace Trace(CachedDataset dataset, long number, long sample, long? member)
    {
        using var documents = NpyFile.Open(dataset.PathOf("document_index.npy"));
        using var samples = NpyFile.Open(dataset.PathOf("sample_index.npy"));
        using var shuffle = NpyFile.Open(dataset.PathOf("shuffle_index.npy"));
        CheckSample(number, shuffle.Header.Items);
        var prefix = dataset.DatasetPath ?? throw NpyFile.Corrupt(dataset.PathOf("description.txt"), "it names no dataset_path");
        var lengths = Data(prefix).SequenceLengths;
        var shuffled = shuffle[number];
        var (begin, beginOffset) = (samples[2 * shuffled], samples[(2 * shuffled) + 1]);
        var (end, endOffset) = (samples[(2 * shuffled) + 2], samples[(2 * shuffled) + 3]);
        var segments = new List<SampleSegment>();
        for (var position = begin; position <= end; position++)
        {
            var sequence = documents[position];
            if (sequence < 0 || sequence >= lengths.Length)
            {
                throw NpyFile.Corrupt(documents.Path, $"it names sequence {sequence}, but the data has {lengths.Length}: the data is not what was indexed");
            }

            var offset = position == begin ? beginOffset : 0;
            var stop = position == end ? endOffset + _extraTokens : lengths[sequence];
            if (offset < 0 || stop > lengths[sequence] || stop < offset)
            {
                throw NpyFile.Corrupt(samples.Path, $"sample {shuffled} takes tokens {offset} to {stop} of sequence {sequence}, which has {lengths[sequence]}: the data is not what was indexed");
            }

            segments.Add(new SampleSegment(position, sequence, offset, stop - offset));
        }

        return new SampleTrace(
            dataset.Split.Name(), sample, _top.IsBlend ? _top.Hash : null, member, number, dataset.Hash, prefix, shuffled, segments.Sum(segment => segment.Length), segments);
    }

    private IndexedDataset Data(string prefix)
    {
        if (!_data.TryGetValue(prefix, out var data))
        {
            var path = _locate(prefix);
            var (done, total) = (0L, new FileInfo(path + ".idx") is { Exists: true } file ? file.Length : 0);
            data = IndexedDatasetReader.Read(prefix, path, read => _progress?.Report(BuildPhase.ReadData, done += read, total));
            _data.Add(prefix, data);
        }

        return data;
    }

    private static void CheckSample(long sample, long count)
    {
        if (sample < 0 || sample >= count)
        {
            throw new IndexingException(FailureReason.InvalidSpec, $"There is no sample {sample}: the dataset has {count}, counted from 0.");
        }
    }

    private static List<CachedDataset> Candidates(IReadOnlyList<CachedDataset> datasets, IndexManifest? manifest, Split split, string? hash)
    {
        var ofSplit = datasets.Where(dataset => dataset.Split == split).ToList();
        if (hash is not null)
        {
            return ofSplit.FindAll(dataset => dataset.Hash == hash);
        }

        if (manifest is not null)
        {
            var top = manifest.Splits.Where(described => described.Split == split.Name()).SelectMany(described => described.Hashes).ToHashSet(StringComparer.Ordinal);
            return ofSplit.FindAll(dataset => top.Contains(dataset.Hash));
        }

        var members = ofSplit.SelectMany(dataset => dataset.MemberHashes).ToHashSet(StringComparer.Ordinal);
        return ofSplit.FindAll(dataset => !members.Contains(dataset.Hash));
    }

    private static int ExtraTokens(IndexManifest? manifest) =>
        manifest?.Parameters.TryGetProperty("addExtraTokenToSequence", out var extra) == true && extra.ValueKind == JsonValueKind.False ? 0 : 1;
}
