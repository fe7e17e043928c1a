using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>
/// Decides what one pass does: a pure function from what is observed to a plan. Each question has a policy of its own, asked in this
/// order; the first that has an answer settles where the wanted version stands:
/// <code>
/// deletion -> findings (what Jobs that looked have told) -> spec -> suspension -> published (cache lost? stale?) -> claims
///     -> build (superseded? under way? failed? old versions being removed? a kept version to adopt? a peer's build to wait for? start)
///                        |
///     situation -> upkeep (prune, check) -> current and previous -> conditions -> events -> binding -> gate (which pods are opened, and with which version)
/// </code>
/// </summary>
public static class Planner
{
    /// <summary>The plan for what is observed. Applying it and planning again never asks for the same action twice; what was stopped may be followed by a start.</summary>
    public static Plan Plan(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return GatePolicy.Add(observed, observed.Index.Metadata.DeletionTimestamp is not null ? DeletionPolicy.Plan(observed) : PlanLive(observed));
    }

    /// <summary>The plan for the pods of an index that is not there.</summary>
    public static IReadOnlyList<PlannedAction> PlanMissing(string name, IReadOnlyList<V1Pod> consumers)
    {
        ArgumentNullException.ThrowIfNull(consumers);
        var reason = WaitReasons.Missing(name);
        return [.. consumers.Where(ConsumerPod.IsWaiting)
            .GroupBy(pod => GroupKey.Of(pod) ?? pod.Metadata.Uid)
            .SelectMany(group => group.OrderBy(pod => pod.Metadata.Name, StringComparer.Ordinal).SelectMany((pod, place) => PodNews.OfWaiting(pod, reason, place < PodNews.MostEvents)))];
    }

    private static Plan PlanLive(ObservedState observed)
    {
        var found = Findings.Take(observed);
        var (seen, wanted) = (found.Observed, WantedBuild.Of(found.Observed.Index));
        var situation = UpkeepPolicy.Add(seen, wanted, Decide(seen, wanted));
        return BindingPolicy.Add(seen, Report.Of(seen, wanted, situation with
        {
            Actions = [.. found.Actions, .. situation.Actions, .. GoingClaimPolicy.LetGo(seen, situation), .. ClaimPolicy.Expansion(seen)],
            Events = [.. found.Events, .. situation.Events, .. ClaimPolicy.ExpansionEvents(seen)],
        }));
    }

    /// <summary>
    /// Whether the resource by itself tells that nothing is left to do: its newest spec is reported on and no build is awaited. Only a hint
    /// of what to look at first: a Job, a pod or a claim may know better.
    /// </summary>
    public static bool IsSettled(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return index.Metadata.DeletionTimestamp is null && index.Status is { Build: null } status && status.ObservedGeneration == index.Metadata.Generation;
    }

    private static Situation Decide(ObservedState observed, WantedBuild wanted) =>
        SpecPolicy.Decide(observed, wanted)
            ?? SuspensionPolicy.Decide(observed, wanted)
            ?? PublishPolicy.Decide(observed, wanted)
            ?? RefusalPolicy.Decide(observed)
            ?? ClaimsDecide(observed, wanted)
            ?? BuildPolicy.Decide(observed, wanted);

    private static Situation? ClaimsDecide(ObservedState observed, WantedBuild wanted) =>
        // A build that runs holds its claims: it goes on, whatever becomes of them later.
        !BuildPolicy.IsRunning(observed, wanted) && ClaimPolicy.Trouble(observed) is { } trouble
            ? new Situation(Standing.Stuck, trouble.Reason!, trouble.Message!)
            {
                Build = observed.Index.Status?.Build is { } known && known.JobKey == wanted.JobKey ? known with { Progress = null } : Leftover.Halted(observed),
                // Its pod cannot start before there is a claim, and would then start at any moment: also while another resource, which
                // does not wait for one that is stuck, removes what the builder might find.
                Actions = BuildPolicy.StopAll(observed, "a claim is missing"),
            }
            : null;
}
