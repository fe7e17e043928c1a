namespace IndexOperator.Indexing.Tests.Naive;

/// <summary>The judge is judged first: the naive implementation must itself write what real Megatron wrote.</summary>
public sealed class NaiveGoldenTests
{
    public static TheoryData<string> GoodCases => [.. GoldenCase.Names(expectError: false)];

    public static TheoryData<string> ErrorCases => [.. GoldenCase.Names(expectError: true)];

    [Theory]
    [MemberData(nameof(GoodCases))]
    public void The_naive_implementation_writes_what_Megatron_wrote(string name)
    {
        using var directory = new TemporaryDirectory();
        var golden = GoldenCase.Open(name);
        var cache = NaiveCache.Build(golden.Request(), Lengths(golden, directory));
        Assert.Equal(golden.Outputs.Select(output => output.File).Order(StringComparer.Ordinal), cache.Files.Keys.Order(StringComparer.Ordinal));
        foreach (var (file, _, sha256) in golden.Outputs)
        {
            Assert.Equal(sha256, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(cache.Files[file])));
        }
    }

    [Theory]
    [MemberData(nameof(ErrorCases))]
    public void The_naive_implementation_refuses_what_Megatron_does_not_get_through(string name)
    {
        using var directory = new TemporaryDirectory();
        var golden = GoldenCase.Open(name);
        Assert.Throws<NaiveRefusalException>(() => NaiveCache.Build(golden.Request(), Lengths(golden, directory)));
    }

    private static Dictionary<string, int[]> Lengths(GoldenCase golden, TemporaryDirectory directory) =>
        DatasetLoader.Load(golden.Request(), golden.Locate(directory), new BuildOptions()).ToDictionary(data => data.Key, data => data.Value.SequenceLengths);
}
