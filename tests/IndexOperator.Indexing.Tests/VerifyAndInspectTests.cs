namespace IndexOperator.Indexing.Tests;

public sealed class VerifyAndInspectTests
{
    public static TheoryData<string> GoodCases => [.. GoldenCase.Names(expectError: false)];

    [Theory]
    [MemberData(nameof(GoodCases))]
    public void Every_cache_that_Megatron_wrote_passes_verification(string name)
    {
        var golden = GoldenCase.Open(name);
        Assert.SkipUnless(Directory.Exists(golden.CachePath), $"{name} lacks its cache directory: only the checksums of its files are known.");
        using var directory = new TemporaryDirectory();
        var locate = golden.Locate(directory);
        Assert.NotEmpty(IndexDirectoryVerifier.Verify(golden.CachePath, new BuildOptions()));
        Assert.NotEmpty(IndexDirectoryVerifier.Verify(golden.CachePath, new BuildOptions(), prefix => TestData.Read(prefix, locate(prefix))));
    }

    [Theory]
    [InlineData("document_index.npy", 128, "document_index")]
    [InlineData("sample_index.npy", 136, "sample_index")]
    [InlineData("shuffle_index.npy", 128, "shuffle_index")]
    [InlineData("shuffle_index.npy", 20, "header")]
    [InlineData("dataset_index.npy", 128, "dataset_index.npy cannot be used: entry 0 is 8")]
    [InlineData("dataset_sample_index.npy", 129, "dataset_sample_index")]
    [InlineData("description.txt", 40, "MD5")]
    public void Damage_to_any_file_of_a_bare_directory_is_found(string what, int at, string words)
    {
        using var directory = new TemporaryDirectory();
        CopyCache("41_blend3_weights", directory);
        var file = Directory.GetFiles(directory["cache"], "*-train-" + what).Order(StringComparer.Ordinal).First();
        var bytes = File.ReadAllBytes(file);
        bytes[at] ^= 0x55;
        File.WriteAllBytes(file, bytes);

        var failure = Assert.Throws<IndexingException>(() => IndexDirectoryVerifier.Verify(directory["cache"], new BuildOptions()));

        Assert.Equal(FailureReason.VersionCorrupt, failure.Reason);
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("*-GPTDataset-train-sample_index.npy")]
    [InlineData("*-GPTDataset-train-description.txt")]
    [InlineData("*-BlendedDataset-train-dataset_index.npy")]
    public void A_missing_file_of_a_bare_directory_is_found(string pattern)
    {
        using var directory = new TemporaryDirectory();
        CopyCache("41_blend3_weights", directory);
        File.Delete(Directory.GetFiles(directory["cache"], pattern)[0]);
        Assert.Equal(FailureReason.VersionCorrupt, Assert.Throws<IndexingException>(() => IndexDirectoryVerifier.Verify(directory["cache"], new BuildOptions())).Reason);
    }

    [Fact]
    public void A_truncated_array_and_a_strange_file_in_a_version_are_found()
    {
        using var directory = new TemporaryDirectory();
        var request = TestData.Single(TestData.Write(directory["a"], TestData.Lengths(100)));
        var built = CachePublisher.Publish(LocalFileSystem.Instance, directory["cache"], request, prefix => prefix, new("b", "tests"), new());
        File.WriteAllText(Path.Combine(built.Path, "note.txt"), "x");
        Assert.Contains("note.txt", Assert.Throws<IndexingException>(() => VersionVerifier.Verify(built.Path, new())).Message, StringComparison.Ordinal);
        File.Delete(Path.Combine(built.Path, "note.txt"));
        VersionVerifier.Verify(built.Path, new());

        var file = Directory.GetFiles(built.Path, "*-train-document_index.npy")[0];
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..^4]);
        Assert.Contains("bytes instead of", Assert.Throws<IndexingException>(() => VersionVerifier.Verify(built.Path, new())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("01_single_epoch")]
    [InlineData("11_no_extra_token")]
    [InlineData("22_multi_sequence_documents")]
    [InlineData("23_zero_length_documents")]
    [InlineData("41_blend3_weights")]
    public void Every_sample_can_be_followed_to_a_full_run_of_tokens(string name)
    {
        using var directory = new TemporaryDirectory();
        var golden = GoldenCase.Open(name);
        var request = golden.Request();
        var locate = golden.Locate(directory);
        var built = CachePublisher.Publish(LocalFileSystem.Instance, directory["cache"], request, locate, new("b", "tests"), new());
        var tracer = SampleTracer.Open(built.Path, Split.Train, null, locate);
        var samples = built.Manifest.Splits[0].Samples;
        for (var sample = 0L; sample < samples; sample++)
        {
            var trace = tracer.Trace(sample);
            Assert.Equal(request.SequenceLength + (request.AddExtraTokenToSequence ? 1 : 0), trace.Tokens);
            Assert.Equal(trace.Tokens * tracer.ReadTokens(trace).Type.ItemSize, tracer.ReadTokens(trace).Bytes.Length);
        }

        Assert.Equal(FailureReason.InvalidSpec, Assert.Throws<IndexingException>(() => tracer.Trace(samples)).Reason);
    }

    private static void CopyCache(string name, TemporaryDirectory directory)
    {
        Directory.CreateDirectory(directory["cache"]);
        foreach (var file in Directory.GetFiles(GoldenCase.Open(name).CachePath))
        {
            File.Copy(file, Path.Combine(directory["cache"], Path.GetFileName(file)));
        }
    }
}
