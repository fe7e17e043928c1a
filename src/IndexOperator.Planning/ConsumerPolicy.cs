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

    /// <summary>The versions that live pods are pinned to; null when one of them does not tell, and so may use any.</summary>
    public static IReadOnlySet<string>? VersionsInUse(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var versions = Running(observed).Select(VersionOf).ToList();
        return versions.Any(version => version is null) ? null : versions.OfType<string>().ToHashSet();
    }

    /// <summary>Pods that run with the index or are about to: not those that are held back until it is Ready, nor those on a lost node.</summary>
    public static IReadOnlyList<V1Pod> Running(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return observed.Consumers.Where(pod => IsLive(pod, observed.Now) && !IsHeldBack(pod)).OrderBy(pod => pod.Metadata.Name, StringComparer.Ordinal).ToList();
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

    private static bool IsHeldBack(V1Pod pod) => pod.Spec?.SchedulingGates?.Any(gate => gate.Name == SchedulingGates.IndexReady) == true;

    private static bool HasStarted(V1Pod pod) => pod.Status?.Phase == "Running";
}
