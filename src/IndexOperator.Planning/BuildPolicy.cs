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
    internal static readonly TimeSpan WaitInterval = TimeSpan.FromSeconds(5);
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

        var cleanup = attempts.Where(attempt => attempt != done && !attempt.IsGoing).Select(attempt => attempt.Delete("another version is current"));
        var left = Leftover.AfterPublishing(observed, attempts, done, delivered is not null);
        return new Situation(
            Standing.Published,
            version.Outcome == BuildReport.Reused ? Reasons.Reused : Reasons.Published,
            PublishPolicy.Message(observed, version))
        {
            Build = left,
            Delivered = delivered,
            Actions = [.. cleanup],
            Events = delivered is not null && done?.Report?.Quarantined is { } aside
                ? [new PlannedEvent("Warning", Reasons.Quarantined, "Build", $"A damaged version was in the way; it was moved to {Clip.Plain(aside)} on claim {ClaimPolicy.CacheClaimName(observed.Index)}. Look at it, then remove it by hand.")]
                : [],
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
        var known = observed.Index.Status?.Build is { } reported && reported.JobKey == wanted.JobKey ? reported : null;
        var pauses = known?.NextRetryAt > observed.Now;
        if (others.Count > 0 || latest is { State: JobState.Active } || (!pauses && StillRunning(observed, latest) is not null))
        {
            var pod = StillRunning(observed, latest)?.Metadata.Name;
            var build = StatusOf(observed, wanted, latest?.Number ?? FirstNumber(observed, wanted));
            return new Situation(Standing.Working, Reasons.Building, $"Waiting for an earlier build to stop{(pod is null ? "" : $" (pod {pod})")} before the next one starts.")
            {
                // A build that gave way keeps its pause, however long its pod takes to go.
                Build = known?.Attempt == build.Attempt ? build with { NextRetryAt = known?.NextRetryAt } : build,
                Actions = others,
                LookAgainAfter = WaitInterval,
            };
        }

        return AwaitReport(observed, wanted, latest) ?? FailedBuildPolicy.Decide(observed, wanted, latest) ?? StartPolicy.Start(observed, wanted, FirstNumber(observed, wanted));
    }

    /// <summary>Deletes every Job that has not ended.</summary>
    public static IReadOnlyList<PlannedAction> StopAll(ObservedState observed, string because) =>
        BuildAttempt.AllOf(observed, BuildAttempt.BuildTask)
            .Where(attempt => attempt is { State: JobState.Active, IsGoing: false })
            .Select(attempt => attempt.Delete(because))
            .ToList();

    /// <summary>True when the wanted build's container has begun and its Job has not ended.</summary>
    public static bool IsRunning(ObservedState observed, WantedBuild wanted)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        return BuildAttempt.AllOf(observed, BuildAttempt.BuildTask)
            .Any(attempt => attempt is { State: JobState.Active, IsGoing: false, RunningSince: not null } && attempt.JobKey == wanted.JobKey);
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
            && !IsLost(pod, observed.Now));
    }

    /// <summary>True for a pod that was told to go and outlives that by more than a kubelet that is there would let it.</summary>
    public static bool IsLost(V1Pod pod, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(pod);
        return BuildAttempt.Utc(pod.Metadata.DeletionTimestamp) + (pod.Status?.Phase == "Pending" ? TimeSpan.Zero : GoneGrace) < now;
    }

    // A Job keeps its image for ever: one that cannot be pulled is waited for only until the operator is given another.
    private static Situation? WithOldImage(ObservedState observed, WantedBuild wanted, BuildAttempt attempt) =>
        attempt.RunningSince is null
        && PodTrouble.Of(attempt.NewestPod)?.Reason == Reasons.ImagePull
        && attempt.Job.Spec?.Template?.Spec?.Containers?.FirstOrDefault()?.Image is { } image && image != observed.Settings.BuilderImage
            ? new Situation(Standing.Working, Reasons.Building, $"Job {attempt.Name} could not pull {image}, and the operator now builds with {observed.Settings.BuilderImage}: the Job is made again.")
            {
                Build = StatusOf(observed, wanted, attempt.Number),
                Actions = [attempt.Delete("its image cannot be pulled and is no longer the operator's")],
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
                    EtaSeconds = progress?.EtaSeconds is { } seconds ? (long)Math.Ceiling(seconds) : null,
                    Progress = progress is not null ? ProgressText.Of(progress) : build.RunningSince is null ? "Starting" : build.Progress ?? "Starting",
                },
                LookAgainAfter = ProgressInterval,
            };
        }

        if ((PodTrouble.Of(attempt.NewestPod) is { } found ? ClaimPolicy.Pending(observed, found) ?? found : null) is { } trouble)
        {
            var left = (trouble.Since ?? observed.Now) + PodTrouble.Patience - observed.Now;
            return left <= TimeSpan.Zero && GiveWay(observed, wanted, attempt, trouble) is { } givenUp ? givenUp : new Situation(left > TimeSpan.Zero ? Standing.Working : Standing.Stuck, trouble.Reason, trouble.Message)
            {
                Build = build with { Progress = trouble.Reason },
                // Whoever comes to wait for this build is not seen from here, unless one looks.
                LookAgainAfter = left > TimeSpan.Zero ? left : trouble.Reason == Reasons.ClaimPending ? null : PendingInterval,
            };
        }

        return new Situation(Standing.Working, Reasons.Building, NotStarted(attempt.Name))
        {
            Build = build with { Progress = "Pending" },
            // A Job deleted so soon that no watch ever showed it gives no other sign.
            LookAgainAfter = PendingInterval,
        };
    }

    // A pod that cannot start holds up nobody who asks for other nodes: the Job goes, and is made again after a pause. Claims are the same for all.
    private static Situation? GiveWay(ObservedState observed, WantedBuild wanted, BuildAttempt attempt, PodTrouble trouble)
    {
        if (trouble.Reason == Reasons.ClaimPending || !SharedBuildPolicy.IsAwaited(observed, wanted))
        {
            return null;
        }

        var failure = new FailureStatus { Reason = trouble.Reason, Message = $"{Clip.Sentence(trouble.Message)} Job {attempt.Name} gave way to another PretrainIndex of the same content." };
        return new Situation(Standing.Working, trouble.Reason, failure.Message)
        {
            Build = StatusOf(observed, wanted, attempt.Number) with { Job = attempt.Name, LastFailure = failure, NextRetryAt = observed.Now + RetryPolicy.LongestPause, Progress = null },
            Actions = [attempt.Delete("its pod cannot start, and another PretrainIndex waits to build the same")],
            Events = [new PlannedEvent("Warning", trouble.Reason, "Build", failure.Message)],
            LookAgainAfter = WaitInterval,
        };
    }

    // The same from the Job's creation until its pod runs: every other word would be one more write a build, and a pod in trouble is told of.
    internal static string NotStarted(string job) =>
        $"Job {job} is waiting for its pod to start. If this lasts, `kubectl describe pods -l job-name={job}` tells why, and without a pod `kubectl describe job {job}`.";

    // Jobs and pods arrive by different watches: a Job may be seen to have ended before its pod's last words are.
    private static Situation? AwaitReport(ObservedState observed, WantedBuild wanted, BuildAttempt? latest) =>
        latest?.LeftForReport(observed.Now) is { } left
            ? new Situation(Standing.Working, Reasons.Building, $"Job {latest.Name} has ended; what its pod reported is waited for.")
            {
                Build = StatusOf(observed, wanted, latest.Number) with { Job = latest.Name },
                LookAgainAfter = left,
            }
            : null;

    private static int FirstNumber(ObservedState observed, WantedBuild wanted) =>
        observed.Index.Status?.Build is { Attempt: { } attempt } known && known.JobKey == wanted.JobKey ? attempt : 1;

    internal static BuildStatus StatusOf(ObservedState observed, WantedBuild wanted, int number)
    {
        var known = observed.Index.Status?.Build;
        return known?.JobKey == wanted.JobKey && known.Attempt == number
            ? known with { NextRetryAt = null }
            : new BuildStatus { JobKey = wanted.JobKey, Attempt = number, StartedAt = observed.Now, LastFailure = Leftover.Of(observed, wanted) };
    }

    private static List<DeleteJob> DeleteOthers(IReadOnlyList<BuildAttempt> attempts, BuildAttempt? keep) => attempts
        .Where(attempt => attempt.JobKey != keep?.JobKey && attempt is { State: JobState.Active, IsGoing: false })
        .Select(attempt => attempt.Delete("superseded by a newer spec"))
        .ToList();
}
