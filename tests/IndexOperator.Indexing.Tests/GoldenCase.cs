using System.Text.Json;

namespace IndexOperator.Indexing.Tests;

/// <summary>A case that real Megatron-Core wrote: a request, its data, and the cache's bytes.</summary>
internal sealed class GoldenCase
{
    private readonly JsonElement _case;
    private readonly string _directory;

    private GoldenCase(string directory)
    {
        _directory = directory;
        _case = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(directory, "case.json"))).RootElement;
    }

    public static string Root { get; } = FindRoot();

    public string CachePath => Path.Combine(_directory, "cache");

    public IReadOnlyList<(string File, long Bytes, string Sha256)> Outputs =>
        [.. _case.GetProperty("outputs").EnumerateArray().Select(output => (
            output.GetProperty("file").GetString()!,
            output.GetProperty("bytes").GetInt64(),
            output.GetProperty("sha256").GetString()!))];

    public IReadOnlyList<(string File, string Text)> Descriptions =>
        [.. Directory.EnumerateFiles(CachePath, "*-description.txt").Order(StringComparer.Ordinal).Select(path => (Path.GetFileName(path), File.ReadAllText(path)))];

    public static GoldenCase OpenFolder(string directory) => new(directory);

    public static GoldenCase Open(string name) => new(Path.Combine(Root, name));

    public static IEnumerable<string> Names(bool expectError) => Directory.EnumerateDirectories(Root)
        .Select(path => Path.GetFileName(path)!)
        .Where(name => Open(name)._case.GetProperty("expect").GetString() == (expectError ? "error" : "ok"))
        .Order(StringComparer.Ordinal);

    public IndexRequest Request()
    {
        var config = _case.GetProperty("config");
        var sizes = _case.GetProperty("sizes");
        var perSplit = config.GetProperty("blend_per_split");
        return new IndexRequest
        {
            Blend = Entries(config.GetProperty("blend")),
            BlendPerSplit = perSplit.ValueKind == JsonValueKind.Null ? null : new(Entries(perSplit[0]), Entries(perSplit[1]), Entries(perSplit[2])),
            SequenceLength = config.GetProperty("sequence_length").GetInt64(),
            RandomSeed = config.GetProperty("random_seed").GetInt64(),
            Split = config.GetProperty("split").GetString(),
            Samples = new(Size(sizes, "train"), Size(sizes, "valid"), Size(sizes, "test")),
            TokenizerIdentifiers = _case.GetProperty("tokenizer").GetProperty("unique_identifiers").GetRawText(),
            AddExtraTokenToSequence = config.GetProperty("add_extra_token_to_sequence").GetBoolean(),
            DropLastPartialValidationSequence = config.GetProperty("drop_last_partial_validation_sequence").GetBoolean(),
            MidLevelDatasetSurplus = config.GetProperty("mid_level_dataset_surplus").GetDouble(),
            MegatronCore = _case.TryGetProperty("megatron_core", out var release) ? release.GetString()! : ReleaseRules.Default,
            DatasetClass = _case.GetProperty("dataset_class").GetString()!,
            RenormalizeBlendWeights = config.TryGetProperty("renormalize_blend_weights", out var renormalize) && renormalize.GetBoolean(),
            MultipleValidationSets = config.GetProperty("multiple_validation_sets").ValueKind == JsonValueKind.True,
            FullValidation = config.GetProperty("full_validation").ValueKind == JsonValueKind.True,
        };
    }

    /// <summary>Finds a prefix of a key in the case's data; a stub .bin is grown, sparsely, to what its .idx describes.</summary>
    public Func<string, string> Locate(TemporaryDirectory scratch)
    {
        var declared = "/data/" + Path.GetFileName(_directory) + "/";
        var stubs = _case.GetProperty("datasets").EnumerateArray()
            .Where(dataset => dataset.GetProperty("tiny_bin").GetBoolean())
            .ToDictionary(dataset => dataset.GetProperty("prefix").GetString()!, dataset => dataset.GetProperty("tokens").GetInt64());
        return prefix =>
        {
            Assert.StartsWith(declared, prefix, StringComparison.Ordinal);
            var path = Path.Combine(_directory, "data", prefix[declared.Length..]);
            if (!stubs.TryGetValue(prefix, out var tokens))
            {
                return path;
            }

            var copy = scratch[Path.GetFileName(path)];
            File.Copy(path + ".idx", copy + ".idx", overwrite: true);
            using var bin = File.Create(copy + ".bin");
            bin.SetLength(tokens * IndexedDatasetReader.ReadHeader(copy + ".idx").TokenType.ItemSize);
            return copy;
        };
    }

    private static List<BlendEntry>? Entries(JsonElement blend)
    {
        if (blend.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        var weights = blend[1];
        return [.. blend[0].EnumerateArray().Select((prefix, i) =>
            new BlendEntry(prefix.GetString()!, weights.ValueKind == JsonValueKind.Null ? null : weights[i].GetDouble()))];
    }

    private static long? Size(JsonElement sizes, string split) =>
        sizes.GetProperty(split) is { ValueKind: JsonValueKind.Number } size ? size.GetInt64() : null;

    private static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            var golden = Path.Combine(directory.FullName, "golden");
            if (Directory.Exists(golden))
            {
                return golden;
            }
        }

        throw new DirectoryNotFoundException("There is no directory \"golden\" above the test assembly.");
    }
}
