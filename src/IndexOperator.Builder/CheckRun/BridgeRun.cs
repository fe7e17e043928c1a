using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Indexing;
using BlendEntry = IndexOperator.Api.BlendEntry;

namespace IndexOperator.Builder.CheckRun;

/// <summary>Reads the settings out of a Megatron-Bridge <c>ConfigContainer</c> (<c>megatron/bridge/training/config.py</c>).</summary>
internal static class BridgeRun
{
    private static readonly string[] OtherDatasets = ["SFT", "Mock", "Energon", "HF", "Finetuning", "Provider"];

    public static RunSettings Read(ConfigNode root, RunContext context)
    {
        var (dataset, train, validation) = (root.Child("dataset"), root.Child("train"), root.Child("validation"));
        var target = dataset.Text("_target_") ?? "";
        if (OtherDatasets.Any(name => target.Split('.')[^1].Contains(name, StringComparison.Ordinal)))
        {
            throw new IndexingException(FailureReason.InvalidSpec, $"The run's config: {dataset.At("_target_")} is {target}, which keeps no index of the kind that is built here. Only GPTDatasetConfig does.");
        }

        var (blend, perSplit) = Data(dataset);
        var split = dataset.Text("split");
        if ((blend is null) != (split is null))
        {
            throw dataset.Wrong("split", dataset["split"], blend is null ? "null: split and blend_per_split are incompatible" : "a text such as \"9999,8,2\" (\"split must be provided when blend is not None\")");
        }

        return new RunSettings
        {
            Framework = TrainerFramework.MegatronBridge,
            Blend = blend,
            BlendPerSplit = perSplit,
            SequenceLength = dataset.Whole("seq_length") ?? dataset.Whole("sequence_length") ?? throw dataset.Wrong("seq_length", null, "a whole number"),
            RandomSeed = dataset.Whole("random_seed") ?? throw dataset.Wrong("random_seed", null, "a whole number: Megatron-Bridge has no default for it"),
            Split = split,
            DatasetClass = target.EndsWith("GPTFIMDatasetConfig", StringComparison.Ordinal) ? "GPTFIMDataset" : DatasetClasses.Default,
            Surplus = dataset.Number("mid_level_dataset_surplus") ?? 0.005,
            MultipleValidationSets = dataset.Flag("multiple_validation_sets") == true,
            AddExtraToken = dataset.Flag("add_extra_token_to_sequence"),
            DropLastPartial = dataset.Flag("drop_last_partial_validation_sequence"),
            Trainer = new TrainerSpec
            {
                Framework = TrainerFramework.MegatronBridge,
                FrameworkVersion = context.FrameworkVersion,
                GlobalBatchSize = train.Whole("global_batch_size"),
                TrainIterations = train.Whole("train_iters"),
                TrainSamples = train.Whole("train_samples"),

                // The deprecated fields below train win, even over explicit new ones.
                EvaluationInterval = train.Whole("eval_interval") ?? validation.Whole("eval_interval"),
                EvaluationBatches = train.Whole("eval_iters") ?? validation.Whole("eval_iters"),
                EvaluationGlobalBatchSize = validation.Whole("eval_global_batch_size"),
            },
            Tokenizer = Tokenizer(root.Child("tokenizer"), context.MegatronCore),
            CachePath = dataset.Text("path_to_cache"),
            FastCacheLoad = dataset.Flag("fast_cache_load") == true,
            DeferMapping = dataset.Flag("defer_npy_index_mmap") == true,
            SequencesPath = dataset.Text("per_dataset_sequences_path"),
            VocabularySize = root.Child("tokenizer").Whole("vocab_size") ?? root.Child("model").Whole("vocab_size"),
            Warnings = dataset.Flag("full_validation") == true
                ? [$"{dataset.At("full_validation")} has no effect on what Megatron-Bridge asks for: the validation samples are those of eval_iters and eval_interval."]
                : [],
        };
    }

    private static (IReadOnlyList<BlendEntry>? Blend, BlendPerSplit? PerSplit) Data(ConfigNode dataset)
    {
        if (dataset["blend"] is { } given)
        {
            return (Pair(dataset, "blend", given), null);
        }

        if (dataset["data_path"] is { } path)
        {
            // The documented short form, read as Megatron-LM reads --data-path.
            var items = path is JsonArray ? dataset.Items("data_path", path) : dataset.Text("data_path")!.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            return (PathList.Parse(items, dataset.At("data_path")), null);
        }

        if (dataset["blend_per_split"] is JsonArray and [var train, var valid, var test] && (train ?? valid ?? test) is not null)
        {
            IReadOnlyList<BlendEntry>? Of(JsonNode? node) => node is null ? null : Pair(dataset, "blend_per_split", node);
            return (null, new BlendPerSplit { Train = Of(train), Validation = Of(valid), Test = Of(test) });
        }

        throw new IndexingException(
            FailureReason.InvalidSpec,
            $"The run's config: {dataset.At("blend")}, data_path and blend_per_split name no data (blend_per_split has three entries). Without them the run generates mock data, and there is no index to find.");
    }

    /// <summary>Paths and weights as they are: nothing strips or converts them here.</summary>
    private static IReadOnlyList<BlendEntry> Pair(ConfigNode dataset, string name, JsonNode given)
    {
        if (given is not JsonArray { Count: 1 or 2 } pair || pair[0] is not JsonArray { Count: > 0 })
        {
            throw dataset.Wrong(name, given, "a list of paths and a list of weights or null: [[path, …], [weight, …]]");
        }

        var paths = dataset.Items(name, pair[0]);
        var weights = pair.Count == 2 && pair[1] is not null ? dataset.Items(name, pair[1]) : null;
        if (weights is not null && weights.Count != paths.Count)
        {
            throw dataset.Wrong(name, given, "as many weights as paths");
        }

        return weights is null
            ? [.. paths.Select(path => new BlendEntry { Prefix = path })]
            : PathList.Parse([.. weights.Zip(paths).SelectMany(item => new[] { item.First, item.Second })], dataset.At(name));
    }

    private static RunTokenizer Tokenizer(ConfigNode tokenizer, string release)
    {
        var kwargs = tokenizer.Child("hf_tokenizer_kwargs");
        return MegatronTokenizer.Of(
            new TokenizerOptions
            {
                Type = tokenizer.Text("tokenizer_type"),
                Model = tokenizer.Text("tokenizer_model"),
                VocabFile = tokenizer.Text("vocab_file"),
                MergeFile = tokenizer.Text("merge_file"),
                VocabSize = tokenizer.Whole("vocab_size"),
                SpecialTokens = tokenizer["special_tokens"] is { } tokens ? tokenizer.Items("special_tokens", tokens) : null,
                NoUseFast = tokenizer.Flag("tokenizer_hf_no_use_fast") == true || kwargs.Flag("use_fast") == false,
                NoIncludeSpecialTokens = tokenizer.Flag("tokenizer_hf_no_include_special_tokens") == true || kwargs.Flag("include_special_tokens") == false,
                TrustRemoteCode = tokenizer.Flag("trust_remote_code") == true || kwargs.Flag("trust_remote_code") == true,
                ChatTemplate = tokenizer.Text("chat_template"),
                Opaque = tokenizer["metadata_path"] is not null ? tokenizer.At("metadata_path")
                    : tokenizer["chat_template_path"] is not null ? tokenizer.At("chat_template_path")
                    : tokenizer.Flag("use_gigatoken") == true ? tokenizer.At("use_gigatoken")
                    : tokenizer["sp_tokenizer_kwargs"] is JsonObject { Count: > 0 } ? tokenizer.At("sp_tokenizer_kwargs")
                    : kwargs.Fields.Select(field => field.Key).FirstOrDefault(name => name is not ("use_fast" or "trust_remote_code" or "include_special_tokens")) is { } other ? kwargs.At(other)
                    : null,
            },
            release);
    }
}
