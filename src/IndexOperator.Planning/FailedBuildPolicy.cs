using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>An attempt that failed: why, whether and when another follows, with how much memory, and whether a person is asked for.</summary>
public static class FailedBuildPolicy
{
    /// <summary>What follows the last attempt, where it failed; null when it did not, or there was none.</summary>
    public static Situation? Decide(ObservedState observed, WantedBuild wanted, BuildAttempt? latest)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(wanted);
        var known = observed.Index.Status?.Build;
        var (number, failure, decision, memory) = latest switch
        {
            { State: JobState.Failed } or { State: JobState.Complete } => Judge(observed, wanted, latest),
            // The Job is gone (deleted by hand, or by its age): the status remembers what was decided.
            null when known is { NextRetryAt: not null, LastFailure: { Reason: { Length: > 0 } } before } && known.JobKey == wanted.JobKey =>
                (known.Attempt ?? 1, before, RetryPolicy.After(before, known.Attempt ?? 1, observed.Index.Spec.Build.Retries, observed.Now) with { NextRetryAt = known.NextRetryAt }, known.MemoryBytes),
            _ => default,
        };
        if (failure is null)
        {
            return null;
        }

        var isNew = known?.LastFailure != failure || known?.Attempt != number || known?.NextRetryAt is null && decision.NextRetryAt is not null;
        PlannedEvent[] told = isNew ? [new PlannedEvent("Warning", failure.Reason!, "Build", $"Attempt {number} failed: {failure.Message}")] : [];
        // A pause longer than any was counted by a clock that has been set back since.
        var isDue = decision.NextRetryAt is { } due && (due <= observed.Now || due > observed.Now + RetryPolicy.LongestLook);
        if (isDue && BuildPolicy.StillRunning(observed) is null)
        {
            var next = StartPolicy.Start(observed, wanted, number + 1, failure, memory);
            return next with { Events = [.. told, .. next.Events] };
        }

        var build = BuildPolicy.StatusOf(observed, wanted, number) with
        {
            Job = latest?.Name ?? known?.Job,
            LastFailure = failure,
            NextRetryAt = decision.NextRetryAt,
            MemoryBytes = memory,
            Progress = null,
            Phase = null,
            Percent = null,
            EtaSeconds = null,
        };
        return new Situation(decision.NeedsPerson ? Standing.Stuck : Standing.Working, failure.Reason!, decision.NeedsPerson
            ? failure.Message!
            : $"{Clip.Sentence(failure.Message!)} Attempt {number} of {observed.Index.Spec.Build.Retries + 1}; the next begins by itself.")
        {
            Build = build,
            Events = told,
            LookAgainAfter = isDue ? BuildPolicy.WaitInterval : decision.NextRetryAt - observed.Now,
        };
    }

    private static (int Number, FailureStatus Failure, RetryDecision Decision, long? Memory) Judge(ObservedState observed, WantedBuild wanted, BuildAttempt latest)
    {
        var told = Told(observed, wanted, latest);
        var failure = told ?? (latest.State == JobState.Complete
            ? new FailureStatus { Reason = Reasons.BuilderCrashed, Message = $"Job {latest.Name} ended without a report that can be read; its pod may have been deleted. The next attempt finds what it published." }
            : FailureClassification.Of(latest, observed.Index));
        var retries = observed.Index.Spec.Build.Retries;
        var failedAt = latest.EndedAt ?? observed.Now;
        if (MemoryPolicy.After(observed, latest, failure) is not { } memory)
        {
            return (latest.Number, failure, RetryPolicy.After(failure, latest.Number, retries, failedAt), told is null ? MemoryPolicy.KeptAfter(observed, latest) : observed.Index.Status!.Build!.MemoryBytes);
        }

        return memory.NextBytes is { } bytes
            ? (latest.Number, failure with { Message = $"{failure.Message} It is tried once more with {ProgressText.Size(bytes)}." }, new RetryDecision(failedAt + RetryPolicy.FirstPause, NeedsPerson: false), bytes)
            : (latest.Number, failure with { Message = $"{Clip.Sentence(failure.Message!)} {memory.Advice}" }, RetryPolicy.Rarely(latest.Number, failedAt), MemoryPolicy.KeptAfter(observed, latest));
    }

    // What was found while the pod was there stands when it is gone: pods vanish with their nodes, and the Job alone says little.
    private static FailureStatus? Told(ObservedState observed, WantedBuild wanted, BuildAttempt latest) =>
        latest.Pods.Count == 0
        && observed.Index.Status?.Build is { LastFailure: { } told } known && known.JobKey == wanted.JobKey && known.Attempt == latest.Number && known.Job == latest.Name
        && (known.NextRetryAt is not null || RetryPolicy.After(told, latest.Number, observed.Index.Spec.Build.Retries, observed.Now).NextRetryAt is null)
            ? told
            : null;
}
