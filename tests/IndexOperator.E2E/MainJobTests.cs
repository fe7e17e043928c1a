using System.Text;
using IndexOperator.TestSupport;

namespace IndexOperator.E2E;

/// <summary>The main job: a blend is declared, built on the GPU node, published, and read by a training pod.</summary>
public sealed class MainJobTests : IClassFixture<WebMix>, IAsyncLifetime
{
    private readonly WebMix _mix;
    private readonly Cluster _cluster;

    public MainJobTests(WebMix mix, Cluster cluster)
    {
        cluster.SkipUnlessThere();
        (_mix, _cluster) = (mix, cluster);
        Cluster.Say(TestContext.Current.Test?.TestDisplayName ?? "");
    }

    private Scenario Here => _mix.Scenario;

    private string Version => (string)_mix.Status["current"]!["version"]!;

    [Fact]
    public async Task The_build_ran_on_the_GPU_node_as_nobody_and_without_a_token()
    {
        var node = Assert.Single(await _cluster.ListAsync("nodes", "-l", $"{Cluster.GpuLabel}=true"));
        var job = Assert.Single(await Here.JobsAsync("web-mix"));
        var pod = Assert.Single(await Here.PodsAsync("web-mix"));
        Assert.Equal((string?)node["metadata"]!["name"], (string?)pod["spec"]!["nodeName"]);
        Assert.Equal((string?)job["metadata"]!["uid"], (string?)pod["metadata"]!["ownerReferences"]![0]!["uid"]);
        Assert.Equal("In", (string?)pod["spec"]!["affinity"]!["nodeAffinity"]!["requiredDuringSchedulingIgnoredDuringExecution"]!["nodeSelectorTerms"]![0]!["matchExpressions"]![0]!["operator"]);
        Restricted.Check(pod);
        // No token: the only volumes are ours.
        Assert.Equal(["cache", "data", "spec"], pod["spec"]!["volumes"]!.AsArray().Select(volume => (string)volume!["name"]!).Order());
        Assert.True((bool)pod["spec"]!["volumes"]!.AsArray().Single(volume => (string?)volume!["name"] == "data")!["persistentVolumeClaim"]!["readOnly"]!);
        // What it wrote belongs to the user that the image names.
        foreach (var file in Directory.EnumerateFiles(Here.VersionFolder(_mix.Status)))
        {
            Assert.Equal("65532", (await Cluster.RunAsync("stat", "-c", "%u", file)).Trim());
        }
    }

    [Fact]
    public async Task The_published_version_verifies_and_is_what_the_command_line_builds()
    {
        var folder = Here.VersionFolder(_mix.Status);
        await Cluster.BuilderAsync("verify", folder);
        var output = Directory.CreateTempSubdirectory("indexoperator-e2e-").FullName;
        try
        {
            await Cluster.BuilderAsync("build", "-f", RepositoryRoot.PathOf("config/samples/web-mix.yaml"), "--output", output, "--map", $"/data={Here.Volume("corpus")}");
            var expected = Directory.EnumerateFiles(output).Select(file => Path.GetFileName(file)).Order().ToList();
            // A description, a dataset and a blend index for each of three splits, and three arrays for each dataset of each split.
            Assert.True(expected.Count > 30, string.Join(' ', expected));
            var ours = Directory.EnumerateFiles(folder).Select(file => Path.GetFileName(file)).Order().ToList();
            Assert.Equal(expected.Append("index-manifest.json").Append("per-dataset-sequences.json").Distinct().Order(), ours);
            foreach (var name in expected)
            {
                Assert.True(
                    File.ReadAllBytes(Path.Combine(output, name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(folder, name))),
                    $"{name} differs");
            }
        }
        finally
        {
            Directory.Delete(output, recursive: true);
        }
    }

    [Fact]
    public async Task A_training_pod_reads_text_that_is_in_the_corpus()
    {
        await Here.ApplyAsync(WebMix.TrainingPod("reader", Version));
        await Wait.Until(
            "the training pod to succeed",
            async () => (string?)(await Here.GetAsync("pod", "reader"))["status"]!["phase"] == "Succeeded",
            Cluster.Patience);
        // A container runtime keeps lines of a log, without the carriage return that texts of some authors have before their end.
        var log = (await Here.KubectlAsync("logs", "reader")).Replace("\r", "", StringComparison.Ordinal);
        var samples = log.Split("train sample ", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, samples.Length);
        foreach (var sample in samples)
        {
            // "0: 513 tokens of /data/docs_text_document", where they come from, and the text between two lines of dashes.
            var prefix = sample.Split('\n')[0].Split(" tokens of ")[1].Trim();
            var parts = sample.Split("  ----\n");
            Assert.Equal(3, parts.Length);
            var corpus = ReadCorpus(Path.Combine(Here.Volume("corpus"), Path.GetFileName(prefix) + ".bin"));
            // A sample may begin or end inside a letter of several bytes; such a letter is not looked for.
            var pieces = parts[1].TrimEnd('\n').Split(["<end of document>", "\uFFFD"], StringSplitOptions.RemoveEmptyEntries).Where(piece => piece.Trim().Length > 0).ToList();
            Assert.NotEmpty(pieces);
            Assert.True(pieces.Sum(piece => piece.Length) > 200, log);
            Assert.All(pieces, piece => Assert.True(corpus.Contains(piece.Trim('\n'), StringComparison.Ordinal), $"not in {prefix}: {piece}"));
        }
    }

    [Fact]
    public async Task A_training_pod_cannot_write_to_its_mounts()
    {
        await Here.ApplyAsync(WebMix.TrainingPod("writer", Version, sleeps: true));
        await Here.KubectlAsync("wait", "--for=condition=Ready", "pod/writer", Cluster.Timeout);
        var process = TrainingProcess.Of(await Here.GetAsync("pod", "writer"));
        foreach (var file in new[] { "/npy_index/new", "/npy_index/index-manifest.json", "/data/new", "/data/docs_text_document.bin" })
        {
            process.CannotWrite(file);
        }

        await Here.KubectlAsync("delete", "pod", "writer", "--grace-period=1", "--wait=false");
    }

    [Fact]
    public async Task The_same_content_is_reused_and_no_file_is_touched()
    {
        var folder = Here.VersionFolder(_mix.Status);
        var before = await FilesOf(folder);
        await Here.ApplyAsync(WebMix.Manifest("web-mix-again"));
        var status = await Here.ReadyAsync("web-mix-again");
        Assert.Equal("Reused", (string?)status["current"]!["outcome"]);
        Assert.Equal(Version, (string?)status["current"]!["version"]);
        Assert.Equal(before, await FilesOf(folder));
        Assert.Empty(Here.Staging());

        // Inode, size, owner, mode, times of content and of attributes, to the nanosecond.
        static async Task<string> FilesOf(string folder) =>
            await Cluster.RunAsync("stat", ["-c", "%n %i %s %u %a %y %z", folder, .. Directory.EnumerateFiles(folder).Order()]);
    }

    [Fact]
    public async Task The_operator_tells_what_happened_in_events()
    {
        var events = (await Here.ListAsync("events")).Where(told => (string?)told["involvedObject"]!["name"] == "web-mix").ToList();
        Assert.Contains(events, told => (string?)told["reason"] == "BuildStarted");
        var published = Assert.Single(events, told => (string?)told["reason"] == "Published");
        Assert.Contains(Version, (string?)published["message"], StringComparison.Ordinal);
        Assert.DoesNotContain(events, told => (string?)told["type"] == "Warning");
        var table = await Here.KubectlAsync("get", "pti", "web-mix");
        Assert.Contains(Version, table, StringComparison.Ordinal);
        Assert.Contains("2026-11-20", table, StringComparison.Ordinal);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed && _cluster is not null)
        {
            await Here.TellAsync();
        }
    }

    // Tokens are bytes, 256 ends a document.
    private static string ReadCorpus(string path)
    {
        var tokens = File.ReadAllBytes(path);
        var text = new byte[tokens.Length / 2];
        for (var i = 0; i < text.Length; i++)
        {
            text[i] = tokens[(2 * i) + 1] == 0 ? tokens[2 * i] : (byte)'\n';
        }

        return Encoding.UTF8.GetString(text).Replace("\r", "", StringComparison.Ordinal);
    }
}
