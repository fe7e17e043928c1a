using IndexOperator.TestSupport;

namespace IndexOperator.E2E;

/// <summary>The operator as a workload: its rights, its restrictions, its metrics.</summary>
public sealed class OperatorTests(Cluster cluster) : ScenarioTests(cluster, "operator")
{
    [Fact]
    public async Task The_operator_runs_with_its_own_account_and_only_the_rights_it_needs()
    {
        var pod = await Here.Cluster.OperatorPodAsync();
        Assert.Equal("index-operator", (string?)pod["spec"]!["serviceAccountName"]);
        Restricted.Check(pod);
        foreach (var (verb, what, allowed) in new[]
        {
            ("create", "jobs.batch", true), ("patch", "pretrainindexes.indexoperator.io/status", true), ("get", "pods/log", true), ("get", "pods", false),
            ("get", "secrets", false), ("create", "pods", false), ("delete", "persistentvolumeclaims", false), ("delete", "pretrainindexes.indexoperator.io", false),
        })
        {
            // To kubectl, what is behind a slash is a name.
            var (resource, part) = what.Split('/') is [var whole, var sub] ? (whole, sub) : (what, "");
            var answer = await Here.TryKubectlAsync("auth", "can-i", verb, resource, $"--subresource={part}", "--as", $"system:serviceaccount:{Cluster.OperatorNamespace}:index-operator");
            Assert.True(answer.Output.Trim() == (allowed ? "yes" : "no"), $"{verb} {what}: {answer}");
        }

        Assert.DoesNotContain("orbidden", await Here.KubectlAsync("-n", Cluster.OperatorNamespace, "logs", Cluster.Deployment), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prometheus_finds_the_series_of_the_operator_behind_its_service()
    {
        await Here.ApplyAsync(Scenario.Manifest("measured"));
        await Here.ReadyAsync("measured");
        var pod = await Here.Cluster.OperatorPodAsync();
        var endpoints = await Here.Cluster.GetAsync("-n", Cluster.OperatorNamespace, "endpoints", "index-operator-metrics");
        var subset = Assert.Single(endpoints["subsets"]!.AsArray())!;
        Assert.Equal((string?)pod["status"]!["podIP"], (string?)Assert.Single(subset["addresses"]!.AsArray())!["ip"]);
        var service = await Here.Cluster.GetAsync("-n", Cluster.OperatorNamespace, "service", "index-operator-metrics");
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var page = "";
        // kube-proxy forwards the service's address soon after the pod became ready.
        await Wait.Until(
            "the service to answer with the build counted",
            async () => (page = await http.GetStringAsync(new Uri($"http://{service["spec"]!["clusterIP"]}:{service["spec"]!["ports"]![0]!["port"]}/metrics"), TestContext.Current.CancellationToken))
                .Contains("indexoperator_builds_total", StringComparison.Ordinal),
            Cluster.Patience);
        foreach (var series in new[]
        {
            "controller_runtime_reconcile_total{", "controller_runtime_reconcile_time_seconds_bucket{", "workqueue_depth{", "leader_election_master_status{",
            "indexoperator_builds_total{", "indexoperator_build_duration_seconds_bucket{", "indexoperator_pretrainindexes{", "indexoperator_published_bytes_total",
        })
        {
            Assert.True(page.Contains($"\n{series}", StringComparison.Ordinal), $"no series {series}...\n{page}");
        }
    }
}
