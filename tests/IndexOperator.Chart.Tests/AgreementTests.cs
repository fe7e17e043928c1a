using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Operator;
using IndexOperator.TestSupport;

namespace IndexOperator.Chart.Tests;

/// <summary>Chart and <c>config/</c> install the same: only labels, and arguments that say what the operator takes for granted, differ.</summary>
public sealed class AgreementTests
{
    // Helm creates no namespace, the definition has a test of its own, and helm test is the chart's alone.
    private static readonly string[] NotCompared = ["Namespace", "CustomResourceDefinition", "Pod", "PretrainIndex"];

    private static readonly string[] OnlyInChart =
        ["app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "app.kubernetes.io/component", "helm.sh/chart"];

    private static readonly string[] AsInConfig = ["--set", "image.tag=dev,builder.image.tag=dev"];

    [Fact]
    public async Task The_chart_as_it_is_installs_what_config_default_does() =>
        await AssertSameAsync([.. Files("config/rbac"), .. Files("config/manager"), .. Files("config/webhook")], ["config/default/manager_webhook_patch.yaml"], []);

    [Fact]
    public async Task With_cert_manager_the_chart_installs_what_config_cert_manager_does()
    {
        var expected = new List<JsonNode>([.. Files("config/rbac"), .. Files("config/manager"), .. Files("config/webhook"), .. Files("config/cert-manager").Where(item => (string?)item["kind"] is "Issuer" or "Certificate")]);
        var annotations = Files("config/cert-manager").Named("MutatingWebhookConfiguration", Helm.Release)["metadata"]!["annotations"]!.DeepClone();
        expected.Named("MutatingWebhookConfiguration", Helm.Release)["metadata"]!["annotations"] = annotations;

        // Files of others need neither the Secret of the operator's own nor the right to announce it.
        expected.RemoveAll(item => ((string)item["metadata"]!["name"]!).EndsWith("-webhook-certificate", StringComparison.Ordinal));
        var rules = expected.Named("ClusterRole", Helm.Release)["rules"]!.AsArray();
        rules.Remove(rules.Single(rule => (string?)rule!["resources"]![0] == "mutatingwebhookconfigurations"));
        await AssertSameAsync(expected, ["config/default/manager_webhook_patch.yaml", "config/cert-manager/manager_patch.yaml"], ["--set", "webhook.certificates.source=cert-manager"]);
    }

    [Fact]
    public async Task Kueue_gets_the_rights_and_the_webhook_of_config_kueue()
    {
        var rendered = await Helm.ObjectsAsync("--set", "kueue.enabled=true,kueue.gateJobs=true");
        foreach (var item in Files("config/kueue"))
        {
            AssertSame(item, rendered.Named((string)item["kind"]!, (string)item["metadata"]!["name"]!));
        }

        var patch = YamlJson.ParseAll(RepositoryRoot.ReadText("config/kueue/webhook_patch.yaml")).Single()![0]!["value"]!;
        var webhooks = rendered.Named("MutatingWebhookConfiguration", Helm.Release)["webhooks"]!.AsArray();
        Assert.True(JsonNode.DeepEquals(patch, webhooks[1]), $"{patch}\n{webhooks[1]}");
        Assert.Contains("--kueue=auto", rendered.OperatorContainer().Arguments());
    }

    [Fact]
    public async Task An_operator_of_listed_namespaces_is_asked_about_these_alone_as_in_the_patch_for_it()
    {
        var patch = YamlJson.ParseAll(RepositoryRoot.ReadText("config/webhook/namespaced_patch.yaml")).Single()![0]!["value"];
        var configuration = (await Helm.ObjectsAsync("--set", "watchNamespaces={training}")).Named("MutatingWebhookConfiguration", Helm.Release);
        Assert.True(JsonNode.DeepEquals(patch, configuration["webhooks"]![0]!["namespaceSelector"]));
    }

    private static async Task AssertSameAsync(List<JsonNode> expected, string[] patches, string[] options)
    {
        foreach (var patch in patches)
        {
            Apply(patch, expected.Named("Deployment", Helm.Release));
        }

        var rendered = (await Helm.ObjectsAsync([.. AsInConfig, .. options])).Where(item => !NotCompared.Contains((string?)item["kind"])).ToList();
        expected = [.. expected.Where(item => !NotCompared.Contains((string?)item["kind"]))];
        Assert.Equal(expected.Select(NameOf).Order(StringComparer.Ordinal), rendered.Select(NameOf).Order(StringComparer.Ordinal));
        foreach (var item in expected)
        {
            AssertSame(item, rendered.Single(other => NameOf(other) == NameOf(item)));
        }

        Assert.Equal(Parse(expected.OperatorContainer()), Parse(rendered.OperatorContainer()));
    }

    private static void AssertSame(JsonNode expected, JsonNode actual) => Assert.Equal(YamlText.Write(Comparable(expected)), YamlText.Write(Comparable(actual)));

    private static string NameOf(JsonNode item) => $"{item["kind"]} {item["metadata"]!["namespace"]}/{item["metadata"]!["name"]}";

    private static List<JsonNode> Files(string folder) =>
        [.. Directory.GetFiles(RepositoryRoot.PathOf(folder), "*.yaml").Order(StringComparer.Ordinal)
            .SelectMany(file => YamlJson.ParseAll(File.ReadAllText(file)))
            .Where(item => item is JsonObject && (string?)item["kind"] is not (null or "Kustomization"))
            .Select(item => item!)];

    // What kustomize does with the patches there are: append to lists, and add members.
    private static void Apply(string patch, JsonNode target)
    {
        foreach (var operation in YamlJson.ParseAll(RepositoryRoot.ReadText(patch)).Single()!.AsArray())
        {
            Assert.Equal("add", (string?)operation!["op"]);
            var path = ((string)operation["path"]!).Split('/')[1..];
            var parent = path[..^1].Aggregate(target, (node, part) => node is JsonArray list ? list[int.Parse(part, System.Globalization.CultureInfo.InvariantCulture)]! : node[part]!);
            var value = operation["value"]!.DeepClone();
            if (path[^1] == "-")
            {
                parent.AsArray().Add(value);
            }
            else
            {
                parent[path[^1]] = value;
            }
        }
    }

    // Members in one order, and without what differs by design.
    private static JsonNode Comparable(JsonNode item)
    {
        var copy = Sorted(item)!;
        Labels(copy["metadata"]!["labels"]);
        Labels(copy["spec"]?["selector"]);
        Labels(copy["spec"]?["selector"]?["matchLabels"]);
        Labels(copy["spec"]?["template"]?["metadata"]?["labels"]);
        copy["spec"]?.AsObject().Remove("revisionHistoryLimit");
        if (copy["rules"] is JsonArray rules)
        {
            copy["rules"] = new JsonArray([.. rules.OrderBy(rule => rule!.ToJsonString(), StringComparer.Ordinal).Select(rule => rule!.DeepClone())]);
        }

        if (copy["spec"]?["template"]?["spec"]?["containers"]?[0] is JsonObject container)
        {
            container.Remove("args");
        }

        return copy;

        static void Labels(JsonNode? labels)
        {
            foreach (var name in OnlyInChart)
            {
                labels?.AsObject().Remove(name);
            }
        }
    }

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => KeyValuePair.Create(member.Key, Sorted(member.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted)]),
        _ => node?.DeepClone(),
    };

    // Without the rights of config/kueue, which is not in config/default, the operator finds no Kueue; the chart says so at once.
    private static OperatorOptions Parse(JsonNode container) => OperatorArguments.Parse(container.Arguments()) with { Kueue = KueueMode.Off };
}
