using System.Text.Json.Nodes;
using IndexOperator.Api;
using Xunit;

namespace IndexOperator.TestSupport;

/// <summary>The chart in this checkout, rendered by a real Helm, which <c>hack/provision.sh helm</c> finds or brings.</summary>
public static class Helm
{
    /// <summary>The chart's folder.</summary>
    public const string Chart = "charts/index-operator";

    /// <summary>The folder of the cases: sets of values, each with what they render.</summary>
    public const string Cases = "tests/golden-chart";

    /// <summary>The release that tests render: named so that its objects are those of <c>config/default</c>.</summary>
    public const string Release = "index-operator";

    /// <summary>The namespace of that release.</summary>
    public const string Namespace = "index-operator-system";

    /// <summary>The Kubernetes that is rendered for where a test does not care.</summary>
    public const string Kubernetes = "1.33.0";

    private static readonly Lazy<Task<string>> Program = new(FindAsync);

    /// <summary>Runs Helm and gives its answer, whatever it is.</summary>
    public static async Task<CommandResult> TryAsync(params string[] arguments) =>
        // Whatever cluster the person at this machine works with: nothing here is for it.
        await Command.RunAsync(await Program.Value, arguments, environment: new Dictionary<string, string> { ["KUBECONFIG"] = Path.Combine(AppContext.BaseDirectory, "no-kubeconfig") }, cancellation: TestContext.Current.CancellationToken);

    /// <summary>Runs <c>helm template</c> and gives its answer, whatever it is.</summary>
    public static Task<CommandResult> TryTemplateAsync(params string[] options) =>
        TryAsync(["template", Release, Chart, "--namespace", Namespace, "--kube-version", Kubernetes, .. options]);

    /// <summary>What the chart renders, as text.</summary>
    public static async Task<string> TemplateAsync(params string[] options)
    {
        var result = await TryTemplateAsync(options);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    /// <summary>What the chart renders, as objects.</summary>
    public static async Task<IReadOnlyList<JsonNode>> ObjectsAsync(params string[] options) => Read(await TemplateAsync(options));

    /// <summary>The values of a case, as an option of Helm.</summary>
    public static string[] ValuesOf(string name) => ["--values", $"{Cases}/{name}/values.yaml"];

    /// <summary>The objects of a YAML text, without empty documents.</summary>
    public static IReadOnlyList<JsonNode> Read(string yaml) => YamlJson.ParseAll(yaml).OfType<JsonNode>().ToList();

    private static async Task<string> FindAsync()
    {
        var found = await Command.RunAsync(RepositoryRoot.PathOf("hack/provision.sh"), ["helm"], deadline: TimeSpan.FromMinutes(10));
        Assert.True(found.ExitCode == 0, found.ToString());
        return found.Output.Trim();
    }
}
