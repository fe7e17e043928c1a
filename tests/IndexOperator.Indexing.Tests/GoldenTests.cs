using System.Diagnostics;
using System.Security.Cryptography;

namespace IndexOperator.Indexing.Tests;

public sealed class GoldenTests
{
    /// <summary>A second on an idle machine; the rest is for a loaded one.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static TheoryData<string, int> GoodCases => Matrix(GoldenCase.Names(expectError: false));

    public static TheoryData<string, int> ErrorCases => Matrix(GoldenCase.Names(expectError: true));

    [Theory]
    [MemberData(nameof(GoodCases))]
    public void A_build_writes_the_names_and_bytes_that_Megatron_wrote(string name, int threads)
    {
        using var directory = new TemporaryDirectory();
        var golden = GoldenCase.Open(name);
        var locate = golden.Locate(directory);

        var (_, files) = BareOutput.Write(
            LocalFileSystem.Instance, directory["cache"], golden.Request(), locate, new BuildOptions { Threads = threads });

        var expected = golden.Outputs.Select(output => output.File).Order(StringComparer.Ordinal).ToList();
        Assert.NotEmpty(IndexDirectoryVerifier.Verify(directory["cache"], new BuildOptions(), prefix => TestData.Read(prefix, locate(prefix))));
        Assert.Equal(expected, Directory.EnumerateFiles(directory["cache"]).Select(Path.GetFileName).Order(StringComparer.Ordinal)!);
        foreach (var (file, bytes, sha256) in golden.Outputs)
        {
            var content = File.ReadAllBytes(Path.Combine(directory["cache"], file));
            if (File.Exists(Path.Combine(golden.CachePath, file)))
            {
                Assert.Equal(File.ReadAllBytes(Path.Combine(golden.CachePath, file)), content);
            }

            Assert.Equal(bytes, content.Length);
            Assert.Equal(sha256, Convert.ToHexStringLower(SHA256.HashData(content)));
            Assert.Equal(sha256, files.Single(written => written.Name == file).Sha256);
        }
    }

    [Theory]
    [MemberData(nameof(ErrorCases))]
    public void An_input_on_which_Megatron_hangs_or_aborts_ends_in_an_error_and_leaves_nothing(string name, int threads)
    {
        using var directory = new TemporaryDirectory();
        var golden = GoldenCase.Open(name);
        var clock = Stopwatch.StartNew();

        var failure = Assert.Throws<IndexingException>(() => CachePublisher.Publish(
            LocalFileSystem.Instance,
            directory["cache"],
            golden.Request(),
            golden.Locate(directory),
            new BuildIdentity("golden", "tests"),
            new BuildOptions { Threads = threads }));

        Assert.True(clock.Elapsed < Patience, $"It took {clock.Elapsed}.");
        Assert.True(failure.Reason is FailureReason.EmptySplit or FailureReason.InvalidSpec or FailureReason.OversampledBlend, failure.ToString());
        Assert.Contains(golden.Request().Prefixes, prefix => failure.Message.Contains(prefix, StringComparison.Ordinal));
        Assert.Contains(SplitNames.All, split => failure.Message.Contains(split.Name(), StringComparison.Ordinal));
        Assert.Empty(directory.FilesUnder("cache"));
    }

    private static TheoryData<string, int> Matrix(IEnumerable<string> names)
    {
        var data = new TheoryData<string, int>();
        foreach (var name in names)
        {
            data.Add(name, 1);
            data.Add(name, 2);
        }

        return data;
    }
}
