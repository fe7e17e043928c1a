using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using IndexOperator.Builder.CheckRun;
using BlendEntry = IndexOperator.Indexing.BlendEntry;

namespace IndexOperator.Builder.Tests;

/// <summary>
/// Hits proven against what the real frameworks wrote: for every cache of the golden suite whose sizes a command line or a
/// config can ask for, such a run is written, found to be a hit, and its keys are the names of the real files.
/// </summary>
public sealed class CheckRunGoldenTests : IDisposable
{
    private const int FewestCases = 40;
    private const int FewestCommandLines = 20;

    private static readonly string[] SizeNames = ["train", "valid", "test"];
    private static readonly string[] PerSplitArguments = ["--train-data-path", "--valid-data-path", "--test-data-path"];

    private readonly Workspace _workspace = new();

    public static TheoryData<string> Cases
    {
        get
        {
            var names = Directory.GetDirectories(GoldenManifests.Root).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);
            return [.. names.Where(name => IsExpressible(GoldenManifests.Read(name)))];
        }
    }

    public static TheoryData<string> CommandLineCases => [.. Cases.Select(name => name.Data).Where(name => CommandLine(GoldenManifests.Read(name)) is not null)];

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void Enough_of_the_suite_can_be_asked_for() => Assert.True(Cases.Count >= FewestCases && CommandLineCases.Count >= FewestCommandLines, $"{Cases.Count}, {CommandLineCases.Count}");

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_run_that_asks_for_what_Megatron_cached_is_a_hit_and_names_its_files(string name)
    {
        var golden = GoldenManifests.Read(name);
        GoldenManifests.CopyData(_workspace, name, golden);
        File.WriteAllText(_workspace["index.yaml"], GoldenManifests.Manifest(name, golden).ToJsonString());
        File.WriteAllText(_workspace["tokenizer.json"], golden.GetProperty("tokenizer").GetProperty("unique_identifiers").GetRawText());
        var runs = new List<RunCheckInput> { Input(name) with { Config = NeMo(golden) } };
        if (CommandLine(golden) is { } words)
        {
            runs.Add(Input(name) with { Words = words });
        }

        foreach (var input in runs.Where(input => input.Config is null || HasNeMoForm(golden)))
        {
            var (report, plan) = RunCheck.WithPlan(input);
            Assert.True(report.Hit, report.Describe());
            var cached = Directory.EnumerateFiles(Path.Combine(GoldenManifests.Root, name, "cache")).Select(path => Path.GetFileName(path)).ToHashSet(StringComparer.Ordinal);
            Assert.NotEmpty(plan!.Files);
            Assert.All(plan.Files, file => Assert.Contains(file.Name, cached));
        }
    }

    [Theory]
    [MemberData(nameof(CommandLineCases))]
    public void The_same_run_with_another_seed_finds_nothing(string name)
    {
        var golden = GoldenManifests.Read(name);
        GoldenManifests.CopyData(_workspace, name, golden);
        File.WriteAllText(_workspace["index.yaml"], GoldenManifests.Manifest(name, golden).ToJsonString());
        File.WriteAllText(_workspace["tokenizer.json"], golden.GetProperty("tokenizer").GetProperty("unique_identifiers").GetRawText());
        var report = RunCheck.Of(Input(name) with { Words = [.. CommandLine(golden)!, "--seed", "77"] });
        Assert.False(report.Hit);
        Assert.All(report.Splits, split => Assert.Equal(0, split.Found));
        Assert.Equal(["seed"], report.Differences.Select(difference => difference.Setting));
    }

    private RunCheckInput Input(string name) => new()
    {
        Resource = _workspace["index.yaml"],
        Maps = [$"/data/{name}={_workspace["corpus"]}"],
        Tokenizer = _workspace["tokenizer.json"],
    };

    private static bool IsExpressible(JsonElement golden)
    {
        var (sizes, config) = (golden.GetProperty("sizes"), golden.GetProperty("config"));
        return golden.GetProperty("expect").GetString() == "ok"
            && SizeNames.All(split => sizes.GetProperty(split).ValueKind == JsonValueKind.Number)
            && sizes.GetProperty("train").GetInt64() > 0
            && golden.GetProperty("dataset_class").GetString() == "GPTDataset"
            && config.GetProperty("full_validation").ValueKind != JsonValueKind.True;
    }

    /// <summary>NeMo has no surplus and no several validation sets, wants all splits, and drops the weight of a lone path.</summary>
    private static bool HasNeMoForm(JsonElement golden)
    {
        var config = golden.GetProperty("config");
        return config.GetProperty("mid_level_dataset_surplus").GetDouble() == 0.005
            && config.GetProperty("multiple_validation_sets").ValueKind != JsonValueKind.True
            && (config.GetProperty("blend").ValueKind == JsonValueKind.Null
                ? config.GetProperty("blend_per_split").EnumerateArray().All(blend => blend.ValueKind == JsonValueKind.Array)
                : Entries(config.GetProperty("blend")) is not [{ Weight: not null }]);
    }

    /// <summary>A batch of one: the numbers of steps are the numbers of samples.</summary>
    private string NeMo(JsonElement golden)
    {
        var (sizes, config) = (golden.GetProperty("sizes"), golden.GetProperty("config"));
        var (train, valid, test) = (sizes.GetProperty("train").GetInt64(), sizes.GetProperty("valid").GetInt64(), sizes.GetProperty("test").GetInt64());
        JsonArray List(JsonElement blend) => [.. Words(blend).Select(word => (JsonNode)word)];
        var perSplit = config.GetProperty("blend_per_split");
        JsonNode paths = config.GetProperty("blend").ValueKind != JsonValueKind.Null ? List(config.GetProperty("blend"))
            : perSplit.EnumerateArray().All(blend => blend.ValueKind == JsonValueKind.Array)
                ? new JsonObject { ["train"] = List(perSplit[0]), ["validation"] = List(perSplit[1]), ["test"] = List(perSplit[2]) }
                : new JsonObject();
        var text = new JsonObject
        {
            ["data"] = new JsonObject
            {
                ["_target_"] = "nemo.collections.llm.gpt.data.pre_training.PreTrainingDataModule",
                ["paths"] = paths,
                ["seq_length"] = config.GetProperty("sequence_length").GetInt64(),
                ["seed"] = config.GetProperty("random_seed").GetInt64(),
                ["split"] = config.GetProperty("split").GetString() ?? "900,50,50",
                ["global_batch_size"] = 1,
                ["index_mapping_dir"] = "/npy_index",
            },
            ["trainer"] = new JsonObject { ["max_steps"] = train, ["val_check_interval"] = train + 1, ["limit_val_batches"] = valid, ["limit_test_batches"] = test },
        };
        File.WriteAllText(_workspace["run.json"], text.ToJsonString());
        return _workspace["run.json"];
    }

    /// <summary>Null where no --eval-iters and --eval-interval give the sizes.</summary>
    private static string[]? CommandLine(JsonElement golden)
    {
        var (sizes, config) = (golden.GetProperty("sizes"), golden.GetProperty("config"));
        var (train, valid, test) = (sizes.GetProperty("train").GetInt64(), sizes.GetProperty("valid").GetInt64(), sizes.GetProperty("test").GetInt64());
        var points = test == 0 ? (valid == 0 ? 1 : 0) : valid % test == 0 ? valid / test : 0;
        if (points < 1)
        {
            return null;
        }

        var interval = points == 1 ? train + 1 : train / (points - 1);
        if (interval < 1 || (train / interval) + 1 != points)
        {
            return null;
        }

        string[] Data() => config.GetProperty("blend").ValueKind != JsonValueKind.Null
            ? ["--data-path", .. Words(config.GetProperty("blend")), "--split", config.GetProperty("split").GetString()!]
            : [.. PerSplitArguments
                .Zip(config.GetProperty("blend_per_split").EnumerateArray())
                .Where(item => item.Second.ValueKind == JsonValueKind.Array)
                .SelectMany(item => Words(item.Second).Prepend(item.First))];
        var culture = CultureInfo.InvariantCulture;
        return
        [
            "torchrun", "--nproc-per-node", "8", "pretrain_gpt.py", .. Data(), "--data-cache-path", "/npy_index/",
            "--seq-length", config.GetProperty("sequence_length").GetRawText(), "--seed", config.GetProperty("random_seed").GetRawText(),
            "--global-batch-size", "1", "--micro-batch-size", "1", "--train-samples", train.ToString(culture),
            "--eval-iters", test.ToString(culture), "--eval-interval", interval.ToString(culture),
            "--mid-level-dataset-surplus", config.GetProperty("mid_level_dataset_surplus").GetRawText(),
            .. config.GetProperty("multiple_validation_sets").ValueKind == JsonValueKind.True ? ["--multiple-validation-sets"] : Array.Empty<string>(),
        ];
    }

    private static IEnumerable<string> Words(JsonElement blend) =>
        Entries(blend).SelectMany(entry => entry.Weight is { } weight ? new[] { weight.ToString("R", CultureInfo.InvariantCulture), entry.Prefix } : [entry.Prefix]);

    private static IReadOnlyList<BlendEntry> Entries(JsonElement blend) =>
        [.. blend[0].EnumerateArray().Select((prefix, i) => new BlendEntry(prefix.GetString()!, blend[1].ValueKind == JsonValueKind.Null ? null : blend[1][i].GetDouble()))];
}
