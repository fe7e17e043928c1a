using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>Collects the conditions of a new status; <c>lastTransitionTime</c> moves only where the status flips (KEP-1623).</summary>
/// <param name="old">The conditions so far.</param>
/// <param name="generation">The generation that the new ones speak of.</param>
/// <param name="now">The time of the pass.</param>
public sealed class ConditionSet(IReadOnlyList<Condition>? old, long? generation, DateTimeOffset now)
{
    // The schema takes four times as much; nobody reads more.
    private const int MaxMessage = 8192;

    private readonly Dictionary<string, Condition> _conditions = [];

    /// <summary>The conditions set so far, in the documented order.</summary>
    public IReadOnlyList<Condition> ToList() => ConditionTypes.All.Where(_conditions.ContainsKey).Select(type => _conditions[type]).ToList();

    /// <summary>Sets a condition. The message may come from a pod or from a status that somebody wrote by hand.</summary>
    public void Set(string type, bool? status, string reason, string message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var text = status switch { true => "True", false => "False", null => "Unknown" };
        var before = old?.FirstOrDefault(condition => condition.Type == type);
        _conditions[type] = new Condition
        {
            Type = type,
            Status = text,
            Reason = reason,
            Message = Clip.Characters(Clip.Plain(message), MaxMessage),
            ObservedGeneration = generation,
            LastTransitionTime = before?.Status == text && before.LastTransitionTime is { } since ? since : now,
        };
    }

    /// <summary>Keeps a condition as it was, also its generation; false when there was none.</summary>
    public bool Keep(string type)
    {
        if (old?.FirstOrDefault(condition => condition.Type == type) is not { } before)
        {
            return false;
        }

        _conditions[type] = before;
        return true;
    }
}
