using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace IndexOperator.Integration;

/// <summary>A write that the API server carried out or refused, as its audit log tells it.</summary>
/// <param name="Received">When the request arrived.</param>
/// <param name="Done">When its answer was sent.</param>
/// <param name="Verb">create, update, patch or delete.</param>
/// <param name="Target">What was written: resource, namespace and name.</param>
/// <param name="Code">The HTTP status.</param>
/// <param name="Identity">The replica that wrote.</param>
/// <param name="Term">The term in which it wrote; null for a write of the Lease itself.</param>
public sealed record AuditedWrite(DateTime Received, DateTime Done, string Verb, string Target, int Code, string Identity, int? Term);

/// <summary>The writes of operators in an API server's audit log, in order of arrival.</summary>
public static partial class AuditTrail
{
    /// <summary>Reads a log.</summary>
    public static async Task<IReadOnlyList<AuditedWrite>> ReadAsync(string path)
    {
        var writes = new List<AuditedWrite>();
        await foreach (var line in File.ReadLinesAsync(path))
        {
            // The last line may be half written.
            if (line.EndsWith('}') && Read(line) is { } write)
            {
                writes.Add(write);
            }
        }

        return [.. writes.OrderBy(write => write.Received)];
    }

    /// <summary>
    /// Writes by a replica after another had taken the lease: what must never be. Taken as early as the new leader's request
    /// arrived, before it was even granted.
    /// </summary>
    public static IEnumerable<string> Trespasses(IReadOnlyList<AuditedWrite> trail)
    {
        var claims = trail.Where(write => write.Term is null && write.Code is 200 or 201).ToList();
        var next = 0;
        var holder = "";
        var term = 0;
        foreach (var write in trail.Where(write => write.Term is not null))
        {
            for (; next < claims.Count && claims[next].Received <= write.Received; next++)
            {
                holder = claims[next].Identity;
            }

            if (write.Identity != holder)
            {
                yield return $"{write} while {holder} held the lease";
            }

            if (write.Term < term)
            {
                yield return $"{write} after a write of term {term}";
            }

            term = Math.Max(term, write.Term!.Value);
        }
    }

    /// <summary>How long after a moment another replica held the lease.</summary>
    public static TimeSpan? Takeover(IReadOnlyList<AuditedWrite> trail, DateTime from, string after) =>
        trail.FirstOrDefault(write => write.Term is null && write.Code is 200 or 201 && write.Done > from && write.Identity != after) is { } claim ? claim.Done - from : null;

    private static AuditedWrite? Read(string line)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        var agent = Agent().Match(Text(root, "userAgent"));
        var verb = Text(root, "verb");
        if (!agent.Success || verb is not ("create" or "update" or "patch" or "delete") || Text(root, "stage") != "ResponseComplete")
        {
            return null;
        }

        var target = root.GetProperty("objectRef");
        return new AuditedWrite(
            Time(root, "requestReceivedTimestamp"),
            Time(root, "stageTimestamp"),
            verb,
            $"{Text(target, "resource")} {Text(target, "namespace")}/{Text(target, "name")}",
            root.GetProperty("responseStatus").GetProperty("code").GetInt32(),
            agent.Groups["identity"].Value,
            agent.Groups["term"].Success ? int.Parse(agent.Groups["term"].Value, CultureInfo.InvariantCulture) : null);
    }

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";

    private static DateTime Time(JsonElement element, string name) => element.GetProperty(name).GetDateTime().ToUniversalTime();

    [GeneratedRegex(@"^index-operator(/leader-election)? \((?<identity>[^;)]+)(; term (?<term>\d+))?\)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Agent();
}
