using System.Text.Json.Nodes;

namespace IndexOperator.Chart.Tests;

/// <summary>Questions about rendered objects.</summary>
internal static class Kinds
{
    /// <summary>Whether objects of a kind are in no namespace.</summary>
    public static bool AreClusterWide(string kind) => kind is "CustomResourceDefinition" or "ClusterRole" or "ClusterRoleBinding" or "MutatingWebhookConfiguration";

    /// <summary>The only object of a kind and name.</summary>
    public static JsonNode Named(this IEnumerable<JsonNode> objects, string kind, string name) =>
        Assert.Single(objects, item => (string?)item["kind"] == kind && (string?)item["metadata"]!["name"] == name);

    /// <summary>The objects of a kind.</summary>
    public static List<JsonNode> Of(this IEnumerable<JsonNode> objects, string kind) => [.. objects.Where(item => (string?)item["kind"] == kind)];

    /// <summary>The operator's container.</summary>
    public static JsonNode OperatorContainer(this IEnumerable<JsonNode> objects) =>
        objects.Of("Deployment").Single()["spec"]!["template"]!["spec"]!["containers"]!.AsArray().Single()!;

    /// <summary>The operator's arguments.</summary>
    public static string[] Arguments(this JsonNode container) => [.. container["args"]!.AsArray().Select(argument => (string)argument!)];
}
