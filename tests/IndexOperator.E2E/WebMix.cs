using System.Text.Json.Nodes;
using IndexOperator.TestSupport;
using TextCorpus;

namespace IndexOperator.E2E;

/// <summary>
/// The main job, done once for the tests that look at it: three datasets of 20,000 documents of real text, the sample
/// <c>config/samples/web-mix.yaml</c> applied and waited for, with the words of the README.
/// </summary>
public sealed class WebMix(Cluster cluster) : IAsyncLifetime
{
    private const int Documents = 20_000;

    private static readonly string[] Datasets = ["manpages", "docs", "licences"];

    private Scenario? _scenario;

    /// <summary>Where it was done.</summary>
    public Scenario Scenario => _scenario!;

    /// <summary>The status of <c>web-mix</c>.</summary>
    public JsonNode Status { get; private set; } = new JsonObject();

    /// <summary>The sample as a resource of another name.</summary>
    public static string Manifest(string name = "web-mix") =>
        RepositoryRoot.ReadText("config/samples/web-mix.yaml").Replace("  name: web-mix\n", $"  name: {name}\n", StringComparison.Ordinal);

    /// <summary>A training pod on a version, as the sample's comment makes it; one that sleeps can be asked things.</summary>
    public static string TrainingPod(string name, string version, bool sleeps = false, string index = "web-mix")
    {
        var pod = RepositoryRoot.ReadText("config/samples/training-pod.yaml")
            .Replace("00000000000000000000", version, StringComparison.Ordinal)
            .Replace("  name: web-mix-reader\n", $"  name: {name}\n", StringComparison.Ordinal)
            .Replace("indexoperator.io/index: web-mix\n", $"indexoperator.io/index: {index}\n", StringComparison.Ordinal);
        return sleeps ? pod.Replace("    args: [inspect", $"    args: {Cluster.SleepArguments}\n    # args: [inspect", StringComparison.Ordinal) : pod;
    }

    public async ValueTask InitializeAsync()
    {
        if (!cluster.IsThere)
        {
            return;
        }

        _scenario = new Scenario(cluster, "web-mix");
        await _scenario.StartAsync();
        await _scenario.AddVolumeAsync("npy-index");
        var corpus = await _scenario.AddVolumeAsync("corpus");
        Cluster.Say($"making {Documents} documents in {Datasets.Length} datasets");
        for (var i = 0; i < Datasets.Length; i++)
        {
            var count = (Documents / Datasets.Length) + (i < Documents % Datasets.Length ? 1 : 0);
            _ = Corpus.Collect(TextSource.Known.Single(source => source.Name == Datasets[i]), count).Write(Path.Combine(corpus, $"{Datasets[i]}_text_document"));
        }

        foreach (var file in Directory.EnumerateFiles(corpus))
        {
            // Anybody may write, so that only the mount keeps a training pod from it.
            File.SetUnixFileMode(file, (UnixFileMode)0b110_110_110);
        }

        await _scenario.ApplyAsync(Manifest());
        var wait = await _scenario.TryKubectlAsync("wait", "--for=condition=Ready", "pretrainindex/web-mix", Cluster.Timeout);
        if (wait.ExitCode != 0)
        {
            await _scenario.TellAsync();
            Assert.Fail(wait.ToString());
        }

        Status = (await _scenario.IndexAsync("web-mix"))["status"]!;
        Cluster.Say($"web-mix is Ready: {Status["current"]!["version"]}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_scenario is not null)
        {
            await _scenario.DisposeAsync();
        }
    }
}
