using System.Text.Json.Nodes;
using IndexOperator.Api;
using Xunit;

namespace IndexOperator.TestSupport;

/// <summary>Folders of this checkout, built by the kustomize inside kubectl (or the program that <c>KUBECTL</c> names).</summary>
public static class Kustomize
{
    /// <summary>The program.</summary>
    public static string Kubectl => Environment.GetEnvironmentVariable("KUBECTL") is { Length: > 0 } program ? program : "kubectl";

    /// <summary>What a folder gives, as text.</summary>
    public static async Task<string> BuildAsync(string folder)
    {
        var result = await Command.RunAsync(Kubectl, ["kustomize", folder], cancellation: TestContext.Current.CancellationToken);
        Assert.True(result.ExitCode == 0, $"On a fresh machine, run first: hack/provision.sh unit\n{result}");
        return result.Output;
    }

    /// <summary>What a folder gives, as objects.</summary>
    public static async Task<IReadOnlyList<JsonNode>> ObjectsAsync(string folder) => YamlJson.ParseAll(await BuildAsync(folder)).OfType<JsonNode>().ToList();
}
