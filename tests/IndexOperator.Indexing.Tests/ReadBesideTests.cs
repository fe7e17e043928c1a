using System.Security.Cryptography;

namespace IndexOperator.Indexing.Tests;

/// <summary>Large data files are read to their end while the arrays are already built: nobody can tell but by the clock.</summary>
public sealed class ReadBesideTests : IDisposable
{
    private static readonly BuildOptions Beside = new() { Threads = 2, ReadBesideFrom = 0 };

    private readonly TemporaryDirectory _directory = new();
    private readonly IndexRequest _request;

    public ReadBesideTests() => _request = TestData.Single(TestData.Write(_directory["a"], TestData.Lengths(300)));

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void A_version_is_the_same_whatever_is_read_beside_its_building(int threads)
    {
        var plain = Publish("plain", new BuildOptions { Threads = 1 });
        var beside = Publish("beside", Beside with { Threads = threads });

        Assert.Equal((PublishOutcome.Built, PublishOutcome.Built), (plain.Outcome, beside.Outcome));
        Assert.Equal(plain.Manifest.Version, beside.Manifest.Version);
        Assert.Equal(plain.Manifest.Fingerprint, beside.Manifest.Fingerprint);
        Assert.Equal(plain.Manifest.Data, beside.Manifest.Data);
        Assert.Equal(plain.Manifest.Files.Select(file => (file.Name, file.Sha256, file.Blocks)), beside.Manifest.Files.Select(file => (file.Name, file.Sha256, file.Blocks)));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(_request.Prefixes[0] + ".idx"))), Assert.Single(beside.Manifest.Data).IdxSha256);
        VersionVerifier.Verify(beside.Path, new BuildOptions());
    }

    [Fact]
    public void Damage_behind_the_lengths_is_found_though_the_arrays_are_begun_and_nothing_is_left()
    {
        var idx = _request.Prefixes[0] + ".idx";
        var bytes = File.ReadAllBytes(idx);
        bytes[34 + (4 * 300) + (8 * 299)] ^= 1;
        File.WriteAllBytes(idx, bytes);

        var failure = Assert.Throws<IndexingException>(() => Publish("cache", Beside));

        Assert.Equal(FailureReason.DataCorrupt, failure.Reason);
        Assert.Contains("sequence 299 should begin at byte", failure.Message, StringComparison.Ordinal);
        Assert.Empty(_directory.FilesUnder("cache"));
    }

    [Fact]
    public void A_version_that_is_there_is_reused_without_building_anything()
    {
        var built = Publish("cache", Beside);
        var phases = new Phases();

        var reused = Publish("cache", Beside with { Progress = phases });

        Assert.Equal((PublishOutcome.Reused, built.Path), (reused.Outcome, reused.Path));
        Assert.DoesNotContain(BuildPhase.DocumentIndex, phases.Seen);
    }

    [Fact]
    public void Beside_versions_of_other_requests_and_data_the_next_one_is_built_while_its_data_is_read()
    {
        Publish("cache", Beside);
        var (other, seeded) = (new Phases(), new Phases());
        Publish("cache", Beside with { Progress = seeded }, _request with { RandomSeed = 5 });
        TestData.Write(_directory["a"], TestData.Lengths(301));
        Publish("cache", Beside with { Progress = other });

        Assert.All([seeded, other], phases => Assert.Contains(BuildPhase.DocumentIndex, phases.Seen));
        Assert.Equal(3, Directory.GetDirectories(_directory["cache/versions"]).Length);
    }

    [Fact]
    public void Data_that_cannot_be_opened_is_named_by_its_file_also_where_there_are_versions()
    {
        Publish("cache", Beside);
        File.Delete(_request.Prefixes[0] + ".idx");
        Directory.CreateDirectory(_request.Prefixes[0] + ".idx");

        var failure = Assert.Throws<IndexingException>(() => Publish("cache", Beside));

        Assert.Contains(_request.Prefixes[0] + ".idx", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_version_is_put_aside_and_built_anew()
    {
        var built = Publish("cache", Beside);
        File.WriteAllText(Path.Combine(built.Path, CacheLayout.Manifest), "{}");

        var repaired = Publish("cache", Beside with { Repair = true });

        Assert.Equal((PublishOutcome.Built, built.Path), (repaired.Outcome, repaired.Path));
        Assert.NotNull(repaired.Quarantined);
    }

    private PublishResult Publish(string cache, BuildOptions options, IndexRequest? request = null) =>
        CachePublisher.Publish(LocalFileSystem.Instance, _directory[cache], request ?? _request, prefix => prefix, new("b", "tests"), options);

    private sealed class Phases : IBuildProgress
    {
        private readonly HashSet<BuildPhase> _seen = [];

        public IReadOnlyCollection<BuildPhase> Seen
        {
            get
            {
                lock (_seen)
                {
                    return [.. _seen];
                }
            }
        }

        public void Report(BuildPhase phase, long completed, long total)
        {
            lock (_seen)
            {
                _seen.Add(phase);
            }
        }
    }
}
