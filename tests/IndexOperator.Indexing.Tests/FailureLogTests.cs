namespace IndexOperator.Indexing.Tests;

/// <summary>What a failed run's log tells of the index that it missed.</summary>
public sealed class FailureLogTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly GoldenCase _golden = GoldenCase.Open("40_blend2_weights");
    private readonly IndexPlan _plan;

    public FailureLogTests()
    {
        var request = _golden.Request();
        _plan = IndexPlanner.Create(request, DatasetLoader.Load(request, _golden.Locate(_directory), new BuildOptions()));
    }

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("[rank0]: OSError: [Errno 30] Read-only file system: '/npy_index/{0}'")]
    [InlineData("FileNotFoundError: [Errno 2] No such file or directory: '/npy_index/{0}'\n")]
    [InlineData("2026-11-26 PermissionError: [Errno 13] Permission denied: '/npy_index/{0}'\r\nmore")]
    [InlineData("/npy_index/{0}")]
    public void A_file_that_the_resource_builds_was_looked_for_elsewhere(string line)
    {
        foreach (var (file, _) in _golden.Descriptions)
        {
            var match = Assert.Single(FailureLog.Explain(line.Replace("{0}", file, StringComparison.Ordinal), "run.log", _plan));
            Assert.True(match.IsHit);
            Assert.StartsWith(match.AskedHash, file, StringComparison.Ordinal);
            Assert.Contains($"-{match.Class}-{match.Split}-", file, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_file_of_another_key_is_told_with_split_and_class_and_where_the_field_is_found()
    {
        var match = Assert.Single(FailureLog.Explain($"OSError: [Errno 30] Read-only file system: '/x/{new string('a', 32)}-BlendedDataset-valid-description.txt'", "run.log", _plan));
        Assert.False(match.IsHit);
        Assert.Equal(("valid", "BlendedDataset", _plan.Blends[1].Hash), (match.Split, match.Class, match.BuiltHash));
        Assert.Contains("check-run", Assert.Single(match.Differences).Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void What_Megatron_wrote_before_its_error_names_the_fields()
    {
        var log = $"""
             > datasets target sizes (minimum size):
                train:      999
                validation: 12
                test:       4
            INFO:megatron.core.datasets.blended_megatron_dataset_builder:Building GPTDataset splits with sizes=[999, 12, 4] and config=GPTDatasetConfig(random_seed=77, sequence_length=128, blend=(['/data/a'], None), blend_per_split=None, split='99,1,0', split_matrix=[(0, 0.99)], path_to_cache='/npy_index')
            OSError: [Errno 30] Read-only file system: '/npy_index/{new string('b', 32)}-GPTDataset-train-description.txt'
            """;
        var match = Assert.Single(FailureLog.Explain(log, "run.log", _plan));
        Assert.Equal(
            [("samples of train", "999", "400"), ("random_seed", "77", "1234"), ("sequence_length", "128", "64"), ("split", "'99,1,0'", "'900,50,50'")],
            match.Differences.Select(difference => (difference.Field, difference.Asked, difference.Built)));
        Assert.All(match.Differences, difference => Assert.NotEmpty(difference.Advice));
    }

    [Fact]
    public void Files_that_only_stand_in_messages_are_no_errors()
    {
        var log = $"INFO Load the GPTDataset train indices /x/{new string('a', 32)}-GPTDataset-train-document_index.npy";
        Assert.Equal(FailureReason.InvalidSpec, Assert.Throws<IndexingException>(() => FailureLog.Explain(log, "run.log", _plan)).Reason);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Traceback (most recent call last):\nRuntimeError: CUDA out of memory")]
    public void A_log_without_such_an_error_is_refused_with_the_next_step(string log) =>
        Assert.Contains("check-run", Assert.Throws<IndexingException>(() => FailureLog.Explain(log, "run.log", _plan)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_long_log_of_almost_matches_is_read_in_time()
    {
        var log = string.Concat(Enumerable.Repeat("Error 0123456789abcdef0123456789abcdef-GPTDataset-train-" + new string('a', 200) + " sizes=[[[ config=GPT target sizes (minimum size):\n", 20_000))
            + $"Errno {new string('c', 32)}-GPTDataset-test-description.txt";
        Assert.Equal("test", Assert.Single(FailureLog.Explain(log, "run.log", _plan)).Split);
    }
}
