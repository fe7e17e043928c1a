using IndexOperator.Indexing.Tests.Naive;

namespace IndexOperator.Indexing.Tests;

/// <summary>Arithmetic where a plausible other way gives another result; each test shows that its numbers tell the two apart.</summary>
public sealed class NumericEdgeTests
{
    [Theory]
    [InlineData(8)]
    [InlineData(12)]
    [InlineData(129)]
    [InlineData(1000)]
    public void Weights_are_summed_pairwise_and_not_from_left_to_right(int count)
    {
        var random = new Random(count);
        var discriminating = 0;
        for (var round = 0; round < 200; round++)
        {
            var weights = Enumerable.Range(0, count).Select(_ => random.NextDouble()).ToArray();
            Assert.Equal(NaivePython.Sum(weights), NumpySum.Sum(weights));
            discriminating += NumpySum.Sum(weights) == weights.Aggregate(0.0, (sum, weight) => sum + weight) ? 0 : 1;
        }

        Assert.True(discriminating > 50, $"Only {discriminating} of 200 sums depend on the order.");
    }

    [Fact]
    public void Fewer_than_eight_numbers_are_summed_from_negative_zero_on()
    {
        Assert.True(double.IsNegative(NumpySum.Sum([-0.0, -0.0])));
        Assert.False(double.IsNegative(NumpySum.Sum([-0.0, 0.0])));
    }

    [Theory]
    [InlineData(1, 0)] // 0.5
    [InlineData(3, 2)] // 1.5
    [InlineData(5, 2)] // 2.5; away from zero it were 3
    [InlineData(7, 4)] // 3.5
    [InlineData(9, 4)] // 4.5; away from zero it were 5
    public void A_bound_at_half_a_sequence_goes_to_the_even_one(int sequences, long end) =>
        Assert.Equal(end, SplitMatrix.Parse("1,1").Range(Split.Train, sequences).End);

    [Fact]
    public void Single_precision_differs_from_exact_counting_above_2_to_the_24()
    {
        var differing = 0;
        for (var sequenceLength = 4000L; sequenceLength < 4400; sequenceLength++)
        {
            foreach (var off in new[] { -1L, 1L })
            {
                var usable = (5001 * sequenceLength) + off;
                var exact = (usable + sequenceLength - 1) / sequenceLength;
                var single = (long)MathF.Ceiling((float)usable / (float)sequenceLength);
                var counted = EpochPlan.Create(usable, null, sequenceLength, 0, dropLastPartial: false, "valid of a").SampleCount;
                Assert.Equal(single, counted);
                differing += counted == exact ? 0 : 1;
            }
        }

        Assert.True(differing > 100, $"Only {differing} of 800 counts differ from the exact ones.");
    }

    [Fact]
    public void Blends_round_product_and_difference_apart()
    {
        for (var seed = 0; seed < 1000; seed++)
        {
            var random = new Random(seed);
            var weights = NumpySum.Normalize(Enumerable.Range(0, 7).Select(_ => (double)random.Next(1, 30)).ToArray());
            var (apart, fused) = (Order(weights, (w, x, c) => (w * x) - c), Order(weights, (w, x, c) => Math.FusedMultiplyAdd(w, x, -c)));
            if (!apart.SequenceEqual(fused))
            {
                using var blend = BlendIndex.Compute(Blend(weights, apart.Count), cancellationToken: TestContext.Current.CancellationToken);
                Assert.Equal(apart, blend.Members.Slice(0, apart.Count).ToArray().Select(member => (int)member));
                return;
            }
        }

        Assert.Fail("No blend was found whose order depends on fusing.");
    }

    private static List<int> Order(double[] weights, Func<double, double, double, double> error)
    {
        var counts = new double[weights.Length];
        var order = new List<int>();
        for (var sample = 0; sample < 20_000; sample++)
        {
            var best = 0;
            for (var member = 1; member < weights.Length; member++)
            {
                best = error(weights[member], Math.Max(sample, 1.0), counts[member]) > error(weights[best], Math.Max(sample, 1.0), counts[best]) ? member : best;
            }

            counts[best]++;
            order.Add(best);
        }

        return order;
    }

    private static BlendedDatasetPlan Blend(double[] weights, long size)
    {
        var prefixes = weights.Select((_, i) => $"/data/d{i}").ToList();
        var request = TestData.Single("/data/d0", samples: size) with
        {
            Blend = [.. prefixes.Select((prefix, i) => new BlendEntry(prefix, weights[i]))],
            Split = "1,0,0",
            Samples = new(size, 1, 1),
            MidLevelDatasetSurplus = 1,
        };
        var plan = IndexPlanner.Create(request, prefixes.ToDictionary(prefix => prefix, prefix => MemoryDataset.Of(prefix, [1000, 1000])));

        // The normalised weights once more normalised can move in the last digit: the order is computed from those given here.
        return plan.Blends[0] with { Weights = weights, Size = size };
    }
}
