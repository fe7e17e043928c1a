using System.Text.Json;
using System.Text.Json.Nodes;
using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.TestSupport;

/// <summary>The schema of the checked-in CustomResourceDefinition, read as an API server reads it.</summary>
public static class CrdSchema
{
    /// <summary>Where the CRD is, from the root of the checkout.</summary>
    public const string Path = "config/crd/indexoperator.io_pretrainindexes.yaml";

    /// <summary>The whole CRD.</summary>
    public static JsonObject Crd() => YamlJson.ParseAll(RepositoryRoot.ReadText(Path)).Single()!.AsObject();

    /// <summary>The schema of the one version.</summary>
    public static JsonObject Root() => Crd()["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!.AsObject();

    /// <summary>The objects with a value for every field of the schema; several, because some fields exclude each other.</summary>
    public static IReadOnlyList<JsonObject> FullyFilled() =>
        YamlJson.ParseAll(RepositoryRoot.ReadText("tests/IndexOperator.TestSupport/Data/fully-filled.yaml")).Select(node => node!.AsObject()).ToList();

    /// <summary>Every field of the schema, as a path; <c>[]</c> stands for the items of a list, <c>{}</c> for the values of a map.</summary>
    public static IEnumerable<string> Fields(JsonObject schema, string path = "")
    {
        foreach (var (name, child) in Children(schema, path))
        {
            yield return name;
            foreach (var field in Fields(child, name))
            {
                yield return field;
            }
        }
    }

    /// <summary>Every field that a value has, spelled as <see cref="Fields"/> spells it; fields that the schema does not know end in "?".</summary>
    public static IEnumerable<string> FieldsOf(JsonNode? value, JsonObject schema, string path = "")
    {
        switch (value)
        {
            case JsonArray list:
                return list.SelectMany(item => FieldsOf(item, schema["items"]!.AsObject(), path + "[]").Prepend(path + "[]"));
            case JsonObject map when schema["additionalProperties"] is JsonObject each:
                return map.SelectMany(pair => FieldsOf(pair.Value, each, path + "{}").Prepend(path + "{}"));
            case JsonObject fields:
                return fields.SelectMany(pair => schema["properties"]?[pair.Key] is JsonObject child
                    ? FieldsOf(pair.Value, child, Join(path, pair.Key)).Prepend(Join(path, pair.Key))
                    : schema["properties"] is null ? [] : [Join(path, pair.Key) + "?"]);
            default:
                return [];
        }
    }

    /// <summary>Fills in the schema's defaults, as the API server does.</summary>
    public static void ApplyDefaults(JsonNode? value, JsonObject schema)
    {
        switch (value)
        {
            case JsonArray list:
                foreach (var item in list)
                {
                    ApplyDefaults(item, schema["items"]!.AsObject());
                }

                break;
            case JsonObject fields when schema["properties"] is JsonObject properties:
                foreach (var (name, child) in properties)
                {
                    if (!fields.ContainsKey(name) && child!["default"] is { } standard)
                    {
                        fields[name] = standard.DeepClone();
                    }

                    ApplyDefaults(fields[name], child!.AsObject());
                }

                break;
        }
    }

    /// <summary>
    /// What of <paramref name="expected"/> is missing or different in <paramref name="actual"/>; more may be there. Numbers and
    /// quantities are compared by value.
    /// </summary>
    public static IEnumerable<string> Differences(JsonNode? expected, JsonNode? actual, string path = "")
    {
        switch (expected, actual)
        {
            case (JsonObject left, JsonObject right):
                return left.SelectMany(pair => right.ContainsKey(pair.Key)
                    ? Differences(pair.Value, right[pair.Key], Join(path, pair.Key))
                    : [$"{Join(path, pair.Key)} is missing"]);
            case (JsonArray left, JsonArray right) when left.Count == right.Count:
                return left.SelectMany((item, index) => Differences(item, right[index], $"{path}[{index}]"));
            default:
                return SameScalar(expected, actual) ? [] : [$"{path} is {actual?.ToJsonString() ?? "null"}, not {expected?.ToJsonString() ?? "null"}"];
        }
    }

    private static bool SameScalar(JsonNode? expected, JsonNode? actual)
    {
        if (JsonNode.DeepEquals(expected, actual))
        {
            return true;
        }

        return expected is JsonValue && actual is JsonValue && Quantity(expected) is { } left && Quantity(actual) is { } right && left.Equals(right);
    }

    private static ResourceQuantity? Quantity(JsonNode value)
    {
        try
        {
            return value.GetValueKind() is JsonValueKind.String or JsonValueKind.Number ? new ResourceQuantity(value.ToString()) : null;
        }
        catch (FormatException)
        {
            return null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static IEnumerable<(string Name, JsonObject Schema)> Children(JsonObject schema, string path)
    {
        if (schema["items"] is JsonObject items)
        {
            yield return (path + "[]", items);
        }

        if (schema["additionalProperties"] is JsonObject values)
        {
            yield return (path + "{}", values);
        }

        foreach (var (name, child) in schema["properties"]?.AsObject() ?? [])
        {
            yield return (Join(path, name), child!.AsObject());
        }
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
