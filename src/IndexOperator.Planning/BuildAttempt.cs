using System.Globalization;
using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>How far a Job is, judged by its conditions only: <c>status.failed</c> also counts pods that were replaced.</summary>
public enum JobState
{
    /// <summary>Neither complete nor failed.</summary>
    Active,

    /// <summary>The condition Complete is True.</summary>
    Complete,

    /// <summary>The condition Failed is True.</summary>
    Failed,
}

/// <summary>One of our Jobs with its pods, read into what decisions need.</summary>
public sealed class BuildAttempt
{
    /// <summary>The value of <see cref="Labels.Task"/> on build Jobs.</summary>
    public const string BuildTask = "build";

    /// <summary>The value of <see cref="Labels.Task"/> on Jobs that look at a version and its data.</summary>
    public const string CheckTask = "check";

    /// <summary>The value of <see cref="Labels.Task"/> on Jobs that remove old versions.</summary>
    public const string PruneTask = "prune";

    /// <summary>The value of <see cref="Labels.Task"/> on cleanup Jobs.</summary>
    public const string CleanupTask = "cleanup";

    /// <summary>The name of the one container of our pods.</summary>
    public const string ContainerName = "index-builder";

    private const string FailureTarget = "FailureTarget";

    // Far above what backoff allows in years, far below where counting on would overflow.
    private const int MaxNumber = 1_000_000;
    private const int MaxVersions = 200;

    private static readonly TimeSpan ClockSlack = TimeSpan.FromMinutes(1);

    /// <summary>Jobs and pods arrive by different watches: how long a pod's last words may be behind its Job's end.</summary>
    public static readonly TimeSpan ReportGrace = TimeSpan.FromSeconds(5);

    private BuildAttempt(V1Job job, IReadOnlyList<V1Pod> pods, DateTimeOffset now)
    {
        Job = job;
        Pods = pods;
        var ended = EndOf(job) ?? LostOf(job, pods, now);
        State = ended?.Type switch { "Complete" => JobState.Complete, "Failed" or FailureTarget => JobState.Failed, _ => JobState.Active };
        FailedCondition = State == JobState.Failed ? ended : null;
        EndedAt = State == JobState.Active ? null : Utc(job.Status?.CompletionTime ?? ended?.LastTransitionTime ?? job.Metadata.CreationTimestamp);
        var reports = pods.Select(ReportOf).OfType<BuildReport>().ToList();
        Report = reports.FirstOrDefault(report => report.Outcome != BuildReport.Begun);
        PredictedMemoryBytes = reports.FirstOrDefault(report => report.PredictedMemoryBytes is not null)?.PredictedMemoryBytes;
    }

    /// <summary>The Job.</summary>
    public V1Job Job { get; }

    /// <summary>Its pods, newest first.</summary>
    public IReadOnlyList<V1Pod> Pods { get; }

    /// <summary>True when a pod ended; its container's last words are final.</summary>
    public bool PodEnded => NewestPod?.Status?.Phase is "Succeeded" or "Failed";

    /// <summary>True when it published a version.</summary>
    public bool Delivered => this is { State: JobState.Complete, Report.Outcome: BuildReport.Built or BuildReport.Reused };

    /// <summary>The newest of its pods; null when there is none.</summary>
    public V1Pod? NewestPod => Pods.Count > 0 ? Pods[0] : null;

    /// <summary>The Job's name.</summary>
    public string Name => Job.Metadata.Name;

    /// <summary>Whether the Job's pod reads the spec from a ConfigMap of the Job's name.</summary>
    public bool HasSpec => Annotation(Annotations.SpecConfigMap) is not null;

    /// <summary>How far it is.</summary>
    public JobState State { get; }

    /// <summary>The condition Failed (or FailureTarget, where its pods are lost); null unless <see cref="State"/> is Failed.</summary>
    public V1JobCondition? FailedCondition { get; }

    /// <summary>When it ended; null while active.</summary>
    public DateTimeOffset? EndedAt { get; }

    /// <summary>What its pod reported in the termination message; null when there is no sound report.</summary>
    public BuildReport? Report { get; }

    /// <summary>The memory that `plan` expects of the build; null when its pod did not say.</summary>
    public long? PredictedMemoryBytes { get; }

    /// <summary>True when it has ended and nothing more will be heard of it: its pod's last words are there, or have had time to arrive.</summary>
    public bool IsOver(DateTimeOffset now) => EndedAt is { } ended && (Report is not null || PodEnded || ended + ReportGrace <= now || IsAhead(ended, now));

    /// <summary>How long its pod's last words are still waited for; null while it has not ended, and when it is over.</summary>
    public TimeSpan? LeftForReport(DateTimeOffset now) => EndedAt is { } ended && !IsOver(now) ? ended + ReportGrace - now : null;

    /// <summary>The versions that it checks or removes; empty where the annotation names none that this operator would have written.</summary>
    public IReadOnlyList<string> Versions => VersionsOf(Job);

    /// <summary>The memory that it was given in place of what the spec says, because an earlier attempt was killed for its memory; null when the spec decided.</summary>
    public long? RaisedMemoryBytes => long.TryParse(Annotation(Annotations.Memory), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) && bytes > 0 ? bytes : null;

    /// <summary>Which attempt this is, from 1; 1 where the annotation says nothing that this operator would have written.</summary>
    public int Number => int.TryParse(Annotation(Annotations.Attempt), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and < MaxNumber ? number : 1;

    /// <summary>The key of the version that it builds.</summary>
    public string? BuildKey => Annotation(Annotations.BuildKey);

    /// <summary>The key of everything that it carries out.</summary>
    public string? JobKey => Annotation(Annotations.JobKey);

    /// <summary>Whether it looks at a version, and does not remove any.</summary>
    public bool IsCheck => TaskOf(Job) == CheckTask;

    /// <summary>True when it is being deleted.</summary>
    public bool IsGoing => Job.Metadata.DeletionTimestamp is not null;

    /// <summary>When the builder's container began in the newest pod; null when it never did.</summary>
    public DateTimeOffset? RunningSince => Pods
        .Select(StartedAt)
        .FirstOrDefault(started => started is not null);

    /// <summary>The action that deletes the Job with what belongs to it.</summary>
    public DeleteJob Delete(string because) => new(Name, Job.Metadata.Uid, because, HasSpec);

    /// <summary>The resource's Jobs of a task, with their pods.</summary>
    public static IReadOnlyList<BuildAttempt> AllOf(ObservedState observed, string task)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return observed.Jobs
            .Where(job => TaskOf(job) == task && IsOurs(job, observed.Index))
            .Select(job => new BuildAttempt(job, PodsOf(job, observed.Pods), observed.Now))
            .OrderBy(attempt => attempt.Job.Metadata.CreationTimestamp).ThenBy(attempt => attempt.Number)
            .ToList();
    }

    /// <summary>The status of our container in a pod; null before the kubelet reports it.</summary>
    public static V1ContainerStatus? ContainerOf(V1Pod pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        return pod.Status?.ContainerStatuses?.FirstOrDefault(container => container.Name == ContainerName);
    }

    /// <summary>When the builder's container began in a pod; null when it never did.</summary>
    public static DateTimeOffset? StartedAt(V1Pod pod)
    {
        var state = ContainerOf(pod)?.State;
        return Utc(state?.Running?.StartedAt ?? state?.Terminated?.StartedAt);
    }

    /// <summary>
    /// The pods that a Job of this resource made. Labels can be copied, so a pod counts by its owner; of a Job that is gone only the
    /// reference is left, and its name is trusted.
    /// </summary>
    public static IEnumerable<V1Pod> PodsOfTask(ObservedState observed, string task)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var foreign = observed.Jobs.Where(job => !IsOurs(job, observed.Index)).Select(job => job.Metadata.Uid).ToHashSet();
        var prefix = WantedBuild.NamePrefix(observed.Index, task);
        return observed.Pods.Where(pod =>
            pod.Metadata.Labels?.TryGetValue(Labels.Task, out var value) == true && value == task
            && pod.Metadata.OwnerReferences?.Any(owner => owner.Kind == "Job" && !foreign.Contains(owner.Uid) && owner.Name.StartsWith(prefix, StringComparison.Ordinal)) == true);
    }

    /// <summary>True when the Job was made by this resource, whatever its labels say.</summary>
    public static bool IsOurs(V1Job job, PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(index);
        return job.Metadata.OwnerReferences?.Any(owner => owner.Uid == index.Metadata.Uid) == true;
    }

    /// <summary>A time of an object, which is UTC whatever its kind says; null for none.</summary>
    public static DateTimeOffset? Utc(DateTime? time) =>
        time is { } value ? new DateTimeOffset(DateTime.SpecifyKind(value.ToUniversalTime(), DateTimeKind.Utc)) : null;

    /// <summary>True for the time of something that has happened and that no two clocks can differ by: one was set back since.</summary>
    public static bool IsAhead(DateTimeOffset happened, DateTimeOffset now) => happened > now + ClockSlack;

    /// <summary>The condition that says that a Job has ended; null while it has not.</summary>
    public static V1JobCondition? EndOf(V1Job job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return job.Status?.Conditions?.FirstOrDefault(condition => condition.Status == "True" && (condition.Type is "Complete" or "Failed"));
    }

    /// <summary>What a Job does, by its label; null where it does not say.</summary>
    public static string? TaskOf(V1Job job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return job.Metadata.Labels?.TryGetValue(Labels.Task, out var task) == true ? task : null;
    }

    /// <summary>The versions that a Job checks or removes; empty where the annotation names none that this operator would have written.</summary>
    public static IReadOnlyList<string> VersionsOf(V1Job job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return job.Metadata.Annotations?.TryGetValue(Annotations.Versions, out var text) == true && text.Split(',') is { Length: <= MaxVersions } names && names.All(IsVersion) ? names : [];
    }

    /// <summary>True for what can be the name of a version: 20 hex digits.</summary>
    public static bool IsVersion(string? text) => text is { Length: 20 } && text.All(char.IsAsciiHexDigitLower);

    // From Kubernetes 1.31 on a Job is Failed only when its pods have ended (its documentation: terminal Job conditions), and those on a
    // node that is silent never do.
    private static V1JobCondition? LostOf(V1Job job, IReadOnlyList<V1Pod> pods, DateTimeOffset now) =>
        pods.Count > 0 && pods.All(pod => BuildPolicy.IsLost(pod, now))
            ? job.Status?.Conditions?.FirstOrDefault(condition => condition is { Type: FailureTarget, Status: "True" })
            : null;

    private static List<V1Pod> PodsOf(V1Job job, IReadOnlyList<V1Pod> pods) => pods
        .Where(pod => pod.Metadata.OwnerReferences?.Any(owner => owner.Uid == job.Metadata.Uid) == true)
        .OrderByDescending(pod => pod.Metadata.CreationTimestamp)
        .ToList();

    private static BuildReport? ReportOf(V1Pod pod) =>
        BuildReport.TryParse(ContainerOf(pod)?.State?.Terminated?.Message, out var report) ? report : null;

    private string? Annotation(string name) => Job.Metadata.Annotations?.TryGetValue(name, out var value) == true ? value : null;
}
