using System.Text.Json;

namespace IndexOperator.Indexing;

/// <summary>What a request must obey before any data is looked at; the rules are Megatron's own assertions.</summary>
public static class RequestRules
{
    private const int MaxBlendedDatasets = 32766;

    /// <summary>Checks a request.</summary>
    /// <exception cref="IndexingException">InvalidSpec, naming the field and what to do.</exception>
    public static void Check(IndexRequest request)
    {
        var rules = ReleaseRules.For(request.MegatronCore);
        Require(
            rules.HasRenormalizeOption || !request.RenormalizeBlendWeights,
            $"renormalizeBlendWeights does not exist in megatronCore {request.MegatronCore}: only 0.9 and 0.10 have it. Remove it.");
        Require(
            request.DatasetClass.Length > 0 && request.DatasetClass != BlendedDatasetPlan.ClassName && request.DatasetClass.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'),
            $"datasetClass \"{request.DatasetClass}\" is no class of single datasets: it stands in file names and must be letters, digits and underscores. Write for example GPTDataset.");
        Require((request.Blend is null) != (request.BlendPerSplit is null), "Give exactly one of blend and blendPerSplit.");
        Require(request.SequenceLength is >= 1 and <= int.MaxValue, $"sequenceLength {request.SequenceLength} is out of range: 1 to 2147483647.");
        Require(request.RandomSeed is >= 0 and <= uint.MaxValue, $"randomSeed {request.RandomSeed} is out of range: 0 to 4294967295.");
        Require(
            double.IsFinite(request.MidLevelDatasetSurplus) && request.MidLevelDatasetSurplus >= 0,
            $"midLevelDatasetSurplus {request.MidLevelDatasetSurplus} is out of range: 0 or more.");
        Require(
            rules.HasSurplusOption || request.MidLevelDatasetSurplus == ReleaseRules.DefaultSurplus,
            $"midLevelDatasetSurplus cannot be chosen with megatronCore {request.MegatronCore}: it is fixed at 0.005 before 0.13. Remove it.");
        Require(
            rules.HasMultipleValidationSets || !(request.MultipleValidationSets || request.FullValidation),
            $"multipleValidationSets and fullValidation do not exist in megatronCore {request.MegatronCore}: they came with 0.14. Remove them.");
        Require(request.Blend is null || request.Split is not null, "A blend needs split, for example \"900,50,50\".");
        Require(request.BlendPerSplit is null || request.Split is null, "split goes with blend only: blendPerSplit gives each split its own files. Remove it.");
        Require(
            !request.MultipleValidationSets || request.BlendPerSplit is not null,
            "multipleValidationSets needs blendPerSplit: with one blend for all splits there is only one validation set.");
        Require(
            !request.FullValidation || request.Samples.Valid is null,
            "fullValidation reads all validation data once: remove samples.validation.");
        foreach (var split in SplitNames.All)
        {
            CheckSplit(request, split);
        }

        _ = ParseTokenizer(request.TokenizerIdentifiers);
    }

    /// <summary>Reads the tokenizer's identifiers into the value that goes into keys.</summary>
    internal static object? ParseTokenizer(string identifiers)
    {
        try
        {
            var value = PythonJson.Load(identifiers);
            Require(value is IReadOnlyList<KeyValuePair<string, object?>>, "tokenizer.identifiers must be a JSON object, as unique_identifiers is.");
            return value;
        }
        catch (JsonException fault)
        {
            throw new IndexingException(
                FailureReason.InvalidSpec,
                $"tokenizer.identifiers is no JSON: {fault.Message} Copy the \"tokenizer\" value of a description.txt that the training run wrote.",
                fault);
        }
    }

    private static void CheckSplit(IndexRequest request, Split split)
    {
        var samples = request.Samples[split];
        var entries = request.Blend ?? request.BlendPerSplit?[split];
        if (entries is null)
        {
            Require(samples is null or >= 0, $"samples of {split.Name()} is {samples}; it must be 0 or more.");
            return;
        }

        Require(entries.Count is > 0 and <= MaxBlendedDatasets, $"The blend of {split.Name()} has {entries.Count} datasets; it must have 1 to {MaxBlendedDatasets}.");
        Require(samples is null or >= 0, $"samples of {split.Name()} ({Members(entries)}) is {samples}; it must be 0 or more.");
        var weighted = entries.Count(entry => entry.Weight is not null);
        Require(weighted == 0 || weighted == entries.Count, $"The blend of {split.Name()} ({Members(entries)}) has weights on some datasets only: give all a weight or none.");
        foreach (var entry in entries)
        {
            Require(entry.Prefix.Length > 0, $"The blend of {split.Name()} has an empty prefix.");
            Require(
                !PythonFloat.IsNumber(entry.Prefix),
                $"The prefix \"{entry.Prefix}\" of {split.Name()} reads as a number in Python: in a list of paths Megatron takes it for a weight. Name the data by a path with a letter.");
            Require(
                entry.Prefix.Trim().Length == entry.Prefix.Length,
                $"The prefix \"{entry.Prefix}\" of {split.Name()} begins or ends with white space, which Megatron strips before it makes the key. Remove it.");
            Require(
                entry.Weight is null || (double.IsFinite(entry.Weight.Value) && entry.Weight > 0),
                $"The weight {entry.Weight} of {entry.Prefix} in {split.Name()} must be above 0: Megatron refuses a member that is never drawn.");
        }

        Require(
            weighted == 0 || samples is not null,
            $"The blend of {split.Name()} ({Members(entries)}) has weights but no number of samples: give samples for {split.Name()}, or remove the weights to read each dataset once.");
    }

    /// <summary>The first member by name and how many others there are: a blend can have thousands.</summary>
    internal static string Members(IReadOnlyList<BlendEntry> entries) =>
        entries.Count == 1 ? entries[0].Prefix : $"{entries[0].Prefix} and {entries.Count - 1} more";

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new IndexingException(FailureReason.InvalidSpec, message);
        }
    }
}
