using System.Numerics;

namespace IndexOperator.Indexing;

/// <summary>
/// Checks the three arrays of a single dataset. The document index and the shuffle index follow from the seed and are
/// computed again; the sample index follows from the data, and without it must be one that some data gives.
/// </summary>
internal sealed class GptDatasetVerifier : IDisposable
{
    private readonly CachedDataset _dataset;
    private readonly PhaseProgress _progress;
    private readonly CancellationToken _cancellationToken;
    private readonly NpyFile _documents;
    private readonly NpyFile _samples;
    private readonly NpyFile _shuffle;
    private readonly long _sequenceLength;
    private readonly uint _seed;

    private GptDatasetVerifier(CachedDataset dataset, PhaseProgress progress, CancellationToken cancellationToken)
    {
        _dataset = dataset;
        _progress = progress;
        _cancellationToken = cancellationToken;
        _sequenceLength = dataset.Number("sequence_length", 1, int.MaxValue);
        _seed = (uint)dataset.Number("random_seed", 0, uint.MaxValue);
        _documents = IndexDirectoryVerifier.Open(dataset, "document_index.npy", 1, "<i4");
        try
        {
            _samples = IndexDirectoryVerifier.Open(dataset, "sample_index.npy", 2, "<i4", "<i8");
            _shuffle = IndexDirectoryVerifier.Open(dataset, "shuffle_index.npy", 1, "<u4", "<i8");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private long SampleCount => _shuffle.Header.Items;

    /// <summary>Checks one dataset.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="load">Reads the data of a prefix; null for data that is not at hand.</param>
    /// <param name="progress">Told the bytes read.</param>
    /// <param name="cancellationToken">Stops the check.</param>
    /// <returns>Its samples.</returns>
    /// <exception cref="IndexingException">VersionCorrupt naming file and entry.</exception>
    public static long Verify(CachedDataset dataset, Func<string, IndexedDataset?> load, PhaseProgress progress, CancellationToken cancellationToken)
    {
        using var verifier = new GptDatasetVerifier(dataset, progress, cancellationToken);
        verifier.Verify(load);
        return verifier.SampleCount;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _documents.Dispose();
        _samples?.Dispose();
        _shuffle?.Dispose();
    }

    private void Verify(Func<string, IndexedDataset?> load)
    {
        var path = _dataset.DatasetPath ?? throw NpyFile.Corrupt(_dataset.PathOf("description.txt"), "it names no dataset_path");
        if (_samples.Header.Shape[0] != SampleCount + 1)
        {
            throw NpyFile.Corrupt(_samples.Path, $"it has {_samples.Header.Shape[0]} rows, but {SampleCount} samples are shuffled");
        }

        var (sequences, epochs) = FindEpochs();
        var samplesSansFinal = CheckRows((epochs - 1) * (sequences.End - sequences.Begin));
        var isSeparate = CheckShuffles(sequences, epochs, samplesSansFinal);
        if (load(path) is { } data)
        {
            CheckAgainst(data, sequences, new EpochPlan(epochs, isSeparate, samplesSansFinal, SampleCount));
        }
    }

    /// <summary>The range of sequences and how often it occurs.</summary>
    private ((long Begin, long End) Sequences, long Epochs) FindEpochs()
    {
        var (lowest, lowestAt, highest, highestAt, entry) = (long.MaxValue, 0L, -1L, 0L, 0L);
        foreach (var document in _documents.Items(_cancellationToken))
        {
            (lowest, lowestAt) = document < lowest ? (document, entry) : (lowest, lowestAt);
            (highest, highestAt) = document > highest ? (document, entry) : (highest, highestAt);
            entry++;
        }

        if (entry == 0)
        {
            return ((0, 0), 1);
        }

        var distinct = highest - lowest + 1;
        return lowest >= 0 && entry % distinct == 0
            ? ((lowest, highest + 1), entry / distinct)
            : throw NpyFile.Corrupt(_documents.Path, $"its {entry} entries are not whole epochs of the sequences from {lowest} (entry {lowestAt}) to {highest} (entry {highestAt})");
    }

    /// <summary>Each row can follow the one before it.</summary>
    /// <returns>The last sample that begins before <paramref name="finalEpoch"/>, which is how many samples the earlier epochs give.</returns>
    private long CheckRows(long finalEpoch)
    {
        var rules = new SampleRows(SampleCount, _documents.Header.Items, _sequenceLength);
        var (last, row, sansFinal) = ((Position: 0L, Offset: 0L), 0L, 0L);
        using var numbers = _samples.Items(_cancellationToken, items => _progress.Advance(items * NpyHeader.ItemSize(_samples.Header.Dtype))).GetEnumerator();
        for (; numbers.MoveNext(); row++)
        {
            var position = numbers.Current;
            numbers.MoveNext();
            var next = (Position: position, Offset: numbers.Current);
            if (row == 0 ? next != (0, 0) : !rules.MayFollow(row, next, last))
            {
                throw NpyFile.Corrupt(_samples.Path, rules.Describe(row, next, last));
            }

            last = next;
            sansFinal = position < finalEpoch ? row : sansFinal;
        }

        return sansFinal;
    }

    /// <summary>The document index and the shuffle index are those of the seed, with the final epoch apart or not.</summary>
    /// <returns>Whether the final epoch is apart.</returns>
    private bool CheckShuffles((long Begin, long End) sequences, long epochs, long samplesSansFinal)
    {
        (bool IsShuffle, long Entry, long Found, long Expected) furthest = (false, -1, 0, 0);
        for (var isSeparate = false; ; isSeparate = true)
        {
            var epochPlan = new EpochPlan(epochs, isSeparate, isSeparate ? samplesSansFinal : 0, SampleCount);
            var plan = PlanOf(PartialPlan.NoData(_dataset.DatasetPath!), sequences, epochPlan, extraTokens: 1);
            var (file, entry, found, expected) = FirstDifference(plan);
            if (file is null)
            {
                _progress.Advance((_documents.Header.Items * sizeof(int)) + (SampleCount * NpyHeader.ItemSize(_shuffle.Header.Dtype)));
                return isSeparate;
            }

            // Of two explanations the one that reaches further is right.
            if ((file == _shuffle, entry).CompareTo((furthest.IsShuffle, furthest.Entry)) > 0)
            {
                furthest = (file == _shuffle, entry, found, expected);
            }

            if (isSeparate || epochs == 1 || samplesSansFinal > SampleCount)
            {
                throw NpyFile.Corrupt(
                    (furthest.IsShuffle ? _shuffle : _documents).Path,
                    $"entry {furthest.Entry} is {furthest.Found}, but with seed {_seed} it is {furthest.Expected}");
            }
        }
    }

    private (NpyFile? File, long Entry, long Found, long Expected) FirstDifference(GptDatasetPlan plan)
    {
        var indices = new GptIndices(plan, (_, _) => _cancellationToken.ThrowIfCancellationRequested());
        using (var documents = indices.BuildDocumentIndex())
        {
            if (FirstDifference(_documents, documents) is { } difference)
            {
                return difference;
            }
        }

        using var shuffle = indices.BuildShuffleIndex<long>();
        return FirstDifference(_shuffle, shuffle) ?? default;
    }

    private (NpyFile? File, long Entry, long Found, long Expected)? FirstDifference<T>(NpyFile file, NativeBuffer<T> expected)
        where T : unmanaged, INumberBase<T>
    {
        var entry = 0L;
        foreach (var found in file.Items(_cancellationToken))
        {
            var wanted = long.CreateTruncating(expected[entry]);
            if (found != wanted)
            {
                return (file, entry, found, wanted);
            }

            entry++;
        }

        return null;
    }

    /// <summary>
    /// The sample index is the one of the data. The key does not tell whether samples have an extra token and whether a
    /// last partial one is dropped, so what fits one of the choices fits.
    /// </summary>
    private void CheckAgainst(IndexedDataset data, (long Begin, long End) sequences, EpochPlan found)
    {
        var range = Matrix().Range(_dataset.Split, data.SequenceCount);
        var isEmpty = sequences.End == sequences.Begin && range.End <= range.Begin;
        if (!isEmpty && range != sequences)
        {
            throw NotOfData(_documents, data, $"it holds the sequences {sequences.Begin} to {sequences.End}, but the split has {range.Begin} to {range.End} of {data.SequenceCount}");
        }

        long? samples = _dataset.Identity.Field("num_samples") is null ? null : _dataset.Number("num_samples", 0, long.MaxValue / 4);
        var tokens = data.TokensIn(range.Begin, range.End);
        IndexingException? failure = null;
        foreach (var (extra, isDropped) in (ReadOnlySpan<(int, bool)>)[(1, true), (1, false), (0, true), (0, false)])
        {
            if (Epochs(tokens, samples, extra, isDropped) is not { } epochs || epochs.NumEpochs != found.NumEpochs || epochs.SampleCount != found.SampleCount)
            {
                continue;
            }

            if (FirstWrongRow(PlanOf(data, sequences, found, extra)) is not { } wrong)
            {
                return;
            }

            failure ??= NotOfData(_samples, data, wrong);
        }

        throw failure ?? NotOfData(_samples, data, $"it has {found.SampleCount} samples from {found.NumEpochs} epochs, which {tokens} tokens do not give");
    }

    private SplitMatrix Matrix()
    {
        try
        {
            return _dataset.Identity.Field("split") is string text ? SplitMatrix.Parse(text) : SplitMatrix.Whole;
        }
        catch (IndexingException failure)
        {
            throw NpyFile.Corrupt(_dataset.PathOf("description.txt"), failure.Message);
        }
    }

    private EpochPlan? Epochs(long tokens, long? samples, int extra, bool isDropped)
    {
        try
        {
            return EpochPlan.Create(tokens, samples, _sequenceLength, extra, isDropped, _dataset.Hash);
        }
        catch (IndexingException)
        {
            return null; // These choices give no index at all.
        }
    }

    private string? FirstWrongRow(GptDatasetPlan plan)
    {
        var indices = new GptIndices(plan, (_, _) => _cancellationToken.ThrowIfCancellationRequested());
        using var documents = indices.BuildDocumentIndex();
        using var found = _samples.Items(_cancellationToken).GetEnumerator();
        string? wrong = null;
        var row = 0L;
        indices.WalkSamples<long>(documents, rows =>
        {
            for (var i = 0; i < rows.Length && wrong is null; i += 2, row++)
            {
                found.MoveNext();
                var position = found.Current;
                found.MoveNext();
                if (position != rows[i] || found.Current != rows[i + 1])
                {
                    wrong = $"row {row} is ({position}, {found.Current}), but the data gives ({rows[i]}, {rows[i + 1]})";
                }
            }
        });
        return wrong;
    }

    private GptDatasetPlan PlanOf(IndexedDataset data, (long Begin, long End) sequences, EpochPlan epochs, int extraTokens) => PartialPlan.Of(_dataset.ClassName, _dataset.Split, _dataset.Hash, data) with
    {
        BeginSequence = sequences.Begin,
        EndSequence = sequences.End,
        Epochs = epochs,
        SequenceLength = _sequenceLength,
        ExtraTokens = extraTokens,
        RandomSeed = _seed,
    };

    private static IndexingException NotOfData(NpyFile file, IndexedDataset data, string cause) => new(
        FailureReason.VersionCorrupt,
        $"{file.Path} does not belong to {data.Path}.idx: {cause}. Either the file is damaged or the data changed after it was built; move the cache away once nothing uses it, and build again.");
}
