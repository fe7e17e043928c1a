using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace IndexOperator.Indexing.Tests.Naive;

/// <summary>
/// A whole cache, names and bytes, by a second implementation: slow, obvious, written from the description of the format
/// and not from the engine. Releases are numbers here: 7 for 0.7, 20 for the development branch.
/// </summary>
internal sealed class NaiveCache
{
    private readonly IndexRequest _request;
    private readonly IReadOnlyDictionary<string, int[]> _lengths;
    private readonly int _release;
    private readonly object? _tokenizer;
    private readonly List<object?>? _matrix;
    private readonly double[] _bounds = [0, 1];

    private NaiveCache(IndexRequest request, IReadOnlyDictionary<string, int[]> lengths)
    {
        (_request, _lengths) = (request, lengths);
        _release = request.MegatronCore == "main" ? 20 : int.Parse(request.MegatronCore.Split('.')[1], CultureInfo.InvariantCulture);
        _tokenizer = JsonDocument.Parse(request.TokenizerIdentifiers).RootElement;
        if (request.Blend is not null)
        {
            (_bounds, _matrix) = Matrix(request.Split!);
        }
    }

    public Dictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>Builds the cache.</summary>
    /// <exception cref="NaiveRefusalException">Megatron does not get through, or trains into an IndexError.</exception>
    public static NaiveCache Build(IndexRequest request, IReadOnlyDictionary<string, int[]> lengths)
    {
        var cache = new NaiveCache(request, lengths);
        for (var split = 0; split < 3; split++)
        {
            cache.BuildSplit(split);
        }

        return cache;
    }

    private static string NameOf(int split) => new[] { "train", "valid", "test" }[split];

    private static (double[] Bounds, List<object?> Matrix) Matrix(string split)
    {
        var numbers = new List<string> { "" };
        foreach (var c in split)
        {
            if (c is '.' or (>= '0' and <= '9'))
            {
                numbers[^1] += c;
            }
            else if (numbers[^1].Length > 0)
            {
                numbers.Add("");
            }
        }

        numbers.RemoveAll(number => number.Length == 0);
        if (numbers.Count > 3 || numbers.Exists(number => number == "." || number.Count(c => c == '.') > 1))
        {
            throw new NaiveRefusalException("The split is not up to three numbers.");
        }

        var values = numbers.ConvertAll(number => double.Parse(number.Trim().TrimEnd('.') is "" ? "0" : number, CultureInfo.InvariantCulture));
        var shares = NaivePython.Normalize([.. values, .. Enumerable.Repeat(0.0, 3 - values.Count)]);
        if (shares.Any(double.IsNaN))
        {
            throw new NaiveRefusalException("The split adds up to nothing.");
        }

        var bounds = new double[4];
        for (var i = 0; i < 3; i++)
        {
            bounds[i + 1] = bounds[i] + shares[i];
        }

        var matrix = new List<object?>();
        for (var i = 0; i < 3; i++)
        {
            object first = i == 0 ? (object)0L : bounds[i];
            matrix.Add(bounds[i + 1] <= bounds[i] ? null : new List<object?> { first, bounds[i + 1] });
        }

        return (bounds, matrix);
    }

    private void BuildSplit(int split)
    {
        var perSplit = _request.BlendPerSplit;
        var entries = _request.Blend ?? (split == 0 ? perSplit!.Train : split == 1 ? perSplit!.Valid : perSplit!.Test);
        var size = split == 0 ? _request.Samples.Train : split == 1 ? _request.Samples.Valid : _request.Samples.Test;
        if (size is null && entries is [{ Weight: not null }, ..])
        {
            throw new NaiveRefusalException("The builder's constructor asserts for each split: size_is_none => weights_are_none.");
        }

        if (entries is null || (_matrix is not null && _matrix[split] is null))
        {
            return;
        }

        var hasWeights = entries[0].Weight is not null;
        if (_request.MultipleValidationSets && split == 1)
        {
            foreach (var entry in entries)
            {
                Single(entry.Prefix, split, size);
            }
        }
        else if (entries.Count == 1 && (!hasWeights || perSplit is not null))
        {
            Single(entries[0].Prefix, split, size);
        }
        else if (hasWeights)
        {
            Weighted(entries, split, size!.Value);
        }
        else
        {
            Unweighted(entries, split, size);
        }
    }

    private void Single(string prefix, int split, long? size)
    {
        if (Gpt(prefix, split, size).Built.Count < size)
        {
            throw new NaiveRefusalException("There are fewer samples than asked for.");
        }
    }

    private void Weighted(IReadOnlyList<BlendEntry> entries, int split, long size)
    {
        var weights = NaivePython.Normalize(entries.Select(entry => entry.Weight!.Value));
        var targets = weights.Select(weight => (long)Math.Ceiling(_release <= 10 ? size * weight * 1.005 : size * weight)).ToList();
        var surplus = _release >= 13 ? _request.MidLevelDatasetSurplus : 0.005;
        var built = targets.ConvertAll(target => _release <= 10 ? target : (long)Math.Ceiling(target * (1 + surplus)));
        var members = entries.Select((entry, i) => Gpt(entry.Prefix, split, built[i])).ToList();
        if (_request.RenormalizeBlendWeights)
        {
            weights = [.. targets.Select(target => target / (double)targets.Sum())];
        }

        if (!weights.All(weight => weight > 0))
        {
            throw new NaiveRefusalException("BlendedDataset asserts that every weight is above zero.");
        }

        Blend(members, split, NaivePython.Normalize(weights), targets.Sum(), isExhaustive: false);
    }

    private void Unweighted(IReadOnlyList<BlendEntry> entries, int split, long? size)
    {
        var members = entries.Select(entry => Gpt(entry.Prefix, split, null)).ToList();
        var counts = members.ConvertAll(member => (double)member.Built.Count);
        if (counts.Contains(0))
        {
            throw new NaiveRefusalException("A member without samples has no weight.", FailureReason.EmptySplit);
        }

        var total = (long)counts.Sum();
        Blend(members, split, size is null ? [.. counts] : NaivePython.Normalize(counts), Math.Min(size ?? total, total), isExhaustive: size is null);
    }

    private void Blend(List<(List<(string, object?)> Key, NaiveGptDataset Built)> members, int split, double[] weights, long size, bool isExhaustive)
    {
        var counts = new long[members.Count];
        var shares = isExhaustive ? weights.Select(weight => weight / size).ToArray() : weights;
        var (ids, numbers) = (new List<long>(), new List<long>());
        for (var sample = 0L; sample < size; sample++)
        {
            var (best, largest) = (-1, double.NegativeInfinity);
            for (var d = 0; d < members.Count; d++)
            {
                var product = shares[d] * Math.Max(sample, 1.0);
                var error = product - counts[d];
                if ((!isExhaustive || counts[d] < members[d].Built.Count) && error > largest)
                {
                    (best, largest) = (d, error);
                }
            }

            ids.Add(best);
            numbers.Add(counts[best]++);
        }

        if (members.Where((member, d) => counts[d] > member.Built.Count).Any())
        {
            throw new NaiveRefusalException("The blend oversamples.", FailureReason.OversampledBlend, isOfArrays: true);
        }

        if (_release == 7)
        {
            // Counts without the zeros, beside all members from the first one on.
            var drawn = counts.Where(count => count > 0).ToList();
            for (var i = 0; i < drawn.Count; i++)
            {
                if (drawn[i] > members[i].Built.Count)
                {
                    throw new NaiveRefusalException("0.7 believes that the blend oversamples.", FailureReason.OversampledBlend, isOfArrays: true);
                }
            }
        }

        List<(string, object?)> key =
        [
            ("class", "BlendedDataset"),
            ("datasets", members.ConvertAll(member => (object?)member.Key)),
            ("split", NameOf(split)),
            ("weights", isExhaustive ? weights.Select(weight => (object?)(long)weight).ToList() : weights.Select(weight => (object?)weight).ToList()),
            ("size", isExhaustive ? null : (object)size),
        ];
        if (_release is 9 or 10)
        {
            key.Add(("renormalize_blend_weights", _request.RenormalizeBlendWeights));
        }

        var stem = Describe(key, "BlendedDataset", split);
        Files[stem + "dataset_index.npy"] = Npy("<i2", ids, $"({size},)");
        Files[stem + "dataset_sample_index.npy"] = Npy("<i8", numbers, $"({size},)");
    }

    private (List<(string, object?)> Key, NaiveGptDataset Built) Gpt(string prefix, int split, long? numSamples)
    {
        var lengths = _lengths[prefix];
        var (low, high) = _matrix is null ? (0.0, 1.0) : (_bounds[split], _bounds[split + 1]);
        var built = NaiveGptDataset.Build(
            lengths,
            (int)NaivePython.Round(low * lengths.Length),
            (int)NaivePython.Round(high * lengths.Length),
            numSamples,
            _request.SequenceLength,
            _request.AddExtraTokenToSequence ? 1 : 0,
            split != 1 || _request.DropLastPartialValidationSequence,
            _release < 10,
            (uint)_request.RandomSeed);
        List<(string, object?)> key =
        [
            ("class", _request.DatasetClass),
            ("dataset_path", prefix),
            ("num_samples", numSamples),
            ("index_split", NameOf(split)),
            ("random_seed", _request.RandomSeed),
            ("sequence_length", _request.SequenceLength),
            ("split", _matrix is null ? null : _request.Split),
            ("split_matrix", _matrix),
            ("tokenizer", _tokenizer),
        ];
        var stem = Describe(key, _request.DatasetClass, split);
        Files[stem + "document_index.npy"] = Npy("<i4", built.Documents, $"({built.Documents.Count},)");
        Files[stem + "sample_index.npy"] = Npy(_release is 8 or 9 ? "<i8" : "<i4", built.Samples, $"({built.Samples.Count / 2}, 2)");
        Files[stem + "shuffle_index.npy"] = Npy("<u4", built.Shuffle, $"({built.Shuffle.Count},)");
        return (key, built);
    }

    private string Describe(List<(string, object?)> key, string className, int split)
    {
        var text = Encoding.UTF8.GetBytes(NaivePython.Dumps(key));
#pragma warning disable CA5351 // Megatron names its files by MD5.
        var stem = $"{Convert.ToHexStringLower(MD5.HashData(text))}-{className}-{NameOf(split)}-";
#pragma warning restore CA5351
        Files[stem + "description.txt"] = text;
        return stem;
    }

    private static byte[] Npy(string descr, List<long> items, string shape)
    {
        var header = $"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}";
        var bytes = new List<byte>([0x93, .. "NUMPY"u8, 1, 0, 118, 0]);
        bytes.AddRange(Encoding.ASCII.GetBytes(header.PadRight(117) + "\n"));
        foreach (var item in items)
        {
            bytes.AddRange(BitConverter.GetBytes(item).Take(descr[2] - '0'));
        }

        return [.. bytes];
    }
}
