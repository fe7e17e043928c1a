namespace IndexOperator.Indexing.Tests;

/// <summary>Staging while the source, the destination or the caller change their minds.</summary>
public sealed class VersionStagerTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly string _version;

    public VersionStagerTests()
    {
        var request = TestData.Single(TestData.Write(_directory["a"], TestData.Lengths(300)), samples: 4_000_000);
        _version = CachePublisher.Publish(LocalFileSystem.Instance, _directory["cache"], request, prefix => prefix, new("build", "tests"), new()).Path;
    }

    private string Staged => _directory["staged"];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Progress_goes_to_the_end_and_counts_every_byte_once()
    {
        var progress = new Listener(_ => { });
        var staged = Stage(progress);
        Assert.Equal(staged.Manifest.Files.Sum(file => file.Bytes), staged.CopiedBytes);
        Assert.Equal((staged.CopiedBytes, staged.CopiedBytes), progress.Last);
        Assert.Equal(_version.Split('/')[^1], VersionVerifier.Verify(Staged, new BuildOptions()).Version);
    }

    [Fact]
    public void A_source_that_is_cut_off_while_it_is_read_is_corrupt_and_nothing_stays()
    {
        var isCut = 0;
        var failure = Assert.Throws<IndexingException>(() => Stage(new Listener(_ =>
        {
            if (Interlocked.Exchange(ref isCut, 1) == 0)
            {
                foreach (var file in Directory.EnumerateFiles(_version, "*sample_index.npy"))
                {
                    using var open = File.OpenWrite(file);
                    open.SetLength(1000);
                }
            }
        })));
        Assert.Equal(FailureReason.VersionCorrupt, failure.Reason);
        Assert.Contains("sample_index.npy", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Staged));
    }

    [Fact]
    public void A_copy_that_is_stopped_leaves_nothing_and_the_next_one_finishes()
    {
        using var stop = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => StageUntil(new Listener(_ => stop.Cancel()), stop.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Staged));
        Stage(new Listener(_ => { }));
        VersionVerifier.Verify(Staged, new BuildOptions());
    }

    [Fact]
    public void What_was_right_before_is_kept_when_the_rest_fails()
    {
        Stage(new Listener(_ => { }));
        var (kept, bad) = (Directory.GetFiles(Staged, "*shuffle_index.npy")[0], Directory.GetFiles(Staged, "*sample_index.npy")[0]);
        File.Delete(bad);
        var source = Path.Combine(_version, Path.GetFileName(bad));
        using (var file = File.OpenWrite(source))
        {
            file.Seek(-1, SeekOrigin.End);
            file.WriteByte(0x5a);
        }

        Assert.Equal(FailureReason.VersionCorrupt, Assert.Throws<IndexingException>(() => Stage(new Listener(_ => { }))).Reason);
        Assert.True(File.Exists(kept));
        Assert.False(File.Exists(bad));
        Assert.False(File.Exists(Path.Combine(Staged, CacheLayout.Manifest)));
    }

    private StagedVersion Stage(IBuildProgress progress) => StageUntil(progress, TestContext.Current.CancellationToken);

    private StagedVersion StageUntil(IBuildProgress progress, CancellationToken cancellation) => VersionStager.Stage(
        _version, Staged, new BuildOptions { Threads = 3, Progress = progress, CancellationToken = cancellation }, bytes => $"Give it {bytes}.");

    private sealed class Listener(Action<long> told) : IBuildProgress
    {
        private readonly Lock _lock = new();

        public (long Completed, long Total) Last { get; private set; }

        public void Report(BuildPhase phase, long completed, long total)
        {
            Assert.Equal(BuildPhase.Stage, phase);
            lock (_lock)
            {
                Last = (Math.Max(Last.Completed, completed), total);
            }

            told(completed);
        }
    }
}
