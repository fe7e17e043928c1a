using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using IndexOperator.TestSupport;

namespace IndexOperator.Chart.Tests;

/// <summary>What sets of values render. <c>UPDATE_GOLDEN=1</c> rewrites the files; read them before you commit them.</summary>
public sealed partial class GoldenTests
{
    public static TheoryData<string> Cases => [.. GoldenCase.All(Helm.Cases).Select(golden => golden.Name)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_set_of_values_renders_what_its_file_says(string name)
    {
        var text = await Helm.TemplateAsync(Helm.ValuesOf(name));
        new GoldenFolder(Helm.Cases).AssertText($"{name}/rendered.yaml", Definition().Replace(text, "# The CustomResourceDefinition stands here; a test compares it with config/crd.\n"));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Every_object_says_where_it_belongs(string name)
    {
        var objects = await Helm.ObjectsAsync(Helm.ValuesOf(name));
        Assert.NotEmpty(objects);
        foreach (var item in objects)
        {
            var labels = item["metadata"]!["labels"]!;
            Assert.Equal((Helm.Release, "Helm"), ((string?)labels["app.kubernetes.io/instance"], (string?)labels["app.kubernetes.io/managed-by"]));
            Assert.Equal(Kinds.AreClusterWide((string)item["kind"]!), item["metadata"]!["namespace"] is null);
        }

        Assert.Distinct(objects.Select(item => (item["kind"]!.ToJsonString(), item["metadata"]!["namespace"]?.ToJsonString(), item["metadata"]!["name"]!.ToJsonString())));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_set_of_values_passes_helm_lint(string name)
    {
        var result = await Helm.TryAsync(["lint", "--strict", Helm.Chart, .. Helm.ValuesOf(name)]);
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Services_monitors_policies_and_budgets_select_the_operators_pods_and_only_them(string name)
    {
        var objects = await Helm.ObjectsAsync(Helm.ValuesOf(name));
        var deployment = objects.Single(item => (string?)item["kind"] == "Deployment");
        var pod = deployment["spec"]!["template"]!["metadata"]!["labels"]!.AsObject();
        var selectors = new List<JsonNode?> { deployment["spec"]!["selector"]!["matchLabels"] };
        foreach (var item in objects)
        {
            selectors.Add((string?)item["kind"] switch
            {
                "Service" => item["spec"]!["selector"],
                // That of build pods is not for the operator's own.
                "NetworkPolicy" when item["metadata"]!["name"]!.GetValue<string>().EndsWith("-builds", StringComparison.Ordinal) => null,
                "NetworkPolicy" => item["spec"]!["podSelector"]!["matchLabels"],
                "PodDisruptionBudget" => item["spec"]!["selector"]!["matchLabels"],
                _ => null,
            });
        }

        foreach (var selector in selectors.OfType<JsonNode>())
        {
            Assert.Contains("app.kubernetes.io/instance", selector.AsObject().Select(label => label.Key));
            Assert.All(selector.AsObject(), label => Assert.Equal((string?)label.Value, (string?)pod[label.Key]));
        }

        // A pod of the chart's test is none of the operator's.
        foreach (var other in objects.Where(item => (string?)item["kind"] == "Pod"))
        {
            var labels = other["metadata"]!["labels"]!.AsObject();
            Assert.DoesNotContain(selectors.OfType<JsonNode>(), selector => selector.AsObject().All(label => (string?)labels[label.Key] == (string?)label.Value));
        }

        foreach (var monitor in objects.Where(item => (string?)item["kind"] == "ServiceMonitor"))
        {
            var wanted = monitor["spec"]!["selector"]!["matchLabels"]!.AsObject();
            var port = (string?)monitor["spec"]!["endpoints"]![0]!["port"];
            var found = Assert.Single(objects, item => (string?)item["kind"] == "Service" && wanted.All(label => (string?)item["metadata"]!["labels"]![label.Key] == (string?)label.Value));
            Assert.Contains(port, found["spec"]!["ports"]!.AsArray().Select(entry => (string?)entry!["name"]));
        }
    }

    // Up to the next document; Helm says of each where it comes from.
    [GeneratedRegex(@"(?<=# Source: index-operator/templates/crd\.yaml\n).*?(?=^---$)", RegexOptions.Singleline | RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Definition();
}
