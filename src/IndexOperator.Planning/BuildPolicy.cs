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
    private static readonly TimeSpan PendingInterval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WaitInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ReportGrace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan GoneGrace = TimeSpan.FromMinutes(1);

    /// <summary>Published when the wanted version is current or has just been delivered; else null.</summary>
    public static Situation? Published(ObservedState observed, WantedBuild wanted)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(wanted);
        var attempts = BuildAttempt.AllOf(observed, BuildAttempt.BuildTask);
        var done = attempts.LastOrDefault(attempt => attempt.BuildKey == wanted.BuildKey && attempt.Delivered);
        var current = observed.Index.Status?.Current;
        var delivered = current?.BuildKey == wanted.BuildKey ? null : done is null ? null : PublishPolicy.VersionOf(observed, wanted, done);
        if ((delivered ?? current) is not { } version || version.BuildKey != wanted.BuildKey)
        {
            return null;
        }

        var cleanup = attempts.Where(attempt => attempt != done && !attempt.IsGoing).Select(attempt => Delete(attempt, "another version is current"));
        var left = Leftover.AfterPublishing(observed, attempts, done, delivered is not null);
        return new Situation(
            Standing.Published,
            version.Outcome == BuildReport.Reused ? Reasons.Reused : Reasons.Published,
            $"Version {version.Version} is published on claim {ClaimPolicy.CacheClaimName(observed.Index)} at {version.Path}.")
        {
            Build = left,
            Delivered = delivered,
            Actions = [.. cleanup],
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
            var going = WithOldImage(observed, wanted, latest) ?? UnderWay(observed, wanted, latest);
            return going with { Actions = [.. DeleteOthers(attempts, latest), .. going.Actions] };
        }

        var others = DeleteOthers(attempts, latest);
        if (others.Count > 0 || latest is { State: JobState.Active } || StillRunning(observed, latest) is not null)
        {
            var pod = StillRunning(observed, latest)?.Metadata.Name;
            return new Situation(Standing.Working, Reasons.Building, $"Waiting for an earlier build to stop{(pod is null ? "" : $" (pod {pod})")} before the next one starts.")
            {
                Build = StatusOf(observed, wanted, latest?.Number ?? FirstNumber(observed, wanted)),
                Actions = others,
                LookAgainAfter = WaitInterval,
            };
        }

        return AwaitReport(observed, wanted, latest) ?? AfterFailure(observed, wanted, latest) ?? Start(observed, wanted, FirstNumber(observed, wanted));
    }

    /// <summary>Deletes every Job that has not ended.</summary>
    public static IReadOnlyList<PlannedAction> StopAll(ObservedState observed, string because) =>
        BuildAttempt.AllOf(observed, BuildAttempt.BuildTask)
            .Where(attempt => attempt is { State: JobState.Active, IsGoing: false })
            .Select(attempt => Delete(attempt, because))
            .ToList();

    /// <summary>True when the wanted build's container has begun and its Job has not ended.</summary>
    public static bool IsRunning(ObservedState observed, WantedBuild wanted)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        return BuildAttempt.AllOf(observed, BuildAttempt.BuildTask)
            .Any(attempt => attempt is { State: JobState.Active, IsGoing: false, RunningSince: not null } && attempt.JobKey == wanted.JobKey);
    }

    /// <summary>Deletes every Job that has not ended and carries out another spec than the wanted one.</summary>
    public static IReadOnlyList<PlannedAction> StopSuperseded(ObservedState observed, WantedBuild wanted)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        return BuildAttempt.AllOf(observed, BuildAttempt.BuildTask)
            .Where(attempt => attempt is { State: JobState.Active, IsGoing: false } && attempt.JobKey != wanted.JobKey)
            .Select(attempt => Delete(attempt, "superseded by a newer spec"))
            .ToList();
    }

    /// <summary>
    /// A pod of this resource's builds that may still write; null when there is none. Pods that outlive their grace by a minute sit on a
    /// lost node. A pod that never started will not start after its grace: a kubelet may take minutes to let one go that waits for its image.
    /// </summary>
    public static V1Pod? StillRunning(ObservedState observed, BuildAttempt? except = null)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return BuildAttempt.PodsOfTask(observed, BuildAttempt.BuildTask).FirstOrDefault(pod =>
            pod.Status?.Phase is not ("Succeeded" or "Failed")
            && except?.Pods.Contains(pod) != true
            && !(BuildAttempt.Utc(pod.Metadata.DeletionTimestamp) + (pod.Status?.Phase == "Pending" ? TimeSpan.Zero : GoneGrace) < observed.Now));
    }

    // A Job keeps its image for ever: one that cannot be pulled is waited for only until the operator is given another.
    private static Situation? WithOldImage(ObservedState observed, WantedBuild wanted, BuildAttempt attempt) =>
        attempt.RunningSince is null
        && PodTrouble.Of(attempt.NewestPod)?.Reason == Reasons.ImagePull
        && attempt.Job.Spec?.Template?.Spec?.Containers?.FirstOrDefault()?.Image is { } image && image != observed.Settings.BuilderImage
            ? new Situation(Standing.Working, Reasons.Building, $"Job {attempt.Name} could not pull {image}, and the operator now builds with {observed.Settings.BuilderImage}: the Job is made again.")
            {
                Build = StatusOf(observed, wanted, attempt.Number),
                Actions = [Delete(attempt, "its image cannot be pulled and is no longer the operator's")],
                LookAgainAfter = WaitInterval,
            }
            : null;

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
                    Progress = progress is not null ? ProgressText.Of(progress) : build.RunningSince is null ? "Starting" : build.Progress ?? "Starting",
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

        return new Situation(Standing.Working, Reasons.Building, NotStarted(attempt.Name))
        {
            Build = build with { Progress = "Pending" },
            // A Job deleted so soon that no watch ever showed it gives no other sign.
            LookAgainAfter = PendingInterval,
        };
    }

    // The same from the Job's creation until its pod runs: every other word would be one more write a build, and a pod in trouble is told of.
    private static string NotStarted(string job) =>
        $"Job {job} is waiting for its pod to start. If this lasts, `kubectl describe pods -l job-name={job}` tells why, and without a pod `kubectl describe job {job}`.";

    // Jobs and pods arrive by different watches: a Job may be seen to have ended before its pod's last words are.
    private static Situation? AwaitReport(ObservedState observed, WantedBuild wanted, BuildAttempt? latest) =>
        latest is { Report: null, PodEnded: false, EndedAt: { } ended } && ended + ReportGrace > observed.Now
            ? new Situation(Standing.Working, Reasons.Building, $"Job {latest.Name} has ended; what its pod reported is waited for.")
            {
                Build = StatusOf(observed, wanted, latest.Number) with { Job = latest.Name },
                LookAgainAfter = ended + ReportGrace - observed.Now,
            }
            : null;

    private static Situation? AfterFailure(ObservedState observed, WantedBuild wanted, BuildAttempt? latest)
    {
        var known = observed.Index.Status?.Build;
        var (number, failure, decision) = latest switch
        {
            { State: JobState.Failed } or { State: JobState.Complete } => Judge(observed, wanted, latest),
            // The Job is gone (deleted by hand, or by its age): the status remembers what was decided.
            null when known is { NextRetryAt: not null, LastFailure: { } before } && known.JobKey == wanted.JobKey =>
                (known.Attempt ?? 1, before, RetryPolicy.After(before, known.Attempt ?? 1, observed.Index.Spec.Build.Retries, observed.Now) with { NextRetryAt = known.NextRetryAt }),
            _ => default,
        };
        if (failure is null)
        {
            return null;
        }

        var isNew = known?.LastFailure != failure || known?.Attempt != number || known?.NextRetryAt is null && decision.NextRetryAt is not null;
        PlannedEvent[] told = isNew ? [new PlannedEvent("Warning", failure.Reason!, "Build", $"Attempt {number} failed: {failure.Message}")] : [];
        var isDue = decision.NextRetryAt is { } due && due <= observed.Now;
        if (isDue && StillRunning(observed) is null)
        {
            var next = Start(observed, wanted, number + 1, failure);
            return next with { Events = [.. told, .. next.Events] };
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
        return new Situation(decision.NeedsPerson ? Standing.Stuck : Standing.Working, failure.Reason!, decision.NeedsPerson
            ? failure.Message!
            : $"{Clip.Sentence(failure.Message!)} Attempt {number} of {observed.Index.Spec.Build.Retries + 1}; the next begins by itself.")
        {
            Build = build,
            Events = told,
            LookAgainAfter = isDue ? WaitInterval : decision.NextRetryAt - observed.Now,
        };
    }

    private static (int Number, FailureStatus Failure, RetryDecision Decision) Judge(ObservedState observed, WantedBuild wanted, BuildAttempt latest)
    {
        var failure = Told(observed, wanted, latest) ?? (latest.State == JobState.Complete
            ? new FailureStatus { Reason = Reasons.BuilderCrashed, Message = $"Job {latest.Name} ended without a report that can be read; its pod may have been deleted. The next attempt finds what it published." }
            : FailureClassification.Of(latest, observed.Index));
        return (latest.Number, failure, RetryPolicy.After(failure, latest.Number, observed.Index.Spec.Build.Retries, latest.EndedAt ?? observed.Now));
    }

    // What was found while the pod was there stands when it is gone: pods vanish with their nodes, and the Job alone says little.
    private static FailureStatus? Told(ObservedState observed, WantedBuild wanted, BuildAttempt latest) =>
        latest.Pods.Count == 0
        && observed.Index.Status?.Build is { LastFailure: { } told } known && known.JobKey == wanted.JobKey && known.Attempt == latest.Number && known.Job == latest.Name
        && (known.NextRetryAt is not null || RetryPolicy.After(told, latest.Number, observed.Index.Spec.Build.Retries, observed.Now).NextRetryAt is null)
            ? told
            : null;

    private static Situation Start(ObservedState observed, WantedBuild wanted, int number, FailureStatus? lastFailure = null)
    {
        var create = BuildJobManifest.Build(observed, wanted, number);
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
            .Select(attempt => Delete(attempt, attempt.JobKey == wanted.JobKey ? "a later attempt failed too" : "superseded by a newer spec"));
        var claim = ClaimPolicy.ClaimToCreate(observed);
        return new Situation(Standing.Working, Reasons.Building, NotStarted(name))
        {
            Build = new BuildStatus
            {
                JobKey = wanted.JobKey,
                Attempt = number,
                Job = name,
                Progress = "Pending",
                StartedAt = observed.Now,
                LastFailure = lastFailure ?? Leftover.Of(observed, wanted),
            },
            Actions = [.. FinalizerPolicy.AttachIfMissing(observed.Index), .. old, .. claim is null ? (PlannedAction[])[] : [new CreateClaim(claim)], create],
            Events = [new PlannedEvent("Normal", "BuildStarted", "Build", $"Created Job {name} (attempt {number}) for data version \"{observed.Index.Spec.DataVersion ?? "(unnamed)"}\".")],
        };
    }

    // Only someone's hand brings this about: our own Job's annotations were changed, or another Job was given our name.
    private static Situation NameTaken(ObservedState observed, WantedBuild wanted, int number, V1Job taken)
    {
        var name = taken.Metadata.Name;
        return BuildAttempt.IsOurs(taken, observed.Index)
            ? new Situation(Standing.Working, Reasons.Building, $"Job {name} was changed by someone and no longer says what it builds. It is deleted and made again.")
            {
                Build = StatusOf(observed, wanted, number),
                Actions = taken.Metadata.DeletionTimestamp is null ? [new DeleteJob(name, taken.Metadata.Uid, "it no longer says what it builds", HasSpec: true)] : [],
                LookAgainAfter = WaitInterval,
            }
            : new Situation(Standing.Stuck, Reasons.CreateFailed, $"Job {name} exists and does not belong to this PretrainIndex. Delete it: the build needs the name.")
            {
                Build = StatusOf(observed, wanted, number),
                LookAgainAfter = TimeSpan.FromMinutes(1),
            };
    }

    private static int FirstNumber(ObservedState observed, WantedBuild wanted) =>
        observed.Index.Status?.Build is { Attempt: { } attempt } known && known.JobKey == wanted.JobKey ? attempt : 1;

    private static BuildStatus StatusOf(ObservedState observed, WantedBuild wanted, int number)
    {
        var known = observed.Index.Status?.Build;
        return known?.JobKey == wanted.JobKey && known.Attempt == number
            ? known with { NextRetryAt = null }
            : new BuildStatus { JobKey = wanted.JobKey, Attempt = number, StartedAt = observed.Now, LastFailure = Leftover.Of(observed, wanted) };
    }

    private static List<DeleteJob> DeleteOthers(IReadOnlyList<BuildAttempt> attempts, BuildAttempt? keep) => attempts
        .Where(attempt => attempt.JobKey != keep?.JobKey && attempt is { State: JobState.Active, IsGoing: false })
        .Select(attempt => Delete(attempt, "superseded by a newer spec"))
        .ToList();

    private static DeleteJob Delete(BuildAttempt attempt, string because) => new(attempt.Name, attempt.Job.Metadata.Uid, because, attempt.HasSpec);
}
