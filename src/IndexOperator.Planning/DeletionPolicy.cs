using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>
/// Deletion: builds are stopped, their pods waited for, staging folders removed, then the resource is let go. Published versions stay.
/// <code>
/// build Jobs -> deleted -> pods gone -> a builder ever ran? -> cleanup Job -> ended -> finalizer detached
///                                            no, or the claim is going too ------------^
/// </code>
/// Nothing here waits for ever: a cleanup that does not end is given up, with an event that names what may be left.
/// </summary>
public static class DeletionPolicy
{
    private const string GivenUp = "CleanupGivenUp";

    private static readonly TimeSpan CleanupPatience = TimeSpan.FromMinutes(2);

    /// <summary>The plan of a resource that is being deleted.</summary>
    public static Plan Plan(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var index = observed.Index;
        if (FinalizerPolicy.DetachIfAttached(index) is not { } detach)
        {
            return new Plan { Status = Status(observed, "Nothing is left to clean up.") };
        }

        // Jobs that have ended go with their owner.
        var stop = BuildPolicy.StopAll(observed, "its PretrainIndex is being deleted");
        if (stop.Count > 0 || BuildPolicy.StillRunning(observed) is not null)
        {
            return new Plan
            {
                Actions = stop,
                Status = Status(observed, "Waiting for the build to stop."),
                LookAgainAfter = TimeSpan.FromSeconds(2),
            };
        }

        var cleanup = BuildAttempt.AllOf(observed, BuildAttempt.CleanupTask) is { Count: > 0 } jobs ? jobs[^1] : null;
        if (cleanup is { State: JobState.Complete } || !MayHaveLeftStaging(observed) || !ClaimPolicy.CanCleanUp(observed))
        {
            return new Plan { Actions = [detach], Status = Status(observed, "Cleaned up.") };
        }

        if (Says(observed, GivenUp))
        {
            return new Plan { Actions = [detach], Status = Status(observed, "The cleanup was given up.", GivenUp) };
        }

        if (cleanup is null && IsRefusedForLong(observed))
        {
            return GiveUp(observed, "The cleanup Job could not be created.");
        }

        if (cleanup is null)
        {
            return new Plan
            {
                Actions = observed.Refusal is null ? [BuildJobManifest.Cleanup(observed)] : [],
                Status = observed.Refusal is { } refusal
                    ? Status(observed, $"The cleanup Job was refused: {refusal.Message}", Reasons.CreateFailed)
                    : Status(observed, "Removing the staging folder of the interrupted build."),
                LookAgainAfter = CleanupPatience,
            };
        }

        var left = (BuildAttempt.Utc(cleanup.Job.Metadata.CreationTimestamp) ?? observed.Now) + CleanupPatience - observed.Now;
        return cleanup.State == JobState.Active && left > TimeSpan.Zero
            ? new Plan { Status = Status(observed, "Removing the staging folder of the interrupted build."), LookAgainAfter = left }
            : GiveUp(observed, $"Job {cleanup.Name} did not end well within {CleanupPatience.TotalMinutes:0} minutes.");
    }

    // A Job that the API server goes on refusing (quota, admission, a namespace on its way out) must not hold the resource for ever. The
    // refusal is known from the status of an earlier pass, so an operator that was down for long still tries once.
    private static bool IsRefusedForLong(ObservedState observed) =>
        Says(observed, Reasons.CreateFailed) && BuildAttempt.Utc(observed.Index.Metadata.DeletionTimestamp) + CleanupPatience <= observed.Now;

    private static bool Says(ObservedState observed, string reason) =>
        observed.Index.Status?.Conditions?.Any(condition => condition is { Type: ConditionTypes.Reconciling, Status: "True" } && condition.Reason == reason) == true;

    // Told in one pass, done in the next: once the finalizer is off, the resource is gone and nothing can be told of it any more.
    private static Plan GiveUp(ObservedState observed, string why)
    {
        var left = $"{why} Folders below .staging/ on claim {ClaimPolicy.CacheClaimName(observed.Index)} that begin with {BuildJobManifest.StagingPrefix(observed.Index)} may be removed by hand.";
        return new Plan
        {
            Status = Status(observed, left, GivenUp),
            Events = [new PlannedEvent("Warning", GivenUp, "Cleanup", left)],
            LookAgainAfter = TimeSpan.FromSeconds(1),
        };
    }

    private static bool MayHaveLeftStaging(ObservedState observed) =>
        observed.Index.Status?.Build is { RunningSince: not null } or { LastFailure: not null } || Leftover.RanIn(observed, []) is not null;

    private static PretrainIndexStatus Status(ObservedState observed, string message, string reason = Reasons.Deleting)
    {
        var index = observed.Index;
        var before = index.Status ?? new PretrainIndexStatus();
        var set = new ConditionSet(before.Conditions, index.Metadata.Generation, observed.Now);
        set.Set(ConditionTypes.Ready, false, reason, Clip.Characters(message, 8192));
        set.Keep(ConditionTypes.Available);
        set.Set(ConditionTypes.Reconciling, true, reason, Clip.Characters(message, 8192));
        set.Set(ConditionTypes.Stalled, false, Reasons.Idle, "Nothing waits for a person.");
        set.Keep(ConditionTypes.DataCurrent);
        set.Keep(ConditionTypes.Verified);
        var running = Leftover.RanSince(observed);
        return before with
        {
            ObservedGeneration = index.Metadata.Generation,
            Build = before.Build is null && running is null ? null : (before.Build ?? new BuildStatus()) with { RunningSince = before.Build?.RunningSince ?? running },
            Conditions = set.ToList(),
        };
    }
}
