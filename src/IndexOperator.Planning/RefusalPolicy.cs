using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>What the API server refused in this pass (quota, admission, RBAC); the action itself is tried again with the queue's backoff.</summary>
public static class RefusalPolicy
{
    /// <summary>Stuck with the API server's words; null when nothing was refused.</summary>
    public static Situation? Decide(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return observed.Refusal is { } refusal
            ? new Situation(Standing.Stuck, refusal.Reason ?? Reasons.CreateFailed, refusal.Message ?? "The API server refused an object.") { Build = observed.Index.Status?.Build }
            : null;
    }
}
