using System.Text.Json;
using System.Text.Json.Nodes;
using IndexOperator.Indexing;
using IndexOperator.TestSupport;

namespace IndexOperator.Builder.Tests;

/// <summary>The cases that real Megatron-Core wrote, as manifests.</summary>
internal static class GoldenManifests
{
    public static string Root { get; } = RepositoryRoot.PathOf("tests/golden");

    public static JsonElement Read(string name) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Root, name, "case.json"))).RootElement;

    /// <summary>The names of the cases in which Megatron succeeds (<c>ok</c>) or fails (<c>error</c>).</summary>
    public static IEnumerable<string> Names(string expected) => Directory.EnumerateDirectories(Root)
        .Select(path => Path.GetFileName(path)!)
        .Where(name => Read(name).GetProperty("expect").GetString() == expected)
        .Order(StringComparer.Ordinal);

    /// <summary>Lays out a case, and gives the arguments with which the builder builds it into the folder <c>out</c>.</summary>
    public static string[] Prepare(Workspace workspace, string name, JsonElement golden)
    {
        CopyData(workspace, name, golden);
        File.WriteAllText(workspace["index.yaml"], Manifest(name, golden).ToJsonString());
        return ["build", "-f", workspace["index.yaml"], "--output", workspace["out"], "--map", $"/data/{name}={workspace["corpus"]}"];
    }

    /// <summary>Asserts that the folder <c>out</c> has the files that Megatron wrote, and no others.</summary>
    public static void AssertWritten(Workspace workspace, JsonElement golden)
    {
        var expected = golden.GetProperty("outputs").EnumerateArray()
            .Select(output => (output.GetProperty("file").GetString()!, output.GetProperty("bytes").GetInt64(), output.GetProperty("sha256").GetString()!));
        Assert.Equal(expected.OrderBy(file => file.Item1, StringComparer.Ordinal), workspace.FilesOf("out"));
    }

    /// <summary>Copies the case's data; a stub .bin is grown, sparsely, to what its .idx describes.</summary>
    public static void CopyData(Workspace workspace, string name, JsonElement golden)
    {
        foreach (var dataset in golden.GetProperty("datasets").EnumerateArray())
        {
            var relative = dataset.GetProperty("prefix").GetString()![$"/data/{name}/".Length..];
            var (source, target) = (Path.Combine(Root, name, "data", relative), workspace["corpus/" + relative]);
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
    public static JsonObject Manifest(string name, JsonElement golden)
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
