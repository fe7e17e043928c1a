using System.Globalization;
using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>Why an attempt failed, in one word and one sentence: the builder's own report first, then what Kubernetes knows.</summary>
public static class FailureClassification
{
    private const int MaxMessage = 2000;

    private static readonly HashSet<string> ReportedReasons =
    [
        Reasons.InvalidSpec, Reasons.DataMissing, Reasons.DataCorrupt, Reasons.EmptySplit, Reasons.OversampledBlend, Reasons.OutOfSpace,
        Reasons.ReadOnlyCache, Reasons.PermissionDenied, Reasons.VersionCorrupt, Reasons.StorageError,
        Reasons.OutOfMemory, Reasons.Interrupted, Reasons.BuilderCrashed,
    ];

    /// <summary>The reason and message of a failed attempt.</summary>
    public static FailureStatus Of(BuildAttempt attempt, PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(attempt);
        ArgumentNullException.ThrowIfNull(index);
        return Of(attempt, attempt.NewestPod, index) is var (reason, message)
            ? new FailureStatus { Reason = reason, Message = Clip.Characters(Clip.Plain(message), MaxMessage) }
            : new FailureStatus();
    }

    private static (string Reason, string Message) Of(BuildAttempt attempt, V1Pod? pod, PretrainIndex index)
    {
        var terminated = pod is null ? null : BuildAttempt.ContainerOf(pod)?.State?.Terminated;
        if (pod?.Status?.Reason is "Evicted" or "Preempting" or "NodeLost" or "NodeShutdown" or "Shutdown" or "Terminated")
        {
            return (Reasons.Evicted, $"Pod {pod.Metadata.Name} was evicted ({pod.Status.Reason}): {pod.Status.Message ?? "the node gave no message"}");
        }

        if (terminated?.Reason == "OOMKilled")
        {
            return (Reasons.OutOfMemory, "The builder was killed for using more memory than its limit. Raise spec.build.resources.limits.memory; `index-builder plan` tells what a build needs.");
        }

        // A Job that runs out of time interrupts its builder: the time is the cause, the interruption only how it was told.
        var outOfTime = attempt.FailedCondition?.Reason == "DeadlineExceeded";
        if (attempt.Report is { Outcome: BuildReport.Failed } report && !(outOfTime && report.Reason == Reasons.Interrupted))
        {
            var reason = ReportedReasons.Contains(report.Reason ?? "") ? report.Reason! : Reasons.BuilderCrashed;
            return (reason, report.Message is { Length: > 0 } message ? InTermsOfTheSpec(message, index) : $"The builder reported {report.Reason} without a message. See the log of Job {attempt.Name}.");
        }

        if (outOfTime)
        {
            if (attempt.RunningSince is null && PodTrouble.Of(pod) is { } trouble)
            {
                return (trouble.Reason, trouble.Message);
            }

            // Kubernetes deletes the pods of a Job that ran out of time: what kept them from starting is only in the last status.
            var known = index.Status?.Build?.Job == attempt.Name ? index.Status.Build : null;
            var limit = BuildAttempt.TaskOf(attempt.Job) == BuildAttempt.PruneTask ? $"{UpkeepJobManifest.PruneTimeout.TotalMinutes:0} minutes" : $"spec.build.timeout ({index.Spec.Build.Timeout})";
            return attempt.RunningSince is null && known is { RunningSince: null }
                ? (known.Progress is Reasons.Unschedulable or Reasons.ImagePull or Reasons.ContainerStart ? known.Progress : Reasons.Timeout,
                    $"No pod of Job {attempt.Name} could start within {limit}{(known.Progress is null or "Pending" ? "" : $": {known.Progress}")}. Look at the cluster's nodes and at spec.build.")
                : (Reasons.Timeout, BuildAttempt.TaskOf(attempt.Job) switch
                {
                    BuildAttempt.PruneTask => $"Job {attempt.Name} did not end within {limit}.",
                    BuildAttempt.CheckTask => $"The look at the version did not end within {limit}. Raise it, or give spec.build.resources more CPU.",
                    _ => $"The build did not end within {limit}. Raise it, or give the build more CPU.",
                });
        }

        if (pod?.Status?.Conditions?.FirstOrDefault(condition => condition is { Type: "DisruptionTarget", Status: "True" }) is { } disruption)
        {
            return (Reasons.Evicted, $"Pod {pod.Metadata.Name} was evicted ({disruption.Reason}): {disruption.Message ?? "Kubernetes gave no message"}");
        }

        if (terminated is not null)
        {
            // What a builder leaves before it begins says nothing of its end.
            var tail = terminated.Message is { Length: > 0 } text && !BuildReport.TryParse(text, out _) ? $" The end of its log: {OneLine(text)}" : "";
            return (Reasons.BuilderCrashed, string.Create(CultureInfo.InvariantCulture, $"The builder ended with exit code {terminated.ExitCode} ({terminated.Reason}) and no report.{tail}"));
        }

        if (PodTrouble.Of(pod) is { } pending)
        {
            return (pending.Reason, pending.Message);
        }

        return pod is null
            ? (Reasons.Evicted, $"Job {attempt.Name} failed ({attempt.FailedCondition?.Reason ?? "no reason"}) and its pod is gone: it was deleted, or its node was lost.")
            : (Reasons.BuilderCrashed, $"Job {attempt.Name} failed ({attempt.FailedCondition?.Reason ?? "no reason"}) without a report: {attempt.FailedCondition?.Message ?? "no message"}");
    }

    // The builder speaks of its own mounts; a person knows the declared prefixes and the claim.
    private static string InTermsOfTheSpec(string message, PretrainIndex index) => message
        .Replace(BuildJobManifest.DataDirectory, index.Spec.Data.MountPath?.TrimEnd('/'), StringComparison.Ordinal)
        .Replace(BuildJobManifest.CacheDirectory, $"claim {ClaimPolicy.CacheClaimName(index)}", StringComparison.Ordinal);

    private static string OneLine(string text)
    {
        var line = string.Join(' ', text.Split(['\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        return Clip.Tail(line, 1000);
    }
}
