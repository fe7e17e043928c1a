using IndexOperator.Api;
using IndexOperator.Api.Training;
using IndexOperator.Indexing;
using EngineEntry = IndexOperator.Indexing.BlendEntry;

namespace IndexOperator.Builder;

/// <summary>Turns the resource that <c>kubectl apply</c> takes into what the engine builds.</summary>
public static class RequestMapping
{
    /// <summary>Reads a manifest and checks every rule of its spec.</summary>
    /// <exception cref="IndexingException">InvalidSpec, listing what is wrong.</exception>
    public static PretrainIndex Read(string path)
    {
        string text;
        try
        {
            text = path == "-" ? Console.In.ReadToEnd() : File.ReadAllText(path);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw new IndexingException(FailureReason.InvalidSpec, $"The manifest {path} cannot be read: {fault.Message} Name the PretrainIndex YAML with -f.", fault);
        }

        try
        {
            var resource = PretrainIndexYaml.Parse(text);
            var errors = PretrainIndexValidation.Validate(resource.Spec);
            return errors.Count == 0 ? resource : throw new IndexingException(FailureReason.InvalidSpec, string.Join("\n", errors));
        }
        catch (ManifestException fault)
        {
            throw new IndexingException(FailureReason.InvalidSpec, $"{path}: {fault.Message}", fault);
        }
    }

    /// <summary>The engine's request for a spec that <see cref="PretrainIndexValidation"/> has no complaint about.</summary>
    /// <exception cref="IndexingException">InvalidSpec: the release or an option of it is not supported.</exception>
    public static IndexRequest ToRequest(PretrainIndexSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var dataset = spec.Dataset;
        return new IndexRequest
        {
            Blend = Entries(spec.Data.Blend),
            BlendPerSplit = spec.Data.BlendPerSplit is { } perSplit
                ? new(Entries(perSplit.Train), Entries(perSplit.Validation), Entries(perSplit.Test))
                : null,
            SequenceLength = dataset.SequenceLength ?? 0,
            RandomSeed = dataset.RandomSeed,
            Split = dataset.Split,
            Samples = Samples(spec),
            TokenizerIdentifiers = TokenizerPresets.Resolve(dataset).Identifiers ?? "",
            MegatronCore = dataset.MegatronCore,
            DatasetClass = dataset.DatasetClass,
            RenormalizeBlendWeights = dataset.RenormalizeBlendWeights,
            AddExtraTokenToSequence = dataset.AddExtraTokenToSequence,
            DropLastPartialValidationSequence = dataset.DropLastPartialValidationSequence,
            MidLevelDatasetSurplus = dataset.MidLevelDatasetSurplus,
            MultipleValidationSets = dataset.MultipleValidationSets,
            FullValidation = dataset.FullValidation,
        };
    }

    private static PerSplit<long?> Samples(PretrainIndexSpec spec)
    {
        if (spec.Dataset.Trainer is null)
        {
            var samples = spec.Dataset.Samples;
            return new(samples?.Train, samples?.Validation, samples?.Test);
        }

        var (train, validation, test) = TrainerSizes.Compute(spec);
        return new(train, validation, test);
    }

    private static List<EngineEntry>? Entries(IReadOnlyList<Api.BlendEntry>? entries) =>
        entries?.Select(entry => new EngineEntry(entry.Prefix!, entry.Weight)).ToList();
}
