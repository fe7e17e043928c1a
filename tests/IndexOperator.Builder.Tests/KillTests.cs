using System.Diagnostics;
using System.Globalization;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Tests;

/// <summary>Builders killed (SIGKILL) at random moments and before every call to the file system.</summary>
public sealed class KillTests
{
    private const int RandomKills = 300;
    private const int Lanes = 2;

    [Fact]
    public void A_builder_killed_at_any_random_moment_loses_nothing_and_its_rerun_finishes()
    {
        var hits = new int[3];
        Parallel.For(0, Lanes, lane => KillAtRandom(new Random(20261124 + lane), RandomKills / Lanes, hits));

        // Kills that all fell before the first file, or after the last, would prove nothing.
        Assert.Equal(RandomKills, hits.Sum());
        Assert.True(hits[1] >= RandomKills / 20, $"Only {hits[1]} of {RandomKills} kills met a build at work ({hits[0]} came before, {hits[2]} after).");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    public void A_publisher_killed_before_any_call_to_the_file_system_loses_nothing_and_its_rerun_finishes(int syncTogetherFrom)
    {
        using var workspace = new Workspace();
        workspace.WriteText("a", 60);
        var calls = int.Parse(Publish(workspace, "counted", "first", 0, syncTogetherFrom)!.Split(' ')[0], CultureInfo.InvariantCulture);
        Assert.True(calls > 60, $"Publishing makes only {calls} calls.");
        Parallel.For(1, calls + 1, new ParallelOptions { MaxDegreeOfParallelism = Lanes }, deadly =>
        {
            var cache = $"cache-{deadly}";
            Assert.Null(Publish(workspace, cache, "first", deadly, syncTogetherFrom));
            var published = Verified(workspace[cache]);

            // The same build again, or another that clears away what the first one left, as the operator has it.
            var isSame = deadly % 2 == 0;
            var outcome = Publish(workspace, cache, isSame ? "first" : "second", 0, syncTogetherFrom)!.Split(' ')[1];
            StagingSweep.Remove(LocalFileSystem.Instance, workspace[cache], "first");
            Assert.Equal(published.Count == 0 ? "Built" : "Reused", outcome);
            Assert.Single(Verified(workspace[cache]));
            Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(workspace[cache], CacheLayout.Staging)));
        });
    }

    private static void KillAtRandom(Random random, int kills, int[] hits)
    {
        using var workspace = new Workspace();
        workspace.WriteHoles("big", 20_000);
        var watch = Stopwatch.StartNew();
        Assert.Equal(0, BuilderProcess.Run(Build(workspace, 0, "warm")).ExitCode);
        watch.Restart();
        Assert.Equal(0, BuilderProcess.Run(Build(workspace, 1, "measured")).ExitCode);
        var whole = watch.Elapsed;
        var before = Verified(workspace.Cache);
        for (var kill = 0; kill < kills; kill++)
        {
            var id = $"job-{kill}";
            using (var builder = BuilderProcess.Start(Build(workspace, kill + 2, id)))
            {
                // At any moment, but more often late: first the runtime starts, and the work is the shorter part of the process.
                builder.WaitAtMost(whole * Math.Sqrt(random.NextDouble()));
                builder.Kill();
                builder.Wait();
            }

            var after = Verified(workspace.Cache, before);
            Assert.True(before.IsSubsetOf(after), "A version that was published before the kill is gone.");
            Interlocked.Increment(ref hits[after.Count > before.Count ? 2 : workspace.Staging.Count > 0 ? 1 : 0]);

            string[] rerun = kill % 2 == 0 ? Build(workspace, kill + 2, id) : [.. Build(workspace, kill + 2, id + "-again"), "--discard-staging", id];
            var (code, _, errors) = BuilderProcess.Run(rerun);
            Assert.True(code == 0, errors);
            Assert.Empty(workspace.Staging);
            after = Verified(workspace.Cache, after);
            Assert.Equal(before.Count + 1, after.Count);
            before = after;
        }

        Assert.Equal(before, Verified(workspace.Cache));
    }

    private static string[] Build(Workspace workspace, int seed, string buildId)
    {
        var manifest = workspace.WriteManifest("[{prefix: /data/big}]", $"samples: {{train: 60000}}\n    randomSeed: {seed}", $"{buildId}.yaml");
        return ["build", "-f", manifest, "--cache-root", workspace.Cache, "--map", workspace.Map, "--build-id", buildId, "--threads", "1"];
    }

    /// <summary>Runs the host; its answer, or null when it was killed as it should be.</summary>
    private static string? Publish(Workspace workspace, string cache, string buildId, int deadly, int syncTogetherFrom)
    {
        var host = Path.Combine(AppContext.BaseDirectory, "IndexOperator.CrashHost.dll");
        string[] arguments = [host, workspace[cache], workspace["corpus/a"], buildId, deadly.ToString(CultureInfo.InvariantCulture), syncTogetherFrom.ToString(CultureInfo.InvariantCulture)];
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(TimeSpan.FromMinutes(2)), "The host did not end.");
        Assert.Equal(deadly == 0 ? 0 : 128 + 9, process.ExitCode);
        return deadly == 0 ? output.Trim() : null;
    }

    /// <summary>The paths of all versions; those that are not known yet must pass verification.</summary>
    private static HashSet<string> Verified(string cache, HashSet<string>? known = null)
    {
        var versions = Path.Combine(cache, CacheLayout.Versions);
        if (!Directory.Exists(versions))
        {
            return [];
        }

        var paths = Directory.GetDirectories(versions);
        foreach (var path in paths.Where(path => known?.Contains(path) != true))
        {
            VersionVerifier.Verify(path, new BuildOptions { Threads = 1 });
        }

        return [.. paths];
    }
}
