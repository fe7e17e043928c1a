using System.Security.Cryptography;
using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Tests;

public sealed class FailureTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public FailureTests() => _workspace.WriteText("a", 100);

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [InlineData("[{prefix: /data/a}]", "samples: {train: 5, test: 5}, trainer: {framework: NeMo}", 2, "InvalidSpec", "trainer")]
    [InlineData("[{prefix: /data/a}]", "samples: {train: -1}", 2, "InvalidSpec", "samples.train")]
    [InlineData("[{prefix: /data/a}]", "megatronCore: \"0.6\"", 2, "InvalidSpec", "0.6")]
    [InlineData("[{prefix: /data/a}]", "renormalizeBlendWeights: true", 2, "InvalidSpec", "renormalizeBlendWeights")]
    [InlineData("[{prefix: /data/a, weight: 1}, {prefix: /data/b}]", "", 2, "InvalidSpec", "weight")]
    [InlineData("[{prefix: /elsewhere/a}]", "", 2, "InvalidSpec", "/elsewhere/a")]
    [InlineData("[{prefix: /data/../etc/a}]", "", 2, "InvalidSpec", "climbs out")]
    [InlineData("[{prefix: \"12\"}]", "", 2, "InvalidSpec", "number")]
    [InlineData("[{prefix: /data/a}]", "spelling: wrong", 2, "InvalidSpec", "unknown field")]
    [InlineData("[{prefix: /data/missing}]", "", 3, "DataMissing", "missing.")]
    [InlineData("[{prefix: /data/broken}]", "", 3, "DataCorrupt", "broken.idx")]
    [InlineData("[{prefix: /data/one}]", "samples: {train: 5, validation: 5}", 2, "EmptySplit", "valid of /data/one")]
    public void What_cannot_be_built_ends_in_a_report_and_an_exit_code(string blend, string dataset, int exitCode, string reason, string words)
    {
        _workspace.WriteText("broken", 3);
        File.AppendAllText(_workspace["corpus/broken.idx"], "x");
        _workspace.WriteText("one", 1);
        var lines = dataset.Split(", trainer", 2);
        var manifest = _workspace.WriteManifest(blend, lines.Length == 2 ? lines[0] + "\n    trainer" + lines[1] : dataset);

        var (code, _, errors) = BuilderProcess.Run(
            "build", "-f", manifest, "--cache-root", _workspace.Cache, "--map", _workspace.Map, "--termination-log", _workspace["report"]);

        Assert.True(BuildReport.TryParse(File.ReadAllText(_workspace["report"]), out var report));
        Assert.Equal((exitCode, BuildReport.Failed, reason), (code, report.Outcome, report.Reason));
        Assert.Contains(words, report.Message, StringComparison.Ordinal);
        Assert.Contains(words, errors, StringComparison.Ordinal);
        Assert.True(report.StagingRemoved);
        Assert.Empty(_workspace.Versions);
        Assert.Empty(_workspace.Staging);
    }

    [Theory]
    [InlineData("build")]
    [InlineData("build", "-f", "nowhere.yaml", "--cache-root", "x")]
    [InlineData("build", "-f", "nowhere.yaml", "--cache-root", "x", "--output", "y")]
    [InlineData("build", "-f", "nowhere.yaml", "--output", "y", "--threads", "0")]
    [InlineData("verify", "/nowhere/at/all")]
    [InlineData("frobnicate")]
    [InlineData("fingerprint", "-f", "nowhere.yaml", "--map", "nonsense")]
    public void Wrong_usage_ends_in_exit_code_2(params string[] arguments) => Assert.Equal(2, BuilderProcess.Run(arguments).ExitCode);

    [Fact]
    public void A_link_out_of_the_data_is_not_followed_and_one_inside_it_is()
    {
        Directory.CreateDirectory(_workspace["secret"]);
        foreach (var extension in new[] { ".idx", ".bin" })
        {
            File.Move(_workspace["corpus/a" + extension], _workspace["secret/a" + extension]);
            File.CreateSymbolicLink(_workspace["corpus/a" + extension], "../secret/a" + extension);
        }

        var manifest = _workspace.WriteManifest("[{prefix: /data/a}]");
        var (code, _, errors) = BuilderProcess.Run("fingerprint", "-f", manifest, "--map", _workspace.Map);
        Assert.Equal(2, code);
        Assert.Contains("is a link to", errors, StringComparison.Ordinal);

        Directory.Move(_workspace["secret"], _workspace["corpus/secret"]);
        File.Delete(_workspace["corpus/a.idx"]);
        File.Delete(_workspace["corpus/a.bin"]);
        File.CreateSymbolicLink(_workspace["corpus/a.idx"], "secret/a.idx");
        File.CreateSymbolicLink(_workspace["corpus/a.bin"], "secret/a.bin");
        Assert.Equal(0, BuilderProcess.Run("fingerprint", "-f", manifest, "--map", _workspace.Map).ExitCode);
    }

    [Fact]
    public void A_corrupt_published_version_ends_in_exit_code_5()
    {
        string[] build = ["build", "-f", _workspace.WriteManifest("[{prefix: /data/a}]"), "--cache-root", _workspace.Cache, "--map", _workspace.Map, "--termination-log", _workspace["report"]];
        Assert.Equal(0, BuilderProcess.Run(build).ExitCode);
        File.Delete(Directory.GetFiles(_workspace.Versions[0], "*-train-sample_index.npy")[0]);

        Assert.Equal(5, BuilderProcess.Run(build).ExitCode);
        Assert.True(BuildReport.TryParse(File.ReadAllText(_workspace["report"]), out var report));
        Assert.Equal("VersionCorrupt", report.Reason);
        Assert.Equal(5, BuilderProcess.Run("verify", _workspace.Versions[0]).ExitCode);
        File.Delete(Path.Combine(_workspace.Versions[0], "index-manifest.json"));
        Assert.Equal(5, BuilderProcess.Run("verify", _workspace.Versions[0]).ExitCode);
    }

    [Fact]
    public void A_version_whose_manifest_was_forged_with_its_shuffle_is_only_found_by_computing_again()
    {
        Assert.Equal(0, BuilderProcess.Run("build", "-f", _workspace.WriteManifest("[{prefix: /data/a}]"), "--cache-root", _workspace.Cache, "--map", _workspace.Map).ExitCode);
        var version = _workspace.Versions[0];
        Assert.Equal(0, BuilderProcess.Run("verify", version, "--recompute").ExitCode);
        var path = Directory.GetFiles(version, "*-train-document_index.npy")[0];
        var bytes = File.ReadAllBytes(path);
        bytes.AsSpan(NpyHeader.Size, 8).Reverse(); // Two entries, each with its bytes in turn.
        bytes.AsSpan(NpyHeader.Size, 4).Reverse();
        bytes.AsSpan(NpyHeader.Size + 4, 4).Reverse();
        File.WriteAllBytes(path, bytes);
        Assert.Equal(5, BuilderProcess.Run("verify", version).ExitCode);

        var manifest = VersionVerifier.ReadManifest(version);
        var files = manifest.Files.Select(file => file.Name == Path.GetFileName(path) ? file with { Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)), Blocks = null } : file);
        File.WriteAllBytes(Path.Combine(version, CacheLayout.Manifest), (manifest with { Files = [.. files] }).ToJson());
        Assert.Equal(0, BuilderProcess.Run("verify", version).ExitCode);
        var (code, _, errors) = BuilderProcess.Run("verify", version, "--recompute");
        Assert.Equal(5, code);
        Assert.Contains("entry 0 is", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_of_a_long_failure_fits_the_termination_message()
    {
        var blend = "[" + string.Join(", ", Enumerable.Range(0, 50).Select(i => $"{{prefix: /elsewhere/{new string('x', 900)}{i}}}")) + "]";
        BuilderProcess.Run("build", "-f", _workspace.WriteManifest(blend), "--cache-root", _workspace.Cache, "--termination-log", _workspace["report"]);
        Assert.InRange(new FileInfo(_workspace["report"]).Length, 1, BuildReport.MaxBytes);
        Assert.True(BuildReport.TryParse(File.ReadAllText(_workspace["report"]), out _));
    }
}
