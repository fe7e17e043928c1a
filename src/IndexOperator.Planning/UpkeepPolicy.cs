using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>
/// The Jobs beside builds: looks at what is current, and the removal of old versions. One at a time, and none beside a build: a build
/// might be about to reuse what is being removed.
/// </summary>
public static class UpkeepPolicy
{
    private static readonly TimeSpan SafetyInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan BuildInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan WaitInterval = TimeSpan.FromSeconds(3);

    /// <summary>The situation with what is due beside it.</summary>
    public static Situation Add(ObservedState observed, WantedBuild wanted, Situation situation)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(wanted);
        ArgumentNullException.ThrowIfNull(situation);
        var jobs = JobsOf(observed);
        if (observed.Index.Spec.Suspend)
        {
            return situation with { Actions = [.. situation.Actions, .. jobs.Where(job => job.State == JobState.Active).Select(job => job.Delete("spec.suspend is true"))] };
        }

        if (situation.Delivered is { } delivered)
        {
            var after = (observed.Index.Status ?? new PretrainIndexStatus()) with { Current = delivered, Data = situation.DeliveredData, Change = null };
            return situation with { LookAgainAfter = Sooner(situation.LookAgainAfter, CheckPolicy.NextAt(observed with { Index = observed.Index.With(after) }) - observed.Now) };
        }

        if (observed.Index.Status?.Current is not { } current || current.BuildKey != wanted.BuildKey || situation.Reason == Reasons.InvalidSpec)
        {
            // A look at what is not wanted any more; the one at a kept version that is wanted again goes on.
            var vain = jobs.Where(job => job is { State: JobState.Active, IsCheck: true } && !(job.Versions is [var version] && AdoptPolicy.IsCandidate(observed.Index, version)));
            return situation with { Actions = [.. situation.Actions, .. vain.Select(job => job.Delete("another version is wanted"))] };
        }

        return AddDue(observed, situation, jobs);
    }

    /// <summary>What keeps a build from starting: versions are being removed from its cache. Null when nothing does.</summary>
    public static Situation? WaitForRemoval(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var own = JobsOf(observed).Where(job => job is { IsCheck: false, State: JobState.Active }).ToList();
        var pod = Removing(observed);
        var job = (own.Count > 0 ? own[0].Name : null) ?? pod?.Metadata.Name ?? observed.PeerJobs.FirstOrDefault(job => BuildAttempt.TaskOf(job) is BuildAttempt.PruneTask or BuildAttempt.CleanupTask)?.Metadata.Name;
        return job is null ? null : new Situation(Standing.Working, Reasons.Building, $"Waiting for {job} to have removed old versions: the build might reuse one of them.")
        {
            // One that has not begun removes nothing when it is gone.
            Actions = [.. own.Where(waiting => waiting.RunningSince is null).Select(waiting => waiting.Delete("a build is wanted first"))],
            LookAgainAfter = WaitInterval,
        };
    }

    private static Situation AddDue(ObservedState observed, Situation situation, IReadOnlyList<BuildAttempt> jobs)
    {
        var next = CheckPolicy.NextAt(observed) - observed.Now;
        // A prune that failed and stays for a person to look at holds up nothing but the next prune.
        if (jobs.Any(job => job.IsCheck || job.State == JobState.Active) || Removing(observed) is not null)
        {
            // Nothing tells that a report has not come: one whose pod was deleted never does.
            return situation with { LookAgainAfter = Sooner(Sooner(situation.LookAgainAfter, SafetyInterval), jobs.Min(job => job.LeftForReport(observed.Now))) };
        }

        if (observed.Refusal is { } refusal)
        {
            return situation with { Events = [.. situation.Events, new PlannedEvent("Warning", refusal.Reason ?? Reasons.CreateFailed, "Check", refusal.Message ?? "The API server refused an object.")] };
        }

        if (ClaimPolicy.Trouble(observed) is not null)
        {
            // Whatever is due waits for the claim, whose change asks for a pass of its own.
            return situation with { LookAgainAfter = Sooner(situation.LookAgainAfter, SafetyInterval) };
        }

        var remove = jobs.Count > 0 || StalenessPolicy.MustBeLookedAt(observed.Index) ? [] : PrunePolicy.ToRemove(observed);
        var create = remove.Count > 0 ? UpkeepJobManifest.Prune(observed, remove)
            : CheckPolicy.Due(observed) is { } look ? UpkeepJobManifest.Check(observed, observed.Index.Status!.Current!, look, observed.Index.Status.Data?.Looks ?? 0)
            : null;
        if (create is null)
        {
            // A version that is kept for others' sake is looked at now and then: nothing tells when they let go of it. A build is over sooner.
            var kept = !PrunePolicy.Beyond(observed.Index).Any() ? default(TimeSpan?) : PrunePolicy.BuildingPeer(observed) is null ? SafetyInterval : BuildInterval;
            return situation with { LookAgainAfter = Sooner(Sooner(situation.LookAgainAfter, next), kept) };
        }

        return situation with
        {
            Actions = [.. situation.Actions, .. FinalizerPolicy.AttachIfMissing(observed.Index), create],
            LookAgainAfter = Sooner(situation.LookAgainAfter, SafetyInterval),
        };
    }

    /// <summary>The resource's Jobs that check and prune and are not going.</summary>
    public static IReadOnlyList<BuildAttempt> JobsOf(ObservedState observed) =>
        [.. BuildAttempt.AllOf(observed, BuildAttempt.CheckTask).Concat(BuildAttempt.AllOf(observed, BuildAttempt.PruneTask)).Where(job => !job.IsGoing)];

    // A pod of a Job that is gone or has timed out may still be at work; not one that outlives its grace on a lost node.
    private static V1Pod? Removing(ObservedState observed) =>
        BuildAttempt.PodsOfTask(observed, BuildAttempt.PruneTask).FirstOrDefault(pod => pod.Status?.Phase == "Running" && !BuildPolicy.IsLost(pod, observed.Now));

    private static TimeSpan? Sooner(TimeSpan? a, TimeSpan? b)
    {
        var sooner = a is null || b < a ? b : a;
        return sooner < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : sooner;
    }
}
