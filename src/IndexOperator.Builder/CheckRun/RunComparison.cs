using System.Globalization;
using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.CheckRun;

/// <summary>
/// Compares a run with a resource: the keys that Megatron-Core would compute for both decide, the settings explain. What is
/// no part of a key but of the bytes, and where the run looks, count too.
/// </summary>
internal sealed class RunComparison(RunSettings run, RunContext context, PretrainIndex resource, IndexRequest built)
{
    private const int MostMissing = 3;

    private readonly List<RunDifference> _differences = [];
    private readonly List<string> _warnings = [.. run.Warnings];

    /// <summary>What the run would build, once compared; null where its data differs.</summary>
    public IndexPlan? Wanted { get; private set; }

    /// <summary>Compares.</summary>
    /// <param name="load">Reads the headers of the resource's data.</param>
    /// <exception cref="IndexingException">InvalidSpec: the run's settings cannot be read or are refused by its framework. Or the data's.</exception>
    public RunReport Compare(Func<IReadOnlyDictionary<string, IndexedDataset>> load)
    {
        var samples = RunRequest.Samples(run, context);
        var tokenizer = TokenizerMatch.Of(
            context.TokenizerIdentifiers is { } given ? new RunTokenizer(given, "--tokenizer") : run.Tokenizer,
            built.TokenizerIdentifiers);
        var asked = RunRequest.Create(run, samples, tokenizer.Identifiers, built, context.MegatronCore);
        CompareSettings(asked, tokenizer);
        var contents = ContentDifferences(asked);

        IReadOnlyList<RunSplit> splits = [];
        IReadOnlyList<DescriptionMatch> missing = [];
        var isBuilt = false;
        if (asked.Prefixes.All(built.Prefixes.Contains))
        {
            var data = load();
            var plan = IndexPlanner.Create(built, data);
            Wanted = Plan(asked, data);
            (splits, missing) = Wanted is null ? ([], []) : Find(Wanted, plan);
            isBuilt = Wanted is not null && splits.All(split => split.Found == split.Datasets);
            DropIdleSamples();
        }

        // Settings that differ without a difference in the keys do not matter: more samples than an unweighted blend has, say.
        var elsewhere = CachePathDifference();
        RunDifference[] shown = [.. isBuilt ? [] : _differences, .. contents, .. elsewhere];
        var isHit = isBuilt && contents.Count == 0 && elsewhere.Count == 0;
        if (tokenizer.Warning is not null)
        {
            _warnings.Add(tokenizer.Warning);
        }

        RunHazards.Add(_warnings, run, isHit, built, resource.Spec.Cache.MountPath);
        return new RunReport(isHit, resource.Metadata.Name, run.Framework.ToString(), splits, shown, isBuilt || _differences.Count > 0 ? [] : missing, _warnings, run.NotLookedAt);
    }

    /// <summary>What the run would build; null, and told, where Megatron itself refuses it: such a run finds nothing either.</summary>
    private IndexPlan? Plan(IndexRequest asked, IReadOnlyDictionary<string, IndexedDataset> data)
    {
        try
        {
            return IndexPlanner.Create(asked, data);
        }
        catch (IndexingException fault)
        {
            _warnings.Add($"the run asks for what Megatron-Core refuses: {fault.Message}");
            return null;
        }
    }

    private static (IReadOnlyList<RunSplit> Splits, IReadOnlyList<DescriptionMatch> Missing) Find(IndexPlan wanted, IndexPlan plan)
    {
        var there = plan.Datasets.Select(dataset => (dataset.Split, dataset.ClassName, dataset.Hash))
            .Concat(plan.Blends.Select(blend => (blend.Split, ClassName: BlendedDatasetPlan.ClassName, blend.Hash)))
            .ToHashSet();
        var splits = new List<RunSplit>();
        var missing = new List<string>();
        foreach (var split in wanted.Splits)
        {
            var keys = split.Datasets.Select(dataset => (dataset.Split, dataset.ClassName, dataset.Hash, dataset.Description)).ToList();
            if (split.Blended is { } blend)
            {
                keys.Insert(0, (blend.Split, BlendedDatasetPlan.ClassName, blend.Hash, blend.Description));
            }

            keys = [.. keys.DistinctBy(key => (key.Split, key.ClassName, key.Hash))];
            var lost = keys.Where(key => !there.Contains((key.Split, key.ClassName, key.Hash))).ToList();
            missing.AddRange(lost.Select(key => key.Description));
            splits.Add(new RunSplit(split.Split.Name(), wanted.Request.Samples[split.Split], keys.Count, keys.Count - lost.Count));
        }

        return (splits, [.. missing.Take(MostMissing).Select(text => DescriptionComparison.Compare(DescriptionComparison.Parse(text, "the run"), plan))]);
    }

    private void CompareSettings(IndexRequest asked, TokenizerMatch tokenizer)
    {
        CompareData();
        CompareValue("sequence length", "sequenceLength", asked.SequenceLength, built.SequenceLength);
        CompareValue("seed", "randomSeed", asked.RandomSeed, built.RandomSeed);
        CompareValue("dataset class", "datasetClass", asked.DatasetClass, built.DatasetClass);
        CompareValue("split", "split", Quoted(asked.Split), Quoted(built.Split));
        foreach (var (split, name) in new[] { (Split.Train, "train"), (Split.Valid, "validation"), (Split.Test, "test") })
        {
            CompareSamples(name, asked.Samples[split], built.Samples[split]);
        }

        if (HasWeights(asked) && HasWeights(built))
        {
            CompareValue("surplus", "midLevelDatasetSurplus", PythonFloat.Repr(asked.MidLevelDatasetSurplus), PythonFloat.Repr(built.MidLevelDatasetSurplus));
        }

        CompareValue("several validation sets", "multipleValidationSets", asked.MultipleValidationSets, built.MultipleValidationSets);
        if (context.MegatronCore != built.MegatronCore)
        {
            _differences.Add(new("release", context.MegatronCore, built.MegatronCore, "--megatron-core", "spec.dataset.megatronCore", $"Set spec.dataset.megatronCore to \"{context.MegatronCore}\"."));
        }

        if (tokenizer.Difference is var (asks, builds))
        {
            Differ("tokenizer", "tokenizer", asks, builds, "Give spec.dataset.tokenizer what the run's tokenizer reports: index-builder tokenizer --from a description that such a run wrote prints it.");
        }
    }

    private void CompareData()
    {
        var data = resource.Spec.Data;
        if (run.Blend is null != data.Blend is null)
        {
            _differences.Add(new(
                "data",
                run.Blend is null ? "data for each split" : "one blend for all splits",
                data.Blend is null ? "data for each split" : "one blend for all splits",
                RunNames.Of(run.Framework, run.Blend is null ? "blendPerSplit" : "blend"),
                $"spec.data.{(data.Blend is null ? "blendPerSplit" : "blend")}",
                $"Use spec.data.{(run.Blend is null ? "blendPerSplit, without dataset.split" : "blend, with dataset.split")}, as the run does."));
            return;
        }

        if (run.Blend is not null)
        {
            CompareBlend("data", "blend", "spec.data.blend", run.Blend, data.Blend);
            return;
        }

        var (asks, builds) = (run.BlendPerSplit!, data.BlendPerSplit!);
        CompareBlend("train data", "blendPerSplit", "spec.data.blendPerSplit.train", asks.Train, builds.Train);
        CompareBlend("validation data", "blendPerSplit", "spec.data.blendPerSplit.validation", asks.Validation, builds.Validation);
        CompareBlend("test data", "blendPerSplit", "spec.data.blendPerSplit.test", asks.Test, builds.Test);
    }

    private void CompareBlend(string title, string setting, string field, IReadOnlyList<Api.BlendEntry>? asks, IReadOnlyList<Api.BlendEntry>? builds)
    {
        // What the run does not read it does not miss.
        if (asks is null || (builds is not null && BlendsEqual(asks, builds)))
        {
            return;
        }

        var (left, right) = (asks.Select(entry => entry.Prefix).ToList(), (builds ?? []).Select(entry => entry.Prefix).ToList());
        var stranger = left.Find(prefix => !right.Contains(prefix));
        var likely = stranger is null ? null : right.Find(prefix => Path.GetFileName(prefix) == Path.GetFileName(stranger));
        var advice = likely is not null ? $"The run reads {stranger}, the resource {likely}: the path's spelling is part of the key. Mount the data where the run expects it (spec.data.mountPath) and write the prefix so, or change the run's path."
            : stranger is not null ? $"The run reads {stranger}, which the resource does not index. Add it to {field}, or remove it from the run."
            : !left.ToHashSet().SetEquals(right) || left.Count != right.Count ? $"The resource indexes other datasets than the run reads. Give {field} the run's list."
            : !left.SequenceEqual(right) ? $"The order of the datasets is part of the key. Give {field} the run's order."
            : $"Give {field} the run's weights, on all datasets or on none.";
        _differences.Add(new(title, PathList.Describe(asks), PathList.Describe(builds), RunNames.Of(run.Framework, setting), field, advice));
    }

    /// <summary>Weights are normalised before they count: 70 and 30 may be 0.7 and 0.3, which the keys decide.</summary>
    private static bool BlendsEqual(IReadOnlyList<Api.BlendEntry> left, IReadOnlyList<Api.BlendEntry> right)
    {
        const double Tolerance = 1e-9;
        if (!left.Select(entry => entry.Prefix).SequenceEqual(right.Select(entry => entry.Prefix)) || left[0].Weight is null != right[0].Weight is null)
        {
            return false;
        }

        var (sum, other) = (left.Sum(entry => entry.Weight ?? 1), right.Sum(entry => entry.Weight ?? 1));
        return left.Zip(right).All(pair => Math.Abs(((pair.First.Weight ?? 1) / sum) - ((pair.Second.Weight ?? 1) / other)) < Tolerance);
    }

    private void CompareSamples(string split, long? asks, long? builds)
    {
        if (asks == builds)
        {
            return;
        }

        var trainer = resource.Spec.Dataset.Trainer;
        var field = trainer is null ? $"spec.dataset.samples.{split}" : "spec.dataset.trainer";
        var advice = trainer is null
            ? asks is null ? $"Remove {field}: the run reads one epoch." : $"Set {field} to {asks}, or change the run."
            : $"Give spec.dataset.trainer the run's settings, or write spec.dataset.samples.{split}: {Shown(asks)} instead.";
        Differ($"{split} samples", $"samples.{split}", Shown(asks), Shown(builds), advice, field);
    }

    private void CompareValue<T>(string title, string setting, T asks, T builds)
    {
        if (!EqualityComparer<T>.Default.Equals(asks, builds))
        {
            var (run, built) = (Text(asks), Text(builds));
            Differ(title, setting, run, built, $"Set spec.dataset.{setting} to {run}{(setting == "split" ? ": its text is part of the key, blanks included" : "")}, or change the run.");
        }
    }

    private void Differ(string title, string setting, string asks, string builds, string advice, string? field = null) =>
        _differences.Add(new(title, asks, builds, RunNames.Of(run.Framework, setting), field ?? $"spec.dataset.{setting}", advice));

    /// <summary>Settings that Megatron leaves out of its keys: the files would be found, and hold other samples.</summary>
    private List<RunDifference> ContentDifferences(IndexRequest asked)
    {
        var found = new List<RunDifference>();
        foreach (var (setting, asks, builds) in new[]
        {
            ("addExtraTokenToSequence", asked.AddExtraTokenToSequence, built.AddExtraTokenToSequence),
            ("dropLastPartialValidationSequence", asked.DropLastPartialValidationSequence, built.DropLastPartialValidationSequence),
        })
        {
            if (asks != builds)
            {
                found.Add(new(
                    setting,
                    Text(asks),
                    Text(builds),
                    RunNames.Of(run.Framework, setting),
                    $"spec.dataset.{setting}",
                    $"It is no part of the key: the run would find files with other samples than it expects. Set spec.dataset.{setting} to {Text(asks)}, or change the run."));
            }
        }

        return found;
    }

    private List<RunDifference> CachePathDifference()
    {
        var mountPath = resource.Spec.Cache.MountPath;
        if (run.CachePath is { } path && (path == mountPath || path.TrimEnd('/') == mountPath))
        {
            return [];
        }

        var argument = RunNames.Of(run.Framework, "cachePath");
        var beside = run.CachePath is null ? "beside the data, and keeps no blend at all" : $"in {run.CachePath}";
        return [new(
            "cache path",
            run.CachePath ?? "(not given)",
            mountPath,
            argument,
            "spec.cache.mountPath",
            $"The run looks for its index {beside}. Set {argument} to {mountPath}{(run.Framework == TrainerFramework.MegatronLM ? $" (in pods that use the index: ${InjectedNames.MegatronVariable})" : $" (in pods that use the index: ${InjectedNames.NeMoVariable})")}.")];
    }

    /// <summary>Samples of a split that the run has no data for do not matter to it.</summary>
    private void DropIdleSamples()
    {
        foreach (var (split, name) in new[] { (Split.Train, "train"), (Split.Valid, "validation"), (Split.Test, "test") })
        {
            if (Wanted?.Splits.All(planned => planned.Split != split) == true)
            {
                _differences.RemoveAll(difference => difference.Setting == $"{name} samples");
            }
        }
    }

    private static bool HasWeights(IndexRequest request) =>
        (request.Blend ?? request.BlendPerSplit?.Train ?? request.BlendPerSplit?.Valid ?? request.BlendPerSplit?.Test)?[0].Weight is not null;

    private static string Shown(long? samples) => samples?.ToString(CultureInfo.InvariantCulture) ?? "one epoch";

    private static string Quoted(string? text) => text is null ? "(none)" : $"\"{text}\"";

    private static string Text<T>(T value) => value switch
    {
        bool flag => flag ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value?.ToString() ?? "(none)",
    };
}
