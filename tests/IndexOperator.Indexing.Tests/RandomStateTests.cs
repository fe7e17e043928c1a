using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace IndexOperator.Indexing.Tests;

public sealed class RandomStateTests
{
    private static readonly JsonElement Vectors =
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(GoldenCase.Root, "rng.json"))).RootElement;

    [Fact]
    public void Raw_outputs_are_those_of_numpy_across_the_refill_of_the_state()
    {
        foreach (var vector in Vectors.GetProperty("first32").EnumerateArray())
        {
            var random = new RandomState(vector.GetProperty("seed").GetUInt32());
            var outputs = Enumerable.Range(0, 632).Select(_ => random.NextUInt32()).ToList();
            Assert.Equal(Numbers(vector.GetProperty("values")), outputs.Take(16));
            Assert.Equal(Numbers(vector.GetProperty("values_620_to_631_cross_the_state_refill")), outputs.Skip(620));
        }
    }

    [Fact]
    public void Shuffles_are_those_of_numpy_for_every_length()
    {
        foreach (var vector in Vectors.GetProperty("shuffles").EnumerateArray())
        {
            var items = Enumerable.Range(0, vector.GetProperty("n").GetInt32()).ToArray();
            new RandomState(vector.GetProperty("seed").GetUInt32()).Shuffle(items);
            Assert.Equal(vector.GetProperty("sha256").GetProperty("<i4").GetString(), Hash(items));
        }
    }

    [Fact]
    public void A_second_shuffle_goes_on_where_the_first_left_the_stream()
    {
        foreach (var vector in Vectors.GetProperty("two_shuffles").EnumerateArray())
        {
            var random = new RandomState(vector.GetProperty("seed").GetUInt32());
            var first = Enumerable.Range(0, vector.GetProperty("n_int32").GetInt32()).ToArray();
            var second = Enumerable.Range(0, vector.GetProperty("n_uint32").GetInt32()).Select(i => (uint)i).ToArray();
            random.Shuffle(first);
            random.Shuffle(second);
            Assert.Equal(vector.GetProperty("sha256_1").GetString(), Hash(first));
            Assert.Equal(vector.GetProperty("sha256_2").GetString(), Hash(second));
        }
    }

    [Fact]
    public void Normalised_weights_are_those_of_numpy_to_the_last_digit()
    {
        foreach (var example in Vectors.GetProperty("normalise_sum").GetProperty("examples").EnumerateArray())
        {
            var weights = example.GetProperty("weights").EnumerateArray().Select(weight => weight.GetDouble()).ToArray();
            var expected = example.GetProperty("normalised").EnumerateArray().Select(weight => weight.GetDouble());
            Assert.Equal(expected, NumpySum.Normalize(weights));
        }
    }

    private static IEnumerable<uint> Numbers(JsonElement array) => array.EnumerateArray().Select(value => value.GetUInt32());

    private static string Hash<T>(T[] items)
        where T : unmanaged => Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(items.AsSpan())));
}
