using IndexOperator.TestSupport;

namespace IndexOperator.Chart.Tests;

/// <summary>What the chart's pods are like.</summary>
public sealed class PodTests
{
    public static TheoryData<string> Restricted => [.. GoldenCase.All(Helm.Cases).Select(golden => golden.Name).Where(name => name != "full")];

    [Theory]
    [MemberData(nameof(Restricted))]
    public async Task Every_pod_meets_the_restricted_profile_and_has_resources(string values)
    {
        var rendered = await Helm.ObjectsAsync(Helm.ValuesOf(values));
        var tests = rendered.Of("Pod");
        foreach (var pod in tests.Append(rendered.Of("Deployment").Single()["spec"]!["template"]!))
        {
            Assert.Empty(PodSecurity.Violations(pod, PodSecurityProfile.Restricted));
            Assert.All(PodSecurity.Containers(pod["spec"]!).SelectMany(OwnPods.OfContainer), fault => Assert.EndsWith("opens ports", fault, StringComparison.Ordinal));
            Assert.False((bool?)pod["spec"]!["enableServiceLinks"]);
            Assert.All(PodSecurity.Containers(pod["spec"]!), container => Assert.NotNull(container["resources"]!["limits"]!["memory"]));
        }

        // That of helm test has the rights of a build pod, which are none.
        Assert.Equal([], tests.SelectMany(OwnPods.Faults));
    }

    [Fact]
    public async Task What_values_take_from_the_profile_is_the_network_of_the_node_alone()
    {
        // Asked for by name, where API servers cannot reach pods otherwise. Its ports are then the node's.
        var pod = (await Helm.ObjectsAsync(Helm.ValuesOf("full"))).Of("Deployment").Single()["spec"]!["template"]!;
        Assert.Equal(["Host Namespaces: hostNetwork"], PodSecurity.Violations(pod, PodSecurityProfile.Restricted));
    }

    [Fact]
    public async Task The_test_runs_the_image_of_builds_without_a_token_and_is_cleared_away()
    {
        var rendered = await Helm.ObjectsAsync("--set", "builder.image.tag=b,imagePullSecrets[0].name=key");
        var pod = rendered.Of("Pod").Single();
        Assert.Equal("indexoperator/builder:b", (string?)pod["spec"]!["containers"]![0]!["image"]);
        Assert.Contains("--builder-image=indexoperator/builder:b", rendered.OperatorContainer().Arguments());
        Assert.Equal("key", (string?)pod["spec"]!["imagePullSecrets"]![0]!["name"]);
        Assert.False((bool)pod["spec"]!["automountServiceAccountToken"]!);
        foreach (var item in new[] { pod, rendered.Of("PretrainIndex").Single() })
        {
            Assert.Equal(("test", "before-hook-creation,hook-succeeded"), ((string?)item["metadata"]!["annotations"]!["helm.sh/hook"], (string?)item["metadata"]!["annotations"]!["helm.sh/hook-delete-policy"]));
        }

        Assert.True((bool)rendered.Of("PretrainIndex").Single()["spec"]!["suspend"]!);
    }

    [Fact]
    public async Task A_constraint_without_a_selector_is_for_the_operators_own_pods()
    {
        var constraints = (await Helm.ObjectsAsync(Helm.ValuesOf("full"))).Of("Deployment").Single()["spec"]!["template"]!["spec"]!["topologySpreadConstraints"]!.AsArray();
        Assert.Equal("""{"app.kubernetes.io/instance":"index-operator","app.kubernetes.io/name":"index-operator"}""", constraints[0]!["labelSelector"]!["matchLabels"]!.ToJsonString());
        Assert.Equal("""{"team":"ml-platform"}""", constraints[1]!["labelSelector"]!["matchLabels"]!.ToJsonString());
    }

    [Theory]
    [InlineData("1.33.0", "policy/v1")]
    [InlineData("1.20.2", "policy/v1beta1")]
    public async Task A_budget_is_of_the_version_that_the_API_server_has(string kubernetes, string version)
    {
        var rendered = Helm.Read((await Helm.TryAsync("template", Helm.Release, Helm.Chart, "--kube-version", kubernetes, "--set", "podDisruptionBudget.enabled=true")).Output);
        Assert.Equal((version, 1L), ((string?)rendered.Of("PodDisruptionBudget").Single()["apiVersion"], (long?)rendered.Of("PodDisruptionBudget").Single()["spec"]!["minAvailable"]));
    }

    [Fact]
    public async Task Security_settings_can_be_taken_away_for_platforms_that_set_their_own()
    {
        var pod = (await Helm.ObjectsAsync("--set", "podSecurityContext=null,securityContext=null,resources=null,livenessProbe=null")).Of("Deployment").Single()["spec"]!["template"]!["spec"]!;
        Assert.Null(pod["securityContext"]);
        Assert.Null(pod["containers"]![0]!["securityContext"]);
        Assert.Equal("/healthz", (string?)pod["containers"]![0]!["livenessProbe"]!["httpGet"]!["path"]);
    }

    [Fact]
    public async Task Labels_of_ones_own_are_on_objects_and_pods_and_never_replace_what_selects()
    {
        var rendered = await Helm.ObjectsAsync("--set", "commonLabels.team=ml,commonLabels.app\\.kubernetes\\.io/name=other,podLabels.team=pods");
        Assert.All(rendered, item => Assert.Equal("ml", (string?)item["metadata"]!["labels"]!["team"]));
        Assert.All(rendered.Where(item => item["metadata"]!["annotations"]?["helm.sh/hook"] is null), item => Assert.Equal(("ml", "index-operator"), ((string?)item["metadata"]!["labels"]!["team"], (string?)item["metadata"]!["labels"]!["app.kubernetes.io/name"])));
        var labels = rendered.Of("Deployment").Single()["spec"]!["template"]!["metadata"]!["labels"]!;
        Assert.Equal(("pods", "index-operator"), ((string?)labels["team"], (string?)labels["app.kubernetes.io/name"]));
    }
}
