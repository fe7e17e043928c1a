using System.Text.Json.Nodes;

namespace IndexOperator.Runtime;

/// <summary>Differences of JSON objects as RFC 6902 writes them.</summary>
public static class JsonPatch
{
    /// <summary>
    /// What makes one object into the other: members that are new or differ are added (which replaces), those that are gone are removed.
    /// Objects are compared member by member; a list that differs is written as a whole.
    /// </summary>
    /// <param name="before">The object to be patched.</param>
    /// <param name="after">What it is to become. Neither is changed.</param>
    public static JsonArray Between(JsonObject before, JsonObject after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        var operations = new JsonArray();
        Compare(before, after, "", operations);
        return operations;
    }

    private static void Compare(JsonObject before, JsonObject after, string path, JsonArray operations)
    {
        foreach (var (name, _) in before)
        {
            if (!after.ContainsKey(name))
            {
                operations.Add((JsonNode)new JsonObject { ["op"] = "remove", ["path"] = $"{path}/{Escaped(name)}" });
            }
        }

        foreach (var (name, value) in after)
        {
            var isNew = !before.TryGetPropertyValue(name, out var old);
            if (!isNew && old is JsonObject from && value is JsonObject to)
            {
                Compare(from, to, $"{path}/{Escaped(name)}", operations);
            }
            else if (isNew || !JsonNode.DeepEquals(old, value))
            {
                // Never "replace": some servers take a member that is null for one that is not there, and refuse that.
                operations.Add((JsonNode)new JsonObject { ["op"] = "add", ["path"] = $"{path}/{Escaped(name)}", ["value"] = value?.DeepClone() });
            }
        }
    }

    private static string Escaped(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
