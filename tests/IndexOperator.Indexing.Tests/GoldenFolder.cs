using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using IndexOperator.Indexing.Tests.Naive;
using TextCorpus;

namespace IndexOperator.Indexing.Tests;

/// <summary>Writes a configuration as a golden folder, so that a failure found by chance becomes a case that stays.</summary>
internal static class GoldenFolder
{
    /// <summary>Writes <c>case.json</c>, <c>data/</c> and, where the naive implementation gets through, <c>cache/</c>.</summary>
    /// <param name="directory">The case's folder; its name must be the one that the prefixes carry after <c>/data/</c>.</param>
    /// <param name="configuration">What to write.</param>
    public static void Write(string directory, Configuration configuration)
    {
        var declared = $"/data/{Path.GetFileName(directory)}/";
        Directory.CreateDirectory(Path.Combine(directory, "data"));
        Directory.CreateDirectory(Path.Combine(directory, "cache"));
        var datasets = new JsonArray();
        foreach (var (prefix, lengths) in configuration.Lengths)
        {
            using (var writer = new IndexedDatasetWriter(Path.Combine(directory, "data", prefix[declared.Length..])))
            {
                foreach (var length in lengths)
                {
                    writer.AddHole(length);
                    writer.EndDocument();
                }
            }

            datasets.Add(new JsonObject { ["prefix"] = prefix, ["sequences"] = lengths.Length, ["tokens"] = lengths.Sum(length => (long)length), ["tiny_bin"] = false });
        }

        var outputs = new JsonArray();
        var isOk = true;
        try
        {
            foreach (var (name, bytes) in NaiveCache.Build(configuration.Request, configuration.Lengths).Files)
            {
                File.WriteAllBytes(Path.Combine(directory, "cache", name), bytes);
                outputs.Add(new JsonObject { ["file"] = name, ["bytes"] = bytes.Length, ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(bytes)) });
            }
        }
        catch (NaiveRefusalException)
        {
            isOk = false;
        }

        File.WriteAllText(Path.Combine(directory, "case.json"), Describe(configuration.Request, datasets, outputs, isOk).ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
    }

    private static JsonObject Describe(IndexRequest request, JsonArray datasets, JsonArray outputs, bool isOk) => new()
    {
        ["name"] = "property",
        ["what"] = "found by the property test; the cache is the naive implementation's",
        ["megatron_core"] = request.MegatronCore,
        ["dataset_class"] = request.DatasetClass,
        ["config"] = new JsonObject
        {
            ["random_seed"] = request.RandomSeed,
            ["sequence_length"] = request.SequenceLength,
            ["blend"] = Blend(request.Blend),
            ["blend_per_split"] = request.BlendPerSplit is { } each ? new JsonArray(Blend(each.Train), Blend(each.Valid), Blend(each.Test)) : null,
            ["split"] = request.Split,
            ["add_extra_token_to_sequence"] = request.AddExtraTokenToSequence,
            ["drop_last_partial_validation_sequence"] = request.DropLastPartialValidationSequence,
            ["mid_level_dataset_surplus"] = request.MidLevelDatasetSurplus,
            ["multiple_validation_sets"] = request.MultipleValidationSets,
            ["full_validation"] = request.FullValidation,
            ["renormalize_blend_weights"] = request.RenormalizeBlendWeights,
        },
        ["sizes"] = new JsonObject { ["train"] = request.Samples.Train, ["valid"] = request.Samples.Valid, ["test"] = request.Samples.Test },
        ["tokenizer"] = new JsonObject { ["unique_identifiers"] = JsonNode.Parse(PythonJson.Dump(PythonJson.Load(request.TokenizerIdentifiers))) },
        ["datasets"] = datasets,
        ["outputs"] = outputs,
        ["expect"] = isOk ? "ok" : "error",
    };

    private static JsonArray? Blend(IReadOnlyList<BlendEntry>? entries) => entries is null ? null : new JsonArray(
        new JsonArray([.. entries.Select(entry => (JsonNode)entry.Prefix)]),
        entries[0].Weight is null ? null : new JsonArray([.. entries.Select(entry => (JsonNode)entry.Weight!.Value)]));
}
