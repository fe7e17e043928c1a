using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>Which waiting pods are opened, with which version, and what the others are told.</summary>
public sealed class GatePolicyTests
{
    private static readonly string One = Given.Digits('1');
    private static readonly string Two = Given.Digits('2');
    private static readonly string Three = Given.Digits('3');

    [Fact]
    public void A_pod_with_a_gate_and_one_with_an_init_container_are_opened_with_what_is_current()
    {
        var plan = Plan(Ready(), Waiting("a"), Waiting("b", byGate: false));

        Assert.Equal([new OpenGate("a", "uid-a", One, 0, null), new OpenGate("b", "uid-b", One, null, null)], plan.Pods);
        Assert.Equal((2, 0), (plan.Status.Consumers!.Waiting, plan.Status.Consumers.Running));
        Assert.Null(plan.Status.Consumers.Groups);
    }

    [Fact]
    public void What_is_delivered_in_this_pass_is_written_down_before_anything_is_opened()
    {
        var index = Ready();
        index.Status = index.Status! with { Conditions = null };

        Assert.Null(Plan(index, Waiting("a")).Pods);
        Assert.Single(Plan(Ready(), Waiting("a")).Pods!);
    }

    [Fact]
    public void A_status_of_an_earlier_generation_opens_nothing()
    {
        var index = Ready();
        index.Metadata.Generation = 2;

        Assert.Null(Plan(index, Waiting("a")).Pods);
    }

    [Fact]
    public void The_pods_of_a_workload_get_one_version_and_the_status_says_so_in_the_same_pass()
    {
        var plan = Plan(Ready(), Waiting("a", "llm"), Waiting("b", "llm"));

        Assert.Equal([One, One], Opened(plan));
        Assert.Equal(new GroupStatus { Group = "group/llm", Version = One }, Assert.Single(plan.Status.Consumers!.Groups!));
    }

    [Fact]
    public void A_workload_keeps_its_version_when_another_becomes_current_and_a_later_one_gets_that()
    {
        var index = Ready(Two, [One], Pin("llm", One));

        var plan = Plan(index, Waiting("a", "llm"), Waiting("b", "later"), Running("c", "llm", One));

        Assert.Equal([("a", One), ("b", Two)], plan.Pods!.OfType<OpenGate>().Select(open => (open.Pod, open.Version)));
        Assert.Equal([("group/later", Two), ("group/llm", One)], plan.Status.Consumers!.Groups!.Select(group => (group.Group, group.Version)));
    }

    [Fact]
    public void A_pod_that_is_created_again_is_not_kept_from_its_workload_by_a_build_of_something_newer()
    {
        var index = Ready(One, [], Pin("llm", One));
        index.Spec = index.Spec with { DataVersion = "b" };
        index.Metadata.Generation = 2;

        var plan = Plan(index, Waiting("again", "llm"), Running("other", "llm", One), Waiting("new", "later"));

        Assert.Equal(["again"], plan.Pods!.OfType<OpenGate>().Select(open => open.Pod));
        Assert.Equal([("new", PodReasons.IndexNotReady)], Told(plan));
    }

    [Fact]
    public void What_running_pods_have_counts_for_more_than_a_status_that_somebody_wrote()
    {
        var plan = Plan(Ready(Two, [One], Pin("llm", Two)), Waiting("a", "llm"), Running("b", "llm", One));

        Assert.Equal([One], Opened(plan));
        Assert.Equal(One, Assert.Single(plan.Status.Consumers!.Groups!).Version);
    }

    [Fact]
    public void A_pin_that_a_crash_left_before_the_first_pod_was_opened_still_counts()
    {
        Assert.Equal([One], Opened(Plan(Ready(Two, [One], Pin("llm", One)), Waiting("a", "llm"))));
    }

    [Fact]
    public void Where_a_workloads_version_is_gone_a_pod_is_told_while_others_run_and_gets_another_when_none_does()
    {
        var index = Ready(Two, [], Pin("llm", One));

        var told = Assert.Single(Plan(index, Waiting("a", "llm"), Running("b", "llm", One)).Pods!.OfType<TellPod>());
        Assert.Equal(PodReasons.VersionUnavailable, told.Reason);
        Assert.Contains($"runs with version {One}, which is not there any more: b.", told.Message, StringComparison.Ordinal);
        Assert.Equal([Two], Opened(Plan(index, Waiting("a", "llm"))));
    }

    [Fact]
    public void A_version_that_a_Job_removes_is_not_opened_any_more()
    {
        var index = Ready(One, [Two]);
        var observed = Observed(index, Waiting("a", version: Two));
        var prune = UpkeepJobManifest.Prune(observed, [Two]).Job;
        prune.Metadata.Uid = "prune";

        Assert.Equal([Two], Opened(Planner.Plan(observed)));
        Assert.Equal([("a", PodReasons.VersionUnavailable)], Told(Planner.Plan(observed with { Jobs = [prune] })));
    }

    [Fact]
    public void What_a_waiting_pod_asks_for_is_not_removed_in_the_same_pass()
    {
        var index = Ready(One, [Two, Three]);
        index.Spec = index.Spec with { Cache = index.Spec.Cache with { HistoryLimit = 0 } };

        Assert.Equal([Three], PrunePolicy.ToRemove(Observed(index, Waiting("a", version: Two))));
        Assert.Equal([Two], PrunePolicy.ToRemove(Observed(index, Waiting("a", dataVersion: "data-3"))));
        Assert.Equal([Three], PrunePolicy.ToRemove(Observed(Ready(One, [Two, Three], Pin("gone", Two) with { GoneSince = Given.Now })) with { Index = Unkept(Ready(One, [Two, Three], Pin("gone", Two))) }));
    }

    [Theory]
    [InlineData("a", '1')]
    [InlineData("data-2", '2')]
    [InlineData("", '1')]
    public void A_pod_that_insists_on_a_data_version_gets_one_that_has_it(string asked, char version) =>
        Assert.Equal([Given.Digits(version)], Opened(Plan(Ready(One, [Two]), Waiting("a", dataVersion: asked))));

    [Fact]
    public void A_pod_that_insists_on_what_was_before_does_not_wait_for_what_is_being_built()
    {
        var index = Ready(One, [Two]);
        index.Spec = index.Spec with { DataVersion = "b" };
        index.Metadata.Generation = 2;

        Assert.Equal([One], Opened(Plan(index, Waiting("a", dataVersion: "a"))));
        Assert.Equal([Two], Opened(Plan(index, Waiting("a", dataVersion: "data-2"))));
        Assert.Equal([("a", PodReasons.IndexNotReady)], Told(Plan(index, Waiting("a", dataVersion: "b"))));
        Assert.Equal([("a", PodReasons.DataVersionUnavailable)], Told(Plan(index, Waiting("a", dataVersion: "c"))));
    }

    [Fact]
    public void Two_pods_of_a_workload_that_insist_on_two_data_versions_do_not_get_two()
    {
        var plan = Plan(Ready(One, [Two]), Waiting("a", "llm", dataVersion: "a"), Waiting("b", "llm", dataVersion: "data-2"));

        Assert.Equal([One], Opened(plan));
        Assert.Equal([("b", PodReasons.DataVersionUnavailable)], Told(plan));
    }

    [Fact]
    public void A_pod_that_names_a_version_waits_until_it_is_there()
    {
        Assert.Equal([Two], Opened(Plan(Ready(One, [Two]), Waiting("a", version: Two))));
        Assert.Equal([("a", PodReasons.VersionUnavailable)], Told(Plan(Ready(One, [Two]), Waiting("a", version: Three))));
        Assert.Equal([("b", PodReasons.VersionUnavailable)], Told(Plan(Ready(One, [Two]), Running("a", "llm", One), Waiting("b", "llm", version: Two))));
    }

    [Theory]
    [InlineData("1Gi", true)]
    [InlineData("823Mi", false)]
    [InlineData("0", false)]
    public void A_version_that_does_not_fit_the_RAM_disk_is_not_opened(string size, bool fits)
    {
        var pod = Staged(Waiting("a"), size);
        var plan = Plan(Ready(), pod);

        Assert.Equal(fits ? [One] : [], Opened(plan));
        Assert.Equal(fits ? [] : [("a", PodReasons.StagingTooSmall)], Told(plan));
    }

    [Fact]
    public void A_pod_that_its_RAM_disk_makes_too_large_for_the_nodes_is_told_once()
    {
        var pod = Staged(Running("a", "llm", One), "900Gi");
        pod.Status.Phase = "Pending";
        pod.Status.Conditions = [new V1PodCondition { Type = "PodScheduled", Status = "False", Reason = "Unschedulable", Message = "0/3 nodes are available: 3 Insufficient memory." }];

        var told = Assert.IsType<TellPod>(Assert.Single(Plan(Ready(), pod).Pods!));
        Assert.Equal((true, PodReasons.StagingUnschedulable, true), (told.IsReady, told.Reason, told.Event));
        Assert.Contains("The RAM disk of 900Gi ", told.Message, StringComparison.Ordinal);
        pod.Status.Conditions.Add(Condition(told));
        Assert.Null(Plan(Ready(), pod).Pods);

        // It fits at last.
        pod.Status.Conditions.RemoveAt(0);
        Assert.Equal([("a", PodReasons.Pinned)], Told(Plan(Ready(), pod)));
    }

    [Fact]
    public void A_pod_is_told_once_why_it_waits_and_that_it_does_not_any_more()
    {
        var index = Ready();
        index.Spec = index.Spec with { DataVersion = "b" };
        index.Metadata.Generation = 2;
        var pod = Waiting("a");
        var told = Assert.IsType<TellPod>(Assert.Single(Plan(index, pod).Pods!));
        Assert.Equal((false, PodReasons.IndexNotReady, false), (told.IsReady, told.Reason, told.Event));

        pod.Status.Conditions = [Condition(told)];
        Assert.Null(Plan(index, pod).Pods);
        var opened = Running("a", null, One);
        opened.Status.Conditions = [Condition(told)];
        Assert.Equal([("a", PodReasons.Pinned)], Told(Plan(index, opened)));
        Assert.Null(Plan(index, Running("never-told", null, One)).Pods);
    }

    [Theory]
    [InlineData("0/3 nodes are available.")]
    [InlineData("0/4 nodes are available.")]
    public void What_the_scheduler_says_of_the_build_in_other_words_each_minute_is_not_repeated_to_pods(string words)
    {
        var index = Given.Index();
        var job = Given.Job(index);
        var build = Given.Pod(job, Given.Now).With(new V1PodStatus { Phase = "Pending", Conditions = [new V1PodCondition { Type = "PodScheduled", Status = "False", Reason = "Unschedulable", Message = words, LastTransitionTime = Given.Now.UtcDateTime }] });

        var plan = Planner.Plan(Observed(index, Waiting("a")) with { Jobs = [job], Pods = [build], Now = Given.Now + PodTrouble.Patience });

        var told = Assert.IsType<TellPod>(Assert.Single(plan.Pods!));
        Assert.Equal((PodReasons.IndexStalled, "PretrainIndex web-mix is stalled (Unschedulable): `kubectl describe pretrainindex web-mix` tells more."), (told.Reason, told.Message));
    }

    [Fact]
    public void Of_a_thousand_pods_of_a_workload_ten_get_an_event()
    {
        var index = Ready();
        index.Spec = index.Spec with { Suspend = true, DataVersion = "b" };
        var told = Plan(index, [.. Enumerable.Range(0, 1000).Select(i => Waiting($"p{i}", "llm")), Waiting("other", "small")]).Pods!.OfType<TellPod>().ToList();

        Assert.Equal(1001, told.Count);
        Assert.All(told, tell => Assert.Equal(PodReasons.IndexSuspended, tell.Reason));
        Assert.Equal(PodNews.MostEvents + 1, told.Count(tell => tell.Event));
    }

    [Theory]
    [InlineData("Succeeded", false)]
    [InlineData("Failed", false)]
    [InlineData("Running", true)]
    public void A_pod_that_waits_in_an_init_container_waits_until_it_ends(string phase, bool waits)
    {
        var pod = Waiting("a", byGate: false);
        pod.Status.Phase = phase;
        Assert.Equal(waits, Plan(Ready(), pod).Pods is not null);
    }

    [Fact]
    public void An_index_that_cannot_be_read_opens_nothing_and_is_told_as_stalled()
    {
        var index = Ready(One, [], Pin("llm", One));
        index.Unreadable = "spec.dataset: not an object";
        index.Spec = new PretrainIndexSpec();

        Assert.Equal([("a", PodReasons.IndexStalled), ("b", PodReasons.IndexStalled)], Told(Plan(index, Waiting("a"), Waiting("b", "llm"), Running("c", "llm", One))));
    }

    [Fact]
    public void A_pod_that_is_going_is_not_opened()
    {
        var pod = Waiting("a");
        pod.Metadata.DeletionTimestamp = Given.Now.UtcDateTime;
        Assert.Null(Plan(Ready(), pod).Pods);
    }

    [Fact]
    public void While_it_is_deleted_only_what_belongs_to_a_running_workload_is_opened()
    {
        var index = Ready(One, [], Pin("llm", One));
        index.Metadata.Finalizers = [Finalizers.Cleanup];
        index.Metadata.DeletionTimestamp = Given.Now.UtcDateTime;

        var plan = Plan(index, Running("a", "llm", One), Waiting("b", "llm"), Waiting("c", "later"));

        Assert.Equal(["b"], plan.Pods!.OfType<OpenGate>().Select(open => open.Pod));
        Assert.Equal([("c", PodReasons.IndexDeleting)], Told(plan));
        Assert.Equal([("b", PodReasons.IndexDeleting), ("c", PodReasons.IndexDeleting)], Told(Plan(index, Waiting("b", "llm"), Waiting("c", "later"))));
    }

    [Fact]
    public void A_workload_without_pods_does_not_hold_what_a_deleted_resource_takes_with_it()
    {
        var index = Ready(One, [Two], Pin("gone", Two) with { GoneSince = Given.Now });
        Assert.Contains(Two, ConsumerPolicy.VersionsInUse(Observed(index))!);

        index.Metadata.DeletionTimestamp = Given.Now.UtcDateTime;
        Assert.Equal([One, Two], PrunePolicy.AllOf(Observed(index)));
    }

    [Fact]
    public void The_pods_of_an_index_that_is_not_there_are_told_once()
    {
        var told = Assert.IsType<TellPod>(Assert.Single(Planner.PlanMissing("web-mix", [Waiting("a"), Running("b", null, One)])));
        Assert.Equal((PodReasons.IndexMissing, true), (told.Reason, told.Event));

        var pod = Waiting("a");
        pod.Status.Conditions = [Condition(told)];
        Assert.Empty(Planner.PlanMissing("web-mix", [pod]));
    }

    [Fact]
    public void A_gate_of_another_comes_first_and_stays()
    {
        var pod = Waiting("a");
        pod.Spec.SchedulingGates.Insert(0, new V1PodSchedulingGate { Name = "kueue.x-k8s.io/admission" });
        Assert.Equal(1, Assert.IsType<OpenGate>(Assert.Single(Plan(Ready(), pod).Pods!)).Gate);
    }

    private static Plan Plan(PretrainIndex index, params V1Pod[] pods) => Planner.Plan(Observed(index, pods));

    private static ObservedState Observed(PretrainIndex index, params V1Pod[] pods) => Given.Observed(index) with { Consumers = pods };

    private static IEnumerable<string> Opened(Plan plan) => (plan.Pods ?? []).OfType<OpenGate>().Select(open => open.Version);

    private static IEnumerable<(string, string)> Told(Plan plan) => (plan.Pods ?? []).OfType<TellPod>().Select(tell => (tell.Pod, tell.Reason));

    private static GroupStatus Pin(string group, string version) => new() { Group = $"group/{group}", Version = version };

    private static V1PodCondition Condition(TellPod told) => new() { Type = PodConditionTypes.IndexReady, Status = told.IsReady ? "True" : "False", Reason = told.Reason, Message = told.Message };

    private static PretrainIndex Unkept(PretrainIndex index)
    {
        index.Spec = index.Spec with { Cache = index.Spec.Cache with { HistoryLimit = 0 } };
        return index;
    }

    // Published and Ready, as the pass before has written it.
    private static PretrainIndex Ready(string? current = null, IReadOnlyList<string>? previous = null, params GroupStatus[] groups)
    {
        var index = Given.Index();
        index.Status = new PretrainIndexStatus
        {
            ObservedGeneration = 1,
            ClaimName = "npy-index",
            Current = Given.Version(current ?? One, WantedBuild.Of(index).SpecKey) with { DataVersion = "a", SizeBytes = 863495079 },
            Previous = previous is { Count: > 0 } ? [.. previous.Select(version => Given.Version(version) with { DataVersion = $"data-{version[0]}", SizeBytes = 863495079 })] : null,
            Consumers = groups.Length == 0 ? null : new ConsumersStatus { Waiting = 0, Running = 0, Groups = groups },
        };
        index.Status = Planner.Plan(Given.Observed(index)).Status with { Consumers = index.Status.Consumers };
        return index;
    }

    private static V1Pod Waiting(string name, string? group = null, string? version = null, string? dataVersion = null, bool byGate = true)
    {
        var pod = Running(name, group, version);
        pod.Status.Phase = "Pending";
        pod.Metadata.Annotations[Annotations.Injected] = byGate ? "Gate" : "InitContainer";
        if (dataVersion is not null)
        {
            pod.Metadata.Annotations[Annotations.DataVersion] = dataVersion;
        }

        pod.Spec.SchedulingGates = byGate ? [new V1PodSchedulingGate { Name = SchedulingGates.IndexReady }] : null;
        return pod;
    }

    private static V1Pod Running(string name, string? group, string? version)
    {
        var pod = Given.Consumer(name, version);
        pod.Metadata.Uid = $"uid-{name}";
        pod.Metadata.Annotations ??= new Dictionary<string, string>();
        if (group is not null)
        {
            pod.Metadata.Labels[Labels.Group] = group;
        }

        return pod;
    }

    private static V1Pod Staged(V1Pod pod, string size)
    {
        pod.Spec.Volumes = [new V1Volume { Name = InjectedNames.StagingVolume, EmptyDir = new V1EmptyDirVolumeSource { Medium = "Memory", SizeLimit = new ResourceQuantity(size) } }];
        return pod;
    }
}
