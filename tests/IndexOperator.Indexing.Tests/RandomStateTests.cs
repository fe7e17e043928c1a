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
    public void Shuffles_are_those_of_numpy_for_every_length_and_type_of_item()
    {
        foreach (var vector in Vectors.GetProperty("shuffles").EnumerateArray())
        {
            var count = vector.GetProperty("n").GetInt32();
            var hashes = vector.GetProperty("sha256");
            Assert.Equal(3, hashes.EnumerateObject().Count());
            var seed = vector.GetProperty("seed").GetUInt32();
            var (random, randomOfUnsigned) = (new RandomState(seed), new RandomState(seed));
            var numbers = Enumerable.Range(0, count).ToArray();
            var unsigned = Enumerable.Range(0, count).Select(i => (uint)i).ToArray();
            random.Shuffle(numbers);
            randomOfUnsigned.Shuffle(unsigned);
            Assert.Equal(vector.GetProperty("first20").EnumerateArray().Select(value => value.GetInt32()), numbers.Take(20));
            Assert.Equal(hashes.GetProperty("<i4").GetString(), Hash(numbers));
            Assert.Equal(hashes.GetProperty("<u4").GetString(), Hash(unsigned));

            // The order does not depend on the items' type: widened, it is numpy's order of 64-bit items.
            Assert.Equal(hashes.GetProperty("<i8").GetString(), Hash(Array.ConvertAll(numbers, number => (long)number)));

            // A draw too many or too few would only show in a later shuffle.
            var next = vector.GetProperty("next_raw_32bit_after_shuffle").GetUInt32();
            Assert.Equal((next, next), (random.NextUInt32(), randomOfUnsigned.NextUInt32()));
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
            Assert.Equal(Numbers(vector.GetProperty("first10_2")), second.Take(10));
        }
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(2, 2)]
    [InlineData(65_536, 2)]
    [InlineData(300_001, 1)]
    [InlineData(300_001, 2)]
    [InlineData(300_001, 4)]
    [InlineData(5_000_000, 2)]
    public unsafe void A_shuffle_whose_draws_other_threads_make_is_the_same_and_leaves_the_stream_at_the_same_place(int count, int threads)
    {
        var (alone, helped) = (new RandomState(11), new RandomState(11));
        var expected = Enumerable.Range(0, count).ToArray();
        alone.Shuffle(expected);
        using var items = new NativeBuffer<int>(count, "The test");
        for (var i = 0; i < count; i++)
        {
            items.Items[i] = i;
        }

        var placed = 0L;
        WorkPool.Run(threads, [pool => helped.Shuffle(items.Items, items.Length, done => placed += done, pool)], CancellationToken.None);

        Assert.True(expected.AsSpan().SequenceEqual(items.Slice(0, count)));
        Assert.Equal(alone.NextUInt32(), helped.NextUInt32());
        Assert.Equal(Math.Max(0, count - 1), placed);
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
