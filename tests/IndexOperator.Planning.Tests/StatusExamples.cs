using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>
/// One observed state for each thing that a status can tell, as short as they can be: together with the golden cases they show every row
/// of docs/status.md.
/// </summary>
internal static class StatusExamples
{
    private static readonly string Version = Given.VersionOf("content");
    private static readonly string Earlier = Given.VersionOf("earlier content");

    // What a builder says of itself; the rest is what Kubernetes tells of its pod.
    private static readonly string[] Reported =
    [
        Reasons.BuilderCrashed, Reasons.DataCorrupt, Reasons.DataMissing, Reasons.EmptySplit, Reasons.Interrupted, Reasons.InvalidSpec, Reasons.OutOfMemory,
        Reasons.OutOfSpace, Reasons.OversampledBlend, Reasons.PermissionDenied, Reasons.ReadOnlyCache, Reasons.StorageError, Reasons.VersionCorrupt,
    ];

    private static readonly string[] Told = [Reasons.ContainerStart, Reasons.Evicted, Reasons.ImagePull, Reasons.Timeout, Reasons.Unschedulable];

    public static IEnumerable<(string Name, ObservedState Observed)> All() => Builds().Concat(Claims()).Concat(Looks()).Concat(Deletions());

    private static IEnumerable<(string, ObservedState)> Builds()
    {
        foreach (var reason in Reported.Concat(Told))
        {
            yield return ($"first attempt {reason}", Ended(Given.Index(), 1, reason));
            yield return ($"last attempt {reason}", Ended(Given.Index(), 4, reason));
        }

        foreach (var (reason, status) in Troubles())
        {
            yield return ($"{reason} for a moment", Pending(reason, status, Given.Now));
            yield return ($"{reason} for long", Pending(reason, status, Given.Now + PodTrouble.Patience));
        }

        yield return ("the spec is invalid", Given.Observed(Given.Index(spec => spec with { Build = new BuildSpec { Timeout = GoDuration.Parse("0s") } })));
        yield return ("suspended", Given.Observed(Given.Index(spec => spec with { Suspend = true })));
        yield return ("a peer comes first", Given.Observed(Given.Index()) with { Peers = [Earliest()] });
        yield return ("a kept version is asked for again", Given.Observed(Published(spec => spec with { DataVersion = "b" }, previousFor: Given.Index(spec => spec with { DataVersion = "b" }))));
        yield return ("a damaged version was in the way", Delivered(Given.Index(), quarantined: $".quarantine/{Version}"));
    }

    private static IEnumerable<(string, ObservedState)> Claims()
    {
        var index = Given.Index();
        yield return ("no claim", Given.Observed(index) with { Claims = [] });
        yield return ("a claim for reading", Given.Observed(index) with { Claims = [Given.Claim("corpus"), Claim("ReadOnlyMany")] });
        yield return ("published and no claim", Given.Observed(Published()) with { Claims = [Given.Claim("corpus")] });
        yield return ("the Job is refused", Given.Observed(index) with { Refusal = Refused(Reasons.CreateFailed) });
        yield return ("the Job of a look is refused", Given.Observed(Published()) with { Refusal = Refused(Reasons.CreateFailed), Now = Given.Now.AddDays(2) });
        yield return ("the binding is somebody else's", Given.Observed(Published()) with { Binding = null, BindingRefusal = Refused(Reasons.BindingFailed) });
        yield return ("the claim cannot grow", Given.Observed(Published()) with { ExpansionRefusal = Refused(Reasons.ClaimExpansionFailed) });
    }

    private static IEnumerable<(string, ObservedState)> Looks()
    {
        var sound = new BuildReport { Outcome = BuildReport.Checked, Version = Version, Integrity = BuildReport.Complete, Data = BuildReport.Unchanged, Stamp = new string('1', 32), Fingerprint = "sha256:" + new string('1', 64) };
        var changed = sound with { Data = BuildReport.Changed, Message = "/data/web_text_document.idx has other content of the same size." };
        foreach (var policy in Enum.GetValues<ChangePolicy>())
        {
            var index = Published(spec => spec with { Refresh = new RefreshSpec { OnChange = policy } });
            yield return ($"the data changed and {policy}", Looked(index, changed));
            yield return ($"the data is gone and {policy}", Looked(index, Reasons.DataMissing));
        }

        yield return ("the data may not be read", Looked(Published(), Reasons.PermissionDenied));
        yield return ("the data is corrupt", Looked(Published(), Reasons.DataCorrupt));
        yield return ("the data is as it was", Looked(Published(), sound));
        yield return ("the data is being written", Looked(Published(), sound with { Data = BuildReport.BeingWritten, Fingerprint = null }));
        yield return ("the version is damaged", Looked(Published(), sound with { Integrity = BuildReport.Damaged, Data = null, Message = "It lacks a file." }));
        yield return ("the files have their checksums", Looked(Published(), sound with { Integrity = BuildReport.Verified }, Given.Now.AddHours(1)));
        foreach (var reason in Reported.Concat(Told).Where(reason => !RetryPolicy.After(new FailureStatus { Reason = reason }, 1, 3, Given.Now).NeedsPerson))
        {
            var index = Published();
            index.Status = index.Status! with { Data = new DataStatus { Failures = 2, CheckedAt = Given.Now.AddMinutes(-2) } };
            yield return ($"a third look failed: {reason}", Looked(index, reason));
        }

        foreach (var reason in new[] { Reasons.DataMissing, Reasons.DataCorrupt, Reasons.PermissionDenied })
        {
            var index = Published(spec => spec with { Refresh = new RefreshSpec { Interval = GoDuration.Parse("0") } });
            index.Status = index.Status! with { Data = new DataStatus { Failures = 3, CheckedAt = Given.Now, LastFailure = new FailureStatus { Reason = reason, Message = "It was so." } } };
            yield return ($"nobody is to look any more, last {reason}", Given.Observed(index));
        }

        var pruning = Published(spec => spec with { Cache = new CacheSpec { ClaimName = "npy-index", HistoryLimit = 0 } }, previousFor: Given.Index(spec => spec with { DataVersion = "z" }));
        var prune = Named(UpkeepJobManifest.Prune(Given.Observed(pruning), [Earlier]).Job);
        prune.Status = Given.JobEnd("Complete", null, Given.Now);
        yield return ("old versions are removed", Given.Observed(pruning) with { Jobs = [prune] });
        var failed = Named(UpkeepJobManifest.Prune(Given.Observed(pruning), [Earlier]).Job);
        failed.Status = Given.JobEnd("Failed", "BackoffLimitExceeded", Given.Now);
        yield return ("old versions cannot be removed", Given.Observed(pruning) with { Jobs = [failed], Now = Given.Now.AddMinutes(11) });
    }

    private static IEnumerable<(string, ObservedState)> Deletions()
    {
        yield return ("deleted and running", Ended(Going(Given.Index()), 1, null));
        yield return ("deleted and in use", Given.Observed(Going(Published())) with { Consumers = [new V1Pod { Metadata = new V1ObjectMeta { Name = "trainer" }, Status = new V1PodStatus { Phase = "Running" } }] });
        var withData = Going(Published(spec => spec with { Cache = new CacheSpec { ClaimName = "npy-index", DeletionPolicy = Api.DeletionPolicy.Delete } }));
        yield return ("deleted and the cleanup is refused", Given.Observed(withData) with { Refusal = Refused(Reasons.CreateFailed) });
        var cleanup = Named(UpkeepJobManifest.Cleanup(Given.Observed(withData), [Version]).Job);
        cleanup.Status = Given.JobEnd("Failed", "BackoffLimitExceeded", Given.Now);
        yield return ("deleted and the cleanup failed", Given.Observed(withData) with { Jobs = [cleanup] });
    }

    private static IEnumerable<(string Reason, V1PodStatus Status)> Troubles()
    {
        yield return (Reasons.Unschedulable, Unschedulable("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity."));
        yield return (Reasons.ImagePull, Given.Waiting("ImagePullBackOff", "no such image", Given.Now));
        yield return (Reasons.ContainerStart, Given.Waiting("CreateContainerConfigError", "image runs as root", Given.Now));
        yield return (Reasons.ClaimPending, Unschedulable("pod has unbound immediate PersistentVolumeClaims"));
    }

    private static ObservedState Pending(string reason, V1PodStatus status, DateTimeOffset now)
    {
        var (observed, cache) = (Ended(Given.Index(), 1, null), Given.Claim("npy-index"));
        cache.Status.Phase = reason == Reasons.ClaimPending ? "Pending" : "Bound";
        return observed with { Claims = [Given.Claim("corpus"), cache], Pods = [Given.Pod(observed.Jobs[0], Given.Now).With(status)], Now = now };
    }

    private static V1PodStatus Unschedulable(string message) => new()
    {
        Phase = "Pending",
        Conditions = [new V1PodCondition { Type = "PodScheduled", Status = "False", Reason = "Unschedulable", Message = message, LastTransitionTime = Given.Now.UtcDateTime }],
    };

    private static ObservedState Ended(PretrainIndex index, int attempt, string? reason) => Failed(Given.Observed(index), Given.Job(index, attempt), reason);

    private static ObservedState Looked(PretrainIndex index, BuildReport report, DateTimeOffset? at = null)
    {
        var job = LookOf(index);
        job.Status = Given.JobEnd("Complete", null, at ?? Given.Now);
        return Given.Observed(index) with { Jobs = [job], Pods = [Given.Pod(job, Given.Now).With(Given.Ended(Given.Now, 0, report.ToJson()))], Now = at ?? Given.Now };
    }

    private static ObservedState Looked(PretrainIndex index, string reason) => Failed(Given.Observed(index), LookOf(index), reason);

    private static V1Job LookOf(PretrainIndex index) =>
        Named(UpkeepJobManifest.Check(Given.Observed(index), index.Status!.Current!, new Look(Data: true, Content: false, Checksums: false), 0).Job);

    // A Job that failed for a reason, with its pod; one that runs where there is no reason.
    private static ObservedState Failed(ObservedState observed, V1Job job, string? reason)
    {
        job.Status = reason is null ? null : Given.JobEnd("Failed", Told.Contains(reason) && reason != Reasons.Evicted ? "DeadlineExceeded" : "BackoffLimitExceeded", Given.Now);
        var pod = reason switch
        {
            null or Reasons.Timeout => Given.Running(Given.Now),
            Reasons.Evicted => new V1PodStatus { Phase = "Failed", Reason = "Evicted", Message = "The node was low on resource: memory." },
            _ when Reported.Contains(reason) => Given.Ended(Given.Now, 3, Given.Failure(reason)),
            _ => Troubles().First(trouble => trouble.Reason == reason).Status,
        };
        return observed with { Jobs = [job], Pods = [Given.Pod(job, Given.Now).With(pod)], Now = Given.Now + BuildAttempt.ReportGrace };
    }

    private static ObservedState Delivered(PretrainIndex index, string? quarantined = null)
    {
        var job = Given.Job(index);
        job.Status = Given.JobEnd("Complete", null, Given.Now);
        var report = new BuildReport { Outcome = BuildReport.Built, Version = Version, Fingerprint = "sha256:" + new string('0', 64), SizeBytes = 1024, Files = 3, Quarantined = quarantined };
        return Given.Observed(index) with { Jobs = [job], Pods = [Given.Pod(job, Given.Now).With(Given.Ended(Given.Now, 0, report.ToJson()))] };
    }

    // Published for the spec of Given.Index with the change's other parts; what is asked for now may be another.
    private static PretrainIndex Published(Func<PretrainIndexSpec, PretrainIndexSpec>? change = null, PretrainIndex? previousFor = null)
    {
        var index = Given.Index(change);
        var wanted = index.Spec;
        index.Spec = wanted with { DataVersion = "a" };
        var status = Planner.Plan(Delivered(index)).Status;
        index.Status = previousFor is null ? status : status with
        {
            Previous = [status.Current! with { Version = Earlier, Path = $"versions/{Earlier}", BuildKey = WantedBuild.Of(previousFor).BuildKey }],
        };
        index.Spec = wanted;
        return index;
    }

    private static PretrainIndex Going(PretrainIndex index)
    {
        index.Metadata.DeletionTimestamp = Given.Now.UtcDateTime;
        index.Metadata.Finalizers = [Finalizers.Cleanup];
        return index;
    }

    private static PretrainIndex Earliest()
    {
        var peer = Given.Index(name: "a-mix");
        peer.Metadata.Uid = "another";
        return peer;
    }

    private static V1Job Named(V1Job job)
    {
        job.Metadata.Uid = "uid-of-" + job.Metadata.Name;
        job.Metadata.CreationTimestamp = Given.Now.UtcDateTime;
        return job;
    }

    private static V1PersistentVolumeClaim Claim(string mode)
    {
        var claim = Given.Claim("npy-index");
        claim.Spec.AccessModes = [mode];
        return claim;
    }

    private static FailureStatus Refused(string reason) => new() { Reason = reason, Message = "The API server refused: exceeded quota" };
}
