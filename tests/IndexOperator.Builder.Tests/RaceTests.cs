using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Tests;

/// <summary>Builders of one version at once, and one that is told to stop at any moment.</summary>
public sealed class RaceTests : IDisposable
{
    private const int Pairs = 50;
    private const int Stops = 24;

    private static readonly string[] Outcomes = ["Built", "Reused"];

    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void Of_two_builders_at_once_one_publishes_and_the_other_reuses_in_fifty_races()
    {
        _workspace.WriteHoles("big", 20_000);
        for (var pair = 0; pair < Pairs; pair++)
        {
            var manifest = Manifest(pair);
            using var first = BuilderProcess.Start(Build(manifest, "first"));
            using var second = BuilderProcess.Start(Build(manifest, "second"));
            foreach (var builder in new[] { first, second })
            {
                var (code, _, errors) = builder.Wait();
                Assert.True(code == 0, errors);
            }

            Assert.Equal(Outcomes, new[] { Report("first").Outcome!, Report("second").Outcome! }.Order(StringComparer.Ordinal));
            Assert.Equal(Report("first").Version, Report("second").Version);
            Assert.Equal(pair + 1, _workspace.Versions.Count);
            Assert.Empty(_workspace.Staging);
        }

        Assert.All(_workspace.Versions, version => VersionVerifier.Verify(version, new BuildOptions()));
    }

    [Fact]
    public void A_builder_told_to_stop_at_any_moment_ends_with_code_75_and_leaves_no_staging()
    {
        _workspace.WriteHoles("big", 400_000);
        var random = new Random(20261124);
        var stopped = 0;
        var slowest = TimeSpan.Zero;
        for (var stop = 0; stop < Stops; stop++)
        {
            using var builder = BuilderProcess.Start(Build(Manifest(stop, samples: 6_000_000), "job"));
            builder.WaitAtMost(TimeSpan.FromMilliseconds(150 + random.Next(1500)));
            var watch = System.Diagnostics.Stopwatch.StartNew();
            builder.Terminate();
            var (code, _, errors) = builder.Wait();
            slowest = watch.Elapsed > slowest ? watch.Elapsed : slowest;
            Assert.True(code is 0 or 75 or 143, $"It ended with {code}: {errors}");
            Assert.Empty(_workspace.Staging);
            stopped += code == 75 ? 1 : 0;
        }

        // Before its first instruction a process has no handler yet (143); a build that was over answers 0.
        Assert.True(stopped > Stops / 4, $"Only {stopped} of {Stops} builds were stopped at work.");
        Assert.True(slowest < TimeSpan.FromSeconds(5), $"One took {slowest} to end.");
        TestContext.Current.TestOutputHelper?.WriteLine($"{stopped} of {Stops} stopped at work, the slowest in {slowest.TotalMilliseconds:0} ms");
    }

    private string Manifest(int seed, int samples = 60_000) =>
        _workspace.WriteManifest("[{prefix: /data/big}]", $"samples: {{train: {samples}}}\n    randomSeed: {seed}", $"{seed}.yaml");

    private string[] Build(string manifest, string id) =>
        ["build", "-f", manifest, "--cache-root", _workspace.Cache, "--map", _workspace.Map, "--build-id", id, "--termination-log", _workspace[id + ".report"]];

    private BuildReport Report(string id)
    {
        Assert.True(BuildReport.TryParse(File.ReadAllText(_workspace[id + ".report"]), out var report));
        return report!;
    }
}
