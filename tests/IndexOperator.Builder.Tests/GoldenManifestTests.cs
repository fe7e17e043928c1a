using System.Text.Json;
using System.Text.Json.Nodes;
using IndexOperator.Indexing;
using IndexOperator.TestSupport;

namespace IndexOperator.Builder.Tests;

/// <summary>The cases that real Megatron-Core wrote, as a person would ask for them: a manifest, and the program.</summary>
public sealed class GoldenManifestTests : IDisposable
{
    private static readonly string Root = RepositoryRoot.PathOf("tests/golden");

    private readonly Workspace _workspace = new();

    public static TheoryData<string> GoodCases => [.. Names("ok")];

    public static TheoryData<string> ErrorCases => [.. Names("error")];

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [MemberData(nameof(GoodCases))]
    public void A_manifest_gives_the_names_and_bytes_that_Megatron_wrote(string name)
    {
        var golden = Read(name);

        var (code, _, errors) = Build(name, golden);

        Assert.True(code == 0, errors);
        var written = new DirectoryInfo(_workspace["out"]).GetFiles()
            .Select(file => (file.Name, file.Length, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file.FullName)))));
        var expected = golden.GetProperty("outputs").EnumerateArray()
            .Select(output => (output.GetProperty("file").GetString()!, output.GetProperty("bytes").GetInt64(), output.GetProperty("sha256").GetString()!));
        Assert.Equal(expected.OrderBy(file => file.Item1, StringComparer.Ordinal), written.OrderBy(file => file.Name, StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(ErrorCases))]
    public void A_manifest_on_which_Megatron_fails_ends_in_exit_code_2_and_names_dataset_and_split(string name)
    {
        var golden = Read(name);

        var (code, _, errors) = Build(name, golden);

        Assert.True(code == 2, $"Exit code {code}: {errors}");
        Assert.Contains(golden.GetProperty("datasets").EnumerateArray(), dataset => errors.Contains(dataset.GetProperty("prefix").GetString()!, StringComparison.Ordinal));
        Assert.Contains(SplitNames.All, split => errors.Contains(split.Name(), StringComparison.Ordinal));
        Assert.False(Directory.Exists(_workspace["out"]) && Directory.EnumerateFiles(_workspace["out"]).Any());
    }

    private static IEnumerable<string> Names(string expected) => Directory.EnumerateDirectories(Root)
        .Select(path => Path.GetFileName(path)!)
        .Where(name => Read(name).GetProperty("expect").GetString() == expected)
        .Order(StringComparer.Ordinal);

    private static JsonElement Read(string name) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Root, name, "case.json"))).RootElement;

    private (int ExitCode, string Output, string Errors) Build(string name, JsonElement golden)
    {
        CopyData(name, golden);
        File.WriteAllText(_workspace["index.yaml"], Manifest(name, golden).ToJsonString());
        return BuilderProcess.Run("build", "-f", _workspace["index.yaml"], "--output", _workspace["out"], "--map", $"/data/{name}={_workspace["corpus"]}");
    }

    /// <summary>Copies the case's data; a stub .bin is grown, sparsely, to what its .idx describes.</summary>
    private void CopyData(string name, JsonElement golden)
    {
        foreach (var dataset in golden.GetProperty("datasets").EnumerateArray())
        {
            var relative = dataset.GetProperty("prefix").GetString()![$"/data/{name}/".Length..];
            var (source, target) = (Path.Combine(Root, name, "data", relative), _workspace["corpus/" + relative]);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(source + ".idx", target + ".idx");
            File.Copy(source + ".bin", target + ".bin");
            if (dataset.GetProperty("tiny_bin").GetBoolean())
            {
                using var bin = File.OpenWrite(target + ".bin");
                bin.SetLength(dataset.GetProperty("tokens").GetInt64() * IndexedDatasetReader.ReadHeader(target + ".idx").TokenType.ItemSize);
            }
        }
    }

    /// <summary>JSON is YAML too.</summary>
    private static JsonObject Manifest(string name, JsonElement golden)
    {
        var config = golden.GetProperty("config");
        var (blend, perSplit) = (config.GetProperty("blend"), config.GetProperty("blend_per_split"));
        var data = new JsonObject { ["claimName"] = "corpus", ["mountPath"] = "/data/" + name };
        if (blend.ValueKind == JsonValueKind.Null)
        {
            data["blendPerSplit"] = new JsonObject { ["train"] = Entries(perSplit[0]), ["validation"] = Entries(perSplit[1]), ["test"] = Entries(perSplit[2]) };
        }
        else
        {
            data["blend"] = Entries(blend);
        }

        var sizes = golden.GetProperty("sizes");
        var dataset = new JsonObject
        {
            ["sequenceLength"] = Copy(config.GetProperty("sequence_length")),
            ["randomSeed"] = Copy(config.GetProperty("random_seed")),
            ["split"] = Copy(config.GetProperty("split")),
            ["samples"] = new JsonObject
            {
                ["train"] = Copy(sizes.GetProperty("train")),
                ["validation"] = Copy(sizes.GetProperty("valid")),
                ["test"] = Copy(sizes.GetProperty("test")),
            },
            ["tokenizer"] = new JsonObject { ["identifiers"] = golden.GetProperty("tokenizer").GetProperty("unique_identifiers").GetRawText() },
            ["datasetClass"] = Copy(golden.GetProperty("dataset_class")),
            ["megatronCore"] = golden.TryGetProperty("megatron_core", out var release) ? Copy(release) : null,
            ["addExtraTokenToSequence"] = Copy(config.GetProperty("add_extra_token_to_sequence")),
            ["dropLastPartialValidationSequence"] = Copy(config.GetProperty("drop_last_partial_validation_sequence")),
            ["midLevelDatasetSurplus"] = Copy(config.GetProperty("mid_level_dataset_surplus")),
            ["multipleValidationSets"] = Copy(config.GetProperty("multiple_validation_sets")),
            ["fullValidation"] = Copy(config.GetProperty("full_validation")),
            ["renormalizeBlendWeights"] = config.TryGetProperty("renormalize_blend_weights", out var renormalize) ? Copy(renormalize) : null,
        };
        return WithoutNulls(new JsonObject
        {
            ["apiVersion"] = "indexoperator.io/v1alpha1",
            ["kind"] = "PretrainIndex",
            ["metadata"] = new JsonObject { ["name"] = "golden", ["namespace"] = "training" },
            ["spec"] = new JsonObject { ["data"] = data, ["dataset"] = dataset, ["cache"] = new JsonObject { ["claimName"] = "npy-index" } },
        });
    }

    private static JsonArray? Entries(JsonElement blend)
    {
        if (blend.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        var (prefixes, weights) = (blend[0], blend[1]);
        return [.. prefixes.EnumerateArray().Select((prefix, i) => new JsonObject
        {
            ["prefix"] = Copy(prefix),
            ["weight"] = weights.ValueKind == JsonValueKind.Null ? null : Copy(weights[i]),
        })];
    }

    private static JsonNode? Copy(JsonElement value) => JsonNode.Parse(value.GetRawText());

    private static JsonObject WithoutNulls(JsonObject value)
    {
        foreach (var (name, child) in value.ToList())
        {
            if (child is null)
            {
                value.Remove(name);
            }

            foreach (var inner in child is JsonArray items ? items.OfType<JsonObject>() : child is JsonObject single ? [single] : [])
            {
                WithoutNulls(inner);
            }
        }

        return value;
    }
}
