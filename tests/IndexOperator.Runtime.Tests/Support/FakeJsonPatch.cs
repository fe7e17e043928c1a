using System.Globalization;
using System.Text.Json.Nodes;

namespace IndexOperator.Runtime.Tests;

/// <summary>JSON patch (RFC 6902) as far as operators use it: test, add, replace and remove.</summary>
internal static class FakeJsonPatch
{
    /// <summary>The patched object; null where a test fails or a path is not there.</summary>
    public static JsonObject? Apply(JsonObject target, JsonArray operations)
    {
        var result = target.DeepClone().AsObject();
        return operations.All(operation => Apply(result, operation!.AsObject())) ? result : null;
    }

    private static bool Apply(JsonObject target, JsonObject operation)
    {
        var parts = ((string)operation["path"]!).Split('/')[1..].Select(part => part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)).ToArray();
        JsonNode? parent = target;
        foreach (var part in parts[..^1])
        {
            parent = parent is JsonArray list ? list.ElementAtOrDefault(int.Parse(part, CultureInfo.InvariantCulture)) : (parent as JsonObject)?[part];
        }

        return (parent, (string)operation["op"]!) switch
        {
            (JsonObject map, "test") => JsonNode.DeepEquals(map[parts[^1]], operation["value"]),
            (JsonObject map, "add" or "replace") => Set(map, parts[^1], operation["value"]),
            (JsonObject map, "remove") => map.Remove(parts[^1]),
            (JsonArray list, "remove") => Remove(list, int.Parse(parts[^1], CultureInfo.InvariantCulture)),
            _ => false,
        };
    }

    private static bool Set(JsonObject map, string name, JsonNode? value)
    {
        map[name] = value?.DeepClone();
        return true;
    }

    private static bool Remove(JsonArray list, int at)
    {
        if (at >= list.Count)
        {
            return false;
        }

        list.RemoveAt(at);
        return true;
    }
}
