using System.Text.Json.Nodes;

namespace IndexOperator.Integration.Harness;

/// <summary>Small definitions in place of what other projects install.</summary>
public static class StandIns
{
    /// <summary>A definition whose objects may hold anything in their spec; the last version is stored.</summary>
    public static string Definition(string group, string kind, string plural, params string[] versions) => new JsonObject
    {
        ["apiVersion"] = "apiextensions.k8s.io/v1",
        ["kind"] = "CustomResourceDefinition",
        ["metadata"] = new JsonObject { ["name"] = $"{plural}.{group}", ["annotations"] = new JsonObject { ["api-approved.kubernetes.io"] = "unapproved, a stand-in for tests" } },
        ["spec"] = new JsonObject
        {
            ["group"] = group,
            ["scope"] = "Namespaced",
            ["names"] = new JsonObject { ["kind"] = kind, ["plural"] = plural, ["singular"] = kind.ToLowerInvariant() },
            ["versions"] = new JsonArray([.. versions.Select(version => (JsonNode)new JsonObject
            {
                ["name"] = version,
                ["served"] = true,
                ["storage"] = version == versions[^1],
                ["schema"] = new JsonObject
                {
                    ["openAPIV3Schema"] = new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { ["spec"] = new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true } } },
                },
            })]),
        },
    }.ToJsonString();
}
