using System.Text.Json.Nodes;
using IndexOperator.Integration.Harness;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>The chart on a real API server.</summary>
[Collection("What is shipped")]
public sealed class ChartTests(ControlPlaneFixture fixture)
{
    private ControlPlane Plane => fixture.Plane;

    public static TheoryData<string> Cases => [.. GoldenCase.All(Helm.Cases).Select(golden => golden.Name)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Every_object_of_a_set_of_values_passes_the_servers_checks(string name)
    {
        await ForeignKinds.InstallAsync(Plane);
        await ForeignKinds.CreateNamespacesAsync(Plane, Helm.Namespace, "training", "research", "monitoring");

        string[] options = ["--kube-version", Plane.ServerVersion.ToString(), .. Helm.ValuesOf(name)];
        await CheckAsync(await Helm.TemplateAsync([.. options, "--set", "crds.install=false"]));

        // Not checked by kubectl, which before 1.25 is told of no validation rules.
        await CheckAsync(await Helm.TemplateAsync([.. options, "--set", "crds.install=true", "--show-only", "templates/crd.yaml"]), "--validate=false");
    }

    [Fact]
    public async Task A_release_is_installed_upgraded_and_removed_and_the_definition_and_its_indexes_stay()
    {
        await using var plane = await ControlPlane.StartAsync();
        var release = new[] { Helm.Release, Helm.Chart, "-n", Helm.Namespace, "--disable-openapi-validation" };
        var installed = await HelmAsync(["install", .. release, "--create-namespace"]);
        Assert.Contains("kubectl explain pretrainindex.spec", installed, StringComparison.Ordinal);
        Assert.Contains("looks at all namespaces", installed, StringComparison.Ordinal);
        await Wait.Until("the definition to be served", async () => (await plane.TryKubectlAsync(["get", "pretrainindexes", "-A"])).ExitCode == 0, TimeSpan.FromSeconds(30));
        await plane.KubectlAsync("apply", "--validate=false", "-n", "default", "-f", "config/samples/suspended.yaml");

        var risky = await HelmAsync(["upgrade", .. release, "--dry-run", "--set", "podDisruptionBudget.enabled=true,webhook.failurePolicy=Ignore,watchNamespaces={training}"]);
        Assert.Contains("looks at: training", risky, StringComparison.Ordinal);
        Assert.Contains("WARNING: podDisruptionBudget is enabled with one replica", risky, StringComparison.Ordinal);
        Assert.Contains("WARNING: webhook.failurePolicy is Ignore", risky, StringComparison.Ordinal);
        Assert.Equal(plane.ServerVersion < new Version(1, 21), risky.Contains("does not label namespaces with their names", StringComparison.Ordinal));
        await TestAsync(plane);

        // What the operator writes into the configuration is not the chart's to take away.
        await plane.KubectlAsync("patch", "mutatingwebhookconfiguration", Helm.Release, "--type=json", "-p", """[{"op":"add","path":"/webhooks/0/clientConfig/caBundle","value":"Cg=="}]""");
        await HelmAsync(["upgrade", .. release, "--set", "replicas=2,podDisruptionBudget.enabled=true,webhook.timeoutSeconds=7"]);
        var webhook = (await plane.GetJsonAsync("mutatingwebhookconfiguration", Helm.Release))["webhooks"]![0]!;
        Assert.Equal(("Cg==", 7), ((string?)webhook["clientConfig"]!["caBundle"], (int?)webhook["timeoutSeconds"]));
        Assert.Equal(2, (int?)(await plane.GetJsonAsync("deployment", Helm.Release, "-n", Helm.Namespace))["spec"]!["replicas"]);

        await HelmAsync(["uninstall", Helm.Release, "-n", Helm.Namespace]);
        Assert.NotEqual(0, (await plane.TryKubectlAsync(["get", "deployment", Helm.Release, "-n", Helm.Namespace])).ExitCode);
        Assert.NotEqual(0, (await plane.TryKubectlAsync(["get", "mutatingwebhookconfiguration", Helm.Release])).ExitCode);
        Assert.True((bool?)(await plane.GetJsonAsync("pretrainindex", "suspended", "-n", "default"))["spec"]!["suspend"]);

        // It comes back to the definition that it left.
        await HelmAsync(["install", .. release]);

        async Task<string> HelmAsync(params string[] arguments)
        {
            var result = await Helm.TryAsync(["--kubeconfig", plane.KubeConfig, .. arguments]);
            Assert.True(result.ExitCode == 0, result.ToString());
            return result.Output;
        }
    }

    [Fact]
    public async Task A_definition_that_kubectl_installed_is_taken_over_as_the_readme_tells()
    {
        await using var plane = await ControlPlane.StartAsync();
        await plane.ApplyCrdAsync();
        string[] install = ["--kubeconfig", plane.KubeConfig, "install", Helm.Release, Helm.Chart, "-n", Helm.Namespace, "--create-namespace", "--disable-openapi-validation"];
        Assert.Contains("invalid ownership metadata", (await Helm.TryAsync(install)).Error, StringComparison.Ordinal);
        foreach (var line in RepositoryRoot.ReadText($"{Helm.Chart}/README.md").Split('\n').Where(line => line.StartsWith("$ kubectl ", StringComparison.Ordinal)))
        {
            await plane.KubectlAsync(line["$ kubectl ".Length..].Replace("RELEASE", Helm.Release, StringComparison.Ordinal).Replace("NAMESPACE", Helm.Namespace, StringComparison.Ordinal).Split(' '));
        }

        var taken = await Helm.TryAsync(install);
        Assert.True(taken.ExitCode == 0, taken.ToString());
        Assert.Equal("keep", (string?)(await plane.GetJsonAsync("crd", "pretrainindexes.indexoperator.io"))["metadata"]!["annotations"]!["helm.sh/resource-policy"]);
    }

    // No kubelet is here: the pod's end is played. That its image runs is for a real node to show.
    private static async Task TestAsync(ControlPlane plane)
    {
        var test = Helm.TryAsync("--kubeconfig", plane.KubeConfig, "test", Helm.Release, "-n", Helm.Namespace, "--timeout", "1m");
        var name = $"{Helm.Release}-test";
        await Wait.Until("the test's pod", async () => (await plane.TryKubectlAsync(["get", "pod", name, "-n", Helm.Namespace])).ExitCode == 0, TimeSpan.FromSeconds(50));
        Assert.True((bool?)(await plane.GetJsonAsync("pretrainindex", name, "-n", Helm.Namespace))["spec"]!["suspend"]);
        var pod = await plane.GetJsonAsync("pod", name, "-n", Helm.Namespace);
        pod["status"] = new JsonObject { ["phase"] = "Succeeded" };
        await plane.KubectlWithInputAsync(pod.ToJsonString(), "replace", "--raw", $"/api/v1/namespaces/{Helm.Namespace}/pods/{name}/status", "-f", "-");
        var result = await test;
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.NotEqual(0, (await plane.TryKubectlAsync(["get", "pretrainindex,pod", name, "-n", Helm.Namespace])).ExitCode);
    }

    private async Task CheckAsync(string rendered, params string[] options)
    {
        var answer = await Plane.KubectlWithInputAsync(rendered, ["apply", "--dry-run=server", .. options, "-f", "-"]);
        var lines = answer.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Helm.Read(rendered).Count, lines.Length);
        Assert.All(lines, line => Assert.EndsWith("(server dry run)", line, StringComparison.Ordinal));
    }
}
