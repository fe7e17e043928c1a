using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.E2E;

/// <summary>The webhook's certificate and its authority are replaced while pods are created, on two replicas behind the Service.</summary>
public sealed class CertificateRotationTests(Cluster cluster) : ScenarioTests(cluster, "certificates")
{
    private const int Rotations = 2;
    private const int PodsAtOnce = 5;
    private const string Secret = "secret/index-operator-webhook-certificate";
    private const string ServiceName = $"index-operator-webhook.{Cluster.OperatorNamespace}.svc";

    private const string Pod = """
        apiVersion: v1
        kind: Pod
        metadata: {generateName: trainer-, labels: {indexoperator.io/index: text}}
        spec:
          automountServiceAccountToken: false
          nodeSelector: {nobody: has-it}
          securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
          containers:
          - name: main
            image: indexoperator/builder:dev
            securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}

        """;

    [Fact]
    public async Task While_the_certificate_and_its_authority_are_replaced_no_pod_is_refused()
    {
        await Here.ApplyAsync(Scenario.Manifest("text"));
        await Here.ReadyAsync("text");
        await ScaleAsync(2);
        using var enough = new CancellationTokenSource();
        var stream = StreamAsync(enough.Token);
        var seen = new List<string> { await AllServeAnotherThanAsync([]) };
        for (var rotation = 0; rotation < Rotations; rotation++)
        {
            // Without the Secret there is no key of the authority any more: a new one signs from now on.
            await Here.Cluster.KubectlAsync("-n", Cluster.OperatorNamespace, "delete", Secret);
            seen.Add(await AllServeAnotherThanAsync(seen));
        }

        // The last one has to be called too.
        var before = (await Here.ListAsync("pods")).Count;
        await Wait.Until("pods to be created under the last certificate", async () => stream.IsCompleted || (await Here.ListAsync("pods")).Count >= before + (2 * PodsAtOnce), Cluster.Patience);
        await enough.CancelAsync();
        var created = await stream;
        Cluster.Say($"{created} pods were created through {Rotations} rotations of certificate and authority");
        Assert.Equal(Rotations + 1, seen.Distinct(StringComparer.Ordinal).Count());
        var pods = await Here.ListAsync("pods", "-l", "indexoperator.io/index=text");
        Assert.Equal(created, pods.Count);
        Assert.All(pods, pod => Assert.NotNull(pod["metadata"]!["annotations"]?["indexoperator.io/injected"]));
    }

    protected override Task PutBackAsync() => ScaleAsync(1);

    private async Task ScaleAsync(int replicas)
    {
        await Here.Cluster.KubectlAsync("-n", Cluster.OperatorNamespace, "scale", Cluster.Deployment, $"--replicas={replicas}");
        await Here.Cluster.RolloutAsync();
        await Wait.Until($"{replicas} operator pods, all ready", async () => (await OperatorPodsAsync()).Count == replicas, Cluster.Patience);
    }

    // Creates pods that no node takes, until told to stop; gives how many. A refusal ends it with what the API server said.
    private async Task<int> StreamAsync(CancellationToken enough)
    {
        var pods = string.Join("---\n", Enumerable.Repeat(Pod, PodsAtOnce));
        var created = 0;
        while (!enough.IsCancellationRequested)
        {
            var result = await Here.Cluster.TryKubectlAsync(["-n", Here.Namespace, "create", "-f", "-"], pods);
            Assert.True(result.ExitCode == 0, $"after {created} pods: {result}");
            created += PodsAtOnce;
        }

        return created;
    }

    // Each replica's certificate as a client sees it that trusts what the configuration says now; waits until all have one that is new, and the same.
    private async Task<string> AllServeAnotherThanAsync(List<string> known)
    {
        var served = await Wait.For(
            $"both replicas to serve a certificate that is none of {known.Count} known ones",
            async () =>
            {
                var serials = new HashSet<string>(StringComparer.Ordinal);
                foreach (var pod in await OperatorPodsAsync())
                {
                    serials.Add(await GreetAsync((string)pod["status"]!["podIP"]!));
                }

                return serials.Count == 1 && !known.Contains(serials.Single()) ? serials.Single() : null;
            },
            Cluster.Patience);
        Cluster.Say($"both replicas serve {served}");
        return served;
    }

    private async Task<string> GreetAsync(string address)
    {
        var configuration = await Here.Cluster.GetAsync("mutatingwebhookconfiguration", "index-operator");
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPem(Encoding.UTF8.GetString(Convert.FromBase64String((string)configuration["webhooks"]![0]!["clientConfig"]!["caBundle"]!)));
        using var socket = new TcpClient();
        await socket.ConnectAsync(address, 9443, TestContext.Current.CancellationToken);
        await using var greeting = new SslStream(socket.GetStream());
        await greeting.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = ServiceName, CertificateChainPolicy = policy }, TestContext.Current.CancellationToken);
        using var certificate = X509CertificateLoader.LoadCertificate(greeting.RemoteCertificate!.GetRawCertData());
        return $"{certificate.SerialNumber} of {certificate.Issuer}";
    }

    private async Task<IReadOnlyList<JsonNode>> OperatorPodsAsync() =>
        [.. (await Here.Cluster.ListAsync("-n", Cluster.OperatorNamespace, "pods", "-l", "app.kubernetes.io/name=index-operator")).Where(pod =>
            pod["metadata"]!["deletionTimestamp"] is null && pod["status"]!["conditions"]!.AsArray().Any(condition => (string?)condition!["type"] == "Ready" && (string?)condition["status"] == "True"))];
}
