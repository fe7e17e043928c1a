using IndexOperator.Indexing;

namespace IndexOperator.Builder.Tests;

/// <summary>A build that does not fit into its container's memory says so before it begins.</summary>
public sealed class MemoryLimitTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("indexoperator-memory-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("memory.max", "536870912\n", 536870912L)]
    [InlineData("memory.max", "max\n", null)]
    [InlineData("memory/memory.limit_in_bytes", "67108864\n", 67108864L)]
    [InlineData("memory/memory.limit_in_bytes", "9223372036854771712\n", null)]
    [InlineData("memory.max", "", null)]
    [InlineData("memory.max", "-1\n", null)]
    [InlineData("memory.max", "99999999999999999999999999999999999999999999999999999999999999999999999999\n", null)]
    [InlineData("other", "1\n", null)]
    public void The_limit_is_read_as_either_version_of_control_groups_writes_it(string file, string content, long? limit)
    {
        var path = Path.Combine(_folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        Assert.Equal(limit, MemoryLimit.Read(_folder));
    }

    [Fact]
    public void What_fits_or_has_no_limit_is_let_through()
    {
        MemoryForecast.ThrowIfAbove(100L << 20, null, 2);
        MemoryForecast.ThrowIfAbove(100L << 20, 100L << 20, 2);
    }

    [Theory]
    [InlineData(2, "The build takes about 101 MiB of memory with 2 threads, and its limit is 64 MiB. Give it a limit of 101Mi or more (spec.build.resources.limits.memory) or fewer --threads.")]
    [InlineData(1, "The build takes about 101 MiB of memory with 1 thread, and its limit is 64 MiB. Give it a limit of 101Mi or more (spec.build.resources.limits.memory).")]
    public void What_does_not_fit_is_told_with_the_limit_that_it_needs(int threads, string message)
    {
        var failure = Assert.Throws<IndexingException>(() => MemoryForecast.ThrowIfAbove((100L << 20) + 1, 64L << 20, threads));
        Assert.Equal((FailureReason.OutOfMemory, message), (failure.Reason, failure.Message));
    }
}
