using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.E2E;

/// <summary>
/// The chart's life on a real node, into restricted namespaces: the previous release installed, upgraded to this checkout with a build under
/// way, a training pod running and another one waiting, removed. Takes the place of <c>config/default</c> for as long, so it runs when the
/// others have ended.
/// </summary>
public sealed class ReleaseTests(Cluster cluster) : ScenarioTests(cluster, "release")
{
    /// <summary>The definition, in a checkout and in a release.</summary>
    public const string Definition = "config/crd/indexoperator.io_pretrainindexes.yaml";

    private const string Release = "indexes";
    private const string Deployment = "indexes-index-operator";
    private const string Dev = "dev";
    private const string Builder = "index-builder";

    private PreviousRelease? _previous;

    private string Home => $"{Here.Namespace}-operator";

    [Fact]
    public async Task An_upgrade_rebuilds_nothing_and_restarts_nobody_and_a_removal_leaves_data_and_definition()
    {
        await InstallAsync(_previous!);

        // Two versions by the builder of before, of which a training pod reads the current one.
        await Here.ApplyAsync(Scenario.Manifest("text", sequenceLength: 48));
        var earlier = await Here.ReadyAsync("text");
        await Here.ApplyAsync(Scenario.Manifest("text"));
        var before = await Here.ReadyAsync("text");
        await Here.StartPodAsync("trainer", "text", before);
        var trainer = await Here.GetAsync("pod", "trainer");
        var job = Assert.Single(await Here.JobsAsync("text"));
        var published = await FilesOfAsync(earlier, before);

        // A build that is under way for as long as the upgrade takes, and a pod that waits for it.
        await Here.ApplyAsync(Scenario.SlowManifest("slow"));
        var builder = await Here.BuildingAsync("slow");
        await Cluster.FreezeAsync(builder, Builder, frozen: true);
        await Here.ApplyAsync(Scenario.LabelledPod("waiter", "indexoperator.io/index: slow"));
        await Here.UntilAsync("slow", "to know who waits", status => (int?)status["consumers"]?["waiting"] == 1);
        var waiter = await Here.GetAsync("pod", "waiter");
        foreach (var pod in (await OperatorsAsync()).Append(builder).Append(trainer).Append(waiter))
        {
            Restricted.Check(pod);
        }

        await UpgradeAsync(_previous!);

        // What is built from now on is built by the new image.
        await Here.ApplyAsync(Scenario.Manifest("later", sequenceLength: 32));
        var later = await Here.ReadyAsync("later");
        Assert.Equal($"indexoperator/builder:{Dev}", (await BuilderOfAsync("later")).Image);

        // The build that was under way is the same pod of the same Job, and ends; and who waited for it begins.
        Assert.Equal((Uid(builder), $"indexoperator/builder:{_previous!.Version}"), await BuilderOfAsync("slow"));
        Assert.Equal("Pending", (string?)(await Here.GetAsync("pod", "waiter"))["status"]!["phase"]);
        await Cluster.FreezeAsync(builder, Builder, frozen: false);
        var slow = await Here.ReadyAsync("slow");
        Assert.Equal("Built", (string?)slow["current"]!["outcome"]);
        Assert.Equal(Uid(builder), (await BuilderOfAsync("slow")).Uid);
        Assert.Single(await Here.ToldAsync("slow", "BuildStarted"));
        await Here.KubectlAsync("wait", "--for=condition=Ready", "pod/waiter", Cluster.Timeout);
        await GoesOnAsync(waiter, slow);

        // Nothing is built again, and the training goes on.
        var after = await Here.ReadyAsync("text");
        Assert.Equal(VersionOf(before), VersionOf(after));
        Assert.Equal([VersionOf(earlier)], after["previous"]!.AsArray().Select(version => (string)version!["version"]!));
        Assert.Equal(Uid(job), Uid(Assert.Single(await Here.JobsAsync("text"))));
        Assert.Equal(2, (await Here.ToldAsync("text", "BuildStarted")).Count);
        await GoesOnAsync(trainer, before);
        await TakesWhatIsThereAsync(earlier, before);
        Assert.Equal(Sorted(earlier, before, slow, later), Here.Versions());
        Assert.Equal(published, await FilesOfAsync(earlier, before));

        var test = await HelmAsync("test", Release, Cluster.Timeout);
        Assert.Contains("Succeeded", test, StringComparison.Ordinal);

        var files = await Here.FilesAsync();
        var removed = "";
        await Here.Cluster.RemoveOperatorAsync(Home, Deployment, async () => removed = await HelmAsync("uninstall", Release, "--wait", Cluster.Timeout));
        Assert.Contains("kept due to the resource policy", removed, StringComparison.Ordinal);
        Assert.Contains("pretrainindexes.indexoperator.io", removed, StringComparison.Ordinal);
        Assert.Equal(files, await Here.FilesAsync());
        Assert.Equal(["later", "same", "slow", "text"], (await Here.ListAsync("pretrainindexes")).Select(index => (string)index["metadata"]!["name"]!));
        await GoesOnAsync(trainer, before);
        await GoesOnAsync(waiter, slow);

        // Nobody is left to ask about labelled pods, and nobody is asked.
        var free = await Here.TryKubectlAsync("run", "free", "--image=none", "--labels=indexoperator.io/index=nowhere", "--dry-run=server", "--restart=Never");
        Assert.DoesNotContain("does not exist in namespace", free.ToString(), StringComparison.Ordinal);
    }

    protected override async Task PrepareAsync()
    {
        // Before anything is taken away.
        _previous = await PreviousRelease.OrSkipAsync(Here.Cluster);
        await base.PrepareAsync();
        Scenario.Age(Here.Volume("corpus"), "text");

        // Others may still be cleaning up, which needs their operator.
        await Here.Cluster.CleanedUpAsync();
        await Here.Cluster.UninstallAsync();
    }

    protected override async Task PutBackAsync()
    {
        if (_previous is null)
        {
            return;
        }

        if (TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            Console.WriteLine((await Here.Cluster.TryKubectlAsync(["-n", Home, "describe", "deployments,pods"])).ToString());
            Console.WriteLine((await Here.Cluster.TryKubectlAsync(["-n", Home, "logs", $"deployment/{Deployment}", "--tail=60"])).ToString());
        }

        // Where the test failed before it came to that: an operator that is taken off is denied things until it is gone.
        await Here.Cluster.RemoveOperatorAsync(Home, Deployment, () => Helm.TryAsync("--kubeconfig", Here.Cluster.Kubeconfig, "-n", Home, "uninstall", Release));
        await Here.Cluster.TryKubectlAsync(["delete", "namespace", Home, "--wait=false"]);
        await Here.Cluster.InstallAsync();
    }

    private async Task InstallAsync(PreviousRelease previous)
    {
        await Here.Cluster.ApplyAsync($$"""
            apiVersion: v1
            kind: Namespace
            metadata:
              name: {{Home}}
              labels: {pod-security.kubernetes.io/enforce: restricted}
            """);
        await HelmAsync(["install", Release, previous.Chart, .. Values(previous.Version)]);
        await HasDefinitionAsync(previous.Definition, previous.Chart);
        await HasOperatorsAsync(previous.Version);
        Cluster.Say($"installed {previous.Version} by its chart");
    }

    // A value changes with the images.
    private async Task UpgradeAsync(PreviousRelease previous)
    {
        var notes = await HelmAsync(["upgrade", Release, Helm.Chart, .. Values(Dev), "--set", "logging.level=Debug,podDisruptionBudget.enabled=true"]);
        Assert.Contains($"installed in namespace {Home}", notes, StringComparison.Ordinal);
        Assert.Contains("Uninstalling keeps the CustomResourceDefinition, and what is published on volumes.", notes, StringComparison.Ordinal);
        await HasDefinitionAsync(RepositoryRoot.PathOf(Definition), RepositoryRoot.PathOf(Helm.Chart));
        await HasOperatorsAsync(Dev);
        Cluster.Say($"upgraded from {previous.Version}");
    }

    // The new operator and the new builder know what those of before published: by a look, by another resource, and by an earlier spec.
    private async Task TakesWhatIsThereAsync(JsonNode earlier, JsonNode before)
    {
        await Here.ApplyAsync(Scenario.Manifest("text", refresh: "{interval: 3s}", verify: "{interval: 3s}"));
        var looked = await Here.UntilAsync(
            "text",
            "a look that read data and version",
            status => (string?)status["data"]?["state"] == "Unchanged" && (DateTimeOffset)status["current"]!["verifiedAt"]! > (DateTimeOffset)before["current"]!["verifiedAt"]!);
        Assert.Equal(VersionOf(before), VersionOf(looked));
        Assert.All(["Ready", "DataCurrent", "Verified"], condition => Assert.True(Scenario.Is(looked, condition, "True"), looked.ToJsonString()));

        await Here.ApplyAsync(Scenario.Manifest("same"));
        var same = await Here.ReadyAsync("same");
        Assert.Equal((VersionOf(before), "Reused"), (VersionOf(same), (string?)same["current"]!["outcome"]));
        Assert.Equal($"indexoperator/builder:{Dev}", (await BuilderOfAsync("same")).Image);

        await Here.ApplyAsync(Scenario.Manifest("text", sequenceLength: 48));
        var back = await Here.ReadyAsync("text");
        Assert.Equal((VersionOf(earlier), "Reused"), (VersionOf(back), (string?)back["current"]!["outcome"]));
        Assert.Equal([VersionOf(before)], back["previous"]!.AsArray().Select(version => (string)version!["version"]!));
        Assert.Equal(2, (await Here.ToldAsync("text", "BuildStarted")).Count);
    }

    // The chart's, and exactly what the file says: the API server is asked what would become of it.
    private async Task HasDefinitionAsync(string file, string chart)
    {
        var there = await Here.Cluster.GetAsync("crd", "pretrainindexes.indexoperator.io");
        var version = (string?)YamlText.Read(await File.ReadAllTextAsync(Path.Combine(chart, "Chart.yaml")))["version"];
        Assert.Equal($"index-operator-{version}", (string?)there["metadata"]!["labels"]!["helm.sh/chart"]);
        var applied = JsonNode.Parse(await Here.Cluster.KubectlAsync("apply", "--validate=false", "--dry-run=server", "-o", "json", "-f", file))!;
        Assert.True(JsonNode.DeepEquals(applied["spec"], there["spec"]), $"{file} says\n{applied["spec"]}\nthe cluster has\n{there["spec"]}");
    }

    private Task HasOperatorsAsync(string tag) => Wait.Until(
        $"the operator's pods to be those of the image {tag}",
        async () => await OperatorsAsync() is { Count: 2 } pods && pods.All(pod => ImageOf(pod) == $"indexoperator/operator:{tag}"),
        Cluster.Patience);

    private static string[] Values(string tag) =>
    [
        "--set", $"image.tag={tag},builder.image.tag={tag},replicas=2,networkPolicy.enabled=true",
        "--disable-openapi-validation", "--wait", Cluster.Timeout,
    ];

    private async Task GoesOnAsync(JsonNode training, JsonNode status)
    {
        var name = (string)training["metadata"]!["name"]!;
        var now = await Here.GetAsync("pod", name);
        Assert.Equal(Uid(training), Uid(now));
        Assert.All(now["status"]!["containerStatuses"]!.AsArray(), container => Assert.Equal(0, (int?)container!["restartCount"]));
        Assert.All(now["status"]!["initContainerStatuses"]?.AsArray() ?? [], container => Assert.Equal(0, (int?)container!["restartCount"]));
        await Here.ReadsAsync(name, status);
    }

    private Task<IReadOnlyList<JsonNode>> OperatorsAsync() => Here.Cluster.ListAsync("-n", Home, "pods", "-l", $"app.kubernetes.io/instance={Release},app.kubernetes.io/name=index-operator");

    private async Task<string> HelmAsync(params string[] arguments)
    {
        var result = await Helm.TryAsync(["--kubeconfig", Here.Cluster.Kubeconfig, "-n", Home, .. arguments]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output + result.Error;
    }

    private async Task<(string? Uid, string? Image)> BuilderOfAsync(string index)
    {
        var pod = Assert.Single(await Here.PodsAsync(index));
        return (Uid(pod), ImageOf(pod));
    }

    private async Task<IReadOnlyList<string>> FilesOfAsync(params JsonNode[] statuses) =>
        [.. (await Here.FilesAsync()).Split('\n').Where(line => statuses.Any(status => line.Contains($"/versions/{VersionOf(status)}", StringComparison.Ordinal)))];

    private static List<string> Sorted(params JsonNode[] statuses) => [.. statuses.Select(VersionOf).Order(StringComparer.Ordinal)];

    private static string VersionOf(JsonNode status) => (string)status["current"]!["version"]!;

    private static string? ImageOf(JsonNode pod) => (string?)pod["spec"]!["containers"]![0]!["image"];

    private static string? Uid(JsonNode item) => (string?)item["metadata"]!["uid"];
}
