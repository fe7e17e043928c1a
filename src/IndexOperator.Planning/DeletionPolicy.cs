using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>
/// Deletion: Jobs are stopped and their pods waited for, then the pods that use the index, then staging folders are removed (and with
/// <c>deletionPolicy: Delete</c> the versions that no other resource uses), then the resource is let go.
/// <code>
/// Jobs -> deleted -> pods gone -> consumers gone -> anything to remove? -> cleanup Job -> ended -> finalizer detached
///                                      no, or the claim or the namespace is going too ---------------^
/// </code>
/// Nothing here waits for ever but for consumers, and for those only as long as what holds the resource is not itself going: a cleanup
/// that does not end is given up, with an event that names what may be left.
/// </summary>
public static class DeletionPolicy
{
    private const string GivenUp = Reasons.CleanupGivenUp;

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
        const string Because = "its PretrainIndex is being deleted";
        IReadOnlyList<PlannedAction> stop = [
            .. BuildPolicy.StopAll(observed, Because),
            .. UpkeepPolicy.JobsOf(observed).Where(job => job.State == JobState.Active).Select(job => job.Delete(Because)),
        ];
        if (stop.Count > 0 || BuildPolicy.StillRunning(observed) is not null)
        {
            return new Plan
            {
                Actions = stop,
                Status = Status(observed, "Waiting for the build to stop."),
                LookAgainAfter = TimeSpan.FromSeconds(2),
            };
        }

        var canCleanUp = ClaimPolicy.CacheLost(observed) is null;
        if (canCleanUp && observed.ScopeGoing is null && ConsumerPolicy.Running(observed) is { Count: > 0 } consumers)
        {
            return InUse(observed, consumers);
        }

        var versions = index.Spec.Cache.DeletionPolicy == Api.DeletionPolicy.Delete ? PrunePolicy.AllOf(observed) : [];
        var cleanup = BuildAttempt.AllOf(observed, BuildAttempt.CleanupTask) is { Count: > 0 } jobs ? jobs[^1] : null;
        if (cleanup is { State: JobState.Complete } || !(MayHaveLeftStaging(observed) || versions.Count > 0) || !canCleanUp || IsRefusedForGood(observed))
        {
            return new Plan { Actions = [detach], Status = Status(observed, "Cleaned up.") };
        }

        if (Says(observed, GivenUp))
        {
            return new Plan { Actions = [detach], Status = Status(observed, "The cleanup was given up.", GivenUp) };
        }

        if (cleanup is null && IsRefusedForLong(observed))
        {
            return GiveUp(observed, versions, "The cleanup Job could not be created.");
        }

        if (cleanup is null && versions.Count > 0 && PrunePolicy.BuildingPeer(observed) is { } peer)
        {
            return new Plan
            {
                Status = Status(observed, $"Waiting for the build of PretrainIndex {peer.Metadata.Name}, which may reuse what is to be removed."),
                LookAgainAfter = TimeSpan.FromSeconds(5),
            };
        }

        if (cleanup is null)
        {
            return new Plan
            {
                Actions = observed.Refusal is null ? [UpkeepJobManifest.Cleanup(observed, versions)] : [],
                Status = observed.Refusal is { } refusal
                    ? Status(observed, $"The cleanup Job was refused: {refusal.Message}", Reasons.CreateFailed)
                    : Status(observed, Removing(versions)),
                LookAgainAfter = CleanupPatience,
            };
        }

        var left = (BuildAttempt.Utc(cleanup.Job.Metadata.CreationTimestamp) ?? observed.Now) + CleanupPatience - observed.Now;
        return cleanup.State == JobState.Active && left > TimeSpan.Zero
            ? new Plan { Status = Status(observed, Removing(versions)), LookAgainAfter = left }
            : GiveUp(observed, versions, $"Job {cleanup.Name} did not end well within {CleanupPatience.TotalMinutes:0} minutes.");
    }

    private static string Removing(IReadOnlyList<string> versions) =>
        versions.Count == 0 ? "Removing the staging folder of the interrupted build." : $"Removing {string.Join(", ", versions)} and what builds left behind: spec.cache.deletionPolicy is Delete.";

    private static Plan InUse(ObservedState observed, IReadOnlyList<V1Pod> consumers)
    {
        var message = $"Pods use this index, and its deletion waits for them: {ConsumerPolicy.Names(consumers)}.";
        return new Plan
        {
            Status = Status(observed, message, Reasons.InUse),
            Events = Says(observed, Reasons.InUse) ? [] : [new PlannedEvent("Warning", Reasons.InUse, "Delete", message)],
            // A pod on a node that is lost is never seen to end.
            LookAgainAfter = TimeSpan.FromMinutes(1),
        };
    }

    // In a namespace that is going nothing can be created, and everything in it goes anyway.
    private static bool IsRefusedForGood(ObservedState observed) =>
        observed.ScopeGoing?.StartsWith("namespace ", StringComparison.Ordinal) == true
        || observed.Index.Status?.Conditions?.Any(condition => condition is { Type: ConditionTypes.Reconciling, Reason: Reasons.CreateFailed }
            && condition.Message?.Contains("because it is being terminated", StringComparison.Ordinal) == true) == true;

    // A Job that the API server goes on refusing (quota, admission, a namespace on its way out) must not hold the resource for ever. The
    // refusal is known from the status of an earlier pass, so an operator that was down for long still tries once.
    private static bool IsRefusedForLong(ObservedState observed) =>
        Says(observed, Reasons.CreateFailed) && BuildAttempt.Utc(observed.Index.Metadata.DeletionTimestamp) + CleanupPatience <= observed.Now;

    private static bool Says(ObservedState observed, string reason) =>
        observed.Index.Status?.Conditions?.Any(condition => condition is { Type: ConditionTypes.Reconciling, Status: "True" } && condition.Reason == reason) == true;

    // Told in one pass, done in the next: once the finalizer is off, the resource is gone and nothing can be told of it any more.
    private static Plan GiveUp(ObservedState observed, IReadOnlyList<string> versions, string why)
    {
        var kept = versions.Count == 0 ? "" : $", and below versions/ {string.Join(", ", versions)},";
        var left = $"{why} Folders below .staging/ on claim {ClaimPolicy.CacheClaimName(observed.Index)} that begin with {BuildJobManifest.StagingPrefix(observed.Index)}{kept} may be removed by hand.";
        return new Plan
        {
            Status = Status(observed, left, GivenUp),
            Events = [new PlannedEvent("Warning", GivenUp, "Cleanup", left)],
            LookAgainAfter = TimeSpan.FromSeconds(1),
        };
    }

    private static bool MayHaveLeftStaging(ObservedState observed) =>
        observed.Index.Status?.Build is { RunningSince: not null } or { LastFailure: not null } || Leftover.RanIn(observed, []) is not null;

    // From before the Job is created: a pass may die right after that.
    private static bool IsRemovingVersions(ObservedState observed) =>
        observed.Index.Spec.Cache.DeletionPolicy == Api.DeletionPolicy.Delete
        && (ConsumerPolicy.Running(observed).Count == 0 || observed.ScopeGoing is not null)
        && PrunePolicy.BuildingPeer(observed) is null
        && observed.Index.Status?.Current?.Version is { } version && PrunePolicy.AllOf(observed).Contains(version);

    private static PretrainIndexStatus Status(ObservedState observed, string message, string reason = Reasons.Deleting)
    {
        var index = observed.Index;
        var before = index.Status ?? new PretrainIndexStatus();
        var set = new ConditionSet(before.Conditions, index.Metadata.Generation, observed.Now);
        set.Set(ConditionTypes.Ready, false, reason, message);
        if (IsRemovingVersions(observed))
        {
            set.Set(ConditionTypes.Available, false, Reasons.Deleting, "What was published is removed with the resource.");
        }
        else
        {
            set.Keep(ConditionTypes.Available);
        }

        set.Set(ConditionTypes.Reconciling, true, reason, message);
        set.Set(ConditionTypes.Stalled, false, Reasons.Idle, "Nothing waits for a person.");
        set.Keep(ConditionTypes.DataCurrent);
        set.Keep(ConditionTypes.Verified);
        var running = Leftover.RanSince(observed);
        return before with
        {
            ObservedGeneration = index.Metadata.Generation,
            Consumers = ConsumerPolicy.StatusOf(observed),
            Build = before.Build is null && running is null ? null : (before.Build ?? new BuildStatus()) with { RunningSince = before.Build?.RunningSince ?? running },
            Conditions = set.ToList(),
        };
    }
}
