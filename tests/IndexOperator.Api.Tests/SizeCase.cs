using System.Text.Json;

namespace IndexOperator.Api.Tests;

/// <summary>
/// A case that the framework's own code computed or refused (<c>tests/golden-sizes</c>), put into the fields of
/// <see cref="TrainerSpec"/>, or the parameter that no field can express.
/// </summary>
internal sealed class SizeCase
{
    private const string MegatronLM = "MegatronLM";

    /// <summary>Parameters that change nothing of a size once the global batch size is given.</summary>
    private static readonly HashSet<string> WithoutEffect = ["micro_batch_size", "data_parallel_size", "eval_micro_batch_size", "multiple_validation_sets", "seq_length", "split"];

    private static readonly Dictionary<string, string> Fields = new(StringComparer.Ordinal)
    {
        ["train_iters"] = "trainIterations",
        ["max_steps"] = "trainIterations",
        ["train_samples"] = "trainSamples",
        ["num_train_samples"] = "trainSamples",
        ["global_batch_size"] = "globalBatchSize",
        ["eval_global_batch_size"] = "evaluationGlobalBatchSize",
        ["eval_interval"] = "evaluationInterval",
        ["val_check_interval"] = "evaluationInterval",
        ["eval_iters"] = "evaluationBatches",
        ["limit_val_batches"] = "evaluationBatches",
        ["limit_test_batches"] = "testBatches",
        ["full_validation"] = "fullValidation",
        ["start_eval_at_iter"] = "startEvaluationAt",
        ["num_val_samples"] = "validationSamples",
        ["num_test_samples"] = "testSamples",
    };

    private readonly JsonElement _case;
    private readonly HashSet<string> _floats;
    private readonly Dictionary<string, object> _trainer = new(StringComparer.Ordinal);
    private string? _obstacle;
    private DataSpec _data = new() { Blend = [new() { Prefix = "/data/a" }] };

    public SizeCase(JsonElement element)
    {
        _case = element;
        Expect = element.GetProperty("expect");
        _floats = element.TryGetProperty("types", out var types) ? [.. types.EnumerateObject().Select(type => type.Name)] : [];
        Read();
    }

    public string Id => _case.GetProperty("id").GetString()!;

    public JsonElement Expect { get; }

    /// <summary>The parameter that no field can express, or null.</summary>
    public string? Obstacle => _obstacle;

    public PretrainIndexSpec Spec => new()
    {
        Data = _data,
        Dataset = new() { Trainer = JsonSerializer.Deserialize<TrainerSpec>(JsonSerializer.Serialize(_trainer), ApiJsonContext.Default.Options) },
    };

    private string Framework => _case.GetProperty("framework").GetString()!;

    private string Entry => _case.GetProperty("entry").GetString()!;

    public static IEnumerable<SizeCase> All()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!Directory.Exists(Path.Combine(directory!.FullName, "golden-sizes")))
        {
            directory = directory.Parent;
        }

        var text = File.ReadAllText(Path.Combine(directory.FullName, "golden-sizes", "sizes_public.json"));
        return JsonDocument.Parse(text).RootElement.EnumerateArray().Select(element => new SizeCase(element));
    }

    private void Read()
    {
        _trainer["framework"] = Framework;
        _trainer["frameworkVersion"] = _case.GetProperty("version").GetString()!;
        if (Entry == "second_stage")
        {
            _obstacle = "second stage";
            return;
        }

        // Of Bridge's two places for the evaluation settings the deprecated one wins, so it is set last.
        var parameters = _case.GetProperty("parameters");
        foreach (var (name, value) in Entry == "argv" ? Arguments(parameters) : Flatten(parameters, "").OrderBy(item => item.Path.StartsWith("train.eval", StringComparison.Ordinal)))
        {
            Set(name, value);
        }

        if (Framework == MegatronLM && !_trainer.ContainsKey("globalBatchSize"))
        {
            Cannot("globalBatchSize derived from micro batches");
        }

        if (Expect.TryGetProperty("error", out var error) && error.GetProperty("reason").GetString() == "BatchSizeNotDivisible")
        {
            Cannot("micro batches");
        }
    }

    /// <summary>The first obstacle counts.</summary>
    private void Cannot(string parameter) => _obstacle ??= parameter;

    private static IEnumerable<(string Path, JsonElement Value)> Flatten(JsonElement element, string path)
    {
        foreach (var member in element.EnumerateObject())
        {
            var below = path.Length == 0 ? member.Name : $"{path}.{member.Name}";
            if (member.Value.ValueKind == JsonValueKind.Object && member.Name != "paths")
            {
                foreach (var inner in Flatten(member.Value, below))
                {
                    yield return inner;
                }
            }
            else
            {
                yield return (below, member.Value);
            }
        }
    }

    private static IEnumerable<(string Path, JsonElement Value)> Arguments(JsonElement parameters)
    {
        var words = parameters.GetProperty("argv").EnumerateArray().Select(word => word.GetString()!).ToList();
        for (var i = 0; i < words.Count; i++)
        {
            var name = words[i][2..].Replace('-', '_');
            var hasValue = i + 1 < words.Count && !words[i + 1].StartsWith("--", StringComparison.Ordinal);
            var text = hasValue ? words[++i].Replace("_", "", StringComparison.Ordinal) : "true";
            yield return (name, JsonDocument.Parse(text).RootElement);
        }
    }

    private void Set(string path, JsonElement value)
    {
        var name = path[(path.LastIndexOf('.') + 1)..];
        if (name == "paths")
        {
            SetPaths(value);
        }
        else if (name == "rampup_batch_size" && !RampUpMatters())
        {
            // Parsed and ignored: whoever has it leaves it out here.
        }
        else if (name == "split" && value.ValueKind == JsonValueKind.Null)
        {
            Cannot("split null");
        }
        else if (name == "split" || WithoutEffect.Contains(name))
        {
            // No size depends on it.
        }
        else if (!Fields.TryGetValue(name, out var field))
        {
            Cannot(name);
        }
        else if (value.ValueKind == JsonValueKind.Null)
        {
            Cannot(name + " null");
        }
        else
        {
            SetNumber(field, path, value);
        }
    }

    /// <summary>Ramp-up changes sizes on Megatron-LM's command line up to 0.17 only.</summary>
    private bool RampUpMatters() => Framework == MegatronLM && _case.GetProperty("version").GetString() is var version && version != "main"
        && !version!.StartsWith("core_v0.18", StringComparison.Ordinal) && !version.StartsWith("core_v0.19", StringComparison.Ordinal);

    private void SetNumber(string field, string path, JsonElement value)
    {
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            // Python's True is the integer 1.
            _trainer[field] = field == "fullValidation" ? value.GetBoolean() : value.GetBoolean() ? 1L : 0L;
            return;
        }

        var number = value.GetDouble();
        if (field == "evaluationBatches" && _floats.Contains(path) && number is > 0 and <= 1)
        {
            _trainer["fullValidation"] = true;
        }
        else if (number != Math.Floor(number) || value.GetRawText().Contains('.', StringComparison.Ordinal) && Framework == MegatronLM)
        {
            Cannot($"{path} {value.GetRawText()}");
        }
        else
        {
            _trainer[field] = value.TryGetInt64(out var whole) ? whole : (long)number;
        }
    }

    private void SetPaths(JsonElement paths)
    {
        if (paths.ValueKind == JsonValueKind.Object && !paths.TryGetProperty("$path", out _))
        {
            if (paths.EnumerateObject().Any(split => split.Value.ValueKind == JsonValueKind.String))
            {
                Cannot("a string as paths");
            }

            IReadOnlyList<BlendEntry>? Entries(string split) =>
                paths.TryGetProperty(split, out var list) && list.ValueKind == JsonValueKind.Array ? [new() { Prefix = $"/data/{split}" }] : null;

            _data = new() { BlendPerSplit = new() { Train = Entries("train"), Validation = Entries("validation"), Test = Entries("test") } };
            return;
        }

        var items = paths.ValueKind == JsonValueKind.Array ? paths.EnumerateArray().ToList() : [paths];
        if (items.Any(item => item.ValueKind == JsonValueKind.Object))
        {
            Cannot("path object");
        }
        else if (items.Count == 0)
        {
            Cannot("no paths");
        }
        else if (items.Any(item => item.ValueKind == JsonValueKind.String && item.GetString() == "30"))
        {
            Cannot("weights and paths in one list");
        }
        else if (items.Any(item => item.ToString().Contains("missing", StringComparison.Ordinal)))
        {
            Cannot("files that are not there");
        }
    }
}
