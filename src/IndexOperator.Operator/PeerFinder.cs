using IndexOperator.Api;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using k8s.Models;

namespace IndexOperator.Operator;

/// <summary>
/// Finds the other resources that a decision may concern, by indexes: with thousands of resources on one cache, looking at all of them in
/// each pass would be the larger part of the work.
/// </summary>
public sealed class PeerFinder(Store<PretrainIndex> indexes, Informer<V1Job> jobs, [FromKeyedServices(Gatherer.Consumers)] Informer<V1Pod> consumers)
{
    /// <summary>Index of resources that build or are about to, by what they ask for.</summary>
    public const string ByContent = "by-content";

    /// <summary>Index of resources by each version that their status refers to: current, previous, in use by a pod, or held by a workload.</summary>
    public const string ByVersion = "by-version";

    /// <summary>Index of resources that may come to refer to a version, by cache.</summary>
    public const string ByBuildingCache = "by-building-cache";

    /// <summary>Index of pods that use an index, by the version that they are pinned to.</summary>
    public const string ByPinned = "by-pinned";

    /// <summary>Index of Jobs that have not ended: those that build by content, those that remove versions by cache.</summary>
    public const string ByWork = "by-work";

    /// <summary>The key of <see cref="ByContent"/>: nobody waits for the others.</summary>
    public static IEnumerable<string> ContentKeys(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return SharedBuildPolicy.MayBuild(index) ? [ContentKey(index)] : [];
    }

    /// <summary>The keys of <see cref="ByVersion"/>.</summary>
    public static IEnumerable<string> VersionKeys(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return index.Unreadable is not null ? [] : VersionsOf(index).Concat(index.Status?.Consumers?.VersionsInUse ?? []).Concat(GroupPolicy.VersionsOf(index.Status)).Distinct().Select(version => VersionKey(index, version));
    }

    /// <summary>The key of <see cref="ByBuildingCache"/>.</summary>
    public static IEnumerable<string> BuildingCacheKeys(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return SharedBuildPolicy.MayRefer(index) ? [CacheKey(index)] : [];
    }

    /// <summary>The key of <see cref="ByWork"/>.</summary>
    public static IEnumerable<string> WorkKeys(V1Job job)
    {
        ArgumentNullException.ThrowIfNull(job);
        if (BuildAttempt.EndOf(job) is not null || job.Metadata.Annotations is not { } annotations)
        {
            return [];
        }

        return BuildAttempt.TaskOf(job) switch
        {
            BuildAttempt.BuildTask when annotations.TryGetValue(Annotations.ContentKey, out var content) => [$"{job.Metadata.NamespaceProperty}/{content}"],
            BuildAttempt.PruneTask or BuildAttempt.CleanupTask when annotations.ContainsKey(Annotations.Versions) && annotations.TryGetValue(Annotations.Cache, out var cache) =>
                [$"{job.Metadata.NamespaceProperty}/{cache}"],
            _ => [],
        };
    }

    /// <summary>The resources that a decision about this one may concern.</summary>
    /// <param name="index">The resource.</param>
    /// <param name="ownJobs">Its Jobs: one that looks at a version may tell that a build is wanted.</param>
    public IReadOnlyList<PretrainIndex> Of(PretrainIndex index, IReadOnlyList<V1Job> ownJobs)
    {
        ArgumentNullException.ThrowIfNull(index);
        if (index.Unreadable is not null)
        {
            return [];
        }

        var found = new Dictionary<string, PretrainIndex>();
        if (MayStart(index, ownJobs))
        {
            Add(indexes.ByIndex(ByContent, ContentKey(index)));
        }

        var versions = Removable(index);
        foreach (var version in versions)
        {
            Add(indexes.ByIndex(ByVersion, VersionKey(index, version)));
        }

        if (versions.Count > 0)
        {
            Add(indexes.ByIndex(ByBuildingCache, CacheKey(index)));
        }

        found.Remove(index.Metadata.Uid);
        return [.. found.Values.OrderBy(peer => peer.Metadata.Name, StringComparer.Ordinal)];

        void Add(IEnumerable<PretrainIndex> peers)
        {
            foreach (var peer in peers)
            {
                found[peer.Metadata.Uid] = peer;
            }
        }
    }

    /// <summary>Jobs of other resources that a build of this one must wait for; looked for only while one may begin.</summary>
    public IReadOnlyList<V1Job> JobsBeside(PretrainIndex index, IReadOnlyList<V1Job> ownJobs)
    {
        ArgumentNullException.ThrowIfNull(index);
        return !MayStart(index, ownJobs) ? []
            : [.. jobs.Store.ByIndex(ByWork, CacheKey(index)).Concat(jobs.Store.ByIndex(ByWork, ContentKey(index))).Where(job => !BuildAttempt.IsOurs(job, index))];
    }

    /// <summary>The versions among those that may be removed that live pods of other resources are pinned to.</summary>
    public IReadOnlyList<string> PinnedElsewhere(PretrainIndex index, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(index);
        return index.Unreadable is not null ? []
            : [.. Removable(index).Where(version => consumers.Store.ByIndex(ByPinned, $"{index.Metadata.NamespaceProperty}/{version}").Any(pod => ConsumerPolicy.IsLive(pod, now)))];
    }

    /// <summary>The key of <see cref="ByPinned"/>.</summary>
    public static IEnumerable<string> PinnedKeys(V1Pod pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        return ConsumerPolicy.VersionOf(pod) is { } version ? [$"{pod.Metadata.NamespaceProperty}/{version}"] : [];
    }

    private static IReadOnlyList<string> Removable(PretrainIndex index) =>
        index.Metadata.DeletionTimestamp is not null ? [.. VersionsOf(index)] : [.. PrunePolicy.Beyond(index)];

    private static bool MayStart(PretrainIndex index, IReadOnlyList<V1Job> ownJobs) =>
        index is { Unreadable: null, Metadata.DeletionTimestamp: null }
        && (index.Status?.Current?.BuildKey != WantedBuild.Of(index).BuildKey || ownJobs.Any(job => BuildAttempt.TaskOf(job) == BuildAttempt.CheckTask));

    private static string ContentKey(PretrainIndex index) => $"{index.Metadata.NamespaceProperty}/{WantedBuild.Of(index).ContentKey}";

    private static string CacheKey(PretrainIndex index) => $"{index.Metadata.NamespaceProperty}/{WantedBuild.CacheOf(index)}";

    private static string VersionKey(PretrainIndex index, string version) => $"{CacheKey(index)}:{version}";

    private static IEnumerable<string> VersionsOf(PretrainIndex index) =>
        (index.Status?.Previous ?? []).Select(version => version.Version).Append(index.Status?.Current?.Version).OfType<string>().Distinct();
}
