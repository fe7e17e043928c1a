using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.E2E;

/// <summary>
/// The chart's life on a real node, into restricted namespaces: installed, upgraded to other images with a build under way and a training
/// pod running, removed. Takes the place of <c>config/default</c> for as long, so it runs when the others have ended.
/// </summary>
public sealed class ReleaseTests(Cluster cluster) : ScenarioTests(cluster, "release")
{
    private const string Release = "indexes";
    private const string Deployment = "indexes-index-operator";
    private const string Dev = "dev";
    private const string Next = "next";

    private string Home => $"{Here.Namespace}-operator";

    [Fact]
    public async Task An_upgrade_rebuilds_nothing_and_restarts_nobody_and_a_removal_leaves_data_and_definition()
    {
        await InstallAsync();
        await Here.ApplyAsync(Scenario.Manifest("text"));
        var before = await Here.ReadyAsync("text");
        await Here.StartPodAsync("trainer", "text", before);
        var trainer = await Here.GetAsync("pod", "trainer");
        var job = Assert.Single(await Here.JobsAsync("text"));

        await Here.ApplyAsync(Scenario.SlowManifest("slow"));
        var builder = await Here.BuildingAsync("slow");
        foreach (var pod in (await OperatorsAsync()).Append(builder).Append(trainer))
        {
            Restricted.Check(pod);
        }

        await UpgradeAsync();

        // The build that was under way is the same pod of the same Job, and ends.
        var building = Assert.Single(await Here.PodsAsync("slow"));
        Assert.Equal(Uid(builder), Uid(building));
        await Here.ReadyAsync("slow", 120);
        Assert.Equal(Uid(builder), Uid(Assert.Single(await Here.PodsAsync("slow"))));
        Assert.Single(await Here.ToldAsync("slow", "BuildStarted"));

        // Nothing is built again, and the training goes on.
        var after = await Here.ReadyAsync("text");
        Assert.Equal((string?)before["current"]!["version"], (string?)after["current"]!["version"]);
        Assert.Equal(Uid(job), Uid(Assert.Single(await Here.JobsAsync("text"))));
        Assert.Single(await Here.ToldAsync("text", "BuildStarted"));
        await GoesOnAsync(trainer, before);

        // What is built from now on is built by the new image.
        await Here.ApplyAsync(Scenario.Manifest("later", sequenceLength: 32));
        await Here.ReadyAsync("later");
        Assert.EndsWith($"builder:{Next}", (string?)Assert.Single(await Here.PodsAsync("later"))["spec"]!["containers"]![0]!["image"], StringComparison.Ordinal);
        var test = await HelmAsync("test", Release, "--timeout", "90s");
        Assert.Contains("Succeeded", test, StringComparison.Ordinal);

        var files = await Here.FilesAsync();
        var removed = "";
        await Here.Cluster.RemoveOperatorAsync(Home, Deployment, async () => removed = await HelmAsync("uninstall", Release, "--wait", "--timeout", "90s"));
        Assert.Contains("kept due to the resource policy", removed, StringComparison.Ordinal);
        Assert.Contains("pretrainindexes.indexoperator.io", removed, StringComparison.Ordinal);
        Assert.Equal(files, await Here.FilesAsync());
        Assert.Equal(["later", "slow", "text"], (await Here.ListAsync("pretrainindexes")).Select(index => (string)index["metadata"]!["name"]!));
        await GoesOnAsync(trainer, before);

        // Nobody is left to ask about labelled pods, and nobody is asked.
        var free = await Here.TryKubectlAsync("run", "free", "--image=none", "--labels=indexoperator.io/index=nowhere", "--dry-run=server", "--restart=Never");
        Assert.DoesNotContain("does not exist in namespace", free.ToString(), StringComparison.Ordinal);
    }

    protected override async Task PrepareAsync()
    {
        await base.PrepareAsync();
        Scenario.Age(Here.Volume("corpus"), "text");

        // Others may still be cleaning up, which needs their operator.
        await Here.Cluster.CleanedUpAsync();
        await Here.Cluster.UninstallAsync();
    }

    protected override async Task PutBackAsync()
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            Console.WriteLine((await Here.Cluster.TryKubectlAsync(["-n", Home, "describe", "deployments,pods"])).ToString());
            Console.WriteLine((await Here.Cluster.TryKubectlAsync(["-n", Home, "logs", $"deployment/{Deployment}", "--tail=60"])).ToString());
        }

        await Helm.TryAsync("--kubeconfig", Here.Cluster.Kubeconfig, "-n", Home, "uninstall", Release);
        await Here.Cluster.TryKubectlAsync(["delete", "namespace", Home, "--wait=false"]);
        await Here.Cluster.InstallAsync();
    }

    private async Task InstallAsync()
    {
        await Here.Cluster.ApplyAsync($$"""
            apiVersion: v1
            kind: Namespace
            metadata:
              name: {{Home}}
              labels: {pod-security.kubernetes.io/enforce: restricted}
            """);
        var notes = await HelmAsync(["install", Release, Helm.Chart, .. Values(Dev)]);
        Assert.Contains($"installed in namespace {Home}", notes, StringComparison.Ordinal);
        Assert.Contains("Uninstalling keeps the CustomResourceDefinition, and what is published on volumes.", notes, StringComparison.Ordinal);
        Cluster.Say("installed by the chart");
    }

    // Another image under the same content is what a patch release is to the cluster; a value changes with it.
    private async Task UpgradeAsync()
    {
        await Cluster.RunAsync(RepositoryRoot.PathOf("hack/images.sh"), "tag", Here.Cluster.Folder, Next);
        await HelmAsync(["upgrade", Release, Helm.Chart, .. Values(Next), "--set", "logging.level=Debug,podDisruptionBudget.enabled=true"]);
        await Wait.Until(
            "the operator's pods to be those of the new image",
            async () => (await OperatorsAsync()).All(pod => ((string?)pod["spec"]!["containers"]![0]!["image"])!.EndsWith($"operator:{Next}", StringComparison.Ordinal)),
            TimeSpan.FromSeconds(60));
        Cluster.Say("upgraded");
    }

    private static string[] Values(string tag) =>
    [
        "--set", $"image.tag={tag},builder.image.tag={tag},replicas=2,networkPolicy.enabled=true",
        "--disable-openapi-validation", "--wait", "--timeout", "120s",
    ];

    private async Task GoesOnAsync(JsonNode trainer, JsonNode status)
    {
        var now = await Here.GetAsync("pod", "trainer");
        Assert.Equal(Uid(trainer), Uid(now));
        Assert.Equal(0, (int?)now["status"]!["containerStatuses"]![0]!["restartCount"]);
        await Here.ReadsAsync("trainer", status);
    }

    private Task<IReadOnlyList<JsonNode>> OperatorsAsync() => Here.Cluster.ListAsync("-n", Home, "pods", "-l", $"app.kubernetes.io/instance={Release},app.kubernetes.io/name=index-operator");

    private async Task<string> HelmAsync(params string[] arguments)
    {
        var result = await Helm.TryAsync(["--kubeconfig", Here.Cluster.Kubeconfig, "-n", Home, .. arguments]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output + result.Error;
    }

    private static string? Uid(JsonNode item) => (string?)item["metadata"]!["uid"];
}
