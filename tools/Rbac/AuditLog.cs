using System.Globalization;
using System.Text.Json;

namespace Rbac;

/// <summary>A request that somebody made, as an API server's audit log tells it.</summary>
/// <param name="User">Who.</param>
/// <param name="Agent">With what program.</param>
/// <param name="Verb">What for.</param>
/// <param name="Group">The API group; empty for the core group and for what is no resource.</param>
/// <param name="Resource">The plural with its subresource; empty for what is no resource.</param>
/// <param name="Namespace">The namespace; empty for none.</param>
/// <param name="Name">The object; empty for a collection.</param>
/// <param name="Code">The HTTP status of the answer.</param>
/// <param name="IsDenied">Whether the authorizers refused it.</param>
/// <param name="At">When it came.</param>
public sealed record AuditedRequest(string User, string Agent, string Verb, string Group, string Resource, string Namespace, string Name, int Code, bool IsDenied, DateTimeOffset At)
{
    private const string ServiceAccounts = "system:serviceaccount:";

    /// <summary>Whether an operator made it, by an account of its own.</summary>
    public bool IsOfOperator => User.StartsWith(ServiceAccounts, StringComparison.Ordinal) && Agent.StartsWith("index-operator", StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => $"{Verb} {Resource}{(Group.Length == 0 ? "" : "." + Group)} {Namespace}/{Name} by {User}: {Code}";
}

/// <summary>Reads audit logs in the form that API servers write: a line of JSON for an event.</summary>
public static class AuditLog
{
    /// <summary>The requests of a log. A line that is only half written, as the last may be, is left out.</summary>
    public static IEnumerable<AuditedRequest> Read(string path)
    {
        // The API server may be writing at the end of it.
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var lines = new StreamReader(file);
        while (lines.ReadLine() is { } line)
        {
            if (Parse(line) is { } request)
            {
                yield return request;
            }
        }
    }

    /// <summary>The request that a line tells of; null for what is none.</summary>
    public static AuditedRequest? Parse(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            var target = Member(root, "objectRef");
            var resource = Text(target, "resource");
            var subresource = Text(target, "subresource");
            return new AuditedRequest(
                Text(Member(root, "user"), "username"),
                Text(root, "userAgent"),
                Text(root, "verb"),
                Text(target, "apiGroup"),
                subresource.Length == 0 ? resource : $"{resource}/{subresource}",
                Text(target, "namespace"),
                Text(target, "name"),
                Member(Member(root, "responseStatus"), "code") is { ValueKind: JsonValueKind.Number } code ? code.GetInt32() : 0,
                Text(Member(root, "annotations"), "authorization.k8s.io/decision") == "forbid",
                DateTimeOffset.TryParse(Text(root, "requestReceivedTimestamp"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : default);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static JsonElement Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : default;

    private static string Text(JsonElement element, string name) => Member(element, name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";
}
