using IndexOperator.Api;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using k8s.Models;

namespace IndexOperator.Operator;

/// <summary>Collects what a decision may depend on: from the informers, and live where a stale answer would cost a build.</summary>
public sealed class Gatherer(
    Informer<V1Job> jobs,
    Informer<V1Pod> pods,
    Informer<V1PersistentVolumeClaim> claims,
    Informer<V1ConfigMap> bindings,
    [FromKeyedServices(Gatherer.Consumers)] Informer<V1Pod> consumers,
    PeerFinder peers,
    ScopeReader scope,
    OwnWrites ownWrites,
    PodWrites podWrites,
    ProgressReader progress,
    ApiClient client,
    OperatorOptions options,
    TimeProvider time)
{
    /// <summary>The label of our Jobs and pods; informers hold nothing else.</summary>
    public const string OwnObjects = $"{Labels.ManagedBy}={Labels.ManagedByValue}";

    /// <summary>The name of the pods' index by the resource they work for.</summary>
    public const string ByResource = "by-resource";

    /// <summary>The name of the informer of pods that use an index.</summary>
    public const string Consumers = "consumers";

    /// <summary>The name of the consumers' index by the resource that they use.</summary>
    public const string ByIndex = "by-index";

    /// <summary>The key of <see cref="ByIndex"/> for a pod with the consumers' label.</summary>
    public static IEnumerable<string> ConsumerKeys(V1Pod pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        return pod.Metadata?.Labels?.TryGetValue(Labels.Index, out var name) == true ? [$"{pod.Metadata.NamespaceProperty}/{name}"] : [];
    }

    /// <summary>The key of <see cref="ByResource"/> for an object with our labels.</summary>
    public static IEnumerable<string> ResourceKeys(IMetadata<V1ObjectMeta> entity)
    {
        ArgumentNullException.ThrowIfNull(entity);
        return entity.Metadata?.Labels?.TryGetValue(Labels.OwnerName, out var name) == true ? [$"{entity.Metadata.NamespaceProperty}/{name}"] : [];
    }

    /// <summary>What is observed of a resource now.</summary>
    public async Task<ObservedState> GatherAsync(PretrainIndex seen, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(seen);
        var index = ownWrites.Newest(seen);
        var key = ObjectKey.Of(index);
        var own = ownWrites.Merge(key, jobs.Store.OwnedBy(index.Metadata.Uid));
        var observed = new ObservedState
        {
            Index = index,
            Jobs = own,
            Pods = pods.Store.ByIndex(ByResource, key.ToString()),
            Consumers = ConsumersOf(key),
            Peers = peers.Of(index, own),
            PeerJobs = peers.JobsBeside(index, own),
            PinnedElsewhere = peers.PinnedElsewhere(index, time.GetUtcNow()),
            Claims = ClaimNames(index).Select(name => claims.Store.Get(new ObjectKey(key.Namespace, name))).OfType<V1PersistentVolumeClaim>().ToList(),
            Binding = ownWrites.Binding(key, bindings.Store.OwnedBy(index.Metadata.Uid) is [var binding, ..] ? binding : null),
            Now = time.GetUtcNow(),
            Settings = options.Planner,
        };
        if (index.Metadata.DeletionTimestamp is not null && observed.Consumers.Count > 0)
        {
            observed = observed with { ScopeGoing = await scope.GoingAsync(key.Namespace, cancellationToken) };
        }

        observed = await WithReportsAsync(observed, cancellationToken);
        return await WithProgressAsync(observed, cancellationToken);
    }

    /// <summary>The pods that name an index, whether it is there or not.</summary>
    public IReadOnlyList<V1Pod> ConsumersOf(ObjectKey index) =>
        podWrites.Merge(consumers.Store.ByIndex(ByIndex, $"{index.Namespace}/{BuildJobManifest.LabelValue(index.Name)}"));

    /// <summary>The keys of all indexes that pods name.</summary>
    public IEnumerable<ObjectKey> NamedByPods() => consumers.Store.List()
        .Where(ConsumerPod.IsWaiting)
        .Select(pod => new ObjectKey(pod.Metadata.NamespaceProperty, pod.Metadata.Labels[Labels.Index]))
        .Distinct();

    /// <summary>The resource as it is now on the API server; null when it is gone.</summary>
    public async Task<PretrainIndex?> LiveAsync(PretrainIndex index, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(index);
        var live = await client.FindAsync(Resources.PretrainIndexes, ObjectKey.Of(index), cancellationToken);
        return live is null || live.Metadata.Uid != index.Metadata.Uid ? null : SlimForms.Of(live);
    }

    private static IEnumerable<string> ClaimNames(PretrainIndex index) =>
        new[] { index.Spec.Data.ClaimName, ClaimPolicy.CacheClaimName(index) }.OfType<string>().Distinct();

    // The Job's end may be seen before its pod's: deciding without the report would start a second build.
    private async Task<ObservedState> WithReportsAsync(ObservedState observed, CancellationToken cancellationToken)
    {
        var unreported = BuildAttempt.AllOf(observed, BuildAttempt.BuildTask).Concat(BuildAttempt.AllOf(observed, BuildAttempt.CheckTask))
            .Where(attempt => attempt.State != JobState.Active && !attempt.Pods.Any(pod => BuildAttempt.ContainerOf(pod)?.State?.Terminated is not null))
            .ToList();
        var live = new List<V1Pod>();
        foreach (var attempt in unreported)
        {
            live.AddRange(await client.ListAsync(
                KnownResources.Pods,
                new ListQuery { Namespace = observed.Index.Metadata.NamespaceProperty, LabelSelector = $"job-name={attempt.Name}" },
                cancellationToken));
        }

        var uids = live.Select(pod => pod.Metadata.Uid).ToHashSet();
        return live.Count == 0 ? observed : observed with { Pods = [.. observed.Pods.Where(pod => !uids.Contains(pod.Metadata.Uid)), .. live] };
    }

    private async Task<ObservedState> WithProgressAsync(ObservedState observed, CancellationToken cancellationToken)
    {
        var running = BuildAttempt.AllOf(observed, BuildAttempt.BuildTask)
            .Where(attempt => attempt is { State: JobState.Active, IsGoing: false })
            .SelectMany(attempt => attempt.Pods)
            .FirstOrDefault(pod => BuildAttempt.ContainerOf(pod)?.State?.Running is not null);
        return running is null
            ? observed
            : observed with { Progress = await progress.ReadAsync(running, BuildAttempt.ContainerName, cancellationToken) };
    }
}
