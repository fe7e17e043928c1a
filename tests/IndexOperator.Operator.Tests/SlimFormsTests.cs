using System.Text.Json;
using IndexOperator.Api;
using IndexOperator.Planning;
using IndexOperator.TestSupport;
using k8s.Models;

namespace IndexOperator.Operator.Tests;

/// <summary>What the caches leave out of an object is nothing that a decision depends on.</summary>
public sealed class SlimFormsTests
{
    private static readonly Lazy<IReadOnlyDictionary<string, GoldenCase>> Folders =
        new(() => GoldenCase.All("tests/IndexOperator.Planning.Tests/golden").ToDictionary(folder => folder.Name));

    public static TheoryData<string> Cases => new(Folders.Value.Keys);

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_plan_is_the_same_as_for_whole_objects(string name)
    {
        var observed = Folders.Value[name].ReadYaml("observed.yaml").Deserialize(PlanningJsonContext.Default.ObservedState)!;
        var slim = observed with
        {
            Index = SlimForms.Of(observed.Index),
            Jobs = [.. observed.Jobs.Select(SlimForms.Of)],
            Pods = [.. observed.Pods.Select(SlimForms.Of)],
            Claims = [.. observed.Claims.Select(SlimForms.Of)],
            Consumers = [.. observed.Consumers.Select(SlimForms.OfConsumer)],
            Peers = [.. observed.Peers.Select(SlimForms.Of)],
            Binding = observed.Binding is { } binding ? SlimForms.Of(binding) : null,
            PeerJobs = [.. observed.PeerJobs.Select(SlimForms.Of)],
        };

        Assert.Equal(Text(Planner.Plan(observed)), Text(Planner.Plan(slim)));
    }

    [Fact]
    public void What_kubectl_apply_remembers_of_a_resource_is_not_kept_and_other_annotations_are()
    {
        var index = Samples.Index("1");
        index.Metadata.Annotations = new Dictionary<string, string> { ["kubectl.kubernetes.io/last-applied-configuration"] = "{}", [Annotations.Rebuild] = "2" };
        Assert.Equal([Annotations.Rebuild], SlimForms.Of(index).Metadata.Annotations.Keys);
    }

    [Fact]
    public void Specs_mounts_and_foreign_labels_are_not_kept()
    {
        var job = Samples.BuildJob(Samples.Index("1")).Job;
        job.Metadata.Labels["team"] = "a";
        var slim = SlimForms.Of(job);
        Assert.DoesNotContain("team", slim.Metadata.Labels.Keys);
        var container = Assert.Single(slim.Spec.Template.Spec.Containers);
        Assert.Equal((job.Spec.Template.Spec.Containers[0].Image, null, null), (container.Image, container.VolumeMounts, container.Args));
    }

    [Fact]
    public void A_consumer_is_kept_with_what_decides_about_it_and_nothing_else()
    {
        var pod = new V1Pod
        {
            Metadata = new V1ObjectMeta
            {
                Name = "trainer",
                Labels = new Dictionary<string, string> { [Labels.Index] = "mix", ["ray.io/cluster"] = "llm", ["team"] = "a" },
                Annotations = new Dictionary<string, string> { ["note"] = "long", [Annotations.DataVersion] = "mon", [Annotations.Injected] = "Gate" },
                OwnerReferences = [new V1OwnerReference { Uid = "other" }, new V1OwnerReference { Uid = "job", Controller = true }],
            },
            Spec = new V1PodSpec
            {
                SchedulingGates = [new V1PodSchedulingGate { Name = SchedulingGates.IndexReady }],
                Containers = [new V1Container { Name = "train", Image = "huge", VolumeMounts = [new V1VolumeMount { Name = "index", MountPath = "/npy_index", SubPath = "team/versions/5f0c1d2e3a4b5c6d7e8f" }] }],
                Volumes = [new V1Volume { Name = "other" }, new V1Volume { Name = InjectedNames.StagingVolume, EmptyDir = new V1EmptyDirVolumeSource { SizeLimit = new ResourceQuantity("1Gi") } }],
            },
            Status = new V1PodStatus
            {
                Phase = "Pending",
                Message = "long",
                Conditions =
                [
                    new V1PodCondition { Type = "Initialized", Status = "True" },
                    new V1PodCondition { Type = PodConditionTypes.IndexReady, Status = "False" },
                    new V1PodCondition { Type = "PodScheduled", Status = "False", Reason = "Unschedulable", Message = "Insufficient memory" },
                ],
            },
        };

        var slim = SlimForms.OfConsumer(pod);

        Assert.Equal([Annotations.DataVersion, Annotations.Injected, Annotations.Version], slim.Metadata.Annotations.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("5f0c1d2e3a4b5c6d7e8f", slim.Metadata.Annotations[Annotations.Version]);
        Assert.Equal([Labels.Index, "ray.io/cluster"], slim.Metadata.Labels.Keys);
        Assert.Equal("job", Assert.Single(slim.Metadata.OwnerReferences).Uid);
        Assert.Equal((SchedulingGates.IndexReady, 0, "Pending", null), (Assert.Single(slim.Spec.SchedulingGates).Name, slim.Spec.Containers.Count, slim.Status.Phase, slim.Status.Message));
        Assert.Equal("1Gi", Assert.Single(slim.Spec.Volumes).EmptyDir.SizeLimit.ToString());
        Assert.Equal([PodConditionTypes.IndexReady, "PodScheduled"], slim.Status.Conditions.Select(condition => condition.Type));
    }

    [Fact]
    public void A_consumer_without_annotations_is_told_from_one_without_ours()
    {
        var pod = new V1Pod { Metadata = new V1ObjectMeta { Name = "bare" } };
        Assert.Null(SlimForms.OfConsumer(pod).Metadata.Annotations);
        pod.Metadata.Annotations = new Dictionary<string, string> { ["note"] = "long" };
        Assert.Empty(SlimForms.OfConsumer(pod).Metadata.Annotations);
    }

    [Fact]
    public void Objects_without_anything_in_them_stay_objects()
    {
        var metadata = new V1ObjectMeta { Name = "a" };
        Assert.Equal("a", SlimForms.Of(new V1Job { Metadata = metadata }).Metadata.Name);
        Assert.Equal("a", SlimForms.Of(new V1Pod { Metadata = metadata }).Metadata.Name);
        Assert.Equal("a", SlimForms.Of(new V1PersistentVolumeClaim { Metadata = metadata }).Metadata.Name);
    }

    private static string Text(Plan plan) => JsonSerializer.Serialize(plan, PlanningJsonContext.Default.Plan);
}
