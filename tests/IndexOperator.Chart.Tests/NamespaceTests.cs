using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.TestSupport;

namespace IndexOperator.Chart.Tests;

/// <summary>An operator of listed namespaces has its rights there and nowhere else.</summary>
public sealed class NamespaceTests
{
    [Fact]
    public async Task Rights_are_given_in_each_listed_namespace_and_are_those_that_a_cluster_role_would_give()
    {
        var rendered = await Helm.ObjectsAsync(Helm.ValuesOf("namespaced"));
        var cluster = (JsonArray)YamlJson.ParseAll(RepositoryRoot.ReadText("config/rbac/role.yaml")).Single()!["rules"]!.DeepClone();
        foreach (var name in new[] { "mutatingwebhookconfigurations", "customresourcedefinitions" })
        {
            cluster.Remove(cluster.Single(rule => (string?)rule!["resources"]![0] == name));
        }

        foreach (var space in new[] { "training", "research" })
        {
            var role = Assert.Single(rendered, item => (string?)item["kind"] == "Role" && (string?)item["metadata"]!["name"] == Helm.Release && (string?)item["metadata"]!["namespace"] == space);
            Assert.True(JsonNode.DeepEquals(cluster, role["rules"]), $"{cluster}\n{role["rules"]}");
            Assert.Single(rendered, item => (string?)item["kind"] == "Role" && (string?)item["metadata"]!["name"] == "index-operator-kueue" && (string?)item["metadata"]!["namespace"] == space);
        }

        foreach (var binding in rendered.Of("RoleBinding"))
        {
            Assert.Equal(("Role", Helm.Namespace), ((string?)binding["roleRef"]!["kind"], (string?)binding["subjects"]![0]!["namespace"]));
            Assert.Contains(rendered, item => (string?)item["kind"] == "Role" && (string?)item["metadata"]!["name"] == (string?)binding["roleRef"]!["name"] && (string?)item["metadata"]!["namespace"] == (string?)binding["metadata"]!["namespace"]);
        }
    }

    [Fact]
    public async Task Cluster_wide_is_then_only_the_right_to_the_one_webhook_configuration()
    {
        var role = Assert.Single((await Helm.ObjectsAsync(Helm.ValuesOf("namespaced"))).Of("ClusterRole"));
        var rule = Assert.Single(role["rules"]!.AsArray());
        Assert.Equal("mutatingwebhookconfigurations", (string?)rule!["resources"]!.AsArray().Single());
        Assert.Equal(Helm.Release, (string?)rule["resourceNames"]!.AsArray().Single());
    }

    [Fact]
    public async Task Who_may_create_nothing_cluster_wide_can_install_it_all_the_same() =>
        Assert.DoesNotContain(await Helm.ObjectsAsync(Helm.ValuesOf("no-webhook")), item => Kinds.AreClusterWide((string)item["kind"]!));

    [Fact]
    public async Task A_selector_of_ones_own_goes_before_the_listed_namespaces()
    {
        var configuration = (await Helm.ObjectsAsync("--set", "watchNamespaces={a},webhook.namespaceSelector.matchLabels.x=y")).Of("MutatingWebhookConfiguration").Single();
        Assert.Equal("""{"matchLabels":{"x":"y"}}""", configuration["webhooks"]![0]!["namespaceSelector"]!.ToJsonString());
    }

    [Fact]
    public async Task Who_manages_rights_elsewhere_gets_none() =>
        Assert.DoesNotContain(
            await Helm.ObjectsAsync("--set", "rbac.create=false,rbac.aggregate=false,kueue.enabled=true"),
            item => (string?)item["apiVersion"] == "rbac.authorization.k8s.io/v1");
}
