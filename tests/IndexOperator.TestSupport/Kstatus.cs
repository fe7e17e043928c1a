using System.Text.Json.Nodes;

namespace IndexOperator.TestSupport;

/// <summary>
/// What kstatus (sigs.k8s.io/cli-utils/pkg/kstatus/status, <c>Compute</c>) says of an object of a kind that it has no rules of its own
/// for, step by step as it does it. Flux and kpt decide by it.
/// </summary>
public static class Kstatus
{
    /// <summary>As it is asked to be.</summary>
    public const string Current = "Current";

    /// <summary>On its way.</summary>
    public const string InProgress = "InProgress";

    /// <summary>Not without somebody's help.</summary>
    public const string Failed = "Failed";

    /// <summary>Being deleted.</summary>
    public const string Terminating = "Terminating";

    /// <summary>The verdict on an object with its whole status.</summary>
    public static string Of(JsonNode item) => Generic(item) ?? Ready(item) ?? Current;

    // checkGenericProperties: the first abnormal condition in the list decides, and Ready is not looked at.
    private static string? Generic(JsonNode item)
    {
        if ((string?)item["metadata"]?["deletionTimestamp"] is { Length: > 0 })
        {
            return Terminating;
        }

        // Only where both are there: without observedGeneration nobody can tell.
        if ((long?)item["metadata"]?["generation"] is { } generation && (long?)item["status"]?["observedGeneration"] is { } observed && observed != generation)
        {
            return InProgress;
        }

        return Conditions(item).Where(condition => (string?)condition["status"] == "True").Select(condition => (string?)condition["type"] switch
        {
            "Reconciling" => InProgress,
            "Stalled" => Failed,
            _ => null,
        }).FirstOrDefault(verdict => verdict is not null);
    }

    // checkReadyCondition: False cannot be told from doomed, so it is on its way.
    private static string? Ready(JsonNode item) =>
        Conditions(item).Where(condition => (string?)condition["type"] == "Ready").Select(condition => (string?)condition["status"] switch
        {
            "True" => Current,
            "False" or "Unknown" => InProgress,
            _ => null,
        }).FirstOrDefault(verdict => verdict is not null);

    private static IEnumerable<JsonNode> Conditions(JsonNode item) => item["status"]?["conditions"]?.AsArray().OfType<JsonNode>() ?? [];
}
