using System.Text.Json;
using System.Text.Json.Nodes;

namespace IndexOperator.TestSupport;

/// <summary>
/// What of a CustomResourceDefinition breaks those who use an earlier one: objects that were stored, manifests in Git, clients. What is only
/// added, or lets more pass than before, breaks nobody.
/// </summary>
public static class CrdChanges
{
    // Tell nothing about which objects pass.
    private static readonly string[] Words = ["description", "title", "example", "externalDocs"];

    // More of it refuses more.
    private static readonly string[] Lower = ["minimum", "minLength", "minItems", "minProperties"];

    private static readonly string[] Upper = ["maximum", "maxLength", "maxItems", "maxProperties"];

    // Whether another value lets more or less pass cannot be told: it must stay, or go altogether.
    private static readonly string[] Same = ["pattern", "format", "multipleOf", "not", "allOf", "anyOf", "oneOf"];

    // True refuses more than false.
    private static readonly string[] Refusing = ["exclusiveMinimum", "exclusiveMaximum", "uniqueItems"];

    // False refuses more than true.
    private static readonly string[] Permitting = ["nullable", "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"];

    // How objects are merged and stored.
    private static readonly string[] Fixed = ["type", "default", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type", "x-kubernetes-embedded-resource"];

    /// <summary>The keywords that are understood; one that is not fails the comparison.</summary>
    public static IReadOnlySet<string> Keywords { get; } =
        new HashSet<string>([.. Words, .. Lower, .. Upper, .. Same, .. Refusing, .. Permitting, .. Fixed, "properties", "required", "enum", "items", "additionalProperties", "x-kubernetes-validations"]);

    /// <summary>Each change that breaks somebody, with its place; empty when there is none.</summary>
    public static IReadOnlyList<string> Breaking(JsonObject released, JsonObject now) => [.. Definition(released["spec"]!, now["spec"]!)];

    private static IEnumerable<string> Definition(JsonNode before, JsonNode after)
    {
        foreach (var path in new[] { "group", "scope", "names.kind", "names.listKind", "names.plural", "names.singular", "conversion" })
        {
            if (!JsonNode.DeepEquals(At(before, path), At(after, path)))
            {
                yield return $"spec.{path} was {Text(At(before, path))}, is {Text(At(after, path))}";
            }
        }

        foreach (var list in new[] { "shortNames", "categories" })
        {
            foreach (var gone in Texts(before["names"]![list]).Except(Texts(after["names"]![list])))
            {
                yield return $"spec.names.{list}: {gone} is gone";
            }
        }

        foreach (var version in before["versions"]!.AsArray())
        {
            var name = (string)version!["name"]!;
            var found = after["versions"]!.AsArray().SingleOrDefault(other => (string?)other!["name"] == name);
            foreach (var change in found is null ? [$"{name}: the version is gone"] : Version(name, version, found))
            {
                yield return change;
            }
        }
    }

    private static IEnumerable<string> Version(string name, JsonNode before, JsonNode after)
    {
        foreach (var path in new[] { "served", "storage" })
        {
            if ((bool?)before[path] != (bool?)after[path])
            {
                yield return $"{name}: {path} was {Text(before[path])}, is {Text(after[path])}";
            }
        }

        foreach (var gone in Names(before["subresources"]).Except(Names(after["subresources"])))
        {
            yield return $"{name}: the subresource {gone} is gone";
        }

        var columns = after["additionalPrinterColumns"]?.AsArray() ?? [];
        foreach (var column in before["additionalPrinterColumns"]?.AsArray() ?? [])
        {
            if (!columns.Any(other => (string?)other!["name"] == (string?)column!["name"] && (string?)other!["jsonPath"] == (string?)column["jsonPath"]))
            {
                yield return $"{name}: the column {column!["name"]} is gone or shows something else";
            }
        }

        foreach (var change in Schema(name, before["schema"]!["openAPIV3Schema"]!.AsObject(), after["schema"]!["openAPIV3Schema"]!.AsObject()))
        {
            yield return change;
        }
    }

    private static IEnumerable<string> Schema(string path, JsonObject before, JsonObject after)
    {
        var unknown = Names(before).Concat(Names(after)).FirstOrDefault(keyword => !Keywords.Contains(keyword));
        if (unknown is not null)
        {
            throw new InvalidDataException($"{path} has the keyword {unknown}, which {nameof(CrdChanges)} does not know: teach it what a change of that breaks.");
        }

        return [.. Keyword(path, before, after), .. Sets(path, before, after), .. Children(path, before, after)];
    }

    private static IEnumerable<string> Keyword(string path, JsonObject before, JsonObject after)
    {
        string? Changed(string keyword) => JsonNode.DeepEquals(before[keyword], after[keyword]) ? null : $"{path}: {keyword} was {Text(before[keyword])}, is {Text(after[keyword])}";
        var narrowed = Lower.Where(keyword => Number(after[keyword]) is { } bound && !(Number(before[keyword]) >= bound))
            .Concat(Upper.Where(keyword => Number(after[keyword]) is { } bound && !(Number(before[keyword]) <= bound)))
            .Concat(Same.Where(keyword => after[keyword] is not null))
            .Concat(Refusing.Where(keyword => (bool?)after[keyword] == true && (bool?)before[keyword] != true))
            .Concat(Permitting.Where(keyword => (bool?)after[keyword] != true && (bool?)before[keyword] == true))
            .Concat(Fixed);
        return narrowed.Select(Changed).OfType<string>();
    }

    private static IEnumerable<string> Sets(string path, JsonObject before, JsonObject after)
    {
        foreach (var field in Texts(after["required"]).Except(Texts(before["required"])))
        {
            yield return $"{path}: {field} has become required";
        }

        if (after["enum"] is not null)
        {
            foreach (var value in before["enum"] is null ? ["every other value"] : Values(before["enum"]).Except(Values(after["enum"])))
            {
                yield return $"{path}: enum no longer has {value}";
            }
        }

        // A rule is its text and what it is given; its message may get better.
        static IEnumerable<string> Rules(JsonNode? rules) => (rules?.AsArray() ?? []).Select(rule => (string)rule!["rule"]! + ((bool?)rule["optionalOldSelf"] == true ? " (also on creation)" : ""));
        foreach (var rule in Rules(after["x-kubernetes-validations"]).Except(Rules(before["x-kubernetes-validations"])))
        {
            yield return $"{path}: there is a new rule {rule}";
        }
    }

    private static IEnumerable<string> Children(string path, JsonObject before, JsonObject after)
    {
        foreach (var (field, schema) in before["properties"]?.AsObject() ?? [])
        {
            var found = after["properties"]?[field]?.AsObject();
            foreach (var change in found is null ? [$"{path}.{field}: the field is gone"] : Schema($"{path}.{field}", schema!.AsObject(), found))
            {
                yield return change;
            }
        }

        foreach (var (keyword, mark) in new[] { ("items", "[]"), ("additionalProperties", "{}") })
        {
            var changes = (before[keyword], after[keyword]) switch
            {
                (JsonObject old, JsonObject found) => Schema(path + mark, old, found),
                (var old, var found) when JsonNode.DeepEquals(old, found) => [],
                var (old, found) => [$"{path}: {keyword} was {Text(old)}, is {Text(found)}"],
            };
            foreach (var change in changes)
            {
                yield return change;
            }
        }
    }

    private static JsonNode? At(JsonNode node, string path) => path.Split('.').Aggregate((JsonNode?)node, (found, name) => found?[name]);

    private static double? Number(JsonNode? node) => node is null ? null : double.Parse(node.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture);

    private static IEnumerable<string> Names(JsonNode? node) => (node as JsonObject ?? []).Select(pair => pair.Key);

    private static IEnumerable<string> Texts(JsonNode? list) => (list?.AsArray() ?? []).Select(item => (string)item!);

    private static IEnumerable<string> Values(JsonNode? list) => (list?.AsArray() ?? []).Select(item => item!.ToJsonString());

    private static string Text(JsonNode? node) => node?.ToJsonString(JsonSerializerOptions.Default) ?? "absent";
}
