using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>
/// Who uses the index: pods with the label <see cref="Labels.Index"/>. A pod is pinned to the version of its annotation, or of the folder
/// that it mounts; a pod that tells neither may use any version that is published.
/// </summary>
public static class ConsumerPolicy
{
    private const int MostNamed = 5;
    private const string VersionsFolder = "/versions/";

    // As long as kubelet and node lifecycle controller may take to notice that a node is gone.
    private static readonly TimeSpan GoneGrace = TimeSpan.FromMinutes(1);

    /// <summary>Counts and versions for the status; null when there is no consumer.</summary>
    public static ConsumersStatus? StatusOf(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var live = observed.Consumers.Where(pod => IsLive(pod, observed.Now)).ToList();
        var versions = live.Select(VersionOf).OfType<string>().Distinct().Order(StringComparer.Ordinal).ToList();
        return live.Count == 0 ? null : new ConsumersStatus
        {
            Waiting = live.Count(pod => !HasStarted(pod)),
            Running = live.Count(HasStarted),
            VersionsInUse = versions.Count == 0 ? null : versions,
        };
    }

    /// <summary>
    /// The versions that live pods are pinned to, that workloads hold, and that waiting pods ask for; null when a pod that runs does not
    /// tell, and so may use any. A resource that is being deleted opens no workload any more: only live pods count.
    /// </summary>
    public static IReadOnlySet<string>? VersionsInUse(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var versions = Running(observed).Select(VersionOf).ToList();
        if (versions.Any(version => version is null))
        {
            return null;
        }

        var inUse = versions.OfType<string>().ToHashSet();
        if (observed.Index.Metadata.DeletionTimestamp is null)
        {
            inUse.UnionWith(GroupPolicy.VersionsOf(observed.Index.Status));
            inUse.UnionWith(AskedFor(observed));
        }

        return inUse;
    }

    /// <summary>Pods that run with the index or are about to: not those that are held back until it is Ready, nor those on a lost node.</summary>
    public static IReadOnlyList<V1Pod> Running(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return observed.Consumers.Where(pod => IsLive(pod, observed.Now) && !ConsumerPod.IsHeldBack(pod)).OrderBy(pod => pod.Metadata.Name, StringComparer.Ordinal).ToList();
    }

    /// <summary>The running pods by name, for a sentence.</summary>
    public static string Names(IReadOnlyList<V1Pod> pods)
    {
        ArgumentNullException.ThrowIfNull(pods);
        var named = string.Join(", ", pods.Take(MostNamed).Select(pod => pod.Metadata.Name));
        return pods.Count <= MostNamed ? named : $"{named} and {pods.Count - MostNamed} more";
    }

    /// <summary>A sentence that names the running pods.</summary>
    public static string Sentence(ObservedState observed) =>
        Running(observed) is { Count: > 0 } running ? $"Running with it: {Names(running)}." : "No pod is running with it.";

    /// <summary>The version that a pod is pinned to; null when it does not tell.</summary>
    public static string? VersionOf(V1Pod pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        if (pod.Metadata.Annotations?.TryGetValue(Annotations.Version, out var pinned) == true && BuildAttempt.IsVersion(pinned))
        {
            return pinned;
        }

        return (pod.Spec?.Containers ?? []).Concat(pod.Spec?.InitContainers ?? [])
            .SelectMany(container => container.VolumeMounts ?? [])
            .Select(mount => VersionIn(mount.SubPath))
            .FirstOrDefault(version => version is not null);
    }

    private static string? VersionIn(string? path)
    {
        var rooted = $"/{path}";
        var at = rooted.LastIndexOf(VersionsFolder, StringComparison.Ordinal);
        var rest = at < 0 ? null : rooted[(at + VersionsFolder.Length)..].Split('/')[0];
        return BuildAttempt.IsVersion(rest) ? rest : null;
    }

    /// <summary>True until a pod has ended, or its node must be taken for lost.</summary>
    public static bool IsLive(V1Pod pod, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(pod);
        return pod.Status?.Phase is not ("Succeeded" or "Failed")
            && !(BuildAttempt.Utc(pod.Metadata.DeletionTimestamp) + GoneGrace < now);
    }

    // A pod that insists on a data version may be opened with any that has it; which of them is decided when it is.
    private static IEnumerable<string> AskedFor(ObservedState observed)
    {
        var waiting = observed.Consumers.Where(pod => ConsumerPod.IsWaiting(pod) && IsLive(pod, observed.Now)).ToList();
        var asked = waiting.Select(ConsumerPod.DataVersionOf).OfType<string>().ToHashSet();
        return waiting.Select(VersionOf).OfType<string>().Concat((observed.Index.Status?.Previous ?? []).Where(version => asked.Contains(version.DataVersion ?? "")).Select(version => version.Version).OfType<string>());
    }

    private static bool HasStarted(V1Pod pod) => pod.Status?.Phase == "Running";
}
