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
    public async Task The_chart_as_it_is_installs_what_config_default_does() => await AssertSameAsync(await Kustomize.ObjectsAsync("config/default"));

    [Fact]
    public async Task With_cert_manager_the_chart_installs_what_config_cert_manager_does() =>
        await AssertSameAsync(await Kustomize.ObjectsAsync("config/cert-manager"), "--set", "webhook.certificates.source=cert-manager");

    [Fact]
    public async Task With_the_Prometheus_operator_the_chart_adds_what_config_prometheus_does() =>
        await AssertSameAsync(
            [.. await Kustomize.ObjectsAsync("config/default"), .. await Kustomize.ObjectsAsync("config/prometheus")],
            "--set",
            "metrics.serviceMonitor.enabled=true,metrics.prometheusRule.enabled=true");

    [Fact]
    public async Task In_listed_namespaces_the_chart_installs_what_config_namespaced_does_with_the_same_rights()
    {
        string[] options = [.. AsInConfig, "--set", "watchNamespaces={training}"];
        var (expected, rendered) = (await Kustomize.ObjectsAsync("config/namespaced"), await Helm.ObjectsAsync(options));
        await AssertSameAsync([.. expected.Where(item => !IsOfTheOperatorsRights(item))], item => !IsOfTheOperatorsRights(item), options);

        // Either way of writing them: a Role in the namespace, or a ClusterRole that is bound there.
        var rights = Rights(expected);
        Assert.Equal(rights, Rights(rendered));
        Assert.Contains("training: patch pretrainindexes.indexoperator.io/status", rights);
        Assert.Equal(["everywhere: get mutatingwebhookconfigurations.admissionregistration.k8s.io index-operator", "everywhere: patch mutatingwebhookconfigurations.admissionregistration.k8s.io index-operator"], rights.Where(right => right.StartsWith("everywhere", StringComparison.Ordinal)));
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

    private static Task AssertSameAsync(IReadOnlyList<JsonNode> expected, params string[] options) => AssertSameAsync(expected, _ => true, [.. AsInConfig, .. options]);

    private static async Task AssertSameAsync(IReadOnlyList<JsonNode> config, Func<JsonNode, bool> isCompared, string[] options)
    {
        var rendered = (await Helm.ObjectsAsync(options)).Where(item => !NotCompared.Contains((string?)item["kind"]) && isCompared(item)).ToList();
        var expected = config.Where(item => !NotCompared.Contains((string?)item["kind"])).ToList();
        Assert.Equal(expected.Select(NameOf).Order(StringComparer.Ordinal), rendered.Select(NameOf).Order(StringComparer.Ordinal));
        foreach (var item in expected)
        {
            AssertSame(item, rendered.Single(other => NameOf(other) == NameOf(item)));
        }

        var (own, charts) = (Parse(expected.OperatorContainer()), Parse(rendered.OperatorContainer()));
        Assert.Equal(own.Namespaces, charts.Namespaces);
        Assert.Equal(own with { Namespaces = charts.Namespaces }, charts);
    }

    private static bool IsOfTheOperatorsRights(JsonNode item) =>
        (string?)item["kind"] is "ClusterRole" or "ClusterRoleBinding" or "Role" or "RoleBinding"
        && (string?)item["metadata"]!["name"] is "index-operator" or "index-operator-webhook-configuration";

    // Every verb on every resource that the bindings of these objects give, in order.
    private static List<string> Rights(IReadOnlyList<JsonNode> objects) =>
        [.. objects.Where(item => (string?)item["kind"] is "ClusterRoleBinding" or "RoleBinding").SelectMany(binding =>
        {
            var space = (string?)binding["metadata"]!["namespace"];
            var role = objects.Single(item => (string?)item["kind"] == (string?)binding["roleRef"]!["kind"] && (string?)item["metadata"]!["name"] == (string?)binding["roleRef"]!["name"]
                && ((string?)item["kind"] == "ClusterRole" || (string?)item["metadata"]!["namespace"] == space));
            return role["rules"]!.AsArray().SelectMany(rule => RightsOf(rule!).Where(right => space is null || !IsClusterWide(right)).Select(right => $"{space ?? "everywhere"}: {right}"));
        }).Distinct().Order(StringComparer.Ordinal)];

    private static IEnumerable<string> RightsOf(JsonNode rule) =>
        from resource in rule["resources"]!.AsArray()
        let parts = ((string)resource!).Split('/')
        from @group in rule["apiGroups"]!.AsArray()
        from verb in rule["verbs"]!.AsArray()
        from name in rule["resourceNames"]?.AsArray() ?? [""]
        select $"{verb} {parts[0]}.{@group}{(parts.Length > 1 ? "/" + parts[1] : "")} {name}".TrimEnd();

    private static bool IsClusterWide(string right) => right.Contains(" customresourcedefinitions.", StringComparison.Ordinal) || right.Contains(" mutatingwebhookconfigurations.", StringComparison.Ordinal);

    private static void AssertSame(JsonNode expected, JsonNode actual) => Assert.Equal(YamlText.Write(Comparable(expected)), YamlText.Write(Comparable(actual)));

    private static string NameOf(JsonNode item) => $"{item["kind"]} {item["metadata"]!["namespace"]}/{item["metadata"]!["name"]}";

    private static List<JsonNode> Files(string folder) =>
        [.. Directory.GetFiles(RepositoryRoot.PathOf(folder), "*.yaml").Order(StringComparer.Ordinal)
            .SelectMany(file => YamlJson.ParseAll(File.ReadAllText(file)))
            .Where(item => item is JsonObject && (string?)item["kind"] is not (null or "Kustomization"))
            .Select(item => item!)];

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

        // kubectl and Helm read YAML 1.1, in which 0440 is octal.
        foreach (var secret in (copy["spec"]?["template"]?["spec"]?["volumes"]?.AsArray() ?? []).Select(volume => volume!["secret"]).OfType<JsonObject>())
        {
            secret["defaultMode"] = (long?)secret["defaultMode"] == 440 ? Convert.ToInt64("0440", 8) : (long?)secret["defaultMode"];
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
