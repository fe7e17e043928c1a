namespace IndexOperator.Indexing.Tests;

public sealed class SplitTests
{
    [Theory]
    [InlineData("969,30,1", 300, 0, 291, 291, 300, 300, 300)]
    [InlineData("1,0,0", 10, 0, 10, 0, 0, 0, 0)]
    [InlineData("-1", 10, 0, 10, 0, 0, 0, 0)]
    [InlineData("0,1,0", 10, 0, 0, 0, 10, 0, 0)]
    [InlineData("50,50", 5, 0, 2, 2, 5, 0, 0)] // 2.5 rounds to the even 2.
    [InlineData("50,50", 7, 0, 4, 4, 7, 0, 0)] // 3.5 rounds to the even 4.
    public void A_split_text_cuts_the_sequences_as_Megatron_does(string text, long count, long trainBegin, long trainEnd, long validBegin, long validEnd, long testBegin, long testEnd)
    {
        var matrix = SplitMatrix.Parse(text);
        Assert.Equal((trainBegin, trainEnd), matrix.Range(Split.Train, count));
        Assert.Equal((validBegin, validEnd), matrix.Range(Split.Valid, count));
        Assert.Equal((testBegin, testEnd), matrix.Range(Split.Test, count));
    }

    [Theory]
    [InlineData("1,2,3,4")]
    [InlineData("1.2.3,1,1")]
    [InlineData("0,0,0")]
    [InlineData("")]
    [InlineData("train")]
    [InlineData(".,1,1")]
    public void A_split_text_without_usable_shares_is_refused(string text) =>
        Assert.Equal(FailureReason.InvalidSpec, Assert.Throws<IndexingException>(() => SplitMatrix.Parse(text)).Reason);

    [Theory]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(15)]
    [InlineData(128)]
    [InlineData(129)]
    [InlineData(300)]
    public void A_sum_of_any_length_keeps_every_number(int length)
    {
        // Powers of two add up without rounding in any order, so a number left out or doubled shows.
        var values = Enumerable.Range(0, length).Select(i => (double)(1L << (i % 40))).ToArray();
        Assert.Equal(values.Select(value => (decimal)value).Sum(), (decimal)NumpySum.Sum(values));
    }

    [Fact]
    public void A_sum_of_eight_pairs_its_numbers_as_numpy_does()
    {
        double[] values = [1e16, 1, -1e16, 1, 1, 1, 1, 1];
        Assert.Equal(((1e16 + 1) + (-1e16 + 1)) + ((1.0 + 1) + (1 + 1)), NumpySum.Sum(values));
    }
}
