using IndexOperator.Api;
using IndexOperator.Api.Training;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.CheckRun;

/// <summary>Turns a run's settings into what Megatron-Core is asked for.</summary>
internal static class RunRequest
{
    /// <summary>The samples of each split.</summary>
    /// <exception cref="IndexingException">InvalidSpec: the framework refuses the settings, or they do not tell.</exception>
    public static PerSplit<long?> Samples(RunSettings run, RunContext context)
    {
        if (context.Sizes is { } given)
        {
            return new(given.Train, given.Validation, given.Test);
        }

        if (run.SizesUnknown is not null)
        {
            throw new IndexingException(
                FailureReason.InvalidSpec,
                $"The run's {run.SizesUnknown} makes its samples depend on more than is read here. Give the numbers that it prints (\"datasets target sizes\", or \"splits with sizes=\"): --sizes TRAIN,VALIDATION,TEST (- for one epoch).");
        }

        try
        {
            var (train, validation, test) = TrainerSizes.Compute(new PretrainIndexSpec
            {
                Data = new DataSpec { Blend = run.Blend, BlendPerSplit = run.BlendPerSplit },
                Dataset = new DatasetSpec { MegatronCore = context.MegatronCore, Trainer = run.Trainer },
            });
            return new(train, validation, test);
        }
        catch (TrainerRefusedException refusal)
        {
            throw new IndexingException(FailureReason.InvalidSpec, $"The run's {RunNames.Of(run.Framework, refusal.Field)} {refusal.Message}", refusal);
        }
    }

    /// <summary>The request that stands for a run.</summary>
    /// <param name="run">Its settings.</param>
    /// <param name="samples">Its samples.</param>
    /// <param name="tokenizer">Its tokenizer's identifiers.</param>
    /// <param name="built">What the resource builds: what a run cannot say is taken from there.</param>
    /// <param name="megatronCore">The release.</param>
    public static IndexRequest Create(RunSettings run, PerSplit<long?> samples, string tokenizer, IndexRequest built, string megatronCore) => new()
    {
        Blend = Entries(run.Blend),
        BlendPerSplit = run.BlendPerSplit is { } perSplit ? new(Entries(perSplit.Train), Entries(perSplit.Validation), Entries(perSplit.Test)) : null,
        SequenceLength = run.SequenceLength,
        RandomSeed = run.RandomSeed,
        Split = run.Split,
        Samples = samples,
        TokenizerIdentifiers = tokenizer,
        MegatronCore = megatronCore,
        DatasetClass = run.DatasetClass,
        RenormalizeBlendWeights = built.RenormalizeBlendWeights,
        AddExtraTokenToSequence = run.AddExtraToken ?? built.AddExtraTokenToSequence,
        DropLastPartialValidationSequence = run.DropLastPartial ?? built.DropLastPartialValidationSequence,
        MidLevelDatasetSurplus = run.Surplus,
        MultipleValidationSets = run.MultipleValidationSets,
        FullValidation = run.FullValidation,
    };

    private static List<Indexing.BlendEntry>? Entries(IReadOnlyList<Api.BlendEntry>? entries) =>
        entries?.Select(entry => new Indexing.BlendEntry(entry.Prefix!, entry.Weight)).ToList();
}
