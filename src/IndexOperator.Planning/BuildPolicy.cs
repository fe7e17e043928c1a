using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>
/// The life of a build: one Job per attempt, at most one running per resource.
/// <code>
/// none -> Job created -> pod pending -> running -> Complete -> published
///   ^                        |            |           (no report: as Failed)
///   |                     trouble      Failed
///   +---- after a pause -----+------------+
/// </code>
/// A Job of another key is superseded: it is deleted, and its pod must be gone before the next Job is created.
/// </summary>
public static class BuildPolicy
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan GoneGrace = TimeSpan.FromMinutes(1);

    /// <summary>Published when the wanted version is current or has just been delivered; else null.</summary>
    public static Situation? Published(ObservedState observed, WantedBuild wanted)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(wanted);
        var attempts = BuildAttempt.AllOf(observed, BuildAttempt.BuildTask);
        var done = attempts.LastOrDefault(attempt => attempt.BuildKey == wanted.BuildKey && attempt is { State: JobState.Complete, Report.Outcome: BuildReport.Built or BuildReport.Reused });
        var current = observed.Index.Status?.Current;
        var delivered = current?.BuildKey == wanted.BuildKey ? null : done is null ? null : PublishPolicy.VersionOf(observed, wanted, done);
        if ((delivered ?? current) is not { } version || version.BuildKey != wanted.BuildKey)
        {
            return null;
        }

        var cleanup = attempts.Where(attempt => attempt != done && !attempt.IsGoing).Select(attempt => Delete(attempt, "another version is current"));
        return new Situation(
            Standing.Published,
            version.Outcome == BuildReport.Reused ? Reasons.Reused : Reasons.Published,
            $"Version {version.Version} is published on claim {ClaimPolicy.CacheClaimName(observed.Index)} at {version.Path}.")
        {
            Delivered = delivered,
            Actions = [.. cleanup, .. FinalizerPolicy.DetachIfAttached(observed.Index)],
        };
    }

    /// <summary>What to do for a version that is not published yet.</summary>
    public static Situation Decide(ObservedState observed, WantedBuild wanted)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(wanted);
        var attempts = BuildAttempt.AllOf(observed, BuildAttempt.BuildTask);
        var mine = attempts.Where(attempt => attempt.JobKey == wanted.JobKey).OrderBy(attempt => attempt.Number).ToList();
        var latest = mine.LastOrDefault();
        if (latest is { State: JobState.Active, IsGoing: false })
        {
            return UnderWay(observed, wanted, latest) with { Actions = DeleteOthers(attempts, latest) };
        }

        var others = DeleteOthers(attempts, latest);
        if (others.Count > 0 || latest is { State: JobState.Active } || StillRunning(observed, latest) is not null)
        {
            var pod = StillRunning(observed, latest)?.Metadata.Name;
            return new Situation(Standing.Working, Reasons.Building, $"Waiting for an earlier build to stop{(pod is null ? "" : $" (pod {pod})")} before the next one starts.")
            {
                Build = StatusOf(observed, wanted, latest?.Number ?? 1),
                Actions = others,
                LookAgainAfter = TimeSpan.FromSeconds(5),
            };
        }

        return AfterFailure(observed, wanted, latest) ?? Start(observed, wanted, FirstNumber(observed, wanted), mine);
    }

    /// <summary>Deletes every Job that has not ended.</summary>
    public static IReadOnlyList<PlannedAction> StopAll(ObservedState observed, string because) =>
        BuildAttempt.AllOf(observed, BuildAttempt.BuildTask)
            .Where(attempt => attempt is { State: JobState.Active, IsGoing: false })
            .Select(attempt => Delete(attempt, because))
            .ToList();

    /// <summary>A pod of this resource's builds that may still write; null when there is none. Pods that outlive their grace by a minute sit on a lost node.</summary>
    public static V1Pod? StillRunning(ObservedState observed, BuildAttempt? except = null)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return observed.Pods.FirstOrDefault(pod =>
            pod.Status?.Phase is not ("Succeeded" or "Failed")
            && pod.Metadata.Labels?.TryGetValue(Labels.Task, out var task) == true && task == BuildAttempt.BuildTask
            && except?.Pods.Contains(pod) != true
            && !(BuildAttempt.Utc(pod.Metadata.DeletionTimestamp) + GoneGrace < observed.Now));
    }

    private static Situation UnderWay(ObservedState observed, WantedBuild wanted, BuildAttempt attempt)
    {
        var build = StatusOf(observed, wanted, attempt.Number) with { Job = attempt.Name };
        if (attempt.RunningSince is { } since)
        {
            var progress = observed.Progress;
            return new Situation(Standing.Working, Reasons.Building, $"Job {attempt.Name} is building.")
            {
                Build = build with
                {
                    RunningSince = since,
                    Phase = progress?.Phase ?? build.Phase,
                    Percent = progress?.Percent ?? build.Percent,
                    EtaSeconds = progress?.EtaSeconds,
                    Progress = progress is null ? build.Progress ?? "Starting" : ProgressText.Of(progress),
                },
                LookAgainAfter = ProgressInterval,
            };
        }

        if (PodTrouble.Of(attempt.NewestPod) is { } trouble)
        {
            var left = (trouble.Since ?? observed.Now) + PodTrouble.Patience - observed.Now;
            return new Situation(left > TimeSpan.Zero ? Standing.Working : Standing.Stuck, trouble.Reason, trouble.Message)
            {
                Build = build with { Progress = trouble.Reason },
                LookAgainAfter = left > TimeSpan.Zero ? left : null,
            };
        }

        return new Situation(Standing.Working, Reasons.Building, attempt.Pods.Count == 0
            ? $"Job {attempt.Name} has no pod yet. If this lasts, `kubectl describe job {attempt.Name}` tells why."
            : $"Pod {attempt.Pods[0].Metadata.Name} of Job {attempt.Name} is starting. If this lasts, `kubectl describe pod` tells why.")
        {
            Build = build with { Progress = "Pending" },
        };
    }

    private static Situation? AfterFailure(ObservedState observed, WantedBuild wanted, BuildAttempt? latest)
    {
        var known = observed.Index.Status?.Build;
        var (number, failure, decision) = latest switch
        {
            { State: JobState.Failed } or { State: JobState.Complete } => Judge(observed, latest),
            // The Job is gone (deleted by hand, or by its age): the status remembers what was decided.
            null when known is { NextRetryAt: not null, LastFailure: { } before } && known.JobKey == wanted.JobKey => (known.Attempt ?? 1, before, new RetryDecision(known.NextRetryAt, true)),
            _ => default,
        };
        if (failure is null)
        {
            return null;
        }

        if (decision.NextRetryAt is { } due && due <= observed.Now)
        {
            return Start(observed, wanted, number + 1, BuildAttempt.AllOf(observed, BuildAttempt.BuildTask), failure);
        }

        var build = StatusOf(observed, wanted, number) with
        {
            Job = latest?.Name ?? known?.Job,
            LastFailure = failure,
            NextRetryAt = decision.NextRetryAt,
            Progress = null,
            Phase = null,
            Percent = null,
            EtaSeconds = null,
        };
        var isNew = known?.LastFailure != failure || known?.Attempt != number || known?.NextRetryAt is null && decision.NextRetryAt is not null;
        return new Situation(decision.NeedsPerson ? Standing.Stuck : Standing.Working, failure.Reason!, decision.NeedsPerson
            ? failure.Message!
            : $"{failure.Message} Attempt {number} of {observed.Index.Spec.Build.Retries + 1}; the next begins by itself.")
        {
            Build = build,
            Events = isNew ? [new PlannedEvent("Warning", failure.Reason!, "Build", $"Attempt {number} failed: {failure.Message}")] : [],
            LookAgainAfter = decision.NextRetryAt - observed.Now,
        };
    }

    private static (int Number, FailureStatus Failure, RetryDecision Decision) Judge(ObservedState observed, BuildAttempt latest)
    {
        var failure = latest.State == JobState.Complete
            ? new FailureStatus { Reason = Reasons.BuilderCrashed, Message = $"Job {latest.Name} ended without a report that can be read; its pod may have been deleted. The next attempt finds what it published." }
            : FailureClassification.Of(latest, observed.Index);
        return (latest.Number, failure, RetryPolicy.After(failure, latest.Number, observed.Index.Spec.Build.Retries, latest.EndedAt ?? observed.Now));
    }

    private static Situation Start(ObservedState observed, WantedBuild wanted, int number, IReadOnlyList<BuildAttempt> existing, FailureStatus? lastFailure = null)
    {
        var create = BuildJobManifest.Build(observed, wanted, number);
        var name = create.Job.Metadata.Name;
        // The last failed Job stays until the attempt after the next: its log is what a person looks for.
        var old = existing.Where(attempt => attempt.Number < number - 1 && !attempt.IsGoing).Select(attempt => Delete(attempt, "a later attempt failed too"));
        var claim = ClaimPolicy.ClaimToCreate(observed);
        return new Situation(Standing.Working, Reasons.Building, $"Job {name} was created (attempt {number}).")
        {
            Build = new BuildStatus
            {
                JobKey = wanted.JobKey,
                Attempt = number,
                Job = name,
                Progress = "Pending",
                StartedAt = observed.Now,
                LastFailure = lastFailure,
            },
            Actions = [.. FinalizerPolicy.AttachIfMissing(observed.Index), .. old, .. claim is null ? (PlannedAction[])[] : [new CreateClaim(claim)], create],
            Events = [new PlannedEvent("Normal", "BuildStarted", "Build", $"Created Job {name} (attempt {number}) for data version \"{observed.Index.Spec.DataVersion ?? "(unnamed)"}\".")],
        };
    }

    private static int FirstNumber(ObservedState observed, WantedBuild wanted) =>
        observed.Index.Status?.Build is { Attempt: { } attempt } known && known.JobKey == wanted.JobKey ? attempt : 1;

    private static BuildStatus StatusOf(ObservedState observed, WantedBuild wanted, int number)
    {
        var known = observed.Index.Status?.Build;
        return known?.JobKey == wanted.JobKey && known.Attempt == number
            ? known with { NextRetryAt = null }
            : new BuildStatus { JobKey = wanted.JobKey, Attempt = number, StartedAt = observed.Now, LastFailure = known?.JobKey == wanted.JobKey ? known.LastFailure : null };
    }

    private static List<DeleteJob> DeleteOthers(IReadOnlyList<BuildAttempt> attempts, BuildAttempt? keep) => attempts
        .Where(attempt => attempt.JobKey != keep?.JobKey && attempt is { State: JobState.Active, IsGoing: false })
        .Select(attempt => Delete(attempt, "superseded by a newer spec"))
        .ToList();

    private static DeleteJob Delete(BuildAttempt attempt, string because) => new(attempt.Name, attempt.Job.Metadata.Uid, because);
}
