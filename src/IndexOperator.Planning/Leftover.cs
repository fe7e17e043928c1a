using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>
/// What a build that was stopped may have left on the volume. The next builder removes it when it starts; until then the status must
/// remember that it may be there, or deleting the resource would let it lie for ever. <c>lastFailure</c> is that memory: it lasts until
/// a version is delivered.
/// </summary>
public static class Leftover
{
    /// <summary>The last failure of this series of attempts, or that an earlier one was stopped; null when no builder ever ran.</summary>
    public static FailureStatus? Of(ObservedState observed, WantedBuild wanted)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(wanted);
        var known = observed.Index.Status?.Build;
        if (known?.JobKey == wanted.JobKey && known.LastFailure is { } same)
        {
            return same;
        }

        if (known is { RunningSince: not null } or { LastFailure: not null })
        {
            return known.LastFailure is { Reason: Reasons.Interrupted } told ? told : Interrupted(known.Job);
        }

        return BuildAttempt.AllOf(observed, BuildAttempt.BuildTask).FirstOrDefault(attempt => attempt is { RunningSince: not null, Delivered: false } && attempt.JobKey != wanted.JobKey) is { } ran
            ? Interrupted(ran.Name)
            : null;
    }

    /// <summary>The build to remember beside a published version: null when a builder has cleaned up since, or none ever ran.</summary>
    public static BuildStatus? AfterPublishing(ObservedState observed, IReadOnlyList<BuildAttempt> attempts, BuildAttempt? done, bool delivered)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(attempts);
        var known = observed.Index.Status?.Build;
        if (attempts.FirstOrDefault(attempt => attempt != done && attempt is { State: JobState.Active, RunningSince: not null }) is { } stopped)
        {
            return new BuildStatus { LastFailure = Interrupted(stopped.Name) };
        }

        return delivered || known is not ({ RunningSince: not null } or { LastFailure: not null })
            ? null
            : new BuildStatus { LastFailure = known.LastFailure is { Reason: Reasons.Interrupted } told ? told : Interrupted(known.Job) };
    }

    /// <summary>The build to remember while none may run: without what only speaks of a running one.</summary>
    public static BuildStatus? Halted(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var known = observed.Index.Status?.Build;
        var ran = BuildAttempt.AllOf(observed, BuildAttempt.BuildTask).LastOrDefault(attempt => attempt is { State: JobState.Active, RunningSince: not null });
        return known is null && ran is null
            ? null
            : (known ?? new BuildStatus { JobKey = ran!.JobKey, Attempt = ran.Number, Job = ran.Name }) with
            {
                RunningSince = ran?.RunningSince ?? known?.RunningSince,
                Phase = null,
                Percent = null,
                EtaSeconds = null,
                Progress = null,
                NextRetryAt = null,
            };
    }

    private static FailureStatus Interrupted(string? job) => new()
    {
        Reason = Reasons.Interrupted,
        Message = $"Job {job ?? "of an earlier spec"} was stopped before it published. What it may have left below .staging/ is removed by the next build, or with this resource.",
    };
}
