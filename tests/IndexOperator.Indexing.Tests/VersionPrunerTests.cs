using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Indexing.Tests;

public sealed class VersionPrunerTests : IDisposable
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));

    [Fact]
    public void Only_versions_that_nothing_refers_to_are_removed()
    {
        var (first, second, third) = (Publish(20), Publish(21), Publish(22));
        _time.Advance(2 * Day);
        var fresh = Publish(23);

        var entries = Prune(new() { Keep = Names(second), MinimumAge = Day });

        Assert.Equal(Names(first, third), [.. Removed(entries)]);
        Assert.Equal(Names(second, fresh), [.. entries.Where(entry => entry.Action == PruneAction.Kept).Select(entry => entry.Name)]);
        Assert.False(Directory.Exists(Path(first)) || Directory.Exists(Path(third)));
        VersionVerifier.Verify(Path(second), new());
        VersionVerifier.Verify(Path(fresh), new());
        Assert.Empty(Directory.GetDirectories(_directory["cache/.staging"]));
        Assert.Empty(Removed(Prune(new() { Keep = Names(second), MinimumAge = Day })));
    }

    [Fact]
    public void Only_named_versions_are_removed_even_fresh_ones()
    {
        var (first, second) = (Publish(20), Publish(21));
        Assert.Equal([first], Removed(Prune(new() { Remove = Names(first), MinimumAge = Day })));
        Assert.True(Directory.Exists(Path(second)));
        Assert.Empty(Removed(Prune(new() { Remove = Names(first) })));
        Assert.Empty(Removed(Prune(new() { Remove = Names(second), Keep = Names(second) })));
    }

    [Fact]
    public void A_dry_run_tells_what_would_go_and_removes_nothing()
    {
        var (first, second) = (Publish(20), Publish(21));
        var entries = Prune(new() { Keep = Names(second), IsDryRun = true });
        Assert.Equal([first], Removed(entries));
        Assert.Equal(VersionVerifier.SizeOf(Path(first)), entries.Single(entry => entry.Name == first).Bytes);
        VersionVerifier.Verify(Path(first), new());
    }

    [Fact]
    public void What_is_no_version_is_left_alone_and_named()
    {
        var (kept, damaged) = (Publish(20), Publish(21));
        File.Delete(System.IO.Path.Combine(Path(damaged), CacheLayout.Manifest));
        Directory.CreateDirectory(Path("notes"));
        Directory.CreateDirectory(Path(kept + ".corrupt-1"));
        File.WriteAllText(Path("0123456789abcdef0123"), "a file");
        Directory.CreateSymbolicLink(Path("ffffffffffffffffffff"), _directory["cache"]);

        var entries = Prune(new() { Keep = Names(kept) });

        Assert.Empty(Removed(entries));
        Assert.Equal(
            [.. new[] { "notes", kept + ".corrupt-1", "0123456789abcdef0123", "ffffffffffffffffffff", damaged }.Order(StringComparer.Ordinal)],
            [.. entries.Where(entry => entry.Action == PruneAction.LeftAlone).Select(entry => entry.Name)]);
        Assert.Equal([damaged], Removed(Prune(new() { Remove = Names(damaged) })));
        Assert.True(Directory.Exists(_directory["cache/versions"]));
    }

    [Fact]
    public void A_wrong_cache_root_or_version_removes_nothing()
    {
        var version = Publish(20);
        Assert.Equal(FailureReason.InvalidSpec, Fails(new() { Keep = Names("00000000000000000000") }));
        Assert.Equal(FailureReason.InvalidSpec, Fails(new() { Keep = Names("../" + version) }));
        Assert.Equal(FailureReason.InvalidSpec, Fails(new() { Remove = Names("..") }));
        Assert.Throws<IndexingException>(() => VersionPruner.Prune(LocalFileSystem.Instance, _directory["elsewhere"], new() { Keep = Names(version) }, new()));
        VersionVerifier.Verify(Path(version), new());
    }

    [Fact]
    public void A_pruning_that_is_interrupted_leaves_whole_versions_and_is_finished_by_the_next()
    {
        for (var call = 1; call <= 4; call++)
        {
            var (gone, kept) = (Publish(20), Publish(21));
            var at = call;
            var files = new FaultyFileSystem(change => change == at ? new IOException("Input/output error", 5) : null);
            var failure = Record.Exception(() => VersionPruner.Prune(files, _directory["cache"], new() { Keep = Names(kept) }, Options));
            Assert.True(call == 4 ? failure is null : failure is IndexingException { Reason: FailureReason.StorageError }, $"call {call}: {failure}");

            VersionVerifier.Verify(Path(kept), new());
            if (Directory.Exists(Path(gone)))
            {
                VersionVerifier.Verify(Path(gone), new());
            }

            File.WriteAllText(System.IO.Path.Combine(Directory.CreateDirectory(_directory["cache/.staging/pruned-" + gone]).FullName, "half"), "deleted");
            Prune(new() { Keep = Names(kept) });
            Assert.Equal([kept], Directory.GetDirectories(_directory["cache/versions"]).Select(System.IO.Path.GetFileName));
            Assert.Empty(Directory.GetDirectories(_directory["cache/.staging"]));
        }
    }

    public void Dispose() => _directory.Dispose();

    private BuildOptions Options => new() { Time = _time };

    private string Publish(int documents)
    {
        var request = TestData.Single(TestData.Write(_directory["a"], TestData.Lengths(documents)));
        return CachePublisher.Publish(LocalFileSystem.Instance, _directory["cache"], request, prefix => prefix, new("b", "tests"), Options).Manifest.Version;
    }

    private IReadOnlyList<PrunedEntry> Prune(PruneRequest request) => VersionPruner.Prune(LocalFileSystem.Instance, _directory["cache"], request, Options);

    private FailureReason Fails(PruneRequest request) => Assert.Throws<IndexingException>(() => Prune(request)).Reason;

    private string Path(string version) => CacheLayout.VersionPath(_directory["cache"], version);

    private static HashSet<string> Names(params string[] names) => [.. names];

    private static List<string> Removed(IReadOnlyList<PrunedEntry> entries) => [.. entries.Where(entry => entry.Action == PruneAction.Removed).Select(entry => entry.Name)];
}
