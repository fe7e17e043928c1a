using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>Which pods are one workload, and how long its version is remembered.</summary>
public sealed class GroupPolicyTests
{
    private static readonly string One = Given.Digits('1');
    private static readonly string Two = Given.Digits('2');

    [Theory]
    [InlineData("group/a", "indexoperator.io/group=a", "jobset.sigs.k8s.io/jobset-uid=b")]
    [InlineData("jobset/b", "jobset.sigs.k8s.io/jobset-uid=b", "jobset.sigs.k8s.io/jobset-name=c")]
    [InlineData("jobset-name/c", "jobset.sigs.k8s.io/jobset-name=c", "training.kubeflow.org/job-name=d")]
    [InlineData("job/d", "training.kubeflow.org/job-name=d", "ray.io/cluster=e")]
    [InlineData("ray/e", "ray.io/cluster=e", "other=f")]
    [InlineData("owner/the-owner", "indexoperator.io/group=", "other=f")]
    public void A_workload_is_told_by_the_first_label_that_there_is_or_else_by_the_controller(string key, params string[] labels)
    {
        var pod = Pod(labels);
        pod.Metadata.OwnerReferences = [new V1OwnerReference { Uid = "no-controller" }, new V1OwnerReference { Uid = "the-owner", Controller = true }];
        Assert.Equal(key, GroupKey.Of(pod));
    }

    [Fact]
    public void A_pod_without_any_of_them_is_its_own()
    {
        Assert.Null(GroupKey.Of(Pod()));
        Assert.Null(GroupKey.Of(new V1Pod { Metadata = new V1ObjectMeta { Name = "bare" } }));
    }

    [Fact]
    public void A_workload_is_remembered_for_an_hour_after_its_last_pod()
    {
        var seen = Status(Group("a", One));
        var gone = After(seen, live: [])[0];
        Assert.Equal(Given.Now, gone.GoneSince);
        Assert.Equal([gone], After(Status(gone), live: [], at: Given.Now.AddMinutes(59)));
        Assert.Empty(After(Status(gone), live: [], at: Given.Now.AddMinutes(60)));
        Assert.Equal([Group("a", One)], After(Status(gone), live: ["a"], at: Given.Now.AddMinutes(59)));
        Assert.Equal(Given.Now.AddHours(1), GroupPolicy.NextForgotten([gone, Group("b", One)]));
        Assert.Null(GroupPolicy.NextForgotten([Group("b", One)]));
    }

    [Fact]
    public void A_clock_that_was_set_back_does_not_make_it_be_remembered_for_ever() =>
        Assert.Equal(Given.Now, After(Status(Group("a", One) with { GoneSince = Given.Now.AddYears(1) }), live: [])[0].GoneSince);

    [Fact]
    public void What_somebody_wrote_that_is_no_pin_is_not_believed()
    {
        var status = Status(Group("a", "latest"), Group("", One), Group(new string('x', 400), One), new GroupStatus(), Group("b", Two), Group("b", One));
        Assert.Equal(new Dictionary<string, string> { ["b"] = Two }, GroupPolicy.Pins(status));
        Assert.Equal([Group("b", Two)], After(status, live: ["b"]));
        Assert.Empty(GroupPolicy.Pins(null));
    }

    [Fact]
    public void Where_the_list_is_full_those_go_first_that_are_gone_then_those_whose_pods_tell()
    {
        var full = Enumerable.Range(0, ConsumersStatus.MostGroups).Select(i => Group($"g{i:000}", One)).ToArray();
        full[7] = full[7] with { GoneSince = Given.Now.AddMinutes(-1) };
        full[9] = full[9] with { GoneSince = Given.Now.AddMinutes(-2) };
        var live = full.Where(group => group.GoneSince is null).Select(group => group.Group!).ToArray();

        var one = After(Status(full), [.. live, "new"], running: ["g011"], pins: [("new", Two)]);
        Assert.Equal((ConsumersStatus.MostGroups, true, false), (one.Count, one.Contains(Group("new", Two)), one.Any(group => group.Group == "g009")));
        Assert.Contains(one, group => group.Group == "g007");

        var three = After(Status(full), [.. live, "n1", "n2", "n3"], running: ["g011"], pins: [("n1", Two), ("n2", Two), ("n3", Two)]);
        Assert.Equal(["g007", "g009", "g011"], full.Select(group => group.Group).Except(three.Select(group => group.Group)));

        // For the fourth there is no room.
        var four = After(Status(full), [.. live, "n1", "n2", "n3", "n4"], running: ["g011"], pins: [("n1", Two), ("n2", Two), ("n3", Two), ("n4", Two)]);
        Assert.Equal(["n1", "n2", "n3"], four.Select(group => group.Group!).Where(key => key[0] == 'n'));
    }

    [Fact]
    public void A_workload_for_which_there_is_no_room_is_not_opened_yet()
    {
        var index = Given.Published(Given.Index());
        index.Status = Planner.Plan(Given.Observed(index)).Status;
        var pods = Enumerable.Range(0, ConsumersStatus.MostGroups + 1).Select(i => Waiting($"p{i:000}", $"g{i:000}")).ToList();

        var first = Planner.Plan(Given.Observed(index) with { Consumers = pods });
        Assert.Equal(ConsumersStatus.MostGroups, first.Pods!.Count);
        Assert.Equal(TimeSpan.FromSeconds(1), first.LookAgainAfter);

        // The others run now, and tell their version themselves.
        foreach (var pod in pods.Take(ConsumersStatus.MostGroups))
        {
            pod.Metadata.Annotations[Annotations.Version] = One;
            pod.Spec.SchedulingGates = null;
        }

        var second = Planner.Plan(Given.Observed(index.With(first.Status)) with { Consumers = pods });
        Assert.Equal("p200", Assert.IsType<OpenGate>(Assert.Single(second.Pods!)).Pod);
        Assert.Contains(second.Status.Consumers!.Groups!, group => group.Group == "group/g200");
    }

    [Fact]
    public void A_new_pin_is_news_and_a_known_one_is_not()
    {
        Assert.True(GroupPolicy.Pinned(null, Status(Group("a", One))));
        Assert.True(GroupPolicy.Pinned(Status(Group("a", One)), Status(Group("a", Two))));
        Assert.False(GroupPolicy.Pinned(Status(Group("a", One)), Status(Group("a", One) with { GoneSince = Given.Now })));
        Assert.False(GroupPolicy.Pinned(Status(Group("a", One)), Status()));
    }

    private static IReadOnlyList<GroupStatus> After(PretrainIndexStatus status, string[] live, string[]? running = null, (string Key, string Version)[]? pins = null, DateTimeOffset? at = null) => GroupPolicy.After(
        Given.Observed(Given.Index().With(status)) with { Now = at ?? Given.Now }, live.ToHashSet(), (running ?? []).ToHashSet(), (pins ?? []).ToDictionary(pin => pin.Key, pin => pin.Version));

    private static GroupStatus Group(string key, string version) => new() { Group = key, Version = version };

    private static PretrainIndexStatus Status(params GroupStatus[] groups) => new() { Consumers = new ConsumersStatus { Groups = groups } };

    private static V1Pod Pod(params string[] labels) => new()
    {
        Metadata = new V1ObjectMeta { Name = "p", Labels = labels.Select(label => label.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]) },
    };

    private static V1Pod Waiting(string name, string group)
    {
        var pod = Given.Consumer(name, phase: "Pending");
        pod.Metadata.Uid = name;
        pod.Metadata.Labels[Labels.Group] = group;
        pod.Metadata.Annotations = new Dictionary<string, string> { [Annotations.Injected] = "Gate" };
        pod.Spec.SchedulingGates = [new V1PodSchedulingGate { Name = SchedulingGates.IndexReady }];
        return pod;
    }
}
