namespace IndexOperator.Indexing.Tests;

/// <summary>The two ways to compute a blend's order against each other and against the loop of <c>helpers.cpp</c>.</summary>
public sealed class BlendOrderTests
{
    [Fact]
    public void Both_ways_give_the_order_of_the_plain_loop_for_random_weights()
    {
        var first = Random.Shared.Next();
        for (var seed = first; seed < first + 300; seed++)
        {
            var random = new Random(seed);
            var (weights, what) = Weights(random, random.Next(3) == 0 ? random.Next(1, 40) : random.Next(40, 700));
            Compare(NumpySum.Normalize(weights), null, random.Next(1, 6000), $"seed {seed}, {what}");
        }
    }

    [Fact]
    public void Both_ways_give_the_order_of_the_plain_loop_until_all_members_are_used_up()
    {
        var first = Random.Shared.Next();
        for (var seed = first; seed < first + 200; seed++)
        {
            var random = new Random(seed);
            var longest = random.Next(4) switch { 0 => 1, 1 => 3, 2 => 40, _ => 400 };
            var lengths = Enumerable.Range(0, random.Next(1, 400)).Select(_ => (long)random.Next(1, longest + 1)).ToArray();
            var size = lengths.Sum();
            Compare([.. lengths.Select(length => length / (double)size)], lengths, size, $"seed {seed}, lengths up to {longest}");
        }
    }

    [Fact]
    public void Members_that_a_rounding_error_decides_between_are_drawn_in_the_order_of_the_plain_loop()
    {
        // Products of up to 2^51 are rounded to halves: as after 2^51 samples, the weights' last digits and the counts
        // are of one size.
        var first = Random.Shared.Next();
        for (var seed = first; seed < first + 100; seed++)
        {
            var random = new Random(seed);
            var scale = Math.ScaleB(1, random.Next(0, 38));
            var digits = random.Next(1, 400);
            var weights = Enumerable.Range(0, random.Next(65, 500)).Select(_ => scale * (1 + (random.Next(digits) * Math.ScaleB(1, -52)))).ToArray();
            var size = random.Next(1000, 8000);
            Assert.True(CandidateBlend.IsFor(weights, size));
            Compare(weights, null, size, $"seed {seed}, {scale} times one and up to {digits} in the last digit");
        }
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 1000)]
    [InlineData(64, 5000)]
    [InlineData(65, 5000)]
    [InlineData(1000, 5000)]
    [InlineData(20_000, 2000)]
    [InlineData(32_767, 500)]
    public void Any_number_of_members_is_right(int members, int size)
    {
        var random = new Random(members);
        for (var kind = 0; kind < Kinds; kind++)
        {
            var (weights, what) = Weights(random, members, kind);
            Compare(NumpySum.Normalize(weights), null, size, $"{members} members, {what}");
        }
    }

    [Fact]
    public void Members_without_weight_are_drawn_only_where_no_other_is_behind()
    {
        var weights = new double[200];
        Compare(weights, null, 1000, "all weights zero");
        weights[77] = 1;
        Compare(weights, null, 1000, "one weight");
        weights[150] = double.Epsilon;
        Compare(weights, null, 1000, "one weight and the smallest");
        weights[3] = 0.5;
        Compare(weights, null, 1000, "more than one in all");
    }

    [Fact]
    public void Weights_that_the_proofs_do_not_hold_for_are_left_to_the_plain_way()
    {
        Assert.True(CandidateBlend.IsFor([0, 0.5, 1], 1L << 40));
        Assert.False(CandidateBlend.IsFor([0.5, -0.5], 10));
        Assert.False(CandidateBlend.IsFor([0.5, double.NaN], 10));
        Assert.False(CandidateBlend.IsFor([0.5, double.PositiveInfinity], 10));
        Assert.False(CandidateBlend.IsFor([0.5, Math.ScaleB(1, 50)], 10));
        Assert.False(CandidateBlend.IsFor([0.5, 0.5], 1L << 52));
    }

    [Fact]
    public void A_number_is_found_by_its_rank()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var round = 0; round < 500; round++)
        {
            var values = random.Next(1, 200);
            var numbers = Enumerable.Range(0, random.Next(1, 200)).Select(_ => (double)random.Next(values)).ToArray();
            var rank = random.Next(numbers.Length);
            var expected = numbers.OrderDescending().ElementAt(rank);
            Assert.True(Selection.NthLargest(numbers, rank) == expected, $"seed {seed}, round {round}");
        }
    }

    private const int Kinds = 9;

    private static (double[] Weights, string What) Weights(Random random, int members) => Weights(random, members, random.Next(Kinds));

    private static (double[] Weights, string What) Weights(Random random, int members, int kind)
    {
        (Func<int, double> weight, string what) = kind switch
        {
            0 => ((Func<int, double>)(_ => 1), "equal"),
            1 => (_ => random.NextDouble() + 0.01, "even"),
            2 => (_ => random.Next(1, 6), "few different"),
            3 => (_ => Math.Pow(10, -12 * random.NextDouble()), "from 1e-12 to 1"),
            4 => (i => 1.0 / (i + 1), "of a power law"),
            5 => (_ => 1 + (random.NextDouble() * Math.Pow(10, -random.Next(2, 16))), "nearly equal"),
            6 => (_ => Math.ScaleB(1, -random.Next(0, 12)), "powers of two"),
            7 => (i => (1 + (i % 2)) * (1 + (random.NextDouble() * 1e-9)), "of two kinds, nearly equal within each"),
            _ => (i => i == members / 2 ? members : random.NextDouble() + 1e-3, "one as heavy as all others"),
        };
        return ([.. Enumerable.Range(0, members).Select(weight)], what);
    }

    private static void Compare(double[] weights, long[]? limits, long size, string what)
    {
        var (expected, counts) = PlainLoop(weights, limits, size);
        var random = new Random(weights.Length);
        foreach (var order in new IBlendOrder[] { new DirectBlend(weights, limits), new CandidateBlend(weights, limits) })
        {
            // In pieces of any length, as blocks end where a piece does.
            var found = new short[size];
            for (var first = 0; first < size;)
            {
                var length = (int)Math.Min(random.Next(1, 3000), size - first);
                order.Fill(found.AsSpan(first, length));
                first += length;
            }

            var same = expected.AsSpan().CommonPrefixLength(found);
            Assert.True(same == size, $"{order.GetType().Name} differs at sample {same} of {size} ({weights.Length} members; {what})");
            Assert.True(counts.AsSpan().SequenceEqual(order.Counts()), $"{order.GetType().Name} counts wrongly ({weights.Length} members; {what})");
        }
    }

    private static (short[] Order, long[] Counts) PlainLoop(double[] weights, long[]? limits, long size)
    {
        var order = new short[size];
        var counts = new long[weights.Length];
        for (var sample = 0L; sample < size; sample++)
        {
            var x = Math.Max((double)sample, 1.0);
            var (best, largest) = (-1, 0.0);
            for (var member = 0; member < weights.Length; member++)
            {
                if (limits is null || counts[member] != limits[member])
                {
                    var error = (weights[member] * x) - (double)counts[member];
                    (best, largest) = best < 0 || error > largest ? (member, error) : (best, largest);
                }
            }

            order[sample] = (short)best;
            counts[best]++;
        }

        return (order, counts);
    }
}
