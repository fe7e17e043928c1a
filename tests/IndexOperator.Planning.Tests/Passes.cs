using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>Passes of the operator over a <see cref="World"/>, and what must hold for each of them.</summary>
internal static class Passes
{
    /// <summary>A pass that is carried out in full; then the same instant is planned again until nothing is left to do.</summary>
    /// <returns>When it asked to look again.</returns>
    public static TimeSpan? Whole(World world)
    {
        if (!world.Exists)
        {
            return null;
        }

        var done = new List<string>();
        while (true)
        {
            var plan = Checked(world);
            foreach (var action in plan.Actions)
            {
                CheckCreation(world, action);
                world.Apply(action);
            }

            if (!world.Exists)
            {
                return null;
            }

            CheckPins(world, plan.Status);
            world.WriteStatus(plan.Status);
            world.Site.Told.UnionWith([.. plan.Status.Conditions!.Select(condition => condition.Reason!), .. plan.Events.Select(told => told.Reason)]);
            world.CleanupGivenUp |= plan.Events.Any(told => told.Reason == "CleanupGivenUp");
            Assert.True(world.Jobs.Count(IsActiveBuild) <= 1, "Two builds are wanted at once.");
            CheckSharedBuilds(world.Site);
            foreach (var action in plan.Pods ?? [])
            {
                world.Apply(action);
            }

            if (plan.Actions.Count == 0 && plan.Pods is null)
            {
                // Whoever reads it mounts what new pods get.
                Assert.True(
                    plan.Status.Current is null || plan.Status.Conditions![0].Reason is Reasons.InvalidSpec || world.Index.Metadata.DeletionTimestamp is not null || world.Binding?.Data[BindingPolicy.VersionKey] == plan.Status.Current.Version,
                    "The binding does not tell the current version.");
                Assert.DoesNotContain(plan.Events, told => told.Reason == "BuildStarted");
                return plan.LookAgainAfter;
            }

            // At one instant a stop may be followed by a start, but nothing is done twice.
            var now = plan.Actions.Concat(plan.Pods ?? []).Select(Name).ToList();
            Assert.Empty(now.Intersect(done));
            done.AddRange(now);
        }
    }

    /// <summary>A pass that dies between two actions, before the status, or between two pods.</summary>
    public static void Killed(World world, int after)
    {
        var plan = Checked(world);
        foreach (var action in plan.Actions.Take(after).TakeWhile(_ => world.Exists))
        {
            CheckCreation(world, action);
            world.Apply(action);
            // A builder that no pass had seen yet, stopped by a pass that died before it could write that down.
            world.EvidenceLost |= action is DeleteJob;
        }

        if (after > plan.Actions.Count && world.Exists)
        {
            CheckPins(world, plan.Status);
            world.WriteStatus(plan.Status);
            foreach (var action in (plan.Pods ?? []).Take(after - plan.Actions.Count - 1))
            {
                world.Apply(action);
            }
        }
    }

    /// <summary>
    /// A pass over the resource and its pods as they were: what it does may be in vain, but the passes after it must mend it. What a workload
    /// gets is not left to that: it is decided by the resource as it is, and no status takes it back.
    /// </summary>
    public static void Stale(World world, PretrainIndex seen, IReadOnlyList<V1Pod> seenPods)
    {
        var (index, plan) = (seen, Planner.Plan(world.Observe(seen, seenPods)));
        if (GroupPolicy.Pinned(seen.Status, plan.Status))
        {
            (index, plan) = (world.Index, Planner.Plan(world.Observe(null, seenPods)));
        }

        // A patch of finalizers carries the resource version, so that a stale one is refused and ends the pass.
        foreach (var action in plan.Actions.TakeWhile(action => action is not (AttachFinalizer or DetachFinalizer)))
        {
            world.Apply(action);
        }

        world.EvidenceLost = true;
        world.Site.HasSeenStalePass = true;
        if ((plan.Status.Consumers ?? index.Status?.Consumers) is not null && GroupPolicy.Pinned(index.Status, world.Index.Status ?? new PretrainIndexStatus()))
        {
            return;
        }

        world.PinsLost |= GroupPolicy.Pinned(plan.Status, world.Index.Status ?? new PretrainIndexStatus());
        world.WriteStatus(plan.Status);

        // Where nothing tells any more what a workload has, but pods that this pass does not see, it may get another.
        foreach (var action in world.PinsLost ? [] : plan.Pods ?? [])
        {
            world.Apply(action);
        }
    }

    public static bool IsTrue(PretrainIndexStatus? status, string type) =>
        status?.Conditions?.Any(condition => condition.Type == type && condition.Status == "True") == true;

    private static Plan Checked(World world)
    {
        var observed = world.Observe();
        var plan = Planner.Plan(observed);
        var status = plan.Status;
        Assert.False(IsTrue(status, ConditionTypes.Reconciling) && IsTrue(status, ConditionTypes.Stalled), "Reconciling and Stalled.");
        Assert.Equal(observed.Index.Metadata.Generation, status.ObservedGeneration);
        if (IsTrue(status, ConditionTypes.Ready))
        {
            // By the status as it becomes: what was found in the same pass may have put an end to a change.
            Assert.Equal(WantedBuild.Of(observed.Index.With(status)).BuildKey, status.Current?.BuildKey);
        }

        if (IsTrue(status, ConditionTypes.Available))
        {
            Assert.True(world.Site.IsHurt || world.Site.HasSeenStalePass || world.Site.Published.ContainsKey(status.Current!.Version!), "What is told to be mountable is not there.");
        }

        var works = plan.Actions.Any(action => action is CreateJob create && BuildAttempt.TaskOf(create.Job) == BuildAttempt.BuildTask)
            || (!observed.Index.Spec.Suspend && world.Pods.Any(pod => Builds(world, pod, WantedBuild.Of(observed.Index)) && !plan.Actions.Any(action => action is DeleteJob)));
        Assert.False(works && Kstatus(observed.Index, status) == "Failed", $"kstatus says Failed while a build works: {status.Conditions![0].Message}");
        foreach (var before in observed.Index.Status?.Conditions ?? [])
        {
            if (status.Conditions!.FirstOrDefault(condition => condition.Type == before.Type) is { } after)
            {
                if (before.Status == after.Status)
                {
                    Assert.Equal(before.LastTransitionTime, after.LastTransitionTime);
                }
            }
        }

        return plan;
    }

    // kstatus, as observed on a cluster: the generation first, then the first of Reconciling and Stalled, then Ready.
    private static string Kstatus(PretrainIndex index, PretrainIndexStatus status)
    {
        if (status.ObservedGeneration != index.Metadata.Generation)
        {
            return "InProgress";
        }

        var abnormal = status.Conditions!.FirstOrDefault(condition => condition.Type is ConditionTypes.Reconciling or ConditionTypes.Stalled && condition.Status == "True");
        return abnormal?.Type switch
        {
            ConditionTypes.Reconciling => "InProgress",
            ConditionTypes.Stalled => "Failed",
            _ => IsTrue(status, ConditionTypes.Ready) ? "Current" : "InProgress",
        };
    }

    private static void CheckCreation(World world, PlannedAction action)
    {
        if (action is not CreateJob create)
        {
            return;
        }

        Assert.DoesNotContain(world.Jobs, job => job.Metadata.Name == create.Job.Metadata.Name);
        if (BuildAttempt.TaskOf(create.Job) == BuildAttempt.PruneTask)
        {
            var versions = create.Job.Metadata.Annotations[Annotations.Versions].Split(',');
            Assert.Empty(versions.Intersect(world.Site.Pinned));
            Assert.DoesNotContain(world.Index.Status!.Current!.Version!, versions);
        }

        if (create.Job.Metadata.Labels[Labels.Task] == BuildAttempt.BuildTask)
        {
            Assert.DoesNotContain(world.Pods, pod => World.IsBuild(pod) && pod.Status.Phase is not ("Succeeded" or "Failed") && !IsLost(world, pod));
            Assert.Contains(Finalizers.Cleanup, world.Index.Metadata.Finalizers ?? []);
        }
    }

    // A workload that still waits gets another version only where the one it had is not there any more, or is not what its pods insist on.
    private static void CheckPins(World world, PretrainIndexStatus after)
    {
        var pins = GroupPolicy.Pins(after);
        foreach (var (key, version) in GroupPolicy.Pins(world.Index.Status).Where(pin => pins.GetValueOrDefault(pin.Key) is { } now && now != pin.Value))
        {
            var pods = world.Consumers.Where(pod => GroupKey.Of(pod) == key).ToList();
            Assert.DoesNotContain(pods, pod => ConsumerPolicy.VersionOf(pod) == version);
            var isThere = (after.Previous ?? []).Prepend(after.Current).Any(kept => kept?.Version == version && kept.BuildKey is not null)
                && !world.Jobs.Any(job => BuildAttempt.TaskOf(job) is BuildAttempt.PruneTask or BuildAttempt.CleanupTask && BuildAttempt.VersionsOf(job).Contains(version));
            Assert.True(!isThere || pods.Any(pod => ConsumerPod.DataVersionOf(pod) is not null) || pods.Any(pod => ConsumerPolicy.VersionOf(pod) is not null), $"Workload {key} loses version {version}, which is there.");
        }
    }

    // At most one active build for each content on a cache, whoever asked for it.
    private static void CheckSharedBuilds(Site site)
    {
        var twice = site.Worlds.SelectMany(world => world.Jobs).Where(IsActiveBuild).GroupBy(job => job.Metadata.Annotations[Annotations.ContentKey]).FirstOrDefault(same => same.Count() > 1);
        Assert.True(site.HasSeenStalePass || twice is null, $"The same content is built twice at once: {string.Join(", ", twice?.Select(job => job.Metadata.Name) ?? [])}");
    }

    // A pod that never started will not start once its deletion is due; one that ran may write until its grace and a minute are over.
    private static bool IsLost(World world, V1Pod pod) =>
        pod.Metadata.DeletionTimestamp is { } told && told.AddMinutes(pod.Status.Phase == "Pending" ? 0 : 1) < world.Now.UtcDateTime;

    private static bool IsActiveBuild(V1Job job) => job.Metadata.Labels[Labels.Task] == BuildAttempt.BuildTask && !World.HasEnded(job);

    private static bool Builds(World world, V1Pod pod, WantedBuild wanted) =>
        pod is { Status.Phase: "Running", Metadata.DeletionTimestamp: null }
        && world.Jobs.Any(job => job.Metadata.Uid == pod.Metadata.OwnerReferences[0].Uid && IsActiveBuild(job) && job.Metadata.Annotations[Annotations.JobKey] == wanted.JobKey)
        && PretrainIndexValidation.Validate(world.Index.Spec).Count == 0;

    private static string Name(PlannedAction action) => action switch
    {
        CreateJob create => "create " + create.Job.Metadata.Name,
        DeleteJob delete => "delete " + delete.Uid,
        CreateClaim create => "create " + create.Claim.Metadata.Name,
        ApplyBinding apply => $"bind {apply.Binding.Data[BindingPolicy.VersionKey]} for {apply.Binding.Data[BindingPolicy.DataVersionKey]}",
        OpenGate open => "open " + open.Uid,
        TellPod tell => $"tell {tell.Uid} {tell.Reason} {tell.Message}",
        _ => action.ToString(),
    };
}
