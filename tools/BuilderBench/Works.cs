using System.Text.Json.Nodes;

namespace BuilderBench;

/// <summary>Something to build with both.</summary>
/// <param name="Name">Name on the command line, or below it.</param>
/// <param name="Title">What it is.</param>
/// <param name="Inputs">The datasets.</param>
/// <param name="Manifest">The PretrainIndex, once the inputs are there.</param>
/// <param name="Threads">Numbers of threads for index-builder.</param>
/// <param name="RoundsFactor">Short works are run more often.</param>
/// <param name="StartCounts">Whether the work is so short that what a program does before it counts: the reference runs with Megatron's imports too.</param>
internal sealed record BuildWork(
    string Name, string Title, IReadOnlyList<InputSpec> Inputs, Func<Inputs, JsonObject> Manifest, IReadOnlyList<int> Threads, int RoundsFactor = 1, bool StartCounts = false);

/// <summary>The works of the benchmark.</summary>
internal static class Works
{
    /// <summary>Below this the manifests have their data; it is part of the keys and so the same on every machine.</summary>
    public const string DataRoot = "/data";

    public const string Fingerprint = "fingerprint";
    public const string Verify = "verify";
    public const string Progress = "progress";
    public const string Start = "start";
    public const string Scale = "scale";
    public const string Smoke = "smoke";

    private const int SequenceLength = 4096;
    private const string Everything = "100,0,0";
    private static readonly IReadOnlyList<int> TwoAndOne = [2, 1];

    /// <summary>Documents of the works that show how cost grows.</summary>
    public static IReadOnlyList<int> ScaleMillions { get; } = [1, 2, 5, 10, 20, 50, 100, 200];

    /// <summary>What runs when nothing is chosen.</summary>
    public static IReadOnlyList<string> Default { get; } = ["50m-x1", "50m-x3", "1m", "blend", "greedy", Fingerprint, Verify, Progress, Start];

    /// <summary>All that can be chosen.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Default, Scale, Smoke];

    /// <summary>What is watched for the progress that it tells.</summary>
    public static IReadOnlyList<BuildWork> Watched { get; } = [.. Named("50m-x1"), .. Named("50m-x3")];

    /// <summary>Ten gibibytes, near enough, of <c>.idx</c> files.</summary>
    public static IReadOnlyList<InputSpec> TenGigabytes { get; } = [.. Enumerable.Range(0, 10).Select(Fifty)];

    /// <summary>Names them all; never built.</summary>
    public static BuildWork FingerprintWork { get; } = new(
        Fingerprint,
        "10 GB of .idx files",
        TenGigabytes,
        _ => Manifest(TenGigabytes.Select(input => Entry(input, null)), SequenceLength, Everything, (null, null, null)),
        [2]);

    /// <summary>What a name on the command line stands for; empty for those that build nothing beside the reference.</summary>
    public static IReadOnlyList<BuildWork> Named(string name) => name switch
    {
        "50m-x1" => [Single("50m-x1", "50M documents x 1 epoch", Fifty(0), _ => null, TwoAndOne)],
        "50m-x3" => [Single("50m-x3", "50M documents x 3 epochs", Fifty(0), tokens => SamplesOf(3, tokens), TwoAndOne)],
        "1m" => [Single("1m", "1M documents x 1 epoch", Millions(1), _ => null, TwoAndOne) with { RoundsFactor = 5, StartCounts = true }],
        "blend" => [Blend("blend", "2,000 datasets of 5,000 documents, three splits", "blend", 2000, 5000, "900,50,50", (1_200_000, 60_000, 60_000))],
        "greedy" => [Greedy("greedy", "greedy blend of 1,000 datasets, 10M samples", 1000, 10_000_000)],
        Smoke =>
        [
            Single("smoke-x1", "20,000 documents x 1 epoch", Small, _ => null, TwoAndOne),
            Single("smoke-x3", "20,000 documents x 3 epochs", Small, tokens => SamplesOf(3, tokens), TwoAndOne),
            Single("smoke-x3-separate", "20,000 documents x 3 epochs, the last one shuffled for itself", Small, tokens => SamplesOf(2, tokens) + (SamplesOf(1, tokens) / 3), TwoAndOne),
            Blend("smoke-blend", "20 datasets of 500 documents, three splits", "smoke-blend", 20, 500, "900, 80, 20", (1_500, 120, 30)),
            Greedy("smoke-greedy", "greedy blend of 30 datasets, 20,000 samples", 30, 20_000),
        ],
        _ => [],
    };

    /// <summary>One epoch of so many million documents, by index-builder alone.</summary>
    public static BuildWork Growing(int millions) =>
        Single($"scale-{millions}m", $"{millions}M documents x 1 epoch", millions == 50 ? Fifty(0) : Millions(millions), _ => null, TwoAndOne);

    private static InputSpec Small => new("small", 20_000);

    private static InputSpec Fifty(int number) => new($"50m-{number}", 50_000_000);

    private static InputSpec Millions(int millions) => new($"{millions}m", millions * 1_000_000L);

    private static long SamplesOf(int epochs, long tokens) => ((epochs * tokens) - 1) / SequenceLength;

    private static BuildWork Single(string name, string title, InputSpec input, Func<long, long?> samples, IReadOnlyList<int> threads) => new(
        name,
        title,
        [input],
        inputs => Manifest([Entry(input, null)], SequenceLength, Everything, (samples(inputs.TokensOf(input)), null, null)),
        threads);

    private static BuildWork Blend(string name, string title, string folder, int datasets, int documents, string split, (long?, long?, long?) samples)
    {
        var members = Enumerable.Range(0, datasets).Select(i => new InputSpec($"{folder}/{i:0000}", documents)).ToList();
        return new(name, title, members, _ => Manifest(Weighted(members), SequenceLength, split, samples), TwoAndOne);
    }

    /// <summary>Members that are little work themselves (short samples of few documents), so that the blend is what takes time.</summary>
    private static BuildWork Greedy(string name, string title, int datasets, long samples)
    {
        var members = Enumerable.Range(0, datasets).Select(i => new InputSpec($"greedy/{i:0000}", 64, MeanTokens: 5000)).ToList();
        return new(name, title, members, _ => Manifest(Weighted(members), 16, Everything, (samples, 0, 0)), TwoAndOne);
    }

    /// <summary>Uneven shares, none more than three times another.</summary>
    private static IEnumerable<JsonNode> Weighted(List<InputSpec> members) =>
        members.Select((member, i) => Entry(member, 0.5 + ((Mixing.Mix((ulong)i) >> 11) * (1.0 / (1UL << 53)))));

    private static JsonObject Entry(InputSpec input, double? weight)
    {
        var entry = new JsonObject { ["prefix"] = $"{DataRoot}/{input.Name}" };
        if (weight is { } share)
        {
            entry["weight"] = share;
        }

        return entry;
    }

    private static JsonObject Manifest(IEnumerable<JsonNode> blend, int sequenceLength, string split, (long? Train, long? Validation, long? Test) samples)
    {
        var wanted = new JsonObject();
        foreach (var (name, count) in new[] { ("train", samples.Train), ("validation", samples.Validation), ("test", samples.Test) })
        {
            if (count is { } number)
            {
                wanted[name] = number;
            }
        }

        return new JsonObject
        {
            ["apiVersion"] = "indexoperator.io/v1alpha1",
            ["kind"] = "PretrainIndex",
            ["metadata"] = new JsonObject { ["name"] = "bench", ["namespace"] = "bench" },
            ["spec"] = new JsonObject
            {
                ["data"] = new JsonObject { ["claimName"] = "corpus", ["mountPath"] = DataRoot, ["blend"] = new JsonArray([.. blend]) },
                ["dataset"] = new JsonObject
                {
                    ["sequenceLength"] = sequenceLength,
                    ["randomSeed"] = 1234,
                    ["split"] = split,
                    ["samples"] = wanted,
                    ["tokenizer"] = new JsonObject { ["identifiers"] = """{"class": "bench.Tokenizer"}""" },
                },
                ["cache"] = new JsonObject { ["claimName"] = "npy-index" },
            },
        };
    }
}
