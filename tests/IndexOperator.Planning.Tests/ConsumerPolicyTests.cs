using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>Who uses the index, and which version.</summary>
public sealed class ConsumerPolicyTests
{
    private static readonly string Old = Given.Digits('a');
    private static readonly string New = Given.Digits('b');

    public static TheoryData<string?, string?, string?> Pins => new()
    {
        { Old, null, Old },
        { Old, $"versions/{New}", Old },
        { null, $"versions/{Old}", Old },
        { null, $"/versions/{Old}", Old },
        { null, $"team-a/mix/versions/{Old}", Old },
        { null, $"versions/{Old}/", Old },
        { null, $"versions/{Old}/deep/below", Old },
        { null, $"versions/{New}/versions/{Old}", Old },
        // What is no version is passed over for the folder that is mounted.
        { "latest", $"versions/{Old}", Old },
        { "", $"versions/{Old}", Old },
        { Old.ToUpperInvariant(), null, null },
        { Old + Old, null, null },
        { Old[..19], null, null },
        { $" {Old}", null, null },
        { $"../{Old}", null, null },
        { null, null, null },
        { null, "", null },
        { null, "versions", null },
        { null, "versions/", null },
        { null, $"versions//{Old}", null },
        { null, $"versions/../{Old}", null },
        { null, $"oldversions/{Old}", null },
        { null, $"versions-old/{Old}", null },
        { null, $"versions/{Old}.bak", null },
        { null, $"Versions/{Old}", null },
        { null, Old, null },
        { null, $"versions/{Old}\n", null },
    };

    [Theory]
    [MemberData(nameof(Pins))]
    public void A_pod_is_pinned_by_its_annotation_or_else_by_the_folder_that_it_mounts(string? annotation, string? subPath, string? version) =>
        Assert.Equal(version, ConsumerPolicy.VersionOf(Given.Consumer("train-0", annotation, subPath: subPath)));

    [Fact]
    public void A_mount_of_an_init_container_and_one_beside_others_count_too()
    {
        var pod = Given.Consumer("train-0");
        pod.Spec.Containers[0].VolumeMounts = [new V1VolumeMount { Name = "data", SubPath = "corpora/web" }, new V1VolumeMount { Name = "tmp" }];
        pod.Spec.InitContainers = [new V1Container { Name = "stage", VolumeMounts = [new V1VolumeMount { Name = "cache", SubPath = $"versions/{Old}" }] }];

        Assert.Equal(Old, ConsumerPolicy.VersionOf(pod));
    }

    [Fact]
    public void A_pod_of_which_nothing_is_known_but_its_name_tells_no_version() =>
        Assert.Null(ConsumerPolicy.VersionOf(new V1Pod { Metadata = new V1ObjectMeta { Name = "bare" } }));

    [Fact]
    public void One_that_does_not_tell_may_use_any()
    {
        Assert.Equal([Old, New], InUse(Given.Consumer("a", Old), Given.Consumer("b", New), Given.Consumer("c", Old)).Order(StringComparer.Ordinal));
        Assert.Null(ConsumerPolicy.VersionsInUse(Observed(Given.Consumer("a", Old), Given.Consumer("b"))));
        Assert.Empty(InUse());
    }

    [Theory]
    [InlineData("Running", true)]
    [InlineData("Pending", true)]
    [InlineData("Unknown", true)]
    [InlineData("", true)]
    [InlineData("Succeeded", false)]
    [InlineData("Failed", false)]
    public void A_pod_counts_until_it_has_ended(string phase, bool counts)
    {
        Assert.Equal(counts, InUse(Given.Consumer("a", Old, phase)).Count == 1);
        Assert.Equal(counts, ConsumerPolicy.StatusOf(Observed(Given.Consumer("a", Old, phase))) is not null);
    }

    [Theory]
    [InlineData(30, true)]
    [InlineData(-30, true)]
    [InlineData(-60, true)]
    [InlineData(-61, false)]
    [InlineData(-100_000, false)]
    public void A_pod_that_outlives_its_deletion_by_a_minute_sits_on_a_lost_node(int dueInSeconds, bool counts)
    {
        var pod = Given.Consumer("a", Old);
        pod.Metadata.DeletionTimestamp = Given.Now.AddSeconds(dueInSeconds).UtcDateTime;

        Assert.Equal(counts, InUse(pod).Count == 1);
        Assert.Equal(counts, ConsumerPolicy.Running(Observed(pod)).Count == 1);
    }

    [Theory]
    [InlineData(SchedulingGates.IndexReady, false)]
    [InlineData("example.org/quota", true)]
    public void A_pod_that_is_held_back_until_the_index_is_Ready_waits_and_uses_nothing(string gate, bool uses)
    {
        var pod = Given.Consumer("a", phase: "Pending");
        pod.Spec.SchedulingGates = [new V1PodSchedulingGate { Name = gate }];

        Assert.Equal(uses, ConsumerPolicy.VersionsInUse(Observed(pod)) is null);
        Assert.Equal(uses, ConsumerPolicy.Running(Observed(pod)).Count == 1);
        Assert.Equal((1, 0), (ConsumerPolicy.StatusOf(Observed(pod))!.Waiting, ConsumerPolicy.StatusOf(Observed(pod))!.Running));
    }

    [Fact]
    public void The_status_counts_and_names_each_version_once()
    {
        var status = ConsumerPolicy.StatusOf(Observed(Given.Consumer("a", New), Given.Consumer("b", New), Given.Consumer("c", Old), Given.Consumer("d"), Given.Consumer("e", phase: "Pending")))!;

        Assert.Equal((1, 4), (status.Waiting, status.Running));
        Assert.Equal([Old, New], status.VersionsInUse);
        Assert.Null(ConsumerPolicy.StatusOf(Observed(Given.Consumer("d")))!.VersionsInUse);
        Assert.Null(ConsumerPolicy.StatusOf(Observed()));
    }

    [Theory]
    [InlineData(0, "No pod is running with it.")]
    [InlineData(1, "Running with it: p0.")]
    [InlineData(5, "Running with it: p0, p1, p2, p3, p4.")]
    [InlineData(6, "Running with it: p0, p1, p2, p3, p4 and 1 more.")]
    [InlineData(9, "Running with it: p0, p1, p2, p3, p4 and 4 more.")]
    public void A_sentence_names_five(int pods, string sentence) =>
        Assert.Equal(sentence, ConsumerPolicy.Sentence(Observed([.. Enumerable.Range(0, pods).Reverse().Select(i => Given.Consumer($"p{i}", Old))])));

    private static ObservedState Observed(params V1Pod[] pods) => Given.Observed(Given.Published(Given.Index())) with { Consumers = pods };

    private static IReadOnlySet<string> InUse(params V1Pod[] pods)
    {
        var inUse = ConsumerPolicy.VersionsInUse(Observed(pods));
        Assert.NotNull(inUse);
        return inUse;
    }
}
