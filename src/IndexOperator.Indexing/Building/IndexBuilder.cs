using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.InteropServices;

namespace IndexOperator.Indexing;

/// <summary>Carries out a plan: computes the arrays and writes them. The bytes do not depend on the number of threads.</summary>
public sealed class IndexBuilder
{
    private readonly IndexPlan _plan;
    private readonly IIndexDirectory _directory;
    private readonly BuildOptions _options;
    private readonly ConcurrentBag<IndexFile> _files = [];

    private readonly IReadOnlyList<Action> _beside;

    private IndexBuilder(IndexPlan plan, IIndexDirectory directory, BuildOptions options, IReadOnlyList<Action> beside)
    {
        _beside = beside;
        _plan = plan;
        _directory = directory;
        _options = options;
    }

    /// <summary>Builds every file of a plan. Blends are computed, and checked for oversampling, before anything is written.</summary>
    /// <returns>The files, by name in ordinal order.</returns>
    /// <exception cref="IndexingException">OversampledBlend, InvalidSpec, or what the directory's storage throws.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static IReadOnlyList<IndexFile> Build(IndexPlan plan, IIndexDirectory directory, BuildOptions options) => Build(plan, directory, options, [], out _);

    /// <summary>The same, and beside it other work on the same threads, which is begun first; all of it is done when this returns.</summary>
    internal static IReadOnlyList<IndexFile> Build(
        IndexPlan plan, IIndexDirectory directory, BuildOptions options, IReadOnlyList<Action> beside, out TimeSpan blending)
    {
        var builder = new IndexBuilder(plan, directory, options, beside);
        var started = options.Time.GetTimestamp();
        var blends = new BlendIndex?[plan.Blends.Count];
        try
        {
            builder.ComputeBlends(blends);
            blending = options.Time.GetElapsedTime(started);
            builder.WriteAll(blends);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, "Writing the index", isWrite: true);
        }
        finally
        {
            foreach (var blend in blends)
            {
                blend?.Dispose();
            }
        }

        return [.. builder._files.OrderBy(file => file.Name, StringComparer.Ordinal)];
    }

    private void ComputeBlends(BlendIndex?[] blends)
    {
        var plans = _plan.Blends;
        var progress = new PhaseProgress(_options.Progress, BuildPhase.BlendIndex, plans.Sum(plan => plan.Size));
        Parallelism.ForEach(_options, plans.Count, i => blends[i] = BlendIndex.Compute(plans[i], progress.Advance, _options.CancellationToken));
    }

    private void WriteAll(BlendIndex?[] blends)
    {
        var progress = new PhaseProgress(_options.Progress, BuildPhase.SampleIndex, BuildUnits.In(_plan));

        // The largest first, so that no thread is left alone with one at the end.
        var datasets = _plan.Datasets.OrderByDescending(dataset => dataset.DocumentIndexLength + dataset.SampleCount).ToList();
        WorkPool.Run(
            _options.Threads,
            [
                .. _beside.Select(work => new Action<WorkPool>(_ => work())),
                .. blends.Select(blend => new Action<WorkPool>(_ =>
                {
                    WriteBlend(blend!);
                    blend!.Dispose(); // Its memory is not needed any longer.
                })),
                .. datasets.Select(dataset => new Action<WorkPool>(pool => WriteDataset(dataset, progress, pool))),
            ],
            _options.CancellationToken);
    }

    private void WriteDataset(GptDatasetPlan plan, PhaseProgress progress, WorkPool pool)
    {
        var token = _options.CancellationToken;
        void Advance(BuildPhase phase, long units)
        {
            token.ThrowIfCancellationRequested();
            progress.Advance(phase, units);
        }

        var indices = new GptIndices(plan, Advance, pool);
        _files.Add(IndexFileWriter.WriteText(_directory, plan.DescriptionFile, plan.Description, token));
        WriteDocumentsAndSamples(plan, indices, pool, Advance, token);
        if (plan.ShuffleIndexItemSize == 4)
        {
            WriteShuffle<uint>(plan, indices, Advance, token);
        }
        else
        {
            WriteShuffle<long>(plan, indices, Advance, token);
        }
    }

    /// <summary>Apart, so that the document index is free again before the shuffle index is built.</summary>
    private void WriteDocumentsAndSamples(GptDatasetPlan plan, GptIndices indices, WorkPool pool, Action<BuildPhase, long> advanced, CancellationToken token)
    {
        using var documentIndex = indices.BuildDocumentIndex();
        WorkPool.Both(
            pool,
            () =>
            {
                if (plan.SampleIndexItemSize == 4)
                {
                    WriteSamples<int>(plan, indices, documentIndex, token);
                }
                else
                {
                    WriteSamples<long>(plan, indices, documentIndex, token);
                }
            },
            () => _files.Add(IndexFileWriter.WriteArray(_directory, plan.DocumentIndexFile, documentIndex, token, items => advanced(BuildPhase.DocumentIndex, items * BuildUnits.WrittenDocument))));
    }

    private void WriteSamples<TNumber>(GptDatasetPlan plan, GptIndices indices, NativeBuffer<int> documentIndex, CancellationToken token)
        where TNumber : unmanaged, INumberBase<TNumber> =>
        _files.Add(IndexFileWriter.Write(
            _directory,
            plan.SampleIndexFile,
            sink => indices.WalkSamples<TNumber>(documentIndex, rows => sink(MemoryMarshal.AsBytes(rows))),
            token));

    private void WriteShuffle<TNumber>(GptDatasetPlan plan, GptIndices indices, Action<BuildPhase, long> advanced, CancellationToken token)
        where TNumber : unmanaged, INumberBase<TNumber>
    {
        using var shuffleIndex = indices.BuildShuffleIndex<TNumber>();
        _files.Add(IndexFileWriter.WriteArray(_directory, plan.ShuffleIndexFile, shuffleIndex, token, items => advanced(BuildPhase.ShuffleIndex, items * BuildUnits.WrittenSample)));
    }

    private void WriteBlend(BlendIndex blend)
    {
        var token = _options.CancellationToken;
        _files.Add(IndexFileWriter.WriteArray(_directory, blend.Plan.DatasetIndexFile, blend.Members, token));
        _files.Add(IndexFileWriter.Write(_directory, blend.Plan.DatasetSampleIndexFile, sink => WriteSampleNumbers(blend, sink), token));
        _files.Add(IndexFileWriter.WriteText(_directory, blend.Plan.DescriptionFile, blend.Plan.Description, token));
    }

    private static void WriteSampleNumbers(BlendIndex blend, IndexFileWriter.Sink sink)
    {
        var counts = new long[blend.Plan.Members.Count];
        var block = new long[1 << 16];
        for (var first = 0L; first < blend.Members.Length; first += block.Length)
        {
            var members = blend.Members.Slice(first, (int)Math.Min(block.Length, blend.Members.Length - first));
            for (var i = 0; i < members.Length; i++)
            {
                block[i] = counts[members[i]]++;
            }

            sink(MemoryMarshal.AsBytes(block.AsSpan(0, members.Length)));
        }
    }
}
