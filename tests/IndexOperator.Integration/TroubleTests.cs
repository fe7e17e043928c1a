using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>What may go wrong with a build: each has a reason of its own and a message that says what to do.</summary>
public sealed class TroubleTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    [Theory]
    [InlineData(Reasons.DataMissing, 3, "/data/web_text_document.idx does not exist on claim corpus. Copy it there or correct spec.data.blend[0].prefix.")]
    [InlineData(Reasons.DataCorrupt, 3, "/data/web_text_document.idx is no index file: its header is not MMIDIDX. Write it again.")]
    [InlineData(Reasons.ReadOnlyCache, 4, "claim npy-index is mounted read-only. Name one that can be written to in spec.cache.claimName.")]
    [InlineData(Reasons.PermissionDenied, 4, "user 65532 may not write to claim npy-index. Set spec.build.podSecurityContext.fsGroup.")]
    [InlineData(Reasons.OutOfSpace, 4, "claim npy-index has 1Mi left and 823Mi are needed. Free some or make the claim larger.")]
    public async Task What_the_builder_reports_reaches_the_person_who_must_act(string reason, int exitCode, string message)
    {
        await StartOperatorAsync();
        await CreateAsync("bad");
        await Player.EndAsync(await Player.PodAsync("bad"), exitCode, Specs.Failed(reason, message));
        var bad = await NotReadyAsync("bad", reason);
        Assert.Equal(message, bad.ConditionOf(ConditionTypes.Ready)!.Message);
        Assert.True(bad.Is(ConditionTypes.Stalled, "True", reason));
        Assert.Equal((reason, message), (bad.Status!.Build!.LastFailure!.Reason, bad.Status.Build.LastFailure.Message));
        await ToldAsync("bad", reason);

        Player.SucceedAll();
        await CreateAsync("good");
        await ReadyAsync("good");
        Assert.Single(JobsEver("bad"));
    }

    [Fact]
    public async Task A_cluster_without_GPU_nodes_is_told_in_the_schedulers_words()
    {
        await StartOperatorAsync();
        await CreateAsync("bad");
        var pod = await Player.PodAsync("bad");
        await Player.UnschedulableAsync(pod, "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity.");
        var bad = await NotReadyAsync("bad", Reasons.Unschedulable);
        var message = bad.ConditionOf(ConditionTypes.Ready)!.Message!;
        Assert.Contains("0/3 nodes are available", message, StringComparison.Ordinal);
        Assert.Contains("set spec.build.placement to Any", message, StringComparison.Ordinal);
        Assert.Equal(Reasons.Unschedulable, bad.Status!.Build!.Progress);

        // A node arrives: nothing else is needed.
        await Player.RunAsync(pod);
        await Player.EndAsync(pod, 0, Specs.Built());
        await ReadyAsync("bad");
        Assert.Single(JobsEver("bad"));
    }

    [Theory]
    [InlineData("ErrImagePull", Reasons.ImagePull, "--builder-image")]
    [InlineData("ImagePullBackOff", Reasons.ImagePull, "spec.build.imagePullSecrets")]
    [InlineData("CreateContainerConfigError", Reasons.ContainerStart, "spec.build.podSecurityContext")]
    public async Task A_container_that_cannot_start_is_told_with_what_to_check(string waiting, string reason, string advice)
    {
        await StartOperatorAsync();
        await CreateAsync("bad");
        await Player.WaitingAsync(await Player.PodAsync("bad"), waiting, "the kubelet's words");
        var bad = await NotReadyAsync("bad", reason);
        Assert.Contains("the kubelet's words", bad.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);
        Assert.Contains(advice, bad.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("evicted", Reasons.Evicted, "The node was low on resource: memory.")]
    [InlineData("killed for memory", Reasons.OutOfMemory, "spec.build.resources.limits.memory")]
    [InlineData("crashed", Reasons.BuilderCrashed, "exit code 139")]
    public async Task A_passing_trouble_is_retried_after_a_pause_that_the_status_shows(string trouble, string reason, string words)
    {
        await StartOperatorAsync();
        await CreateAsync("bad");
        var pod = await Player.PodAsync("bad");
        await Player.RunAsync(pod);
        await (trouble switch
        {
            "evicted" => Player.EvictAsync(pod, "The node was low on resource: memory."),
            "killed for memory" => Player.EndAsync(pod, 137, "", "OOMKilled"),
            _ => Player.EndAsync(pod, 139, "Segmentation fault"),
        });
        var bad = await NotReadyAsync("bad", reason);
        Assert.Contains(words, bad.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);
        Assert.Contains("Attempt 1 of 4", bad.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);
        Assert.True(bad.Is(ConditionTypes.Reconciling, "True", reason));
        Assert.True(bad.Is(ConditionTypes.Stalled, "False"));
        Assert.InRange(bad.Status!.Build!.NextRetryAt!.Value - DateTimeOffset.UtcNow, TimeSpan.Zero, TimeSpan.FromSeconds(11));
    }

    [Fact]
    public async Task Retries_are_used_up_before_a_person_is_asked()
    {
        await StartOperatorAsync();
        await CreateAsync("bad", spec => spec with { Build = new BuildSpec { Retries = 1 } });
        await Player.EndAsync(await Player.PodAsync("bad"), 1, "boom");
        var first = await NotReadyAsync("bad", Reasons.BuilderCrashed);
        Assert.True(first.Is(ConditionTypes.Stalled, "False"));
        Assert.Equal(1, first.Status!.Build!.Attempt);

        await Player.EndAsync(await Player.PodAsync("bad"), 1, "boom");
        var second = await IndexAsync("bad", "Stalled", index => index.Is(ConditionTypes.Stalled, "True", Reasons.BuilderCrashed));
        Assert.Equal(2, second.Status!.Build!.Attempt);
        Assert.InRange(second.Status.Build.NextRetryAt!.Value - DateTimeOffset.UtcNow, TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(6));
        Assert.Equal(2, JobsEver("bad").Count);
        await UntilAsync("both failures to be told", () => Told("bad").Count(told => told.Reason == Reasons.BuilderCrashed) == 2);
        Assert.All(Told("bad"), told => Assert.Equal(1, told.Times));
    }

    [Fact]
    public async Task An_object_that_the_API_server_refuses_is_told_in_its_words_and_tried_again()
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        await Plane.KubectlAsync("create", "quota", "no-jobs", "--hard=count/jobs.batch=0", "-n", Namespace);
        await UntilAsync("the quota to count", async () => (await Plane.KubectlAsync("get", "quota", "no-jobs", "-n", Namespace, "-o", "jsonpath={.status.hard}")).Length > 0);
        await CreateAsync("poor");
        var poor = await NotReadyAsync("poor", Reasons.CreateFailed);
        Assert.Contains("exceeded quota: no-jobs", poor.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);
        await Plane.KubectlAsync("delete", "quota", "no-jobs", "-n", Namespace);
        await ReadyAsync("poor");
    }

    [Fact]
    public async Task A_read_only_claim_is_refused_before_a_pod_is_spent_on_it()
    {
        await StartOperatorAsync();
        var claim = Specs.Claim(Namespace, "read-only");
        claim.Spec.AccessModes = ["ReadOnlyMany"];
        await Client.CreateAsync(Runtime.KnownResources.PersistentVolumeClaims, claim, TestContext.Current.CancellationToken);
        await CreateAsync("bad", spec => spec with { Cache = Specs.Cache("read-only") });
        var bad = await NotReadyAsync("bad", Reasons.ReadOnlyCache);
        Assert.Contains("spec.cache.claimName", bad.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);
        Assert.Empty(JobsEver("bad"));
    }
}
