using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>
/// Decides for each pod that waits: opened with which version, or why not. All pods of a workload get one version.
/// <code>
/// version of a workload: what its running pods have -> its pin in the status -> what its first pod is offered (see Shelf)
/// </code>
/// The pin is in the status before any pod is opened with it: actions on pods come after the status, and where the status cannot be written
/// none is carried out. A pin that no running pod bears out may be given up: where its version is gone, or no waiting pod could take it.
/// </summary>
public static class GatePolicy
{
    /// <summary>The plan with what is to become of the pods.</summary>
    public static Plan Add(ObservedState observed, Plan plan)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(plan);
        var (live, shelf) = (observed.Consumers.Where(pod => ConsumerPolicy.IsLive(pod, observed.Now)).ToList(), new Shelf(observed, plan.Status));
        var running = live.Where(pod => GroupKey.Of(pod) is not null && !ConsumerPod.IsHeldBack(pod) && ConsumerPolicy.VersionOf(pod) is not null).ToLookup(pod => GroupKey.Of(pod)!);
        var known = GroupPolicy.Pins(observed.Index.Status);
        var reasons = new WaitReasons(observed, plan.Status, shelf);
        var (open, told, pins) = (new List<(string? Group, OpenGate Action)>(), new List<TellPod>(), new Dictionary<string, string>());
        foreach (var group in live.Where(ConsumerPod.IsWaiting).GroupBy(pod => GroupKey.Of(pod) ?? pod.Metadata.Uid))
        {
            var key = GroupKey.Of(group.First());
            var pods = group.OrderBy(pod => pod.Metadata.CreationTimestamp).ThenBy(pod => pod.Metadata.Name, StringComparer.Ordinal).ToList();
            IReadOnlyList<V1Pod> others = key is null ? [] : [.. running[key].OrderBy(pod => pod.Metadata.CreationTimestamp).ThenBy(pod => pod.Metadata.Name, StringComparer.Ordinal)];
            var workload = new Workload(others, VersionFor(shelf, pods, others, key is null ? null : known.GetValueOrDefault(key)));
            var told0 = told.Count;
            foreach (var pod in pods)
            {
                if (reasons.Of(pod, workload) is { } wait)
                {
                    told.AddRange(PodNews.OfWaiting(pod, wait, isFirst: told.Count - told0 < PodNews.MostEvents));
                }
                else if (reasons.MayOpen(pod, workload))
                {
                    open.Add((key, Open(pod, workload.Version!)));
                    if (key is not null)
                    {
                        pins[key] = workload.Version!;
                    }
                }
            }
        }

        told.AddRange(live.Where(pod => !ConsumerPod.IsHeldBack(pod)).SelectMany(PodNews.OfRunning));
        var groups = GroupPolicy.After(observed, live.Select(GroupKey.Of).OfType<string>().ToHashSet(), running.Select(group => group.Key).ToHashSet(), pins);
        var room = groups.Select(group => group.Group!).ToHashSet();
        var opened = open.Where(pair => pair.Group is null || room.Contains(pair.Group) || running.Contains(pair.Group)).Select(pair => pair.Action).ToList();
        return plan with
        {
            Status = groups.Count == 0 ? plan.Status : plan.Status with { Consumers = (plan.Status.Consumers ?? new ConsumersStatus { Waiting = 0, Running = 0 }) with { Groups = groups } },
            Pods = opened.Count + told.Count == 0 ? null : [.. opened, .. told],
            LookAgainAfter = Sooner(plan.LookAgainAfter, opened.Count < open.Count ? observed.Now.AddSeconds(1) : GroupPolicy.NextForgotten(groups), observed.Now),
        };
    }

    // What running pods have is so whatever the status says: somebody may have written into it.
    private static string? VersionFor(Shelf shelf, List<V1Pod> waiting, IReadOnlyList<V1Pod> running, string? pin)
    {
        if (running.Count > 0)
        {
            return pin is not null && running.Any(pod => ConsumerPolicy.VersionOf(pod) == pin) ? pin : ConsumerPolicy.VersionOf(running[0]);
        }

        return pin is not null && shelf.Find(pin) is not null && waiting.Any(pod => WaitReasons.Suits(shelf, pod, pin, []))
            ? pin
            : waiting.Select(shelf.Offer).FirstOrDefault(offered => offered is not null);
    }

    private static OpenGate Open(V1Pod pod, string version) =>
        new(pod.Metadata.Name, pod.Metadata.Uid, version, ConsumerPod.GateOf(pod), pod.Metadata.Annotations is null ? pod.Metadata.ResourceVersion ?? "" : null);

    private static TimeSpan? Sooner(TimeSpan? planned, DateTimeOffset? at, DateTimeOffset now)
    {
        var wait = at - now;
        return wait is not { } given || planned <= given ? planned : given < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : given;
    }
}

/// <summary>What is known of a workload with waiting pods.</summary>
/// <param name="Running">Its pods that run with a version.</param>
/// <param name="Version">The version that its pods get; null when it has none yet and there is none to give.</param>
public sealed record Workload(IReadOnlyList<V1Pod> Running, string? Version);
