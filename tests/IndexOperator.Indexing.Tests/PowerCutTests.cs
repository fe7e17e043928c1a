namespace IndexOperator.Indexing.Tests;

/// <summary>What a power cut leaves, at every step of publishing and for both ways to make files durable.</summary>
public sealed class PowerCutTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly IndexRequest _request;

    public PowerCutTests() => _request = TestData.Single(TestData.Write(_directory["a"], TestData.Lengths(300)));

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(1, true)]
    [InlineData(1, false)]
    [InlineData(1000, true)]
    public void Whenever_the_power_fails_a_version_that_has_its_name_is_whole(int syncTogetherFrom, bool hasBarriers)
    {
        var options = new BuildOptions { Threads = 1, SyncTogetherFrom = syncTogetherFrom };
        var whole = new PowerCutFileSystem(0) { HasBarriers = hasBarriers };
        Publish(whole, "counted", options);
        var named = 0;
        for (var cutAt = 1; cutAt <= whole.Steps; cutAt++)
        {
            foreach (var keepsRenames in new[] { true, false })
            {
                var cache = $"cache-{cutAt}-{keepsRenames}";
                var files = new PowerCutFileSystem(cutAt) { HasBarriers = hasBarriers };
                _ = Record.Exception(() => Publish(files, cache, options));
                files.Lose(keepsRenames);
                named += Verified(cache);

                Publish(LocalFileSystem.Instance, cache, options);
                Assert.Equal(1, Verified(cache));
            }
        }

        Assert.True(named > 0, "No cut came after the version had its name.");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    public void A_version_that_was_reported_survives_a_power_cut(int syncTogetherFrom)
    {
        foreach (var keepsRenames in new[] { true, false })
        {
            var files = new PowerCutFileSystem(0);
            Publish(files, $"cache-{keepsRenames}", new BuildOptions { Threads = 1, SyncTogetherFrom = syncTogetherFrom });
            files.Lose(keepsRenames);
            Assert.Equal(1, Verified($"cache-{keepsRenames}"));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    public void Whenever_the_power_fails_a_bare_directory_has_files_of_the_old_or_the_new_build_each_whole(int syncTogetherFrom)
    {
        var options = new BuildOptions { Threads = 1, SyncTogetherFrom = syncTogetherFrom };
        var whole = new PowerCutFileSystem(0);
        var (_, written) = BareOutput.Write(whole, _directory["counted"], _request, prefix => prefix, options);
        for (var cutAt = 1; cutAt <= whole.Steps; cutAt++)
        {
            var output = _directory[$"output-{cutAt}"];
            Directory.CreateDirectory(output);
            File.WriteAllText(Path.Combine(output, written[0].Name), "old");
            var files = new PowerCutFileSystem(cutAt);
            _ = Record.Exception(() => BareOutput.Write(files, output, _request, prefix => prefix, options));
            files.Lose(keepsRenames: true);
            foreach (var file in written.Where(file => File.Exists(Path.Combine(output, file.Name))))
            {
                var bytes = File.ReadAllBytes(Path.Combine(output, file.Name));
                Assert.True(
                    bytes.AsSpan().SequenceEqual("old"u8) || bytes.AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(_directory["counted"], file.Name))),
                    $"{file.Name} is damaged after a cut at step {cutAt}.");
            }
        }
    }

    [Fact]
    public void What_was_never_synced_is_lost_in_these_tests_and_what_a_barrier_covers_is_not()
    {
        var files = new PowerCutFileSystem(0);
        files.CreateDirectory(_directory["before"]);
        using var barrier = files.OpenBarrier(_directory["before"], 0)!;
        Write("covered");
        barrier.Sync();
        Write("late");
        files.SyncDirectory(_directory["before"]);
        Write("nameless");
        files.TryRenameDirectory(_directory["before"], _directory["after"]);
        files.Lose(keepsRenames: true);

        Assert.Equal([1, 2, 3], File.ReadAllBytes(_directory["after/covered"]));
        Assert.Equal([0, 0, 0], File.ReadAllBytes(_directory["after/late"]));
        Assert.False(File.Exists(_directory["after/nameless"]));

        void Write(string name)
        {
            using var file = files.CreateFile(Path.Combine(_directory["before"], name));
            file.Write([1, 2, 3]);
        }
    }

    [Fact]
    public void A_barrier_is_taken_for_many_small_files_only_and_large_ones_are_synced_meanwhile()
    {
        var plan = IndexPlanner.Create(_request, TestData.Load(_request));
        var few = new FaultyFileSystem(_ => null);
        using (DurableFiles.For(few, _directory.Path, plan, new BuildOptions { SyncTogetherFrom = plan.Files.Count + 1 }))
        {
            Assert.Equal(0, few.Changes);
        }

        var many = new FaultyFileSystem(_ => null);
        using var durable = DurableFiles.For(many, _directory.Path, plan, new BuildOptions { SyncTogetherFrom = plan.Files.Count });
        Assert.Equal(1, many.Changes);
        durable.Complete();
        Assert.Equal(1, many.Changes); // Nothing is owed yet.
        durable.Close(many.CreateFile(_directory["large"]), DurableFiles.SmallBelow);
        Assert.Equal(3, many.Changes); // Created and synced.
        durable.Close(many.CreateFile(_directory["small"]), DurableFiles.SmallBelow - 1);
        Assert.Equal(4, many.Changes); // Created, and closed without a sync.
        durable.Complete();
        durable.Complete();
        Assert.Equal(5, many.Changes); // One barrier for all.
    }

    [Theory]
    [InlineData("5.17", 0xEF53L, true)]
    [InlineData("6.18.44", 0x58465342L, true)]
    [InlineData("6.1", 0x9123683EL, true)]
    [InlineData("6.1", 0x01021994L, true)]
    [InlineData("5.16.20", 0xEF53L, false)]
    [InlineData("4.4.0", 0x01021994L, false)]
    [InlineData("6.1", 0x6969L, false)] // NFS
    [InlineData("6.1", 0x65735546L, false)] // FUSE
    [InlineData("6.1", 0x794c7630L, false)] // overlayfs
    [InlineData("6.1", 0x00c36400L, false)] // Ceph
    [InlineData("6.1", null, false)]
    public void Only_file_systems_and_kernels_that_are_known_to_tell_of_lost_writes_are_synced_whole(string kernel, long? type, bool isReliable) =>
        Assert.Equal(isReliable, FileSystemBarrier.IsReliable(Version.Parse(kernel), type));

    [Theory]
    [InlineData("MemTotal:  100 kB\nDirty:               132 kB\nWriteback:            8 kB\nWritebackTmp:         5 kB\n", 140L * 1024)]
    [InlineData("Dirty: 0 kB\nWriteback: 0 kB\n", 0L)]
    [InlineData("Dirty: 132 kB\n", null)]
    [InlineData("Dirty: x kB\nWriteback: 0 kB\n", null)]
    [InlineData("Dirty: 9223372036854775807 kB\nWriteback: 0 kB\n", null)]
    [InlineData("", null)]
    public void What_waits_for_the_disk_is_read_from_the_kernels_figures(string text, long? bytes) => Assert.Equal(bytes, FileSystemBarrier.BytesToWrite(text));

    [Fact]
    public void The_real_file_system_has_a_barrier_where_it_is_reliable_and_none_where_others_write_too_much()
    {
        const string memoryDisk = "/dev/shm";
        Assert.SkipUnless(Directory.Exists(memoryDisk) && new DriveInfo(memoryDisk).DriveFormat == "tmpfs", "This machine lacks a tmpfs at /dev/shm.");
        using var barrier = LocalFileSystem.Instance.OpenBarrier(memoryDisk, long.MaxValue);
        Assert.Equal(FileSystemBarrier.IsReliable(Environment.OSVersion.Version, 0x01021994), barrier is not null);
        barrier?.Sync();
        Assert.Null(LocalFileSystem.Instance.OpenBarrier(memoryDisk, -1));
        Assert.Null(LocalFileSystem.Instance.OpenBarrier("/proc", long.MaxValue));
    }

    private PublishResult Publish(ICacheFileSystem files, string cache, BuildOptions options) =>
        CachePublisher.Publish(files, _directory[cache], _request, prefix => prefix, new("build", "tests"), options);

    /// <summary>How many versions there are, all of which must verify.</summary>
    private int Verified(string cache)
    {
        var versions = Path.Combine(_directory[cache], CacheLayout.Versions);
        var paths = Directory.Exists(versions) ? Directory.GetDirectories(versions) : [];
        foreach (var path in paths)
        {
            VersionVerifier.Verify(path, new BuildOptions { Threads = 1 });
        }

        return paths.Length;
    }
}
