namespace IndexOperator.Indexing;

/// <summary>
/// Checks what a cache directory says by itself, without manifest and data: keys, headers, ranges, that shuffles are
/// permutations, and that blends agree with their members.
/// </summary>
public static class IndexDirectoryVerifier
{
    /// <summary>Checks every dataset of a directory.</summary>
    /// <returns>The datasets found.</returns>
    /// <exception cref="IndexingException">VersionCorrupt naming the first fault; DataMissing when there is no index at all.</exception>
    public static IReadOnlyList<CachedDataset> Verify(string directory, BuildOptions options)
    {
        var datasets = CachedDataset.FindAll(directory);
        if (datasets.Count == 0)
        {
            throw new IndexingException(FailureReason.DataMissing, $"{directory} holds no index. Name a version directory or an index_mapping_dir.");
        }

        var samples = new long[datasets.Count];
        Parallelism.ForEach(options, datasets.Count, i =>
        {
            samples[i] = datasets[i].IsBlend ? 0 : VerifyGptDataset(datasets[i], options.CancellationToken);
        });
        var samplesByStem = datasets.Index().Where(item => !item.Item.IsBlend)
            .ToDictionary(item => (item.Item.Hash, item.Item.Split), item => samples[item.Index]);
        Parallelism.ForEach(options, datasets.Count, i =>
        {
            if (datasets[i].IsBlend)
            {
                VerifyBlend(datasets[i], samplesByStem, options.CancellationToken);
            }
        });
        return datasets;
    }

    private static long VerifyGptDataset(CachedDataset dataset, CancellationToken cancellationToken)
    {
        using var documents = Open(dataset, "document_index.npy", 1, "<i4");
        using var samples = Open(dataset, "sample_index.npy", 2, "<i4", "<i8");
        using var shuffle = Open(dataset, "shuffle_index.npy", 1, "<u4", "<i8");
        if (samples.Header.Shape[0] != shuffle.Header.Shape[0] + 1)
        {
            throw NpyFile.Corrupt(samples.Path, $"it has {samples.Header.Shape[0]} rows, but {shuffle.Header.Shape[0]} samples are shuffled");
        }

        VerifyDocuments(documents, cancellationToken);
        VerifySamples(samples, documents.Header.Items, cancellationToken);
        VerifyPermutation(shuffle, cancellationToken);
        return shuffle.Header.Items;
    }

    /// <summary>Every document of the range occurs equally often.</summary>
    private static void VerifyDocuments(NpyFile documents, CancellationToken cancellationToken)
    {
        var (lowest, highest) = (long.MaxValue, -1L);
        foreach (var document in documents.Items(cancellationToken))
        {
            (lowest, highest) = (Math.Min(lowest, document), Math.Max(highest, document));
        }

        var distinct = highest - lowest + 1;
        if (documents.Header.Items == 0)
        {
            return;
        }

        if (lowest < 0 || distinct > documents.Header.Items || documents.Header.Items % distinct != 0)
        {
            throw NpyFile.Corrupt(documents.Path, $"{documents.Header.Items} entries from {lowest} to {highest} are not whole epochs");
        }

        var epochs = documents.Header.Items / distinct;
        if (highest >= Array.MaxLength || epochs > int.MaxValue)
        {
            throw NpyFile.Corrupt(documents.Path, $"it holds {epochs} epochs of sequences up to {highest}, more than any index");
        }

        var left = new int[distinct];
        Array.Fill(left, (int)epochs);
        foreach (var document in documents.Items(cancellationToken))
        {
            if (--left[document - lowest] < 0)
            {
                throw NpyFile.Corrupt(documents.Path, $"document {document} occurs more often than others");
            }
        }
    }

    /// <summary>
    /// Positions never fall. An offset may be -1 in a row at the last document alone: releases up to 0.9 write it where a
    /// kept partial sample ends in an empty document (see <see cref="ReleaseRules.RefusesNegativeOffset"/>).
    /// </summary>
    private static void VerifySamples(NpyFile samples, long documents, CancellationToken cancellationToken)
    {
        var last = 0L;
        var item = 0L;
        foreach (var value in samples.Items(cancellationToken))
        {
            var isPosition = item % 2 == 0;
            var isSound = isPosition ? value >= last && value < Math.Max(1, documents) : value >= 0 || (value == -1 && last == documents - 1);
            if (!isSound || (item < 2 && value != 0))
            {
                throw NpyFile.Corrupt(samples.Path, $"row {item / 2} holds {value}, which is no {(isPosition ? "later position in the document index" : "token offset")}");
            }

            last = isPosition ? value : last;
            item++;
        }
    }

    private static void VerifyPermutation(NpyFile shuffle, CancellationToken cancellationToken)
    {
        // One bit a sample, in words: a runtime's own bit array ends at 2^31.
        var samples = shuffle.Header.Items;
        var seen = new ulong[(samples + 63) / 64];
        foreach (var sample in shuffle.Items(cancellationToken))
        {
            if (sample < 0 || sample >= samples || (seen[sample / 64] >> (int)(sample % 64) & 1) != 0)
            {
                throw NpyFile.Corrupt(shuffle.Path, $"sample {sample} is out of range or occurs twice, so it is no permutation");
            }

            seen[sample / 64] |= 1UL << (int)(sample % 64);
        }
    }

    private static void VerifyBlend(CachedDataset blend, Dictionary<(string Hash, Split Split), long> samplesByStem, CancellationToken cancellationToken)
    {
        using var members = Open(blend, "dataset_index.npy", 1, "<i2");
        using var numbers = Open(blend, "dataset_sample_index.npy", 1, "<i8");
        if (members.Header.Items != numbers.Header.Items)
        {
            throw NpyFile.Corrupt(numbers.Path, $"it has {numbers.Header.Items} samples, but the dataset index has {members.Header.Items}");
        }

        var built = blend.MemberHashes
            .Select(hash => samplesByStem.TryGetValue((hash, blend.Split), out var samples)
                ? samples
                : throw NpyFile.Corrupt(blend.PathOf("description.txt"), $"its member {hash} has no files here"))
            .ToArray();
        var counts = new long[built.Length];
        foreach (var (member, number) in members.Items(cancellationToken).Zip(numbers.Items(cancellationToken)))
        {
            if (member < 0 || member >= counts.Length || number != counts[member] || ++counts[member] > built[member])
            {
                throw NpyFile.Corrupt(numbers.Path, $"sample {number} of member {member} is out of turn or beyond what is built");
            }
        }
    }

    private static NpyFile Open(CachedDataset dataset, string what, int dimensions, params string[] dtypes)
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
