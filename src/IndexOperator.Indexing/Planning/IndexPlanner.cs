namespace IndexOperator.Indexing;

/// <summary>
/// Decides from a request and the data's lengths which datasets, keys and files a cache has. Pure; follows
/// <c>blended_megatron_dataset_builder.py</c>, <c>_build_blended_dataset_splits</c>, branch for branch.
/// </summary>
public sealed class IndexPlanner
{
    /// <summary>Entries of one array that no machine holds in memory; below it all sizes in bytes stay within 64 bits.</summary>
    private const long MaxEntries = 1L << 40;

    private readonly IndexRequest _request;
    private readonly IReadOnlyDictionary<string, IndexedDataset> _data;
    private readonly ReleaseRules _rules;
    private readonly object? _tokenizer;
    private readonly SplitMatrix? _matrix;
    private readonly Dictionary<(string Prefix, Split Split, long? NumSamples), GptDatasetPlan> _datasets = [];

    private IndexPlanner(IndexRequest request, IReadOnlyDictionary<string, IndexedDataset> data)
    {
        _request = request;
        _data = data;
        _rules = ReleaseRules.For(request.MegatronCore);
        _tokenizer = RequestRules.ParseTokenizer(request.TokenizerIdentifiers);
        _matrix = request.Blend is null ? null : SplitMatrix.Parse(request.Split!, RequestRules.Members(request.Blend));
    }

    /// <summary>Plans a cache.</summary>
    /// <param name="request">What to build.</param>
    /// <param name="data">The data of every prefix that the request names.</param>
    /// <exception cref="IndexingException">InvalidSpec or EmptySplit.</exception>
    public static IndexPlan Create(IndexRequest request, IReadOnlyDictionary<string, IndexedDataset> data)
    {
        RequestRules.Check(request);
        var planner = new IndexPlanner(request, data);
        var splits = SplitNames.All.Select(planner.PlanSplit).OfType<PlannedSplit>().ToList();
        return new IndexPlan
        {
            Request = request,
            Data = [.. request.Prefixes.Select(prefix => data[prefix])],
            Splits = splits,
            Datasets = [.. splits.SelectMany(split => split.Datasets).DistinctBy(dataset => (dataset.Hash, dataset.Split))],
        };
    }

    private PlannedSplit? PlanSplit(Split split)
    {
        var entries = _request.Blend ?? _request.BlendPerSplit?[split];
        if (entries is null || _matrix?.Has(split) == false)
        {
            return null;
        }

        var size = _request.Samples[split];
        var isWeighted = entries[0].Weight is not null;

        // With one blend for all splits a lone prefix with a weight is a blend of one; with a blend per split it is not.
        var isSingle = entries.Count == 1 && (!isWeighted || _matrix is null);
        var isList = _matrix is null && _request.MultipleValidationSets && split == Split.Valid;
        if (isSingle || isList)
        {
            return new PlannedSplit(split, null, [.. entries.Select(entry => PlanSingle(entry.Prefix, split, size))]);
        }

        var blended = isWeighted ? PlanWeighted(entries, split, size!.Value) : PlanUnweighted(entries, split, size);
        return new PlannedSplit(split, blended, blended.Members);
    }

    private GptDatasetPlan PlanSingle(string prefix, Split split, long? numSamples)
    {
        var dataset = PlanDataset(prefix, split, numSamples);
        return dataset.SampleCount >= (numSamples ?? 0)
            ? dataset
            : throw new IndexingException(
                FailureReason.InvalidSpec,
                $"{split.Name()} of {prefix} asks for {numSamples} samples, but Megatron's single-precision count gives {dataset.SampleCount}. " +
                $"Ask for {dataset.SampleCount} or fewer, or set dropLastPartialValidationSequence.");
    }

    private BlendedDatasetPlan PlanWeighted(IReadOnlyList<BlendEntry> entries, Split split, long wanted)
    {
        CheckLength(wanted, MaxEntries, "samples", $"{split.Name()} of {RequestRules.Members(entries)}");
        var weights = NumpySum.Normalize(entries.Select(entry => entry.Weight!.Value).ToArray());
        if (!weights.All(weight => weight > 0 && double.IsFinite(weight)))
        {
            throw new IndexingException(FailureReason.InvalidSpec, $"The weights of {split.Name()} ({RequestRules.Members(entries)}) do not add up to a usable number. Give weights of like size.");
        }

        var samples = weights.Select(weight => _rules.MemberSamples(wanted, weight, _request.MidLevelDatasetSurplus)).ToList();
        var members = entries.Zip(samples, (entry, sample) => PlanDataset(entry.Prefix, split, sample.Built)).ToList();
        var size = samples.Sum(sample => sample.Target);
        if (_request.RenormalizeBlendWeights && size == 0)
        {
            throw new IndexingException(
                FailureReason.InvalidSpec,
                $"The blend of {split.Name()} ({RequestRules.Members(entries)}) has no samples to take renormalizeBlendWeights from, and Megatron fails on weights of 0/0. Ask for at least one sample, or switch it off.");
        }

        var shares = _request.RenormalizeBlendWeights ? samples.ConvertAll(sample => (double)sample.Target / size).ToArray() : weights;
        return Blend(split, members, shares, size);
    }

    private BlendedDatasetPlan PlanUnweighted(IReadOnlyList<BlendEntry> entries, Split split, long? size)
    {
        var members = entries.Select(entry => PlanDataset(entry.Prefix, split, null)).ToList();
        if (members.Find(member => member.SampleCount == 0) is { } empty)
        {
            throw new IndexingException(
                FailureReason.EmptySplit,
                $"{split.Name()} of {empty.Data.Prefix} has {empty.TokensPerEpoch} tokens, not enough for one sample of {empty.SequenceLength}, " +
                "and Megatron refuses a blend with such a member. Remove it from the blend, or give the split a larger share.");
        }

        var lengths = members.ConvertAll(member => member.SampleCount);
        var total = lengths.Sum();
        return size is { } wanted
            ? Blend(split, members, lengths.ConvertAll(length => (double)length).ToArray(), Math.Min(wanted, total))
            : Seal(split, members, [], total, UniqueDescription.OfBlendedDataset(_request, split, members, lengths.Cast<object?>(), null));
    }

    private BlendedDatasetPlan Blend(Split split, List<GptDatasetPlan> members, double[] weights, long size)
    {
        // BlendedDataset normalises what it is given, even when that is normalised already: the last digits can move.
        var normalized = NumpySum.Normalize(weights);
        return Seal(split, members, normalized, size, UniqueDescription.OfBlendedDataset(_request, split, members, normalized.Cast<object?>(), size));
    }

    private static BlendedDatasetPlan Seal(
        Split split,
        List<GptDatasetPlan> members,
        double[] weights,
        long size,
        List<KeyValuePair<string, object?>> identity)
    {
        CheckLength(size, MaxEntries, "samples", $"The {split.Name()} blend of {members[0].Data.Prefix} and others");
        var description = PythonJson.Dump(identity);
        return new BlendedDatasetPlan
        {
            Split = split,
            Members = members,
            Weights = weights,
            IsExhaustive = weights.Length == 0,
            Size = size,
            Identity = identity,
            Description = description,
            Hash = UniqueDescription.Hash(description),
        };
    }

    private GptDatasetPlan PlanDataset(string prefix, Split split, long? numSamples)
    {
        var key = (prefix, split, numSamples);
        if (_datasets.TryGetValue(key, out var known))
        {
            return known;
        }

        var data = _data[prefix];
        var name = $"{split.Name()} of {prefix}";
        var (begin, end) = (_matrix ?? SplitMatrix.Whole).Range(split, data.SequenceCount);
        var tokens = data.TokensIn(begin, end);
        var extra = _request.AddExtraTokenToSequence ? 1 : 0;
        var dropLast = split != Split.Valid || _request.DropLastPartialValidationSequence;
        var identity = UniqueDescription.OfGptDataset(_request, prefix, split, numSamples, _matrix, _tokenizer);
        var description = PythonJson.Dump(identity);
        var plan = new GptDatasetPlan
        {
            ClassName = _request.DatasetClass,
            Data = data,
            Split = split,
            NumSamples = numSamples,
            BeginSequence = begin,
            EndSequence = Math.Max(begin, end),
            TokensPerEpoch = tokens,
            Epochs = EpochPlan.Create(tokens, numSamples, _request.SequenceLength, extra, dropLast, name),
            SequenceLength = _request.SequenceLength,
            ExtraTokens = extra,
            RandomSeed = (uint)_request.RandomSeed,
            Identity = identity,
            Description = description,
            Hash = UniqueDescription.Hash(description),
            Rules = _rules,
        };
        CheckLength((Int128)(plan.EndSequence - plan.BeginSequence) * plan.Epochs.NumEpochs, MaxEntries, "document index entries", name);
        CheckLength(plan.SampleCount, MaxEntries, "samples", name);
        if (plan.DocumentIndexLength > _rules.LongestDocumentIndex)
        {
            throw new IndexingException(
                FailureReason.InvalidSpec,
                $"{name} would have {plan.DocumentIndexLength} document index entries, but Megatron-Core {_request.MegatronCore} counts them in 32 bits " +
                $"and would write wrong samples after {_rules.LongestDocumentIndex}. Ask for fewer samples, cut the data into several datasets, or train with 0.8 or later.");
        }

        _datasets.Add(key, plan);
        return plan;
    }

    private static void CheckLength(Int128 length, long limit, string what, string name)
    {
        if (length > limit)
        {
            throw new IndexingException(
                FailureReason.InvalidSpec,
                $"{name} would have {length} {what}, more than the {limit} that this builder handles. Ask for fewer samples, or cut the data into several datasets.");
        }
    }
}
