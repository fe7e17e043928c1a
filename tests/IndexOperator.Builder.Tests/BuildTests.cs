using System.Text.Json;
using IndexOperator.Api;

namespace IndexOperator.Builder.Tests;

public sealed class BuildTests : IDisposable
{
    private const string Mix = "[{prefix: /data/a, weight: 0.7}, {prefix: /data/b, weight: 0.3}]";
    private const string MixSamples = "samples: {train: 50, validation: 5, test: 0}";

    private readonly Workspace _workspace = new();

    public BuildTests()
    {
        _workspace.WriteText("a", 500);
        _workspace.WriteText("b", 300);
    }

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void The_main_job_publishes_a_version_reports_it_and_reuses_it_under_any_label()
    {
        var manifest = _workspace.WriteManifest(Mix, MixSamples);
        string[] build = ["build", "-f", manifest, "--cache-root", _workspace.Cache, "--map", _workspace.Map, "--termination-log", _workspace["report"]];

        var (code, output, errors) = BuilderProcess.Run(build);

        Assert.True(code == 0, errors);
        Assert.True(BuildReport.TryParse(File.ReadAllText(_workspace["report"]), out var report));
        Assert.Equal(BuildReport.Built, report.Outcome);
        Assert.Equal([_workspace["cache/versions/" + report.Version]], _workspace.Versions);
        Assert.Equal(800, report.Sequences);
        Assert.True(report.Samples!.Train >= 50);
        Assert.Null(report.Samples.Test);
        Assert.All(output.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => JsonDocument.Parse(line).Dispose());
        Assert.NotNull(BuildProgressLine.FindLast(output));

        var (again, text, _) = BuilderProcess.Run([.. build, "-o", "json", "--data-version", "tomorrow"]);
        Assert.Equal(0, again);
        Assert.True(BuildReport.TryParse(text, out var reused));
        Assert.Equal((BuildReport.Reused, report.Version, report.SizeBytes), (reused.Outcome, reused.Version, reused.SizeBytes));
        Assert.Contains(report.Version!, BuilderProcess.Run("fingerprint", "-f", manifest, "--map", _workspace.Map).Output, StringComparison.Ordinal);
        Assert.Equal(0, BuilderProcess.Run("verify", _workspace.Versions[0]).ExitCode);
    }

    [Fact]
    public void Bare_output_holds_just_the_files_that_plan_names_and_passes_verification()
    {
        var manifest = _workspace.WriteManifest(Mix, MixSamples);
        Assert.Equal(0, BuilderProcess.Run("build", "-f", manifest, "--output", _workspace["out"], "--map", _workspace.Map).ExitCode);

        var (code, plan, _) = BuilderProcess.Run("plan", "-f", manifest, "--map", _workspace.Map, "-o", "json");

        Assert.Equal(0, code);
        using var document = JsonDocument.Parse(plan);
        var planned = document.RootElement.GetProperty("files").EnumerateArray()
            .ToDictionary(file => file.GetProperty("name").GetString()!, file => file.GetProperty("bytes").GetInt64());
        Assert.Equal(
            planned.OrderBy(file => file.Key, StringComparer.Ordinal),
            new DirectoryInfo(_workspace["out"]).GetFiles().ToDictionary(file => file.Name, file => file.Length).OrderBy(file => file.Key, StringComparer.Ordinal));
        Assert.Equal(0, BuilderProcess.Run("verify", _workspace["out"]).ExitCode);
    }

    [Fact]
    public void The_bytes_do_not_depend_on_the_number_of_threads()
    {
        var manifest = _workspace.WriteManifest(Mix, MixSamples);
        foreach (var threads in new[] { "1", "2", "7" })
        {
            Assert.Equal(0, BuilderProcess.Run("build", "-f", manifest, "--output", _workspace["out" + threads], "--map", _workspace.Map, "--threads", threads).ExitCode);
            foreach (var file in Directory.GetFiles(_workspace["out1"]))
            {
                Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(_workspace[$"out{threads}/{Path.GetFileName(file)}"]));
            }
        }
    }

    [Fact]
    public void A_sample_is_shown_with_its_documents_and_its_text()
    {
        var manifest = _workspace.WriteManifest(Mix, MixSamples);
        BuilderProcess.Run("build", "-f", manifest, "--cache-root", _workspace.Cache, "--map", _workspace.Map);

        var (code, output, errors) = BuilderProcess.Run(
            "inspect", _workspace.Versions[0], "--sample", "3", "--count", "2", "--map", _workspace.Map, "--decode", "bytes", "-o", "json");

        Assert.True(code == 0, errors);
        using var document = JsonDocument.Parse(output);
        Assert.Equal(2, document.RootElement.GetArrayLength());
        foreach (var sample in document.RootElement.EnumerateArray())
        {
            var trace = sample.GetProperty("trace");
            var name = trace.GetProperty("prefix").GetString()!["/data/".Length..];
            var second = trace.GetProperty("segments")[1];
            Assert.Equal(33, trace.GetProperty("tokens").GetInt64());
            Assert.Contains($"<end of document>{name} {second.GetProperty("sequence").GetInt64()}", sample.GetProperty("text").GetString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("inspect", "corpus/a.idx", "500 sequences")]
    [InlineData("inspect", "corpus/a.idx", "uint16")]
    public void A_data_file_is_described(string verb, string path, string words)
    {
        var (code, output, errors) = BuilderProcess.Run(verb, _workspace[path], "-o", "text");
        Assert.True(code == 0, errors);
        Assert.Contains(words, output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_version_and_an_array_are_described_and_pruning_is_idempotent()
    {
        BuilderProcess.Run("build", "-f", _workspace.WriteManifest("[{prefix: /data/a}]"), "--cache-root", _workspace.Cache, "--map", _workspace.Map);
        var version = _workspace.Versions[0];
        Assert.Contains("GPTDataset", BuilderProcess.Run("inspect", version).Output, StringComparison.Ordinal);
        Assert.Contains("<i4 [450]", BuilderProcess.Run("inspect", Directory.GetFiles(version, "*-train-document_index.npy")[0]).Output, StringComparison.Ordinal);

        Directory.CreateDirectory(_workspace["cache/.staging/dead"]);
        Directory.CreateDirectory(_workspace["cache/.staging/alive"]);
        Assert.Equal(0, BuilderProcess.Run("prune", "--cache-root", _workspace.Cache, "--build-id", "dead").ExitCode);
        Assert.Equal(0, BuilderProcess.Run("prune", "--cache-root", _workspace.Cache, "--build-id", "dead").ExitCode);
        Assert.Equal(2, BuilderProcess.Run("prune", "--cache-root", _workspace.Cache, "--build-id", "..").ExitCode);
        Assert.Equal([_workspace["cache/.staging/alive"]], _workspace.Staging);
        Assert.Equal([version], _workspace.Versions);
    }
}
