using System.Text.Json;
using IndexOperator.Api;
using IndexOperator.Indexing;
using BlendEntry = IndexOperator.Api.BlendEntry;

namespace IndexOperator.Builder.CheckRun;

/// <summary>Reads the settings out of Megatron-LM's command line (<c>megatron/training/arguments.py</c>, <c>pretrain_gpt.py</c>).</summary>
internal static class MegatronRun
{
    private const long DefaultSeed = 1234;

    /// <summary>What <c>--data-path</c> without <c>--split</c> means; the blanks are part of the key.</summary>
    private const string LegacySplit = "969, 30, 1";

    private const int LastReleaseWithRampUp = 17;

    private static readonly string[] ModelParallelism = ["--tensor-model-parallel-size", "--pipeline-model-parallel-size", "--context-parallel-size"];

    /// <summary>Options of a tokenizer whose effect on the key is not known.</summary>
    private static readonly string[] OpaqueOptions =
    [
        "--tokenizer-metadata", "--legacy-tokenizer", "--use-gigatoken", "--tokenizer-sentencepiece-legacy", "--vocab-extra-ids",
        "--null-tokenizer-eod-id", "--null-tokenizer-pad-id",
    ];

    public static RunSettings Read(TrainingCommand command, RunContext context)
    {
        var arguments = command.Arguments;
        RefuseOthers(arguments);
        var (blend, perSplit) = Data(arguments, context);
        var split = arguments.Text("--split") ?? (arguments.Has("--data-path") ? LegacySplit : null);
        if (blend is not null && split is null)
        {
            throw Refused("--data-args-path goes without --split, and Megatron-LM wants one (\"split must be provided when blend is not None\"). Add --split.");
        }

        if (perSplit is not null && split is not null)
        {
            throw Refused("--split does not go with data paths for each split (\"split and blend_per_split are incompatible\"). Remove it.");
        }

        var worldSize = context.WorldSize ?? command.WorldSize;
        return new RunSettings
        {
            Framework = TrainerFramework.MegatronLM,
            Blend = blend,
            BlendPerSplit = perSplit,
            SequenceLength = arguments.Whole("--seq-length") ?? arguments.Whole("--encoder-seq-length") ?? throw Refused("--seq-length is missing: it has no default."),
            RandomSeed = arguments.Whole("--seed") ?? DefaultSeed,
            Split = split,
            DatasetClass = arguments.Has("--fim-data") ? "GPTFIMDataset" : DatasetClasses.Default,
            Surplus = arguments.Number("--mid-level-dataset-surplus") ?? 0.005,
            MultipleValidationSets = arguments.Has("--multiple-validation-sets"),
            FullValidation = arguments.Has("--full-validation"),
            Trainer = new TrainerSpec
            {
                Framework = TrainerFramework.MegatronLM,
                FrameworkVersion = context.FrameworkVersion,
                GlobalBatchSize = context.Sizes is null ? BatchSize(arguments, worldSize) : null,
                TrainIterations = arguments.Whole("--train-iters"),
                TrainSamples = arguments.Whole("--train-samples"),
                EvaluationInterval = arguments.Whole("--eval-interval"),
                EvaluationBatches = arguments.Whole("--eval-iters"),
                EvaluationGlobalBatchSize = arguments.Whole("--eval-global-batch-size"),
                StartEvaluationAt = arguments.Whole("--start-eval-at-iter"),
                FullValidation = arguments.Has("--full-validation") ? true : null,
            },
            SizesUnknown = SizesUnknown(arguments, context.MegatronCore),
            Tokenizer = Tokenizer(arguments, context.MegatronCore),
            CachePath = arguments.Text("--data-cache-path"),
            FastCacheLoad = arguments.Has("--dataloader-fast-cache-load"),
            DeferMapping = arguments.Has("--dataloader-defer-npy-index-mmap"),
            SequencesPath = arguments.Text("--per-dataset-sequences-path"),
            VocabularySize = arguments.Whole("--padded-vocab-size") ?? arguments.Whole("--vocab-size"),
            NotLookedAt = [.. arguments.Names.Where(MegatronArguments.MayMatter), .. arguments.Strays],
        };
    }

    private static void RefuseOthers(TrainingArguments arguments)
    {
        foreach (var (name, what) in new[]
        {
            ("--mock-data", "generates its data: there is no index to find"),
            ("--sft", "reads JSON lines: there is no index to find"),
            ("--perform-rl-step", "makes its data while it trains: there is no index to find"),
            ("--yaml-cfg", "reads its arguments from a file, which is not followed here: give them on the command line"),
        })
        {
            if (arguments.Has(name))
            {
                throw Refused($"{name} {what}.");
            }
        }
    }

    private static (IReadOnlyList<BlendEntry>? Blend, BlendPerSplit? PerSplit) Data(TrainingArguments arguments, RunContext context)
    {
        string[] sources = ["--data-path", "--data-args-path", "--per-split-data-args-path"];
        var perSplit = new[] { "--train-data-path", "--valid-data-path", "--test-data-path" };
        var given = sources.Where(arguments.Has).ToList();
        if (perSplit.Any(arguments.Has))
        {
            given.Add(string.Join('/', perSplit.Where(arguments.Has)));
        }

        if (given.Count != 1)
        {
            throw Refused(given.Count == 0
                ? "It names no data: without --data-path and its like Megatron-LM generates mock data, and there is no index to find."
                : $"{string.Join(" and ", given)} exclude each other (\"A single data source must be provided\").");
        }

        return given[0] switch
        {
            "--data-path" => (PathList.Parse(arguments.List("--data-path")!, "--data-path"), null),
            "--data-args-path" => (PathList.Parse(Words(context.ReadFile(arguments.Text("--data-args-path")!, "--data-args-path")), "--data-args-path"), null),
            "--per-split-data-args-path" => (null, PerSplitFile(context.ReadFile(arguments.Text("--per-split-data-args-path")!, "--per-split-data-args-path"))),
            _ => (null, new BlendPerSplit { Train = Of("--train-data-path"), Validation = Of("--valid-data-path"), Test = Of("--test-data-path") }),
        };

        IReadOnlyList<BlendEntry>? Of(string name) => arguments.List(name) is { } items ? PathList.Parse(items, name) : null;
    }

    private static BlendPerSplit PerSplitFile(string json)
    {
        const string Name = "--per-split-data-args-path";
        try
        {
            using var document = JsonDocument.Parse(json);
            IReadOnlyList<BlendEntry> Of(string split) => document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty(split, out var value)
                ? throw Refused($"{Name} names a file without \"{split}\": Megatron-LM wants train, valid and test.")
                : PathList.Parse(
                    value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String ? item.GetString()! : item.GetRawText())]
                    : value.ValueKind == JsonValueKind.String ? Words(value.GetString()!)
                    : throw Refused($"{Name} has a \"{split}\" that is neither a list nor a text."),
                    $"{Name}, {split}");
            return new BlendPerSplit { Train = Of("train"), Validation = Of("valid"), Test = Of("test") };
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw new IndexingException(FailureReason.InvalidSpec, $"The file of {Name} is no JSON: {fault.Message}", fault);
        }
    }

    private static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private static long BatchSize(TrainingArguments arguments, long? worldSize)
    {
        if (arguments.Whole("--global-batch-size") is { } size)
        {
            return size;
        }

        var micro = arguments.Whole("--micro-batch-size") ?? throw Refused("--global-batch-size and --micro-batch-size are both missing: Megatron-LM wants the second at least.");
        var processes = worldSize
            ?? throw Refused("--global-batch-size is missing, so it is --micro-batch-size times the data-parallel size, and how many processes the run has is not known here. Give --world-size N to check-run, or --global-batch-size to the run.");
        var model = ModelParallelism.Aggregate(1L, (product, name) => product * Math.Max(1, arguments.Whole(name) ?? 1));
        return processes % model == 0
            ? micro * (processes / model)
            : throw Refused($"The world size {processes} is not divisible by tensor, pipeline and context parallelism, together {model}. Give the run's --world-size.");
    }

    private static string? SizesUnknown(TrainingArguments arguments, string release)
    {
        // Later releases read --rampup-batch-size and pay no heed to it.
        var rampsUp = arguments.Has("--rampup-batch-size") && arguments.Has("--train-samples") && Minor(release) <= LastReleaseWithRampUp;
        return new[]
        {
            ("--rampup-batch-size", rampsUp),
            ("--step-batch-size-schedule", arguments.Has("--step-batch-size-schedule")),
            ("--phase-transition-iterations", arguments.Has("--phase-transition-iterations")),
            ("--skip-train", arguments.Has("--skip-train")),
        }.FirstOrDefault(setting => setting.Item2).Item1;
    }

    private static int Minor(string release) => release.StartsWith("0.", StringComparison.Ordinal) && int.TryParse(release.AsSpan(2), out var minor) ? minor : int.MaxValue;

    private static RunTokenizer Tokenizer(TrainingArguments arguments, string release) => MegatronTokenizer.Of(
        new TokenizerOptions
        {
            Type = arguments.Text("--tokenizer-type") ?? "GPT2BPETokenizer",
            Model = arguments.Text("--tokenizer-model"),
            VocabFile = arguments.Text("--vocab-file"),
            MergeFile = arguments.Text("--merge-file"),
            VocabSize = arguments.Whole("--vocab-size"),
            SpecialTokens = arguments.List("--tokenizer-special-tokens") ?? arguments.List("--special-tokens"),
            NoUseFast = arguments.Has("--tokenizer-hf-no-use-fast"),
            NoIncludeSpecialTokens = arguments.Has("--tokenizer-hf-no-include-special-tokens"),
            TrustRemoteCode = arguments.Has("--trust-remote-code"),
            ChatTemplate = arguments.Text("--chat-template"),
            Opaque = OpaqueOptions.FirstOrDefault(arguments.Has),
        },
        release);

    private static IndexingException Refused(string message) => new(FailureReason.InvalidSpec, $"The run's command line: {message}");
}
