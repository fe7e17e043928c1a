using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.CheckRun;

/// <summary>Settings that make a run start faster and that trust the index to be whole and right.</summary>
internal static class RunHazards
{
    private const long LargestShortVocabulary = 65536;

    public static void Add(List<string> warnings, RunSettings run, bool isHit, IndexRequest built, string mountPath)
    {
        var isBridge = run.Framework == TrainerFramework.MegatronBridge;
        var (fast, defer, sequences) = isBridge
            ? ("dataset.fast_cache_load", "dataset.defer_npy_index_mmap", "dataset.per_dataset_sequences_path")
            : ("--dataloader-fast-cache-load", "--dataloader-defer-npy-index-mmap", "--per-dataset-sequences-path");
        if (run.FastCacheLoad)
        {
            if (run.Blend is not null)
            {
                warnings.Add($"{fast} refuses one blend for all splits: it needs data for each split.");
            }

            if (!isHit)
            {
                warnings.Add($"{fast} looks for nothing and opens every file at once: on a miss every rank fails with FileNotFoundError. Leave it out until check-run says HIT.");
            }
        }

        if (run.DeferMapping)
        {
            if (!isHit)
            {
                warnings.Add($"{defer} opens files at the first sample: on a miss the data loader's workers fail with FileNotFoundError, after the model was loaded. Leave it out until check-run says HIT.");
            }

            if (!built.DropLastPartialValidationSequence)
            {
                warnings.Add($"{defer} computes lengths in another precision than the index was built with: with dropLastPartialValidationSequence false the last validation sample can be missing.");
            }
        }

        if (run.SequencesPath is { } path)
        {
            var own = $"{mountPath}/{CacheLayout.PerDatasetSequences}";
            if (path != own)
            {
                warnings.Add($"{sequences} is {path}, whose counts are not compared with the data, neither here nor by the run. The version has its own: {own}.");
            }

            if (isBridge)
            {
                warnings.Add($"{sequences} leaves the type of the tokens unset in Megatron-Bridge. Leave it out, or try it with a few samples first.");
            }
            else if (run.VocabularySize is not > LargestShortVocabulary)
            {
                warnings.Add($"{sequences} takes the tokens for 16 bits wide up to a vocabulary of {LargestShortVocabulary}: leave it out if the data was written with 32 bits (index-builder inspect tells).");
            }
        }
    }
}
