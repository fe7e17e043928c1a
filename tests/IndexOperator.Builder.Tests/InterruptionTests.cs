using System.Diagnostics;
using IndexOperator.Api;

namespace IndexOperator.Builder.Tests;

public sealed class InterruptionTests : IDisposable
{
    private readonly Workspace _workspace = new();
    private readonly string[] _build;

    public InterruptionTests()
    {
        _workspace.WriteHoles("big", 1_000_000);
        var manifest = _workspace.WriteManifest("[{prefix: /data/big}]", "samples: {train: 15000000}");
        _build = ["build", "-f", manifest, "--cache-root", _workspace.Cache, "--map", _workspace.Map, "--build-id", "job-1", "--termination-log", _workspace["report"]];
    }

    public static TheoryData<string> Moments => ["*description.txt", "*-train-document_index.npy", "*-train-sample_index.npy", "*-train-shuffle_index.npy", "index-manifest*"];

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void A_terminated_build_ends_soon_with_code_75_and_leaves_nothing()
    {
        using var builder = BuilderProcess.Start(_build);
        builder.Until(() => StagedFiles("*-train-document_index.npy") > 0);
        Assert.False(builder.HasExited, "The build was over before it could be interrupted.");
        var watch = Stopwatch.StartNew();
        builder.Terminate();
        var (code, _, _) = builder.Wait();

        Assert.Equal(75, code);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"It took {watch.Elapsed} to end.");
        Assert.Empty(_workspace.Staging);
        Assert.Empty(_workspace.Versions);
        Assert.True(BuildReport.TryParse(File.ReadAllText(_workspace["report"]), out var report));
        Assert.Equal(("Interrupted", true), (report.Reason, report.StagingRemoved));
    }

    [Theory]
    [MemberData(nameof(Moments))]
    public void A_killed_build_publishes_nothing_half_and_the_next_run_of_it_succeeds(string moment)
    {
        using (var builder = BuilderProcess.Start(_build))
        {
            builder.Until(() => StagedFiles(moment) > 0);
            builder.Kill();
            builder.Wait();
        }

        foreach (var version in _workspace.Versions)
        {
            Assert.Equal(0, BuilderProcess.Run("verify", version).ExitCode);
        }

        var (code, _, errors) = BuilderProcess.Run(_build);
        Assert.True(code == 0, errors);
        Assert.Single(_workspace.Versions);
        Assert.Empty(_workspace.Staging);
        Assert.Equal(0, BuilderProcess.Run("verify", _workspace.Versions[0]).ExitCode);
    }

    [Fact]
    public void Two_builders_at_once_publish_one_version_and_both_succeed()
    {
        using var first = BuilderProcess.Start(_build);
        using var second = BuilderProcess.Start([.. _build[..^4], "--build-id", "job-2"]);

        Assert.Equal(0, first.Wait().ExitCode);
        Assert.Equal(0, second.Wait().ExitCode);
        Assert.Single(_workspace.Versions);
        Assert.Empty(_workspace.Staging);
    }

    private int StagedFiles(string pattern)
    {
        try
        {
            return Directory.EnumerateFiles(_workspace["cache/.staging/job-1"], pattern).Count();
        }
        catch (DirectoryNotFoundException)
        {
            return 0;
        }
    }
}
