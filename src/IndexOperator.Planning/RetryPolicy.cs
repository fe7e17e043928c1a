using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>What follows a failed attempt.</summary>
/// <param name="NextRetryAt">When to try again; null = only when the spec changes.</param>
/// <param name="NeedsPerson">True when a retry alone will not cure it.</param>
public sealed record RetryDecision(DateTimeOffset? NextRetryAt, bool NeedsPerson);

/// <summary>
/// Whether and when a failed build is tried again. Passing troubles are retried soon, with a doubling pause, <c>spec.build.retries</c>
/// times. What a person must mend is looked at again rarely, since the mending (data copied, disk freed) is not seen from outside.
/// </summary>
public static class RetryPolicy
{
    /// <summary>The pause after the first failure.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(10);

    /// <summary>The longest pause between retries of passing troubles.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    /// <summary>The first pause before looking whether a person has mended it; doubles up to <see cref="LongestLook"/>.</summary>
    public static readonly TimeSpan FirstLook = TimeSpan.FromMinutes(5);

    /// <summary>The longest pause before looking whether a person has mended it.</summary>
    public static readonly TimeSpan LongestLook = TimeSpan.FromHours(1);

    /// <summary>What follows the failure of an attempt.</summary>
    /// <param name="failure">Why it failed.</param>
    /// <param name="attempt">Which attempt it was, from 1.</param>
    /// <param name="retries"><c>spec.build.retries</c>.</param>
    /// <param name="failedAt">When it failed.</param>
    public static RetryDecision After(FailureStatus failure, int attempt, int retries, DateTimeOffset failedAt)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return failure.Reason switch
        {
            Reasons.InvalidSpec or Reasons.OversampledBlend => new RetryDecision(null, NeedsPerson: true),
            _ when Passes(failure.Reason) && attempt <= retries => new RetryDecision(failedAt + Doubled(FirstPause, attempt, LongestPause), NeedsPerson: false),
            _ => Rarely(Passes(failure.Reason) ? attempt - retries : attempt, failedAt),
        };
    }

    /// <summary>What follows a failure that a retry will hardly cure, but that may be mended unseen.</summary>
    public static RetryDecision Rarely(int attempt, DateTimeOffset failedAt) => new(failedAt + Doubled(FirstLook, attempt, LongestLook), NeedsPerson: true);

    private static bool Passes(string? reason) => reason is
        Reasons.Evicted or Reasons.Interrupted or Reasons.BuilderCrashed or Reasons.Timeout or Reasons.OutOfMemory or Reasons.CreateFailed or Reasons.StorageError
        or Reasons.Unschedulable or Reasons.ImagePull or Reasons.ContainerStart;

    private static TimeSpan Doubled(TimeSpan first, int times, TimeSpan longest)
    {
        var pause = first * Math.Pow(2, Math.Clamp(times - 1, 0, 20));
        return pause < longest ? pause : longest;
    }
}
