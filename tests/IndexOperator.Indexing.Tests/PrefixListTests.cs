using System.Text.Json;

namespace IndexOperator.Indexing.Tests;

/// <summary>
/// Lists of weights and paths as the frameworks read them (<c>tests/golden-sizes/blend_list.json</c>). The resource has
/// weights of their own, so all that is kept of those rules is what Python takes for a number.
/// </summary>
public sealed class PrefixListTests
{
    private static readonly JsonElement Lists = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(GoldenCase.Root, "..", "golden-sizes", "blend_list.json"))).RootElement;

    public static TheoryData<int> Indices => [.. Enumerable.Range(0, Lists.GetArrayLength())];

    [Theory]
    [MemberData(nameof(Indices))]
    public void A_list_is_told_apart_as_Megatron_does(int index)
    {
        var items = Lists[index].GetProperty("list").EnumerateArray().Select(item => item.GetString()!).ToList();
        var expect = Lists[index].GetProperty("expect");
        if (expect.TryGetProperty("error", out _))
        {
            Assert.Null(Split(items));
            return;
        }

        var (prefixes, hasWeights) = Split(items)!.Value;
        Assert.Equal(expect.GetProperty("prefixes").EnumerateArray().Select(prefix => prefix.GetString()), prefixes);
        Assert.Equal(expect.GetProperty("weights").ValueKind == JsonValueKind.Array, hasWeights);
    }

    [Theory]
    [InlineData("30")]
    [InlineData("1_0")]
    [InlineData("+3")]
    [InlineData("nan")]
    [InlineData("-Infinity")]
    [InlineData(".5")]
    [InlineData("1.")]
    [InlineData("1e-1")]
    [InlineData("\u0661\u0662")]
    [InlineData(" 30 ")]
    [InlineData("a ")]
    public void A_prefix_that_Megatron_would_read_as_another_one_is_refused(string prefix)
    {
        var failure = Assert.Throws<IndexingException>(() => RequestRules.Check(TestData.Single(prefix)));
        Assert.Equal(FailureReason.InvalidSpec, failure.Reason);
        Assert.Contains($"\"{prefix}\"", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0x10")]
    [InlineData("1__0")]
    [InlineData("1d3")]
    [InlineData("_1")]
    [InlineData("1_")]
    [InlineData("/data/30")]
    public void A_prefix_that_is_no_number_in_Python_is_taken(string prefix) => RequestRules.Check(TestData.Single(prefix));

    /// <summary>get_blend_from_list with its incomplete check: only what follows the first path is looked at.</summary>
    private static (List<string> Prefixes, bool HasWeights)? Split(List<string> items)
    {
        if (items.Count == 0)
        {
            return null;
        }

        if (items.Count % 2 == 1)
        {
            return ([.. items.Select(item => item.Trim())], false);
        }

        var heads = items.Index().Where(item => item.Index % 2 == 0).Select(item => PythonFloat.IsNumber(item.Item)).ToList();
        var first = heads.IndexOf(false);
        return first < 0 ? ([.. items.Index().Where(item => item.Index % 2 == 1).Select(item => item.Item.Trim())], true)
            : heads.Skip(first + 1).Any(isNumber => isNumber) ? null
            : ([.. items.Select(item => item.Trim())], false);
    }
}
