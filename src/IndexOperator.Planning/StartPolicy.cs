using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>
/// The start of an attempt: not while old versions are being removed from the cache, not where a kept version can be adopted, and not
/// beside another build of the same content.
/// </summary>
public static class StartPolicy
{
    /// <summary>The situation in which an attempt starts, or waits for what must come before it.</summary>
    /// <param name="observed">What is observed.</param>
    /// <param name="wanted">What is to be built.</param>
    /// <param name="number">Which attempt, from 1.</param>
    /// <param name="lastFailure">Why the attempt before failed; null when there was none.</param>
    /// <param name="memory">Memory in place of what the spec says, in bytes; null for what the spec or an earlier attempt says.</param>
    public static Situation Start(ObservedState observed, WantedBuild wanted, int number, FailureStatus? lastFailure = null, long? memory = null)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(wanted);
        var before = UpkeepPolicy.WaitForRemoval(observed) ?? (lastFailure is null ? AdoptPolicy.Decide(observed, wanted) : null) ?? WaitForPeer(observed, wanted);
        if (before is not null)
        {
            return before.Standing == Standing.Published ? before : before with { Build = Awaiting(observed, wanted, number, lastFailure) };
        }

        memory ??= observed.Index.Status?.Build is { } known && known.JobKey == wanted.JobKey ? known.MemoryBytes : null;
        var create = BuildJobManifest.Build(observed, wanted, number, memory);
        var name = create.Job.Metadata.Name;
        if (observed.Jobs.FirstOrDefault(job => job.Metadata.Name == name) is { } taken)
        {
            return NameTaken(observed, wanted, number, taken);
        }

        var attempts = BuildAttempt.AllOf(observed, BuildAttempt.BuildTask);
        // The last failed Job stays until the attempt after the next: its log is what a person looks for. So does the Job that delivered
        // the current version: its report is the way back to a status that was erased.
        var old = attempts
            .Where(attempt => !attempt.IsGoing && !(attempt.JobKey == wanted.JobKey && attempt.Number >= number - 1)
                && !(attempt.Delivered && attempt.BuildKey == observed.Index.Status?.Current?.BuildKey))
            .Select(attempt => attempt.Delete(attempt.JobKey == wanted.JobKey ? "a later attempt failed too" : "superseded by a newer spec"));
        var claim = ClaimPolicy.ClaimToCreate(observed);
        return new Situation(Standing.Working, Reasons.Building, BuildPolicy.NotStarted(name))
        {
            Build = new BuildStatus
            {
                JobKey = wanted.JobKey,
                Attempt = number,
                Job = name,
                Progress = "Pending",
                StartedAt = observed.Now,
                MemoryBytes = memory,
                LastFailure = lastFailure ?? Leftover.Of(observed, wanted),
            },
            Actions = [.. FinalizerPolicy.AttachIfMissing(observed.Index), .. old, .. claim is null ? (PlannedAction[])[] : [new CreateClaim(claim)], create],
            Events = [new PlannedEvent("Normal", Reasons.BuildStarted, "Build", $"Created Job {name} (attempt {number}) for data version \"{observed.Index.Spec.DataVersion ?? "(unnamed)"}\".")],
        };
    }

    private static Situation? WaitForPeer(ObservedState observed, WantedBuild wanted) =>
        SharedBuildPolicy.Ahead(observed, wanted) is { } ahead
            ? new Situation(Standing.Working, Reasons.SharedBuild, $"{ahead} builds the same content on the same claim; what it publishes is reused.") { LookAgainAfter = BuildPolicy.WaitInterval }
            : null;

    // What a retry that waits for something else knows of the failure before it stays as it is.
    private static BuildStatus Awaiting(ObservedState observed, WantedBuild wanted, int number, FailureStatus? lastFailure) =>
        (lastFailure is null ? BuildPolicy.StatusOf(observed, wanted, number) : BuildPolicy.StatusOf(observed, wanted, number - 1) with { LastFailure = lastFailure, NextRetryAt = observed.Index.Status?.Build?.NextRetryAt }) with
        {
            Progress = "Waiting",
        };

    // Only someone's hand brings this about: our own Job's annotations were changed, or another Job was given our name.
    private static Situation NameTaken(ObservedState observed, WantedBuild wanted, int number, V1Job taken)
    {
        var name = taken.Metadata.Name;
        return BuildAttempt.IsOurs(taken, observed.Index)
            ? new Situation(Standing.Working, Reasons.Building, $"Job {name} was changed by someone and no longer says what it builds. It is deleted and made again.")
            {
                Build = BuildPolicy.StatusOf(observed, wanted, number),
                Actions = taken.Metadata.DeletionTimestamp is null ? [new DeleteJob(name, taken.Metadata.Uid, "it no longer says what it builds", HasSpec: true)] : [],
                LookAgainAfter = BuildPolicy.WaitInterval,
            }
            : new Situation(Standing.Stuck, Reasons.CreateFailed, $"Job {name} exists and does not belong to this PretrainIndex. Delete it: the build needs the name.")
            {
                Build = BuildPolicy.StatusOf(observed, wanted, number),
                LookAgainAfter = TimeSpan.FromMinutes(1),
            };
    }
}
