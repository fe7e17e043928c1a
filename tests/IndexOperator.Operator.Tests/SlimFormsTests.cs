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
    public void Objects_without_anything_in_them_stay_objects()
    {
        var metadata = new V1ObjectMeta { Name = "a" };
        Assert.Equal("a", SlimForms.Of(new V1Job { Metadata = metadata }).Metadata.Name);
        Assert.Equal("a", SlimForms.Of(new V1Pod { Metadata = metadata }).Metadata.Name);
        Assert.Equal("a", SlimForms.Of(new V1PersistentVolumeClaim { Metadata = metadata }).Metadata.Name);
    }

    private static string Text(Plan plan) => JsonSerializer.Serialize(plan, PlanningJsonContext.Default.Plan);
}
