using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace IndexOperator.Api;

/// <summary>A manifest that is no readable PretrainIndex; the message says where and what to write.</summary>
public sealed class ManifestException : Exception
{
    /// <summary>Creates the error.</summary>
    public ManifestException()
    {
    }

    /// <summary>Creates the error.</summary>
    public ManifestException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the error.</summary>
    public ManifestException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>Reads the manifests that <c>kubectl apply</c> takes, as strictly as <c>kubectl --validate=strict</c> does.</summary>
public static class PretrainIndexYaml
{
    /// <summary>The longest manifest that is read: the API server takes no larger object either.</summary>
    public const int MaxCharacters = 3 * 1024 * 1024;

    /// <summary>The one PretrainIndex in the text; other kinds beside it are passed over.</summary>
    /// <exception cref="ManifestException">No YAML, no or several PretrainIndexes, an unknown field, a value of the wrong type.</exception>
    public static PretrainIndex Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > MaxCharacters)
        {
            throw new ManifestException($"The manifest has {text.Length} characters; at most {MaxCharacters} are read.");
        }

        var found = YamlJson.ParseAll(text)
            .OfType<JsonObject>()
            .Where(document => KindOf(document) == PretrainIndex.KindName)
            .ToList();
        if (found.Count != 1)
        {
            throw new ManifestException(found.Count == 0
                ? $"The file holds no {PretrainIndex.KindName}. Give a manifest with \"kind: {PretrainIndex.KindName}\"."
                : $"The file holds {found.Count} {PretrainIndex.Plural}; give a file with one.");
        }

        if ((string?)found[0]["apiVersion"]?.ToString() is var apiVersion && apiVersion != PretrainIndex.GroupVersion)
        {
            throw new ManifestException($"apiVersion is \"{apiVersion}\"; this release reads {PretrainIndex.GroupVersion}.");
        }

        DropNulls(found[0], "");
        try
        {
            return found[0].Deserialize(ApiJsonContext.Strict.PretrainIndex)!;
        }
        catch (JsonException error)
        {
            throw new ManifestException($"{Where(error)}: {Plain(error)}", error);
        }
        catch (Exception error) when (error is FormatException or ArgumentException or OverflowException)
        {
            // Kubernetes' own types (quantities) read their text themselves, and have several ways of refusing it.
            throw new ManifestException(error is FormatException ? error.Message : $"A quantity cannot be read ({error.Message}). Write for example 500m or 10Gi.", error);
        }
    }

    // As an API server does with fields that are not nullable (none of ours is): null means absent.
    private static void DropNulls(JsonNode? node, string path)
    {
        switch (node)
        {
            case JsonObject fields:
                foreach (var name in fields.Where(field => field.Value is null).Select(field => field.Key).ToList())
                {
                    fields.Remove(name);
                }

                foreach (var (name, value) in fields)
                {
                    DropNulls(value, path.Length == 0 ? name : $"{path}.{name}");
                }

                break;
            case JsonArray list:
                for (var i = 0; i < list.Count; i++)
                {
                    DropNulls(list[i] ?? throw new ManifestException($"{path}[{i}]: is empty. Remove the item or write its value."), $"{path}[{i}]");
                }

                break;
        }
    }

    private static string? KindOf(JsonObject document) =>
        document["kind"] is JsonValue kind && kind.TryGetValue<string>(out var text) ? text : null;

    private static string Where(JsonException error) =>
        error.Path is { Length: > 2 } path ? path[2..] : "manifest";

    private static string Plain(JsonException error)
    {
        // System.Text.Json appends the path and position of the intermediate JSON, which mean nothing to the author of the YAML.
        var message = error.Message;
        var cut = message.IndexOf(" Path:", StringComparison.Ordinal);
        message = cut < 0 ? message : message[..cut];
        if (message.Contains("could not be mapped to any .NET member", StringComparison.Ordinal))
        {
            return "unknown field. Check its spelling against `kubectl explain pretrainindex.spec`.";
        }

        return message.StartsWith("The JSON value could not be converted to ", StringComparison.Ordinal) ? $"must be {Expected(TypeAt(error.Path))}.{Advice(error.Path)}" : message;
    }

    private static string Advice(string? path) => path?.StartsWith("$.spec.dataset.trainer.", StringComparison.Ordinal) == true
        ? " Fractions and other forms cannot be expressed here: write the numbers into dataset.samples and remove trainer."
        : "";

    // The error names a type, but not always the field's own (with init-only properties it is the one around it): ask the contract.
    private static Type TypeAt(string? path)
    {
        var type = typeof(PretrainIndex);
        foreach (var part in (path ?? "$").Split('.').Skip(1))
        {
            var name = part.Split('[')[0];
            var properties = ApiJsonContext.Default.Options.GetTypeInfo(type).Properties;
            if (properties.FirstOrDefault(property => property.Name == name) is not { } property)
            {
                return typeof(PretrainIndex);
            }

            type = property.PropertyType;
            if (part.Contains('[', StringComparison.Ordinal) && ApiJsonContext.Default.Options.GetTypeInfo(type).ElementType is { } element)
            {
                type = element;
            }
        }

        return type;
    }

    private static string Expected(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type switch
        {
            _ when type == typeof(string) => "a text; put it in quotes",
            _ when type == typeof(bool) => "true or false",
            _ when type == typeof(int) => "a whole number, at most 2147483647",
            _ when type == typeof(long) => "a whole number",
            _ when type == typeof(double) => "a number",
            _ when type.IsEnum => "one of " + string.Join(", ", Enum.GetNames(type)),
            _ => ApiJsonContext.Default.Options.GetTypeInfo(type).Kind == JsonTypeInfoKind.Enumerable ? "a list" : "an object with fields",
        };
    }
}
