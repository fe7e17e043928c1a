namespace IndexOperator.Indexing.Tests;

public sealed class PublishTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly IndexRequest _request;

    public PublishTests() => _request = TestData.Single(TestData.Write(_directory["a"], TestData.Lengths(300)));

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_published_version_is_complete_and_a_second_build_reuses_it()
    {
        var built = Publish();
        var reused = Publish("other-build");

        Assert.Equal(PublishOutcome.Built, built.Outcome);
        Assert.Equal(PublishOutcome.Reused, reused.Outcome);
        Assert.Equal(built.Path, reused.Path);
        Assert.Equal(built.SizeBytes, reused.SizeBytes);
        Assert.Equal(built.SizeBytes, VersionVerifier.SizeOf(built.Path));
        Assert.Equal(built.Files, Directory.GetFiles(built.Path).Length);
        Assert.Empty(Staging());
        Assert.Contains("\"" + _request.Prefixes[0] + "\"", File.ReadAllText(Path.Combine(built.Path, CacheLayout.PerDatasetSequences)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_builders_at_once_publish_one_version_and_both_succeed()
    {
        var token = TestContext.Current.CancellationToken;
        for (var round = 0; round < 10; round++)
        {
            var request = _request with { RandomSeed = round };
            using var start = new Barrier(2);
            var builders = Enumerable.Range(0, 2).Select(i => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait(token);
                    return Publish($"build-{i}", request);
                },
                token,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default)).ToList();
            var results = await Task.WhenAll(builders);

            Assert.Single(results.Select(result => result.Path).Distinct());
            Assert.Contains(results, result => result.Outcome == PublishOutcome.Built);
            VersionVerifier.Verify(results[0].Path, new BuildOptions());
            Assert.Empty(Staging());
        }
    }

    [Fact]
    public void Leftovers_of_the_same_build_are_removed_and_those_of_others_are_not()
    {
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(_directory["cache/.staging/mine"]).FullName, "half.npy"), "x");
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(_directory["cache/.staging/theirs"]).FullName, "half.npy"), "x");

        Publish("mine");

        Assert.Equal(["theirs"], Staging());
        Assert.True(CachePublisher.Prune(LocalFileSystem.Instance, _directory["cache"], "theirs"));
        Assert.False(CachePublisher.Prune(LocalFileSystem.Instance, _directory["cache"], "theirs"));
        Assert.Empty(Staging());
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("")]
    [InlineData("../versions")]
    [InlineData("a\n")]
    public void A_build_id_that_could_name_another_directory_is_refused(string buildId) =>
        Assert.Equal(
            FailureReason.InvalidSpec,
            Assert.Throws<IndexingException>(() => CachePublisher.Prune(LocalFileSystem.Instance, _directory["cache"], buildId)).Reason);

    [Fact]
    public void A_corrupt_published_version_is_reported_and_left_alone()
    {
        var built = Publish();
        var file = Directory.GetFiles(built.Path, "*shuffle_index.npy")[0];
        var bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);

        var failure = Assert.Throws<IndexingException>(() => Publish());

        Assert.Equal(FailureReason.VersionCorrupt, failure.Reason);
        Assert.Contains(Path.GetFileName(file), failure.Message, StringComparison.Ordinal);
        Assert.Equal(bytes, File.ReadAllBytes(file));
    }

    [Fact]
    public void Changed_data_has_another_version_and_a_new_label_alone_has_not()
    {
        var first = Publish();
        var relabelled = CachePublisher.Publish(LocalFileSystem.Instance, _directory["cache"], _request, prefix => prefix, new("b", "tests", "tomorrow"), new());
        TestData.Write(_directory["a"], [.. TestData.Lengths(300), 5]);
        var changed = Publish();

        Assert.Equal(PublishOutcome.Reused, relabelled.Outcome);
        Assert.NotEqual(first.Manifest.Fingerprint, changed.Manifest.Fingerprint);
        Assert.NotEqual(first.Path, changed.Path);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    public void Whatever_fails_and_whenever_nothing_is_published_or_left(int syncTogetherFrom)
    {
        var options = new BuildOptions { Threads = 1, SyncTogetherFrom = syncTogetherFrom };
        var counting = new FaultyFileSystem(_ => null);
        CachePublisher.Publish(counting, _directory["counted"], _request, prefix => prefix, new("b", "tests"), options);

        // The last change is the sync after the rename: the version is there, complete, and only its durability is in doubt.
        for (var failing = 1; failing < counting.Changes; failing++)
        {
            var at = failing;
            var files = new FaultyFileSystem(change => change == at ? new IOException("No space left on device", 28) : null);
            var failure = Assert.Throws<IndexingException>(() =>
                CachePublisher.Publish(files, _directory["cache"], _request, prefix => prefix, new("b", "tests"), options));

            Assert.Equal(FailureReason.OutOfSpace, failure.Reason);
            Assert.Empty(_directory.FilesUnder("cache"));
            Assert.Empty(Staging());
        }
    }

    [Fact]
    public void Whatever_fails_with_whatever_error_nothing_is_published_or_left()
    {
        var counting = new FaultyFileSystem(_ => null);
        CachePublisher.Publish(counting, _directory["counted"], _request, prefix => prefix, new("b", "tests"), new() { Threads = 1 });
        (int Error, FailureReason Reason)[] errors =
            [(4, FailureReason.StorageError), (5, FailureReason.StorageError), (28, FailureReason.OutOfSpace), (30, FailureReason.ReadOnlyCache), (122, FailureReason.OutOfSpace), (13, FailureReason.PermissionDenied)];
        foreach (var (error, reason) in errors)
        {
            for (var failing = 1; failing < counting.Changes; failing++)
            {
                var at = failing;
                var files = new FaultyFileSystem(change => change == at ? new IOException("refused", error) : null);
                var failure = Assert.Throws<IndexingException>(() =>
                    CachePublisher.Publish(files, _directory["cache"], _request, prefix => prefix, new("b", "tests"), new() { Threads = 1 }));

                Assert.Equal(reason, failure.Reason);
                Assert.Empty(_directory.FilesUnder("cache"));
                Assert.Empty(Staging());
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(200)]
    [InlineData(2000)]
    public void A_quota_that_cuts_a_write_short_leaves_nothing(long bytes)
    {
        var files = new FaultyFileSystem(_ => null) { BytesOfFile = bytes };
        var failure = Assert.Throws<IndexingException>(() => CachePublisher.Publish(files, _directory["cache"], _request, prefix => prefix, new("b", "tests"), new()));
        Assert.Equal(FailureReason.OutOfSpace, failure.Reason);
        Assert.Empty(_directory.FilesUnder("cache"));
        Assert.Empty(Staging());
    }

    [Fact]
    public void Two_builders_that_meet_at_the_rename_are_one_Built_and_one_Reused_each_time()
    {
        var token = TestContext.Current.CancellationToken;
        for (var round = 0; round < 50; round++)
        {
            var request = _request with { RandomSeed = 1000 + round };
            using var meeting = new Barrier(2);
            var outcomes = new PublishOutcome[2];
            var builders = Enumerable.Range(0, 2).Select(i => new Thread(() =>
            {
                var files = new FaultyFileSystem(_ => null) { BeforeRename = () => meeting.SignalAndWait(token) };
                outcomes[i] = CachePublisher.Publish(files, _directory["cache"], request, prefix => prefix, new($"build-{i}", "tests"), new() { CancellationToken = token }).Outcome;
            })).ToList();
            builders.ForEach(builder => builder.Start());
            builders.ForEach(builder => builder.Join());

            Assert.Equal([PublishOutcome.Built, PublishOutcome.Reused], outcomes.Order());
            Assert.Empty(Staging());
        }
    }

    [Theory]
    [InlineData(28, FailureReason.OutOfSpace)]
    [InlineData(122, FailureReason.OutOfSpace)]
    [InlineData(30, FailureReason.ReadOnlyCache)]
    [InlineData(13, FailureReason.PermissionDenied)]
    [InlineData(1, FailureReason.PermissionDenied)]
    [InlineData(5, FailureReason.StorageError)]
    public void An_error_number_of_the_storage_becomes_its_reason(int error, FailureReason reason)
    {
        var files = new FaultyFileSystem(_ => new IOException("refused", error));
        var failure = Assert.Throws<IndexingException>(() => CachePublisher.Publish(files, _directory["cache"], _request, prefix => prefix, new("b", "tests"), new()));
        Assert.Equal(reason, failure.Reason);
        Assert.Contains(_directory["cache"], failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_write_to_a_full_device_is_out_of_space()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "This machine lacks /dev/full.");
        using var file = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
        var fault = Assert.ThrowsAny<IOException>(() => file.Write([1]));
        Assert.Equal(FailureReason.OutOfSpace, StorageFaults.Translate(fault, "Writing", isWrite: true).Reason);
    }

    [Fact]
    public void Too_little_space_is_told_before_anything_is_built()
    {
        var files = new FaultyFileSystem(_ => null) { Available = 1000 };
        var failure = Assert.Throws<IndexingException>(() => CachePublisher.Publish(files, _directory["cache"], _request, prefix => prefix, new("b", "tests"), new()));
        Assert.Equal(FailureReason.OutOfSpace, failure.Reason);
        Assert.Empty(Staging());
    }

    [Fact]
    public void Too_few_inodes_are_told_before_anything_is_built()
    {
        var files = new FaultyFileSystem(_ => null) { Inodes = 3 };
        var failure = Assert.Throws<IndexingException>(() => CachePublisher.Publish(files, _directory["cache"], _request, prefix => prefix, new("b", "tests"), new()));
        Assert.Equal(FailureReason.OutOfSpace, failure.Reason);
        Assert.Contains("inodes", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Staging());
    }

    [Fact]
    public void The_real_file_system_tells_its_free_inodes() =>
        Assert.InRange(LocalFileSystem.Instance.AvailableFiles(Path.GetTempPath()), 1000, long.MaxValue);

    [Fact]
    public void Data_that_changes_during_the_build_is_not_published()
    {
        var touched = false;
        var files = new FaultyFileSystem(change =>
        {
            if (!touched && change > 4)
            {
                touched = true;
                TestData.Write(_directory["a"], TestData.Lengths(301));
            }

            return null;
        });

        var failure = Assert.Throws<IndexingException>(() => CachePublisher.Publish(files, _directory["cache"], _request, prefix => prefix, new("b", "tests"), new()));

        Assert.Equal(FailureReason.DataCorrupt, failure.Reason);
        Assert.Contains("changed while it was being indexed", failure.Message, StringComparison.Ordinal);
        Assert.Empty(_directory.FilesUnder("cache"));
    }

    [Fact]
    public void A_cancelled_build_leaves_nothing()
    {
        using var stop = new CancellationTokenSource();
        var files = new FaultyFileSystem(change =>
        {
            if (change == 5)
            {
                stop.Cancel();
            }

            return null;
        });

        Assert.ThrowsAny<OperationCanceledException>(() =>
            CachePublisher.Publish(files, _directory["cache"], _request, prefix => prefix, new("b", "tests"), new() { CancellationToken = stop.Token }));

        Assert.Empty(_directory.FilesUnder("cache"));
        Assert.Empty(Staging());
    }

    private PublishResult Publish(string buildId = "build", IndexRequest? request = null) =>
        CachePublisher.Publish(LocalFileSystem.Instance, _directory["cache"], request ?? _request, prefix => prefix, new(buildId, "tests"), new());

    private IEnumerable<string> Staging() => Directory.Exists(_directory["cache/.staging"])
        ? Directory.EnumerateFileSystemEntries(_directory["cache/.staging"]).Select(path => Path.GetFileName(path)!)
        : [];
}
