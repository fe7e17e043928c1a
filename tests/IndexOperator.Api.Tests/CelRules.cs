using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cel;
using IndexOperator.TestSupport;

namespace IndexOperator.Api.Tests;

/// <summary>The validation rules of the definition, evaluated as an API server does, without one.</summary>
internal static class CelRules
{
    private static readonly CelEnvironment Environment = new(null, "");

    private static readonly ConcurrentDictionary<string, Func<Dictionary<string, object?>, object?>> Compiled = new();

    /// <summary>Every rule with the field that it stands on.</summary>
    public static IReadOnlyList<(string Path, string Message)> All() => [.. Walk(CrdSchema.Root(), "")];

    /// <summary>The rules that an object breaks, with defaults filled in; those about changes only where there is an object before.</summary>
    public static IReadOnlyList<(string Path, string Message)> Broken(JsonObject item, JsonObject? before = null)
    {
        var schema = CrdSchema.Root();
        CrdSchema.ApplyDefaults(item, schema);
        if (before is not null)
        {
            CrdSchema.ApplyDefaults(before, schema);
        }

        return [.. Evaluate(schema, item, before, "")];
    }

    private static IEnumerable<(string, string)> Walk(JsonObject schema, string path) =>
        Rules(schema).Select(rule => (path, rule.Message)).Concat(Children(schema, path).SelectMany(child => Walk(child.Schema, child.Path)));

    private static IEnumerable<(string, string)> Evaluate(JsonObject schema, JsonNode value, JsonNode? before, string path)
    {
        foreach (var (rule, message) in Rules(schema))
        {
            var isAboutChanges = rule.Contains("oldSelf", StringComparison.Ordinal);
            if ((!isAboutChanges || before is not null) && !Holds(rule, Plain(value, schema), before is null ? null : Plain(before, schema)))
            {
                yield return (path, message);
            }
        }

        var parts = (schema["items"], value) switch
        {
            // Items of an atomic list have no earlier selves.
            (JsonObject items, JsonArray list) => list.OfType<JsonNode>().SelectMany(item => Evaluate(items, item, null, path + "[]")),
            _ => (schema["properties"]?.AsObject() ?? []).Where(property => value[property.Key] is not null)
                .SelectMany(property => Evaluate(property.Value!.AsObject(), value[property.Key]!, before?[property.Key], $"{path}.{property.Key}")),
        };
        foreach (var part in parts)
        {
            yield return part;
        }
    }

    private static IEnumerable<(JsonObject Schema, string Path)> Children(JsonObject schema, string path) =>
        (schema["properties"]?.AsObject() ?? []).Select(property => (property.Value!.AsObject(), $"{path}.{property.Key}"))
            .Concat(schema["items"] is JsonObject items ? [(items, path + "[]")] : []);

    private static IEnumerable<(string Rule, string Message)> Rules(JsonObject schema) =>
        (schema["x-kubernetes-validations"]?.AsArray() ?? []).Select(rule => ((string)rule!["rule"]!, (string)rule["message"]!));

    private static bool Holds(string rule, object? self, object? before) =>
        Compiled.GetOrAdd(rule, Compile)(new Dictionary<string, object?> { ["self"] = self, ["oldSelf"] = before }) is true;

    private static Func<Dictionary<string, object?>, object?> Compile(string rule)
    {
        var program = Environment.Compile(rule);
        return variables => program(variables);
    }

    private static object? Plain(JsonNode? value, JsonNode? schema) => value switch
    {
        // For this library an empty object is not there; for an API server it is.
        JsonObject { Count: 0 } => new Dictionary<string, object?> { [""] = null },
        JsonObject members => members.ToDictionary(member => member.Key, member => Plain(member.Value, schema?["properties"]?[member.Key] ?? schema?["additionalProperties"])),
        JsonArray list => list.Select(item => Plain(item, schema?["items"])).ToList(),
        null => null,
        _ => value.GetValueKind() switch
        {
            JsonValueKind.String => value.GetValue<string>(),
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ when (string?)schema?["type"] == "integer" => long.Parse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture),
            _ => double.Parse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture),
        },
    };
}
