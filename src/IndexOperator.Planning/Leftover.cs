using IndexOperator.Api;
using k8s.Models;

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

        var settled = BuildAttempt.AllOf(observed, BuildAttempt.BuildTask).Where(attempt => attempt.Delivered || attempt.JobKey == wanted.JobKey);
        return RanIn(observed, settled) is { } job ? Interrupted(job) : null;
    }

    /// <summary>The Job in which a builder began, or may have; null when there is none.</summary>
    /// <param name="observed">What is observed.</param>
    /// <param name="except">Attempts that do not count.</param>
    public static string? RanIn(ObservedState observed, IEnumerable<BuildAttempt> except)
    {
        var passedOver = except.ToList();
        return Started(observed).Where(pod => !passedOver.Any(attempt => attempt.Pods.Contains(pod)))
                .SelectMany(pod => pod.Metadata.OwnerReferences).FirstOrDefault(owner => owner.Kind == "Job")?.Name
            ?? Podless(observed).FirstOrDefault(attempt => passedOver.All(other => other.Name != attempt.Name))?.Name;
    }

    /// <summary>Since when a builder has been at work, or may have been; null when none has.</summary>
    public static DateTimeOffset? RanSince(ObservedState observed) =>
        Started(observed).Select(BuildAttempt.StartedAt).FirstOrDefault()
        ?? Podless(observed).Select(attempt => BuildAttempt.Utc(attempt.Job.Metadata.CreationTimestamp)).FirstOrDefault();

    // A builder that ended well has published and removed what was below .staging/: nothing of it is left, whatever became of its Job.
    private static IEnumerable<V1Pod> Started(ObservedState observed) =>
        BuildAttempt.PodsOfTask(observed, BuildAttempt.BuildTask).Where(pod => pod.Status?.Phase != "Succeeded" && BuildAttempt.StartedAt(pod) is not null);

    // A Job that failed and has no pod left: its pod may have run before anybody looked.
    private static IEnumerable<BuildAttempt> Podless(ObservedState observed) =>
        BuildAttempt.AllOf(observed, BuildAttempt.BuildTask).Where(attempt => attempt is { State: JobState.Failed, Pods.Count: 0 });

    /// <summary>The build to remember beside a published version: null when a builder has cleaned up since, or none ever ran.</summary>
    public static BuildStatus? AfterPublishing(ObservedState observed, IReadOnlyList<BuildAttempt> attempts, BuildAttempt? done, bool delivered)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(attempts);
        var known = observed.Index.Status?.Build;
        // An attempt that failed before the one that delivered was cleaned up after by it. Its pod may outlive its Job for a while.
        var swept = done?.Job.Metadata.CreationTimestamp;
        var later = observed with
        {
            Jobs = [.. observed.Jobs.Where(job => !(job.Metadata.CreationTimestamp < swept))],
            Pods = [.. observed.Pods.Where(pod => !(pod.Metadata.CreationTimestamp < swept))],
        };
        if (RanIn(later, attempts.Where(attempt => attempt == done || attempt.Delivered || (delivered && attempt.State != JobState.Active))) is { } stopped)
        {
            return new BuildStatus { LastFailure = known?.LastFailure is { Reason: Reasons.Interrupted } same ? same : Interrupted(stopped) };
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
        var ran = RanSince(observed);
        return known is null && ran is null
            ? null
            : (known ?? new BuildStatus()) with
            {
                RunningSince = known?.RunningSince ?? ran,
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
