using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>What the operator shows of itself.</summary>
public sealed class TelemetryTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task Probes_pass_and_metrics_carry_the_names_that_dashboards_know()
    {
        var started = await StartOperatorAsync();
        await UntilAsync("readiness", async () => await started.GetAsync("/readyz") is (200, "ok"));
        Assert.Equal((200, "ok"), await started.GetAsync("/healthz"));
        Player.SucceedAll();
        await CreateAsync("mix");
        await ReadyAsync("mix");
        await CreateAsync("bad");
        var (status, metrics) = await started.GetAsync("/metrics");
        Assert.Equal(200, status);
        foreach (var name in new[]
        {
            "controller_runtime_reconcile_total{", "controller_runtime_reconcile_time_seconds_bucket{", "controller_runtime_max_concurrent_reconciles{",
            "controller_runtime_active_workers{", "workqueue_depth{", "workqueue_adds_total{", "workqueue_queue_duration_seconds_bucket{",
            "workqueue_work_duration_seconds_bucket{", "rest_client_requests_total{",
            "indexoperator_builds_total{", "indexoperator_build_duration_seconds_bucket{", "indexoperator_published_bytes_total{",
            "indexoperator_pretrainindexes{", "indexoperator_index_size_bytes{",
        })
        {
            Assert.Contains("\n" + name, metrics, StringComparison.Ordinal);
        }

        Assert.Matches("""indexoperator_builds_total\{[^}]*outcome="Built"[^}]*\} \d""", metrics);
        Assert.Matches("""indexoperator_pretrainindexes\{[^}]*condition="Ready"[^}]*status="True"[^}]*\} \d""", metrics);
    }

    [Fact]
    public async Task Every_pass_is_a_trace_of_its_own_and_the_Job_goes_on_with_that_of_its_creation()
    {
        var passes = Keep(new Passes(Namespace));
        await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("mix");
        await ReadyAsync("mix");
        var parent = Assert.Single(JobsEver("mix")).Metadata.Annotations[Annotations.TraceParent];
        await UntilAsync("the pass that created the Job to end", () => passes.Ended.Any(pass => pass.Id == parent));
        Assert.All(passes.Ended, pass => Assert.Null(pass.ParentId));
        Assert.Distinct(passes.Ended.Select(pass => pass.TraceId));
        Assert.All(passes.Ended, pass => Assert.NotNull(pass.GetTagItem("result")));
        var pod = Assert.Single(Pods.Ever);
        Assert.Contains(pod.Spec.Containers[0].Env, variable => variable.Name == "TRACEPARENT" && variable.Value == parent);
    }
}
