using System.Globalization;
using System.Text.Json;
using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>
/// A cluster in memory, as far as builds see it: an API server that keeps objects, a Job controller, a kubelet, a volume with versions and
/// staging folders. Every step is small, so that a pass can come between any two.
/// </summary>
internal sealed class World
{
    public const string Uid = "3f6f0f3e-6f0a-4f2b-9a54-0d7a1c9e2b11";

    private int _created;

    public World() => Index = Stored(Given.Index());

    public DateTimeOffset Now { get; set; } = Given.Now;

    public PretrainIndex Index { get; private set; }

    /// <summary>False once deleted with no finalizer left.</summary>
    public bool Exists { get; private set; } = true;

    public List<V1Job> Jobs { get; } = [];

    public List<V1Pod> Pods { get; } = [];

    public HashSet<string> Claims { get; } = ["corpus", "npy-index"];

    /// <summary>Versions on the volume.</summary>
    public HashSet<string> Published { get; } = [];

    /// <summary>Staging folders on the volume, by the Job that made them.</summary>
    public HashSet<string> Staging { get; } = [];

    /// <summary>True once something that only a log would remember was destroyed: a status by hand, a pod between two passes.</summary>
    public bool EvidenceLost { get; set; }

    /// <summary>True once the operator said that it gave a cleanup up.</summary>
    public bool CleanupGivenUp { get; set; }

    public ObservedState Observe(PretrainIndex? stale = null) => new()
    {
        Index = stale ?? Index,
        Jobs = [.. Jobs],
        Pods = [.. Pods],
        Claims = Claims.Select(Given.Claim).ToList(),
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
                break;
            case CreateClaim create:
                Claims.Add(create.Claim.Metadata.Name);
                break;
            case CreateJob create when Jobs.All(job => job.Metadata.Name != create.Job.Metadata.Name):
                create.Job.Metadata.Uid = string.Create(CultureInfo.InvariantCulture, $"job-{++_created}");
                create.Job.Metadata.CreationTimestamp = Now.UtcDateTime;
                Jobs.Add(create.Job);
                break;
            case DeleteJob delete:
                DeleteJobs(job => job.Metadata.Uid == delete.Uid);
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
        }
    }

    public void EndPods(Func<V1Pod, string?> messageOf, int exitCode)
    {
        foreach (var pod in Pods.Where(pod => pod is { Status.Phase: "Running", Metadata.DeletionTimestamp: null }))
        {
            var message = IsBuild(pod) ? messageOf(pod) : null;
            pod.Status = Given.Ended(Now, exitCode, message);
            if (!IsBuild(pod))
            {
                Staging.Clear();
            }
            else if (message is not null)
            {
                Staging.Remove(pod.Metadata.OwnerReferences[0].Name);
            }
        }
    }

    /// <summary>What the builder reports when all goes well.</summary>
    public string Deliver(V1Pod pod)
    {
        var job = Jobs.FirstOrDefault(job => job.Metadata.Uid == pod.Metadata.OwnerReferences[0].Uid);
        var version = Given.VersionOf(job?.Metadata.Annotations[Annotations.BuildKey] ?? "");
        return Given.Report(Published.Add(version) ? BuildReport.Built : BuildReport.Reused, version);
    }

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
