using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Indexing;
using BlendEntry = IndexOperator.Api.BlendEntry;

namespace IndexOperator.Builder.CheckRun;

/// <summary>
/// Reads the settings out of a NeMo 2 config: <c>PreTrainingDataModule</c> and Lightning's <c>Trainer</c>, defaults
/// included (<c>nemo/collections/llm/gpt/data/pre_training.py</c>).
/// </summary>
internal static class NeMoRun
{
    /// <summary>Lightning's ways to try a run out: they change its limits.</summary>
    private static readonly string[] ShortRuns = ["fast_dev_run", "overfit_batches"];

    private const string Tokenizers = "nemo.collections.common.tokenizers.";

    public static RunSettings Read(ConfigNode root, RunContext context)
    {
        var (data, trainer) = (root.Child("data"), root.Child("trainer"));
        var target = data.Text("_target_") ?? "";
        if (target.Contains("Mock", StringComparison.Ordinal) || (target.Length > 0 && !target.Contains("PreTraining", StringComparison.Ordinal)))
        {
            throw new IndexingException(FailureReason.InvalidSpec, $"The run's config: {data.At("_target_")} is {target}, which keeps no index of the kind that is built here. Only PreTrainingDataModule does.");
        }

        var (blend, perSplit) = Paths(data);
        var unknown = new List<string>();
        var (batches, isWhole) = ValidationLimit(trainer, unknown);
        return new RunSettings
        {
            Framework = TrainerFramework.NeMo,
            Blend = blend,
            BlendPerSplit = perSplit,
            SequenceLength = data.Whole("seq_length") ?? 2048,
            RandomSeed = data.Whole("seed") ?? 1234,
            Split = blend is null ? null : data.Has("split") ? data.Text("split") ?? throw data.Wrong("split", null, "a text such as \"900,50,50\"") : "900,50,50",
            DatasetClass = ClassName(data["dataset_cls"]) ?? DatasetClasses.Default,
            Trainer = new TrainerSpec
            {
                Framework = TrainerFramework.NeMo,
                FrameworkVersion = context.FrameworkVersion,
                GlobalBatchSize = data.Whole("global_batch_size") ?? 8,
                TrainIterations = trainer.Whole("max_steps"),
                TrainSamples = data.Whole("num_train_samples"),
                EvaluationInterval = Limit(trainer, "val_check_interval", unknown),
                EvaluationBatches = batches,
                FullValidation = isWhole ? true : null,
                TestBatches = Limit(trainer, "limit_test_batches", unknown),
                ValidationSamples = data.Whole("num_val_samples"),
                TestSamples = data.Whole("num_test_samples"),
            },
            SizesUnknown = unknown.FirstOrDefault(),
            Tokenizer = Tokenizer(root, data),
            CachePath = data.Text("index_mapping_dir"),
            NotLookedAt = [.. ShortRuns.Where(name => trainer[name]?.ToJsonString() is not (null or "false" or "0" or "0.0")).Select(trainer.At)],
        };
    }

    private static (IReadOnlyList<BlendEntry>? Blend, BlendPerSplit? PerSplit) Paths(ConfigNode data)
    {
        var place = data.At("paths");
        switch (data["paths"])
        {
            case JsonValue:
                return ([new BlendEntry { Prefix = data.Text("paths")!.Trim() }], null);
            case JsonArray list:
                var blend = PathList.Parse(data.Items("paths", list), place);

                // NeMo drops the weight of a lone path.
                return (blend is [var only] ? [only with { Weight = null }] : blend, null);
            case JsonObject mapping when !mapping.ContainsKey("_target_"):
                var paths = data.Child("paths");
                IReadOnlyList<BlendEntry> Of(string split) => paths[split] switch
                {
                    null => throw paths.Wrong(split, null, "a list of paths: NeMo wants train, validation and test"),
                    JsonArray items => PathList.Parse(paths.Items(split, items), paths.At(split)),
                    var text => throw paths.Wrong(split, text, "a list: NeMo reads a bare text letter by letter. Write [path]"),
                };
                return (null, new BlendPerSplit { Train = Of("train"), Validation = Of("validation"), Test = Of("test") });
            case var other:
                throw data.Wrong("paths", other, "a path, a list, or a mapping with train, validation and test. Path objects do not work in NeMo");
        }
    }

    /// <summary>An integer is a number of batches, whatever float above 0 up to 1 is the whole set, and nothing given is 1.0.</summary>
    private static (long? Batches, bool IsWhole) ValidationLimit(ConfigNode trainer, List<string> unknown)
    {
        if (trainer["limit_val_batches"] is JsonValue value && !value.TryGetValue<long>(out _) && trainer.Number("limit_val_batches") is { } number and > 0 and <= 1)
        {
            return (null, number > 0);
        }

        return (Limit(trainer, "limit_val_batches", unknown), false);
    }

    /// <summary>Lightning's own rule: above 1 a whole float is an integer; 1.0 is the default, which null stands for.</summary>
    private static long? Limit(ConfigNode trainer, string name, List<string> unknown)
    {
        switch (trainer[name])
        {
            case null:
                return null;
            case JsonValue value when value.TryGetValue<long>(out var whole):
                return whole;
        }

        var number = trainer.Number(name)!.Value;
        if (number == 1)
        {
            return null;
        }

        if (number is 0 or > 1 && number == Math.Floor(number))
        {
            return (long)number;
        }

        if (number is < 0 or > 1)
        {
            throw trainer.Wrong(name, trainer[name], "a number from 0.0 to 1.0 or a whole one (\"it has to be in [0.0, 1.0] or an int\")");
        }

        unknown.Add(trainer.At(name));
        return null;
    }

    private static string? ClassName(JsonNode? node)
    {
        var text = node switch
        {
            JsonValue value => value.ToString(),
            JsonObject target => (target["_target_"] ?? target["path"])?.ToString(),
            _ => null,
        };
        return text?.Split('.')[^1];
    }

    /// <summary>NeMo 2 reports nothing but the class.</summary>
    private static RunTokenizer Tokenizer(ConfigNode root, ConfigNode data)
    {
        var node = data["tokenizer"];
        if (node is null && root["tokenizer"] is JsonValue which && which.ToString() == "model")
        {
            node = (root["model"] as JsonObject)?["tokenizer"];
            if (node is null)
            {
                return new RunTokenizer(null, "the model's", null, "tokenizer: model takes the model's tokenizer, which the config does not name. NeMo reports its class only.");
            }
        }

        if (node is null)
        {
            return Of("huggingface.auto_tokenizer.AutoTokenizer");
        }

        var target = ClassName(node);
        var library = (node as JsonObject)?["library"]?.ToString();
        return (target, library) switch
        {
            ("AutoTokenizer", _) => Of("huggingface.auto_tokenizer.AutoTokenizer"),
            ("SentencePieceTokenizer", _) => Of("sentencepiece_tokenizer.SentencePieceTokenizer"),
            ("get_nmt_tokenizer" or "get_tokenizer", "huggingface") => Of("huggingface.auto_tokenizer.AutoTokenizer"),
            ("get_nmt_tokenizer", "sentencepiece" or null) => Of("sentencepiece_tokenizer.SentencePieceTokenizer"),
            ("get_nmt_tokenizer", "megatron") => Of((node as JsonObject)?["model_name"]?.ToString() == "GPTSentencePieceTokenizer"
                ? "sentencepiece_tokenizer.SentencePieceTokenizer"
                : "huggingface.auto_tokenizer.AutoTokenizer"),
            _ when FullName(node) is { } name && name.StartsWith("nemo.", StringComparison.Ordinal) && name.EndsWith("Tokenizer", StringComparison.Ordinal) =>
                new RunTokenizer($$"""{"class": {{System.Text.Json.JsonSerializer.Serialize(name, BuilderJson.Default.String)}}}""", name),
            _ => new RunTokenizer(null, FullName(node) ?? "(not named)", null, "its class is not known here. NeMo reports its class only: compare it with a description that such a run wrote."),
        };
    }

    private static string? FullName(JsonNode node) => node is JsonValue value ? value.ToString() : (node as JsonObject)?["_target_"]?.ToString();

    private static RunTokenizer Of(string name) => new($$"""{"class": "{{Tokenizers}}{{name}}"}""", Tokenizers + name);
}
