using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Planning;
using IndexOperator.TestSupport;

namespace IndexOperator.Chart.Tests;

/// <summary>Whom the operator and its Jobs may talk with, where the cluster's network carries out such policies.</summary>
public sealed class NetworkPolicyTests
{
    [Fact]
    public async Task Build_pods_are_denied_all_traffic_in_each_namespace_that_is_named()
    {
        var policies = (await Helm.ObjectsAsync(Helm.ValuesOf("namespaced"))).Of("NetworkPolicy").Where(policy => (string?)policy["metadata"]!["name"] == "index-operator-builds").ToList();
        Assert.Equal(["monitoring", "research", "training"], policies.Select(policy => (string)policy["metadata"]!["namespace"]!).Order(StringComparer.Ordinal));
        Assert.All(policies, policy =>
        {
            Assert.True(JsonNode.DeepEquals(new JsonArray("Ingress", "Egress"), policy["spec"]!["policyTypes"]));
            Assert.Null(policy["spec"]!["ingress"]);
            Assert.Null(policy["spec"]!["egress"]);
        });
    }

    [Fact]
    public async Task They_are_the_pods_that_the_operator_makes_and_a_person_cannot_take_one_out()
    {
        var selector = (await Helm.ObjectsAsync(Helm.ValuesOf("namespaced"))).Of("NetworkPolicy").First(policy => (string?)policy["metadata"]!["name"] == "index-operator-builds")["spec"]!["podSelector"]!;
        Assert.Equal(Labels.ManagedByValue, (string?)selector["matchLabels"]![Labels.ManagedBy]);
        var expression = selector["matchExpressions"]!.AsArray().Single()!;
        Assert.Equal((Labels.Task, "In"), ((string?)expression["key"], (string?)expression["operator"]));
        Assert.Equal(
            new[] { BuildAttempt.BuildTask, BuildAttempt.CheckTask, BuildAttempt.PruneTask, BuildAttempt.CleanupTask },
            expression["values"]!.AsArray().Select(value => (string?)value));
    }

    [Fact]
    public async Task Chart_and_config_have_the_same_policies()
    {
        var rendered = await Helm.ObjectsAsync("--set", "networkPolicy.enabled=true,networkPolicy.builds=true,networkPolicy.buildNamespaces={a}");
        foreach (var (file, name) in new[] { ("operator", "index-operator"), ("builds", "index-operator-builds") })
        {
            var config = YamlText.Read(RepositoryRoot.ReadText($"config/network-policy/{file}.yaml"));
            var chart = rendered.Named("NetworkPolicy", name);

            // A release has its name in the selector, so that several can stand side by side.
            (chart["spec"]!["podSelector"]!["matchLabels"] as JsonObject)!.Remove("app.kubernetes.io/instance");
            Assert.True(JsonNode.DeepEquals(config["spec"], chart["spec"]), $"{config["spec"]}\n{chart["spec"]}");
        }
    }

    [Fact]
    public async Task The_operator_is_called_and_calls_on_its_own_ports_alone()
    {
        var spec = (await Helm.ObjectsAsync(Helm.ValuesOf("full"))).Of("NetworkPolicy").Single()["spec"]!;
        Assert.Equal(["http", "webhook"], spec["ingress"]!.AsArray().Select(rule => (string?)rule!["ports"]!.AsArray().Single()!["port"]));
        Assert.All(spec["ingress"]!.AsArray(), rule => Assert.NotNull(rule!["from"]));
        Assert.Equal(["53", "53", "6443", "4318"], spec["egress"]!.AsArray().SelectMany(rule => rule!["ports"]!.AsArray()).Select(port => port!["port"]!.ToJsonString()));
    }
}
