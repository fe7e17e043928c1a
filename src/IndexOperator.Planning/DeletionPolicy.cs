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
    private static readonly TimeSpan CleanupPatience = TimeSpan.FromMinutes(2);

    /// <summary>The plan of a resource that is being deleted.</summary>
    public static Plan Plan(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var index = observed.Index;
        if (FinalizerPolicy.DetachIfAttached(index) is not [var detach])
        {
            return new Plan { Status = Status(observed, "Nothing is left to clean up.") };
        }

        var stop = BuildAttempt.AllOf(observed, BuildAttempt.BuildTask).Where(attempt => !attempt.IsGoing)
            .Select(attempt => (PlannedAction)new DeleteJob(attempt.Name, attempt.Job.Metadata.Uid, "its PretrainIndex is being deleted")).ToList();
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

        if (cleanup is null)
        {
            return new Plan
            {
                Actions = [BuildJobManifest.Cleanup(observed)],
                Status = Status(observed, "Removing the staging folder of the interrupted build."),
                LookAgainAfter = CleanupPatience,
            };
        }

        var left = (BuildAttempt.Utc(cleanup.Job.Metadata.CreationTimestamp) ?? observed.Now) + CleanupPatience - observed.Now;
        return cleanup.State == JobState.Active && left > TimeSpan.Zero
            ? new Plan { Status = Status(observed, "Removing the staging folder of the interrupted build."), LookAgainAfter = left }
            : new Plan
            {
                Actions = [detach],
                Status = Status(observed, "The cleanup was given up."),
                Events =
                [
                    new PlannedEvent("Warning", "CleanupGivenUp", "Cleanup", $"Job {cleanup.Name} did not end well within {CleanupPatience.TotalMinutes:0} minutes. Folders below .staging/ on claim {ClaimPolicy.CacheClaimName(index)} that begin with {BuildJobManifest.StagingPrefix(index)} may be removed by hand."),
                ],
            };
    }

    private static bool MayHaveLeftStaging(ObservedState observed) =>
        observed.Index.Status?.Build?.RunningSince is not null
        || observed.Pods.Any(pod => BuildAttempt.ContainerOf(pod)?.State is { } state && (state.Running ?? (object?)state.Terminated) is not null);

    private static PretrainIndexStatus Status(ObservedState observed, string message)
    {
        var index = observed.Index;
        var before = index.Status ?? new PretrainIndexStatus();
        var set = new ConditionSet(before.Conditions, index.Metadata.Generation, observed.Now);
        set.Set(ConditionTypes.Ready, false, Reasons.Deleting, message);
        set.Keep(ConditionTypes.Available);
        set.Set(ConditionTypes.Reconciling, true, Reasons.Deleting, message);
        set.Set(ConditionTypes.Stalled, false, Reasons.Idle, "Nothing waits for a person.");
        set.Keep(ConditionTypes.DataCurrent);
        set.Keep(ConditionTypes.Verified);
        var running = BuildAttempt.AllOf(observed, BuildAttempt.BuildTask).Select(attempt => attempt.RunningSince).FirstOrDefault(since => since is not null);
        return before with
        {
            ObservedGeneration = index.Metadata.Generation,
            Build = before.Build is null && running is null ? null : (before.Build ?? new BuildStatus()) with { RunningSince = before.Build?.RunningSince ?? running },
            Conditions = set.ToList(),
        };
    }
}
