using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>Collects the conditions of a new status; <c>lastTransitionTime</c> moves only where the status flips (KEP-1623).</summary>
/// <param name="old">The conditions so far.</param>
/// <param name="generation">The generation that the new ones speak of.</param>
/// <param name="now">The time of the pass.</param>
public sealed class ConditionSet(IReadOnlyList<Condition>? old, long? generation, DateTimeOffset now)
{
    private static readonly string[] Order =
    [
        ConditionTypes.Ready, ConditionTypes.Available, ConditionTypes.Reconciling, ConditionTypes.Stalled, ConditionTypes.DataCurrent, ConditionTypes.Verified,
    ];

    private readonly Dictionary<string, Condition> _conditions = [];

    /// <summary>The conditions set so far, in the documented order.</summary>
    public IReadOnlyList<Condition> ToList() => Order.Where(_conditions.ContainsKey).Select(type => _conditions[type]).ToList();

    /// <summary>Sets a condition.</summary>
    public void Set(string type, bool? status, string reason, string message)
    {
        var text = status switch { true => "True", false => "False", null => "Unknown" };
        var before = old?.FirstOrDefault(condition => condition.Type == type);
        _conditions[type] = new Condition
        {
            Type = type,
            Status = text,
            Reason = reason,
            Message = message,
            ObservedGeneration = generation,
            LastTransitionTime = before?.Status == text && before.LastTransitionTime is { } since ? since : now,
        };
    }

    /// <summary>Keeps a condition as it was, also its generation; does nothing when there was none.</summary>
    public void Keep(string type)
    {
        if (old?.FirstOrDefault(condition => condition.Type == type) is { } before)
        {
            _conditions[type] = before;
        }
    }
}
