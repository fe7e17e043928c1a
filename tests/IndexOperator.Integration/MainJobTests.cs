using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>The one thing that the operator is for: a resource becomes Ready, and everybody can see it.</summary>
public sealed class MainJobTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_resource_is_built_by_a_Job_and_becomes_Ready()
    {
        await StartOperatorAsync();
        await CreateAsync("web-mix");
        var pod = await Player.PodAsync("web-mix");
        var pending = await IndexAsync("web-mix", "building", index => index.Is(ConditionTypes.Reconciling, "True", Reasons.Building));
        Assert.True(pending.Is(ConditionTypes.Ready, "False", Reasons.Building));
        Assert.True(pending.Is(ConditionTypes.Available, "False", Reasons.NotBuilt));
        Assert.Contains(Finalizers.Cleanup, pending.Metadata.Finalizers);

        FakeNode.Logs[pod.Metadata.Name] = """
            {"level":"Information","message":"reading"}
            {"progress":{"phase":"SampleIndex","completed":41,"total":100,"percent":41,"etaSeconds":20}}
            """;
        await Player.RunAsync(pod);
        var running = await IndexAsync("web-mix", "41% done", index => index.Status!.Build?.Percent == 41);
        Assert.Equal("SampleIndex 41% (20s left)", running.Status!.Build!.Progress);
        Assert.NotNull(running.Status.Build.RunningSince);
        Assert.Matches(@"web-mix\s+False\s+SampleIndex 41% \(20s left\)", await Plane.KubectlAsync("get", "pti", "-n", Namespace));

        var waiting = Plane.KubectlAsync("wait", "--for=condition=Ready", "pti/web-mix", "-n", Namespace, "--timeout=30s");
        await Player.EndAsync(pod, 0, Specs.Built());
        var ready = await ReadyAsync("web-mix");
        Assert.Contains("condition met", await waiting, StringComparison.Ordinal);

        var current = ready.Status!.Current!;
        Assert.Equal(Specs.Version("content"), current.Version);
        Assert.Equal("2026-11-20", current.DataVersion);
        Assert.Equal($"versions/{current.Version}", current.Path);
        Assert.Equal((863495079L, "823Mi", 14L), (current.SizeBytes, current.Size, current.Files));
        Assert.Equal(new SamplesSpec { Train = 1000, Validation = 50, Test = 5 }, current.Samples);
        Assert.Equal(12.5, current.BuildSeconds);
        Assert.NotNull(current.BuiltAt);
        Assert.Null(ready.Status.Previous);
        Assert.Null(ready.Status.Build);
        Assert.Equal(Specs.CacheClaim, ready.Status.ClaimName);
        Assert.Equal(
            [
                (ConditionTypes.Ready, "True", Reasons.Published), (ConditionTypes.Available, "True", Reasons.Published),
                (ConditionTypes.Reconciling, "False", Reasons.Idle), (ConditionTypes.Stalled, "False", Reasons.Idle),
                (ConditionTypes.DataCurrent, "True", Reasons.Published), (ConditionTypes.Verified, "True", Reasons.Published),
            ],
            ready.Status.Conditions!.Select(condition => (condition.Type, condition.Status, condition.Reason)));
        Assert.All(ready.Status.Conditions!, condition => Assert.Equal(ready.Metadata.Generation, condition.ObservedGeneration));

        var columns = await Plane.KubectlAsync("get", "pti", "web-mix", "-n", Namespace, "-o", "wide");
        Assert.Matches(@"NAME\s+READY\s+VERSION\s+DATA\s+PROGRESS\s+SIZE\s+AGE\s+REASON\s+JOB\s+CLAIM", columns);
        Assert.Matches($@"web-mix\s+True\s+{current.Version}\s+2026-11-20\s+823Mi\s+\d+s\s+Published\s+npy-index", columns);

        await ToldAsync("web-mix", Reasons.Published);
        Assert.Equal(["BuildStarted", Reasons.Published], Told("web-mix").Select(told => told.Reason).Order());
        Assert.Contains("823Mi, 14 files", Told("web-mix").First(told => told.Reason == Reasons.Published).Note, StringComparison.Ordinal);

        // Held until deletion: what was built may have to be cleaned up after.
        Assert.Contains(Finalizers.Cleanup, ready.Metadata.Finalizers);
        Assert.Single(JobsEver("web-mix"));
    }

    [Fact]
    public async Task The_Job_is_restricted_carries_the_spec_and_goes_to_GPU_nodes()
    {
        await StartOperatorAsync();
        var index = await CreateAsync("secure");
        var pod = await Player.PodAsync("secure");
        var job = Assert.Single(Jobs.Now);

        var owner = Assert.Single(job.Metadata.OwnerReferences);
        Assert.Equal((PretrainIndex.KindName, index.Metadata.Uid, true, true), (owner.Kind, owner.Uid, owner.Controller, owner.BlockOwnerDeletion));
        Assert.Equal((0, 1, 1, 7200L), (job.Spec.BackoffLimit, job.Spec.Parallelism, job.Spec.Completions, job.Spec.ActiveDeadlineSeconds));
        Assert.Contains(Annotations.TraceParent, job.Metadata.Annotations.Keys);

        // The pod as the server made it: after defaulting and admission.
        var container = Assert.Single(pod.Spec.Containers);
        Assert.True(pod.Spec.InitContainers is null or { Count: 0 });
        Assert.Equal("registry.example/index-builder:test", container.Image);
        Assert.False(pod.Spec.AutomountServiceAccountToken);
        Assert.DoesNotContain(pod.Spec.Volumes, volume => volume.Secret is not null || volume.Projected is not null || volume.HostPath is not null);
        Assert.True(pod.Spec.SecurityContext.RunAsNonRoot);
        Assert.Equal("RuntimeDefault", pod.Spec.SecurityContext.SeccompProfile.Type);
        Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
        Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
        Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
        Assert.Equal("Never", pod.Spec.RestartPolicy);
        Assert.True(pod.Spec.Volumes.Single(volume => volume.PersistentVolumeClaim?.ClaimName == Specs.DataClaim).PersistentVolumeClaim.ReadOnlyProperty);

        var term = Assert.Single(pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms);
        var expression = Assert.Single(term.MatchExpressions);
        Assert.Equal(("nvidia.com/gpu.present", "In", "true"), (expression.Key, expression.OperatorProperty, Assert.Single(expression.Values)));
        Assert.Contains(pod.Spec.Tolerations, toleration => toleration is { Key: "nvidia.com/gpu", OperatorProperty: "Exists" });

        var file = Assert.Single(pod.Spec.Volumes.Single(volume => volume.DownwardAPI is not null).DownwardAPI.Items);
        Assert.Equal($"metadata.annotations['{Annotations.Spec}']", file.FieldRef.FieldPath);
        Assert.Contains("/data/web_text_document", pod.Metadata.Annotations[Annotations.Spec], StringComparison.Ordinal);
        Assert.DoesNotContain(ConfigMaps.Now, map => map.Metadata.Labels?.ContainsKey(Labels.OwnerName) == true);
    }

    [Fact]
    public async Task A_claim_is_made_from_the_template_and_outlives_the_resource()
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("templated", spec => spec with { Cache = Specs.Cache(null, "5Gi") });
        var ready = await ReadyAsync("templated");
        var claim = await Plane.GetJsonAsync("pvc", ready.Status!.ClaimName!, "-n", Namespace);
        Assert.Equal("5Gi", (string?)claim["spec"]!["resources"]!["requests"]!["storage"]);
        Assert.Null(claim["metadata"]!["ownerReferences"]);

        await DeleteAsync("templated");
        await GoneAsync("templated");
        await UntilAsync("the Job to be collected", () => Jobs.Now.Count == 0, Collected);
        await Plane.KubectlAsync("get", "pvc", ready.Status.ClaimName!, "-n", Namespace);
    }
}
