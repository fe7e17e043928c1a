using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

public sealed class PlacementPolicyTests
{
    private static readonly PlannerSettings Settings = new();

    [Fact]
    public void Each_of_the_users_alternatives_requires_the_gpu_label_too()
    {
        var build = new BuildSpec
        {
            Affinity = new V1Affinity
            {
                PodAffinity = new V1PodAffinity(),
                NodeAffinity = new V1NodeAffinity
                {
                    RequiredDuringSchedulingIgnoredDuringExecution = new V1NodeSelector { NodeSelectorTerms = [Term("zone", "a"), Term("zone", "b")] },
                },
            },
        };

        var affinity = PlacementPolicy.Affinity(build, Settings)!;

        Assert.NotNull(affinity.PodAffinity);
        var terms = affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms;
        Assert.Equal(["zone=a,nvidia.com/gpu.present=true", "zone=b,nvidia.com/gpu.present=true"], terms.Select(Text));
        Assert.Equal("zone=a", Text(build.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0]));
    }

    [Fact]
    public void Any_node_leaves_what_the_user_wrote_alone()
    {
        var build = new BuildSpec { Placement = Placement.Any, Affinity = new V1Affinity(), Tolerations = [new V1Toleration { Key = "mine" }] };

        Assert.Same(build.Affinity, PlacementPolicy.Affinity(build, Settings));
        Assert.Equal("mine", Assert.Single(PlacementPolicy.Tolerations(build, Settings)!).Key);
        Assert.Null(PlacementPolicy.Affinity(new BuildSpec { Placement = Placement.Any }, Settings));
    }

    [Fact]
    public void The_gpu_taint_is_tolerated_besides_the_users_own() =>
        Assert.Equal(["mine", "nvidia.com/gpu"], PlacementPolicy.Tolerations(new BuildSpec { Tolerations = [new V1Toleration { Key = "mine" }] }, Settings)!.Select(toleration => toleration.Key));

    [Fact]
    public void A_limit_without_a_request_is_not_overridden()
    {
        var limits = new V1ResourceRequirements { Limits = new Dictionary<string, ResourceQuantity> { ["memory"] = new("128Mi") } };

        var resources = PlacementPolicy.Resources(new BuildSpec { Resources = limits }, Settings, withGpus: false);

        Assert.Equal(["cpu"], resources.Requests.Keys);
        Assert.Equal("128Mi", resources.Limits["memory"].ToString());
    }

    [Theory]
    [InlineData(null, "64Gi")]
    [InlineData("1Gi", "64Gi")]
    [InlineData("100Gi", "100Gi")]
    public void A_build_that_sets_no_limit_of_memory_has_the_operators(string? request, string limit)
    {
        var given = request is null ? null : new V1ResourceRequirements { Requests = new Dictionary<string, ResourceQuantity> { ["memory"] = new(request) } };

        Assert.Equal(limit, PlacementPolicy.Resources(new BuildSpec { Resources = given }, Settings, withGpus: false).Limits["memory"].ToString());
    }

    private static V1NodeSelectorTerm Term(string key, string value) =>
        new() { MatchExpressions = [new V1NodeSelectorRequirement { Key = key, OperatorProperty = "In", Values = [value] }] };

    private static string Text(V1NodeSelectorTerm term) => string.Join(',', term.MatchExpressions.Select(requirement => $"{requirement.Key}={requirement.Values[0]}"));
}

public sealed class PodTroubleTests
{
    [Theory]
    [InlineData("ErrImagePull", Reasons.ImagePull)]
    [InlineData("ImagePullBackOff", Reasons.ImagePull)]
    [InlineData("InvalidImageName", Reasons.ImagePull)]
    [InlineData("CreateContainerConfigError", Reasons.ContainerStart)]
    [InlineData("RunContainerError", Reasons.ContainerStart)]
    [InlineData("ContainerCreating", null)]
    [InlineData("PodInitializing", null)]
    public void What_the_kubelet_waits_for_is_told_apart(string waiting, string? reason)
    {
        var trouble = PodTrouble.Of(Pod(Given.Waiting(waiting, "no such thing", Given.Now)));

        Assert.Equal(reason, trouble?.Reason);
        Assert.Equal(reason is null ? null : Given.Now, trouble?.Since);
    }

    [Fact]
    public void The_image_that_is_named_is_the_builders_own_beside_an_injected_sidecar()
    {
        var pod = Pod(Given.Waiting("ErrImagePull", "no such thing", Given.Now));
        pod.Spec = new V1PodSpec { Containers = [new V1Container { Name = "proxy", Image = "mesh" }, new V1Container { Name = BuildAttempt.ContainerName, Image = "builder:1" }] };

        Assert.Contains("The builder image builder:1 cannot be pulled (ErrImagePull): no such thing. Check", PodTrouble.Of(pod)!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pod_that_runs_or_is_not_there_has_no_trouble()
    {
        Assert.Null(PodTrouble.Of(null));
        Assert.Null(PodTrouble.Of(Pod(Given.Running(Given.Now))));
        Assert.Null(PodTrouble.Of(Pod(new V1PodStatus { Phase = "Pending", Conditions = [new V1PodCondition { Type = "PodScheduled", Status = "False", Reason = "SchedulingGated" }] })));
    }

    private static V1Pod Pod(V1PodStatus status) => Given.Pod(Given.Job(Given.Index()), Given.Now).With(status);
}

public sealed class ProgressTextTests
{
    [Theory]
    [InlineData(0, null, "SampleIndex 0%")]
    [InlineData(41, 0.0, "SampleIndex 41%")]
    [InlineData(41, 0.4, "SampleIndex 41% (1s left)")]
    [InlineData(41, 20.0, "SampleIndex 41% (20s left)")]
    [InlineData(41, 60.0, "SampleIndex 41% (1m0s left)")]
    [InlineData(41, 3724.2, "SampleIndex 41% (1h2m left)")]
    public void Progress_reads_like_kubectl_ages(int percent, double? eta, string expected) =>
        Assert.Equal(expected, ProgressText.Of(new BuildProgress { Phase = "SampleIndex", Percent = percent, EtaSeconds = eta }));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(1023, "1023")]
    [InlineData(1024, "1.0Ki")]
    [InlineData(863495079, "823Mi")]
    [InlineData(long.MaxValue, "8192Pi")]
    public void Sizes_have_binary_units(long bytes, string expected) => Assert.Equal(expected, ProgressText.Size(bytes));
}

public sealed class ConditionSetTests
{
    private static readonly DateTimeOffset Earlier = Given.Now.AddHours(-1);

    [Theory]
    [InlineData("True", true, false)]
    [InlineData("False", false, false)]
    [InlineData("Unknown", null, false)]
    [InlineData("True", false, true)]
    [InlineData("Unknown", true, true)]
    public void The_transition_time_moves_only_when_the_status_flips(string before, bool? after, bool moves)
    {
        var set = new ConditionSet([new Condition { Type = "Ready", Status = before, LastTransitionTime = Earlier, Reason = "Old", Message = "Old" }], 7, Given.Now);

        set.Set("Ready", after, "New", "New");

        var condition = Assert.Single(set.ToList());
        Assert.Equal((moves ? Given.Now : Earlier, "New", "New", 7L), (condition.LastTransitionTime, condition.Reason, condition.Message, condition.ObservedGeneration));
    }

    [Fact]
    public void Conditions_come_in_the_documented_order_and_kept_ones_keep_their_generation()
    {
        var set = new ConditionSet([new Condition { Type = "Verified", Status = "True", ObservedGeneration = 3 }], 7, Given.Now);

        set.Keep("Verified");
        set.Keep("DataCurrent");
        set.Set("Stalled", false, "Idle", "Idle");
        set.Set("Ready", true, "Published", "Published");

        Assert.Equal(["Ready 7", "Stalled 7", "Verified 3"], set.ToList().Select(condition => $"{condition.Type} {condition.ObservedGeneration}"));
    }
}

public sealed class ClipTests
{
    [Fact]
    public void Nothing_is_cut_inside_a_character()
    {
        const string Smile = "\U0001F600";

        Assert.Equal("a…", Clip.Characters("a" + Smile, 2));
        Assert.Equal("a" + Smile, Clip.Characters("a" + Smile, 3));
        Assert.Equal("…b", Clip.Tail(Smile + "b", 2));
        Assert.Equal("a…", Clip.Bytes("a" + Smile + Smile, 7));
        Assert.Equal("aé", Clip.Bytes("aé", 3));
    }

    [Fact]
    public void An_event_note_fits_what_the_api_server_takes()
    {
        var index = Given.Index();
        var job = Given.Job(index);
        job.Status = Given.JobEnd("Failed", "BackoffLimitExceeded", Given.Now);
        var pod = Given.Pod(job, Given.Now).With(Given.Ended(Given.Now, 4, Given.Failure(Reasons.OutOfSpace, new string('ä', 1500))));

        var plan = Planner.Plan(Given.Observed(index) with { Jobs = [job], Pods = [pod] });

        Assert.NotEmpty(plan.Events);
        Assert.All(plan.Events, told => Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(told.Note), 1, 1024));
    }
}
