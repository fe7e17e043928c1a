using System.Globalization;
using System.Text.Json;
using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>
/// A cluster in memory, as far as one resource sees it: an API server that keeps objects, a Job controller, a kubelet, pods that use the
/// index, and on a <see cref="Site"/> shared with other resources the volumes. Every step is small, so that a pass can come between any two.
/// </summary>
internal sealed class World
{
    public const string Uid = "3f6f0f3e-6f0a-4f2b-9a54-0d7a1c9e2b11";

    private int _created;

    public World(Site? site = null, string name = "web-mix", string uid = Uid)
    {
        Site = site ?? new Site();
        Site.Worlds.Add(this);
        var index = Given.Index(name: name);
        index.Metadata.Uid = uid;
        Index = Stored(index);
    }

    public Site Site { get; }

    public DateTimeOffset Now
    {
        get => Site.Now;
        set => Site.Now = value;
    }

    public PretrainIndex Index { get; private set; }

    /// <summary>False once deleted with no finalizer left.</summary>
    public bool Exists { get; private set; } = true;

    public List<V1Job> Jobs { get; } = [];

    public List<V1Pod> Pods { get; } = [];

    public HashSet<string> Claims => Site.Claims;

    /// <summary>The ConfigMap that tells what to mount.</summary>
    public V1ConfigMap? Binding { get; set; }

    /// <summary>Live pods that use the index or wait for it.</summary>
    public List<V1Pod> Consumers { get; } = [];

    /// <summary>True once somebody took out of the status which workload has which version.</summary>
    public bool PinsLost { get; set; }

    /// <summary>Staging folders on the volume, by the Job that made them.</summary>
    public HashSet<string> Staging { get; } = [];

    /// <summary>True once something that only a log would remember was destroyed: a status by hand, a pod between two passes.</summary>
    public bool EvidenceLost { get; set; }

    /// <summary>True once the operator said that it gave a cleanup up.</summary>
    public bool CleanupGivenUp { get; set; }

    /// <summary>True when there was no cache claim at the moment the resource went.</summary>
    public bool HadNoVolume { get; private set; }

    /// <summary>The version that the spec asks for, of the data as it is.</summary>
    public string WantedVersion => Site.VersionOf(WantedBuild.Of(Index).ContentKey, Site.Data);

    public ObservedState Observe(PretrainIndex? stale = null, IReadOnlyList<V1Pod>? stalePods = null) => new()
    {
        Index = stale ?? Index,
        Jobs = [.. Jobs],
        Pods = [.. Pods],
        Claims = Claims.Select(Given.Claim).ToList(),
        Consumers = stalePods ?? [.. Consumers],
        Peers = [.. Site.Worlds.Where(world => world != this && world.Exists).Select(world => world.Index)],
        PeerJobs = [.. Site.ActiveJobsBeside(this).Where(job => IsWaitedFor(job, stale ?? Index))],
        PinnedElsewhere = [.. Site.Worlds.Where(world => world != this).SelectMany(world => world.Consumers).Select(ConsumerPolicy.VersionOf).OfType<string>()],
        Binding = Binding,
        Now = Now,
    };

    public void Apply(PlannedAction action)
    {
        switch (action)
        {
            case AttachFinalizer attach when Index.Metadata.DeletionTimestamp is null && Index.Metadata.Finalizers?.Contains(attach.Name) != true:
                Change(index => index.Metadata.Finalizers = [.. index.Metadata.Finalizers ?? [], attach.Name]);
                break;
            case DetachFinalizer detach:
                Change(index => index.Metadata.Finalizers = index.Metadata.Finalizers?.Where(name => name != detach.Name).ToList());
                Exists = Index.Metadata is not { DeletionTimestamp: not null, Finalizers: null or { Count: 0 } };
                // What lies on a volume that nobody can mount cannot be removed, also if it comes back when the resource is gone.
                HadNoVolume |= !Exists && !Claims.Contains("npy-index");
                break;
            case CreateClaim create:
                Claims.Add(create.Claim.Metadata.Name);
                break;
            case CreateJob create when Jobs.All(job => job.Metadata.Name != create.Job.Metadata.Name):
                create.Job.Metadata.Uid = string.Create(CultureInfo.InvariantCulture, $"job-{Index.Metadata.Name}-{++_created}");
                create.Job.Metadata.CreationTimestamp = Now.UtcDateTime;
                Jobs.Add(create.Job);
                break;
            case DeleteJob delete:
                DeleteJobs(job => job.Metadata.Uid == delete.Uid);
                break;
            case ApplyBinding apply:
                // A patch of one that is gone since fails and ends the pass; the next makes it again.
                if (apply.Binding.Metadata.Uid is null || apply.Binding.Metadata.Uid == Binding?.Metadata.Uid)
                {
                    apply.Binding.Metadata.Uid ??= string.Create(CultureInfo.InvariantCulture, $"binding-{++_created}");
                    Binding = apply.Binding;
                }

                break;
            case OpenGate open when Consumers.Find(pod => pod.Metadata.Uid == open.Uid && ConsumerPod.IsWaiting(pod)) is { } pod:
                Open(pod, open);
                break;
            case TellPod tell when Consumers.Find(pod => pod.Metadata.Uid == tell.Uid) is { } pod:
                pod.Status.Conditions = [new V1PodCondition { Type = PodConditionTypes.IndexReady, Status = tell.IsReady ? "True" : "False", Reason = tell.Reason, Message = tell.Message }];
                break;
        }
    }

    public void WriteStatus(PretrainIndexStatus? status) => Change(index => index.Status = status);

    public void EditSpec(Func<PretrainIndexSpec, PretrainIndexSpec> edit) => Change(index =>
    {
        index.Spec = edit(index.Spec);
        index.Metadata.Generation++;
    });

    public void AskForRebuild(string token) => Change(index => index.Metadata.Annotations = new Dictionary<string, string> { [Annotations.Rebuild] = token });

    public void DeleteIndex()
    {
        Change(index => index.Metadata.DeletionTimestamp ??= Now.UtcDateTime);
        Exists = Index.Metadata.Finalizers is { Count: > 0 };
    }

    /// <summary>Deletes Jobs at once and tells their pods to go, as background propagation does.</summary>
    public void DeleteJobs(Predicate<V1Job> which)
    {
        foreach (var job in Jobs.FindAll(which))
        {
            Jobs.Remove(job);
            PodsOf(job).ForEach(Tell);
        }
    }

    public void StartPods()
    {
        foreach (var job in Jobs.Where(job => !HasEnded(job) && PodsOf(job).Count == 0))
        {
            Pods.Add(Given.Pod(job, Now));
        }
    }

    public void RunPods()
    {
        foreach (var pod in Pods.Where(pod => pod is { Status.Phase: "Pending", Metadata.DeletionTimestamp: null }))
        {
            pod.Status = Given.Running(Now);
            if (IsBuild(pod))
            {
                // The builder first sweeps what earlier ones have left.
                Staging.Clear();
                Staging.Add(pod.Metadata.OwnerReferences[0].Name);
            }
            else if (JobOf(pod) is { } job && job.Metadata.Annotations.TryGetValue(Annotations.Versions, out var versions) && BuildAttempt.TaskOf(job) != BuildAttempt.CheckTask)
            {
                Site.Remove(versions.Split(','));
            }
        }
    }

    public void EndPods(Func<V1Pod, string?> messageOf, int exitCode)
    {
        foreach (var pod in Pods.Where(pod => pod is { Status.Phase: "Running", Metadata.DeletionTimestamp: null }))
        {
            var task = pod.Metadata.Labels[Labels.Task];
            var message = IsBuild(pod) ? messageOf(pod) : task == BuildAttempt.CheckTask && exitCode == 0 ? Look(pod) : null;
            var isFailure = message is not null && message.Contains(BuildReport.Failed, StringComparison.Ordinal);
            pod.Status = Given.Ended(Now, isFailure ? 3 : exitCode, message);
            if (task == BuildAttempt.CleanupTask)
            {
                Staging.Clear();
            }
            else if (IsBuild(pod) && message is not null)
            {
                Staging.Remove(pod.Metadata.OwnerReferences[0].Name);
            }
        }
    }

    /// <summary>What the builder reports when nothing but the data can hinder it.</summary>
    public string Deliver(V1Pod pod)
    {
        if (Site.IsDataMissing)
        {
            return Given.Failure(Reasons.DataMissing);
        }

        var version = Site.VersionOf(ContentOf(pod), Site.Data);
        return Given.Report(Site.Publish(version) ? BuildReport.Built : BuildReport.Reused, version);
    }

    public void StartConsumer()
    {
        if (Passes.IsTrue(Index.Status, ConditionTypes.Available) && Site.Published.ContainsKey(Index.Status!.Current!.Version!))
        {
            Consumers.Add(new V1Pod
            {
                Metadata = new V1ObjectMeta
                {
                    Name = $"trainer-{++_created}",
                    Uid = $"trainer-{Index.Metadata.Name}-{_created}",
                    Labels = new Dictionary<string, string> { [Labels.Index] = Index.Metadata.Name },
                    Annotations = new Dictionary<string, string> { [Annotations.Version] = Index.Status.Current.Version! },
                },
                Status = new V1PodStatus { Phase = "Running" },
            });
        }
    }

    /// <summary>A pod of a workload that waits: by a gate, or by an init container.</summary>
    public void StartWaiting(string group, string? dataVersion, bool byGate) => Consumers.Add(new V1Pod
    {
        Metadata = new V1ObjectMeta
        {
            Name = $"{group}-{++_created}",
            Uid = $"consumer-{Index.Metadata.Name}-{_created}",
            CreationTimestamp = Now.UtcDateTime,
            Labels = new Dictionary<string, string> { [Labels.Index] = Index.Metadata.Name, [Labels.Group] = group },
            Annotations = dataVersion is null
                ? new Dictionary<string, string> { [Annotations.Injected] = byGate ? "Gate" : "InitContainer" }
                : new Dictionary<string, string> { [Annotations.Injected] = byGate ? "Gate" : "InitContainer", [Annotations.DataVersion] = dataVersion },
        },
        Spec = new V1PodSpec { Containers = [], SchedulingGates = byGate ? [new V1PodSchedulingGate { Name = "example.org/quota" }, new V1PodSchedulingGate { Name = SchedulingGates.IndexReady }] : null },
        Status = new V1PodStatus { Phase = "Pending" },
    });

    /// <summary>The pods as an informer may still show them later.</summary>
    public IReadOnlyList<V1Pod> Snapshot() => [.. Consumers.Select(Copy)];

    // One patch, refused as a whole where the gate is not where it was.
    private void Open(V1Pod pod, OpenGate open)
    {
        Assert.Equal(ConsumerPod.GateOf(pod), open.Gate);
        Assert.True(Site.IsHurt || Site.HasSeenStalePass || Site.Published.ContainsKey(open.Version), $"Pod {open.Pod} is opened with version {open.Version}, which is not there.");
        Assert.True(
            !pod.Metadata.Annotations.TryGetValue(Annotations.DataVersion, out var asked) || Site.HasSeenStalePass || EvidenceLost
                || (Index.Status?.Previous ?? []).Prepend(Index.Status?.Current).Any(version => version?.Version == open.Version && version.DataVersion == asked)
                || Consumers.Any(other => other != pod && GroupKey.Of(other) == GroupKey.Of(pod) && ConsumerPolicy.VersionOf(other) == open.Version),
            $"Pod {open.Pod} insists on data version {asked} and got another.");
        Assert.True(
            GroupPolicy.Pins(Index.Status).TryGetValue(GroupKey.Of(pod)!, out var pin) ? pin == open.Version : Consumers.Any(other => GroupKey.Of(other) == GroupKey.Of(pod) && ConsumerPolicy.VersionOf(other) == open.Version),
            $"Pod {open.Pod} gets version {open.Version}, and the status does not say that its workload has it.");
        var others = Consumers.Where(other => GroupKey.Of(other) == GroupKey.Of(pod)).Select(ConsumerPolicy.VersionOf).OfType<string>().Where(version => version != open.Version).ToList();
        Assert.True(others.Count == 0, $"Pod {open.Pod} gets version {open.Version}, and others of its workload have {string.Join(", ", others)}.");
        pod.Metadata.Annotations = new Dictionary<string, string>(pod.Metadata.Annotations) { [Annotations.Version] = open.Version };
        pod.Spec.SchedulingGates = pod.Spec.SchedulingGates?.Where(gate => gate.Name != SchedulingGates.IndexReady).ToList();
        pod.Status.Phase = "Running";
    }

    private static V1Pod Copy(V1Pod pod) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = pod.Metadata.Name,
            Uid = pod.Metadata.Uid,
            CreationTimestamp = pod.Metadata.CreationTimestamp,
            Labels = pod.Metadata.Labels,
            Annotations = pod.Metadata.Annotations,
        },
        Spec = pod.Spec is null ? null : new V1PodSpec { Containers = [], SchedulingGates = pod.Spec.SchedulingGates },
        Status = new V1PodStatus { Phase = pod.Status.Phase, Conditions = pod.Status.Conditions },
    };

    // What `index-builder check` tells of a version and its data: damaged files are found by their checksums only.
    private string Look(V1Pod pod)
    {
        var job = JobOf(pod)!;
        var version = job.Metadata.Annotations[Annotations.Versions];
        var arguments = job.Spec.Template.Spec.Containers[0].Args;
        var checksums = arguments.Contains("--checksums");
        var report = new BuildReport { Outcome = BuildReport.Checked, Version = version, Integrity = checksums ? BuildReport.Verified : BuildReport.Complete };
        if (!Site.Published.TryGetValue(version, out var builtFrom) || (checksums && Site.Damaged.Contains(version)))
        {
            return (report with { Integrity = BuildReport.Damaged, Message = "It is not what it was." }).ToJson();
        }

        if (arguments.Contains("--skip-data"))
        {
            return report.ToJson();
        }

        if (Site.IsDataMissing)
        {
            return Given.Failure(Reasons.DataMissing);
        }

        return (Site.IsDataBeingWritten ? report with { Data = BuildReport.BeingWritten } : report with
        {
            Data = builtFrom == Site.Data ? BuildReport.Unchanged : BuildReport.Changed,
            Stamp = Given.VersionOf(Site.Data).PadRight(32, '0'),
            Fingerprint = "sha256:" + Given.VersionOf(Site.Data).PadRight(64, '0'),
            Message = builtFrom == Site.Data ? null : "Other data.",
        }).ToJson();
    }

    private static bool IsWaitedFor(V1Job job, PretrainIndex index) => BuildAttempt.TaskOf(job) switch
    {
        BuildAttempt.BuildTask => job.Metadata.Annotations[Annotations.ContentKey] == WantedBuild.Of(index).ContentKey,
        BuildAttempt.CheckTask => false,
        _ => job.Metadata.Annotations.ContainsKey(Annotations.Versions),
    };

    private string ContentOf(V1Pod pod)
    {
        var spec = JobOf(pod)!.Spec.Template.Metadata.Annotations[Annotations.Spec];
        return WantedBuild.Of(JsonSerializer.Deserialize(spec, PlanningJsonContext.Default.PretrainIndex)!).ContentKey;
    }

    private V1Job? JobOf(V1Pod pod) => Jobs.Find(job => job.Metadata.Uid == pod.Metadata.OwnerReferences[0].Uid);

    /// <summary>The Job controller sees how its pods ended.</summary>
    public void EndJobs()
    {
        foreach (var job in Jobs.Where(job => !HasEnded(job)))
        {
            var pods = PodsOf(job);
            if (pods.Any(pod => pod.Status.Phase == "Succeeded"))
            {
                job.Status = Given.JobEnd("Complete", null, Now);
            }
            else if (pods.Any(pod => pod.Status.Phase == "Failed" || pod.Metadata.DeletionTimestamp is not null))
            {
                job.Status = Given.JobEnd("Failed", "BackoffLimitExceeded", Now);
                pods.ForEach(Tell);
            }
        }
    }

    /// <summary>Pods that were told to go are gone.</summary>
    public void RemoveGoingPods() => Pods.RemoveAll(pod => pod.Metadata.DeletionTimestamp is not null);

    /// <summary>The Job controller ends what took too long; before Kubernetes 1.31 it does not wait for the pods.</summary>
    public void TimeOut()
    {
        foreach (var job in Jobs.Where(job => !HasEnded(job) && PodsOf(job).Count > 0))
        {
            job.Status = Given.JobEnd("Failed", "DeadlineExceeded", Now);
            PodsOf(job).ForEach(Tell);
        }
    }

    public void LosePods()
    {
        EvidenceLost |= Pods.Any(IsBuild);
        foreach (var pod in Pods)
        {
            if (Jobs.Find(job => job.Metadata.Uid == pod.Metadata.OwnerReferences[0].Uid && !HasEnded(job)) is { } job)
            {
                job.Status = Given.JobEnd("Failed", "BackoffLimitExceeded", Now);
            }
        }

        Pods.Clear();
    }

    public static bool IsBuild(V1Pod pod) => pod.Metadata.Labels[Labels.Task] == BuildAttempt.BuildTask;

    public static bool HasEnded(V1Job job) => job.Status?.Conditions is { Count: > 0 };

    public List<V1Pod> PodsOf(V1Job job) => Pods.FindAll(pod => pod.Metadata.OwnerReferences[0].Uid == job.Metadata.Uid);

    private void Tell(V1Pod pod)
    {
        if (pod.Status.Phase is not ("Succeeded" or "Failed"))
        {
            pod.Metadata.DeletionTimestamp ??= Now.UtcDateTime;
        }
        else if (Jobs.All(job => job.Metadata.Uid != pod.Metadata.OwnerReferences[0].Uid))
        {
            Pods.Remove(pod);
        }
    }

    private void Change(Action<PretrainIndex> change)
    {
        var copy = Stored(Index);
        change(copy);
        Index = Stored(copy);
    }

    // Through JSON, as the API server keeps it: times in whole seconds, nothing shared.
    private static PretrainIndex Stored(PretrainIndex index) =>
        JsonSerializer.Deserialize(JsonSerializer.Serialize(index, PlanningJsonContext.Default.PretrainIndex), PlanningJsonContext.Default.PretrainIndex)!;
}
