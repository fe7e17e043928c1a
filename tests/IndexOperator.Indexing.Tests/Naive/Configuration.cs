using CsCheck;

namespace IndexOperator.Indexing.Tests.Naive;

/// <summary>How a configuration lays out its data.</summary>
internal enum Layout
{
    Single,
    SingleWithWeight,
    Weighted,
    Unweighted,
    Exhaustive,
    PerSplit,
    SeveralValidationSets,
}

/// <summary>A request and the lengths of its data, drawn so that both sides of every threshold come up.</summary>
internal sealed record Configuration(Layout Layout, IndexRequest Request, IReadOnlyDictionary<string, int[]> Lengths)
{
    public const string Root = "/data/property/";

    private static readonly string[] Splits = ["90,10,0", "969, 30, 1", "1,1,1", "100", "0,1,0", ".5,.25,.25", "99.5-0.5-0", "1e3", "0,0,0", "1,2,3,4", "7/2/1", "1.2.3,1", ".,1", "", "0.1 0.2 0.7"];

    private static readonly string[] Tokenizers =
    [
        """{"class": "T"}""",
        """{"class": "é\u0007\ud83d\ude00", "path": ["/a\"b", null], "n": {"x": [], "y": {}, "f": 1e-05, "g": 1E16, "h": 0.1, "big": 123456789012345678901234567890}, "t": true}""",
        """{"class": "a", "class": "b", "neg": -0.0, "i": -0, "u": "\u007f\u2028"}""",
    ];

    /// <summary>Every choice is a number, so that a failing configuration shrinks to small ones.</summary>
    public static Gen<Configuration> Gen { get; } = CsCheck.Gen.Select(
        CsCheck.Gen.Select(CsCheck.Gen.Int[0, 6], CsCheck.Gen.Int[0, ReleaseRules.Supported.Count - 1], CsCheck.Gen.Int[0, 59], CsCheck.Gen.Int[0, 11]),
        CsCheck.Gen.Int[0, 40].Array[1, 24].Array[1, 5],
        CsCheck.Gen.Select(CsCheck.Gen.Int[0, 4], CsCheck.Gen.Double[0.001, 10]).Array[1, 12],
        CsCheck.Gen.Select(CsCheck.Gen.Int[1, 48], CsCheck.Gen.Int[0, 9], CsCheck.Gen.UInt, CsCheck.Gen.Int[0, 63]),
        CsCheck.Gen.Select(CsCheck.Gen.Int[-2, 400], CsCheck.Gen.Int[-1, 60], CsCheck.Gen.Int[-1, 60], CsCheck.Gen.Int[0, 5], CsCheck.Gen.Int[-1, 1]),
        (kind, lengths, blend, numbers, sizes) => Create(kind, lengths, blend, numbers, sizes));

    private static Configuration Create(
        (int Layout, int Release, int Texts, int Scale) kind,
        int[][] lengths,
        (int Data, double Weight)[] blend,
        (int SequenceLength, int SeedKind, uint Seed, int Flags) numbers,
        (int Train, int Valid, int Test, int Aim, int Off) sizes)
    {
        var layout = (Layout)kind.Layout;
        var release = ReleaseRules.Supported[kind.Release];
        var rules = ReleaseRules.For(release);

        // Large tokens counts: beyond 2^24 single precision no longer counts exactly, and with them the sample length grows.
        var scale = kind.Scale == 0 ? 1_000_003 : 1;
        var sequenceLength = numbers.SequenceLength * scale;
        var data = lengths.Select((items, i) => (Prefix: $"{Root}{(i == 1 ? "é \"x\"" : "d")}{i}", Lengths: items.Select(item => item * scale).ToArray())).ToDictionary(item => item.Prefix, item => item.Lengths);
        var prefixes = data.Keys.ToList();

        // A few blends are long ones: the same members again and again.
        var repeats = kind.Scale == 1 ? 200 / blend.Length : 1;
        var members = Enumerable.Repeat(blend, repeats).SelectMany(items => items).Select((item, i) =>
            (Prefix: prefixes[item.Data % prefixes.Count], Weight: kind.Scale == 2 ? 1.0 : item.Weight * (1 + (i / blend.Length)))).ToList();
        var isWeighted = layout is Layout.SingleWithWeight or Layout.Weighted || (layout == Layout.PerSplit && (numbers.Flags & 4) != 0);
        var entries = members.Take(layout is Layout.Single or Layout.SingleWithWeight ? 1 : members.Count)
            .Select(member => new BlendEntry(member.Prefix, isWeighted ? member.Weight : null)).ToList();
        var isPerSplit = layout is Layout.PerSplit or Layout.SeveralValidationSets;
        var hasSurplus = rules.HasSurplusOption && (numbers.Flags & 8) != 0;
        var request = new IndexRequest
        {
            Blend = isPerSplit ? null : entries,
            BlendPerSplit = isPerSplit ? new(entries, [.. entries.Take(2)], (numbers.Flags & 16) != 0 ? null : [.. entries.TakeLast(1)]) : null,
            Split = isPerSplit ? null : kind.Texts < 15 ? Splits[kind.Texts % Splits.Length] : kind.Texts % 2 == 0 ? "80,10,10" : "1,1,1",
            SequenceLength = sequenceLength,
            RandomSeed = numbers.SeedKind switch { 0 => 0, 1 => uint.MaxValue, _ => numbers.Seed },
            TokenizerIdentifiers = Tokenizers[kind.Texts % Tokenizers.Length],
            MegatronCore = release,
            DatasetClass = kind.Texts == 3 ? "GPTFIMDataset" : "GPTDataset",
            AddExtraTokenToSequence = (numbers.Flags & 1) == 0,
            DropLastPartialValidationSequence = (numbers.Flags & 2) == 0,
            MidLevelDatasetSurplus = hasSurplus ? new[] { 0.0, 0.02, 0.5, 2.0 }[numbers.SeedKind % 4] : ReleaseRules.DefaultSurplus,
            RenormalizeBlendWeights = rules.HasRenormalizeOption && (numbers.Flags & 32) != 0,
            MultipleValidationSets = layout == Layout.SeveralValidationSets && rules.HasMultipleValidationSets,
        };
        var isWhole = layout == Layout.Exhaustive;
        var train = sizes.Aim == 0 || isWeighted ? sizes.Train : Aimed(request, data[entries[0].Prefix], sizes.Train, sizes.Aim, sizes.Off);
        return new(layout, request with { Samples = new(isWhole ? null : Size(train), isWhole ? null : Size(sizes.Valid), isWhole ? null : Size(sizes.Test)) }, data);
    }

    private static long? Size(long size) => size < 0 ? null : size;

    /// <summary>
    /// A number of samples beside a boundary of the training split: of whole epochs (aims 1 and 2), of the 80 % from which
    /// the final epoch is no longer shuffled for itself (3 and 4), or of what one epoch gives (5).
    /// </summary>
    private static long Aimed(IndexRequest request, int[] lengths, int draw, int aim, int off)
    {
        long x = request.AddExtraTokenToSequence ? 1 : 0;
        var sequences = request.Blend is null ? lengths.Length : (int)Math.Round(lengths.Length * 0.8);
        var tokens = lengths.Take(sequences).Sum(length => (long)length);
        var epochs = aim == 5 ? 1 : 2 + (Math.Abs(draw) % 3);
        var samples = aim <= 2 || aim == 5
            ? ((epochs * tokens) - x) / request.SequenceLength
            : ((((epochs - 1) * tokens) - x) / request.SequenceLength) + (long)(0.8 * ((tokens - x) / request.SequenceLength));
        return Math.Max(0, samples + off);
    }
}
