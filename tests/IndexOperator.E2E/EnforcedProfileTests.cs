using IndexOperator.TestSupport;

namespace IndexOperator.E2E;

/// <summary>
/// That these tests run under the restricted Pod Security Standard, enforced: by the labels of namespaces, or where the API server does not
/// know these (before 1.23) by a policy of the cluster. Every pod of the operator in any other test was admitted so, or there was none.
/// </summary>
public sealed class EnforcedProfileTests(Cluster cluster) : ScenarioTests(cluster, "restricted")
{
    [Theory]
    [InlineData("where indexes are", "", "securityContext: {runAsUser: 0}")]
    [InlineData("where the operator is", Cluster.OperatorNamespace, "securityContext: {runAsUser: 0}")]
    [InlineData("where indexes are", "", "hostNetwork: true")]
    [InlineData("where indexes are", "", "volumes: [{name: root, hostPath: {path: /}}]")]
    public async Task A_pod_beyond_the_restricted_profile_is_refused(string where, string space, string excess)
    {
        var home = space.Length > 0 ? space : Here.Namespace;
        await Here.Cluster.ApplyAsync(
            $$"""
            apiVersion: batch/v1
            kind: Job
            metadata: {name: excess, namespace: {{home}}}
            spec:
              template:
                spec:
                  restartPolicy: Never
                  containers: [{name: any, image: "docker.io/indexoperator/builder:dev", args: [--version]}]
                  {{excess}}
            """);
        try
        {
            var told = "";
            await Wait.Until(
                $"the pod {where} to be refused",
                async () => (told = string.Join('\n', (await Here.Cluster.ListAsync("-n", home, "events"))
                    .Where(item => (string?)item["involvedObject"]!["name"] == "excess" && (string?)item["reason"] == "FailedCreate")
                    .Select(item => (string?)item["message"]))).Length > 0,
                Cluster.Patience);
            Assert.Matches("forbidden: (violates PodSecurity \"restricted|PodSecurityPolicy: )", told);
            Assert.Empty(await Here.Cluster.ListAsync("-n", home, "pods", "-l", "job-name=excess"));
        }
        finally
        {
            await Here.Cluster.KubectlAsync("-n", home, "delete", "job", "excess", "--wait=false");
        }
    }

    [Fact]
    public async Task Pods_of_the_operator_are_admitted_under_the_restricted_profile_as_they_are()
    {
        await Here.ApplyAsync(Scenario.Manifest("text"));
        await Here.ReadyAsync("text");
        var pods = new[] { await Here.Cluster.OperatorPodAsync(), Assert.Single(await Here.PodsAsync("text")) };
        Assert.All(pods, Restricted.Check);
        foreach (var pod in pods)
        {
            var space = await Here.Cluster.GetAsync("namespace", (string)pod["metadata"]!["namespace"]!);
            Assert.Equal("restricted", (string?)space["metadata"]!["labels"]!["pod-security.kubernetes.io/enforce"]);
            if (await Here.Cluster.MinorAsync() < 23)
            {
                Assert.Equal("restricted", (string?)pod["metadata"]!["annotations"]!["kubernetes.io/psp"]);
            }
        }
    }
}
