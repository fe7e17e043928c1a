using System.Text.Json;
using System.Text.Json.Nodes;

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

        try
        {
            return found[0].Deserialize(ApiJsonContext.Strict.PretrainIndex)!;
        }
        catch (JsonException error)
        {
            throw new ManifestException($"{Where(error)}: {Plain(error)}", error);
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
        return message.Contains("could not be mapped to any .NET member", StringComparison.Ordinal)
            ? "unknown field. Check its spelling against `kubectl explain pretrainindex.spec`."
            : message.Replace("The JSON value could not be converted to", "the value cannot be read as", StringComparison.Ordinal);
    }
}
