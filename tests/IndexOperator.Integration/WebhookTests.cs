using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Operator;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;

namespace IndexOperator.Integration;

/// <summary>The webhook, called by a real API server; what pods get is a stand-in here.</summary>
[Collection("What is shipped")]
public sealed class WebhookTests(ControlPlaneFixture cluster) : ClusterTest(cluster), IPodMutator
{
    private readonly ConcurrentQueue<bool> _asked = new();

    public InjectionResult Mutate(JsonObject pod, string ns, PretrainIndex? index)
    {
        pod = pod.DeepClone().AsObject();
        _asked.Enqueue(index is not null);
        if (index is null)
        {
            return new InjectionResult.Refused($"there is no such PretrainIndex in {ns}", UntilIndexExists: true, UntilIndexReady: false);
        }

        pod["metadata"]!["annotations"] = new JsonObject { [Annotations.Injected] = index.Metadata.Name };
        return new InjectionResult.Patched(pod);
    }

    [Fact]
    public async Task Through_rotations_of_certificate_and_authority_no_pod_is_refused()
    {
        var site = Keep(WebhookSite.AsShipped(Plane, Namespace));
        var certificates = new CertificateSettings
        {
            LeafLifetime = TimeSpan.FromSeconds(12),
            AuthorityLifetime = TimeSpan.FromSeconds(27),
            Backdate = TimeSpan.FromSeconds(5),
            Interval = TimeSpan.FromMilliseconds(200),
            Propagation = TimeSpan.FromSeconds(1),
        };

        // Two replicas keep the same certificates; the API server calls one of them.
        var callee = await StartAsync(site, certificates);
        await StartAsync(site, certificates);
        await CreateAsync("mix");
        await site.CallAsync(callee);
        var serving = callee.Services.GetRequiredService<ServingCertificate>();
        var (leaves, authorities) = (new HashSet<string>(), new HashSet<string>());
        var (created, greeted) = (0, 0);
        var begun = TimeProvider.System.GetTimestamp();

        // A slow machine needs more than half a second for each.
        while (created < 300 || greeted < 100 || leaves.Count < 8 || authorities.Count < 4)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begun) < TimeSpan.FromMinutes(8), $"{created} pods, {leaves.Count} certificates of {authorities.Count} authorities");
            var pod = await Client.CreateAsync(KnownResources.Pods, Pod($"trainer-{created++}", "mix"), CancellationToken.None);
            Assert.Equal("mix", pod.Metadata.Annotations?.GetValueOrDefaultOf(Annotations.Injected));

            // The API server keeps connections; each of these is a new one, trusted by what the configuration says right now.
            var leaf = await GreetAsync(site, callee.WebhookPort);
            greeted++;
            leaves.Add(leaf.SerialNumber);
            authorities.Add(leaf.Issuer);
            await Client.DeleteAsync(KnownResources.Pods, ObjectKey.Of(pod), CancellationToken.None, gracePeriodSeconds: 0);
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{created} pods, {greeted} handshakes, {leaves.Count} certificates of {authorities.Count} authorities");
        Assert.NotNull(serving.Current);
    }

    [Fact]
    public async Task While_the_operator_is_down_pods_that_name_an_index_are_refused_and_all_others_are_not()
    {
        var site = Keep(await WebhookSite.NewAsync(Plane, Namespace));
        var callee = await StartAsync(site);
        await CreateAsync("mix");
        await site.CallAsync(callee);
        Assert.Equal("mix", (await Client.CreateAsync(KnownResources.Pods, Pod("before", "mix"), CancellationToken.None)).Metadata.Annotations[Annotations.Injected]);
        await callee.StopAsync();
        var refusal = await Assert.ThrowsAsync<ApiException>(() => Client.CreateAsync(KnownResources.Pods, Pod("labelled", "mix"), CancellationToken.None));
        Assert.Contains("pods.indexoperator.io", refusal.Message, StringComparison.Ordinal);
        await Client.CreateAsync(KnownResources.Pods, Pod("other", null), CancellationToken.None);
    }

    [Fact]
    public async Task On_its_way_down_an_operator_gives_the_lease_back_and_answers_a_little_longer()
    {
        var site = Keep(await WebhookSite.NewAsync(Plane, Namespace));
        var callee = Keep(await OperatorUnderTest.StartAsync(
            Plane.KubeConfig,
            Namespace,
            options =>
            {
                var on = site.On(options);
                return on with { LeaderElection = true, LeaderElectionNamespace = Namespace, Webhook = on.Webhook with { ShutdownDelay = TimeSpan.FromSeconds(15) } };
            },
            services => services.AddSingleton<IPodMutator>(this)));
        await CreateAsync("mix");
        await site.CallAsync(callee);
        await UntilAsync("it to lead", async () => await HolderAsync() is { Length: > 0 });

        var stopped = callee.StopAsync();
        await UntilAsync("the lease to be free", async () => await HolderAsync() is null or "");
        Assert.Equal("mix", (await Client.CreateAsync(KnownResources.Pods, Pod("late", "mix"), CancellationToken.None)).Metadata.Annotations[Annotations.Injected]);
        Assert.False(stopped.IsCompleted);
        await stopped;

        async Task<string?> HolderAsync() =>
            (await Client.FindAsync(KnownResources.Leases, new ObjectKey(Namespace, "index-operator"), CancellationToken.None))?.Spec.HolderIdentity;
    }

    [Fact]
    public async Task A_refused_pod_is_told_why_and_a_dry_run_leaves_no_trace()
    {
        var site = Keep(await WebhookSite.NewAsync(Plane, Namespace));
        var callee = await StartAsync(site);
        await site.CallAsync(callee);
        Assert.Equal(Plane.ServerVersion, callee.Services.GetRequiredService<ServerVersion>().Value);
        var refused = callee.Services.GetRequiredService<RefusedJobs>();
        var pod = Owned(Pod("trainer", "mix"));
        var manifest = System.Text.Json.JsonSerializer.Serialize(pod, KnownResources.Pods.Item);
        string[] dryRun = ["create", "--dry-run=server", "-f", "-", "-o", "json"];
        Assert.Contains($"there is no such PretrainIndex in {Namespace}", await Plane.KubectlFailsAsync(manifest, dryRun), StringComparison.Ordinal);
        Assert.Equal(0, refused.Count);
        var refusal = await Assert.ThrowsAsync<ApiException>(() => Client.CreateAsync(KnownResources.Pods, pod, CancellationToken.None));
        Assert.Equal(403, refusal.Code);
        Assert.Contains($"there is no such PretrainIndex in {Namespace}", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(1, refused.Count);
        await CreateAsync("mix");
        var shown = JsonNode.Parse(await Plane.KubectlWithInputAsync(manifest, dryRun))!;
        Assert.Equal("mix", (string?)shown["metadata"]!["annotations"]![Annotations.Injected]);
        Assert.Null(await Client.FindAsync(KnownResources.Pods, new ObjectKey(Namespace, "trainer"), CancellationToken.None));
        Assert.Contains("\ncontroller_runtime_webhook_requests_total{", (await callee.GetAsync("/metrics")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Job_made_before_its_index_has_its_pod_as_soon_as_the_index_is_there()
    {
        var site = Keep(await WebhookSite.NewAsync(Plane, Namespace));
        var callee = await StartAsync(site);
        await site.CallAsync(callee);
        var template = Pod("", "mix");
        template.Metadata.Name = null;
        template.Metadata.NamespaceProperty = null;
        template.Spec.RestartPolicy = "Never";
        var job = await Client.CreateAsync(
            KnownResources.Jobs,
            new V1Job
            {
                Metadata = new V1ObjectMeta { Name = "training", NamespaceProperty = Namespace },
                Spec = new V1JobSpec { Template = new V1PodTemplateSpec { Metadata = template.Metadata, Spec = template.Spec } },
            },
            CancellationToken.None);

        // After the second refusal the Job controller would wait twenty seconds.
        await UntilAsync("two refusals", () => _asked.Count(found => !found) >= 2, TimeSpan.FromSeconds(60));
        await CreateAsync("mix");
        await UntilAsync("the Job's pod", () => Pods.Now.Any(pod => pod.Metadata.OwnerReferences?.Any(owner => owner.Uid == job.Metadata.Uid) == true), TimeSpan.FromSeconds(15));
        var told = await Client.GetAsync(KnownResources.Jobs, ObjectKey.Of(job), CancellationToken.None);
        Assert.Contains(Annotations.IndexSeen, told.Metadata.Annotations.Keys);
        Assert.Equal(0, callee.Services.GetRequiredService<RefusedJobs>().Count);
    }

    private async Task<OperatorUnderTest> StartAsync(WebhookSite site, CertificateSettings? certificates = null) => Keep(await OperatorUnderTest.StartAsync(
        await OperatorAccess.KubeConfigAsync(Plane), Namespace, options => site.On(options, certificates), services => services.AddSingleton<IPodMutator>(this)));

    private V1Pod Pod(string name, string? index) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = Namespace, Labels = index is null ? null : new Dictionary<string, string> { [Labels.Index] = index } },
        Spec = new V1PodSpec { Containers = [new V1Container { Name = "train", Image = "registry.example/train:test" }] },
    };

    private static V1Pod Owned(V1Pod pod)
    {
        (pod.ApiVersion, pod.Kind) = ("v1", "Pod");
        pod.Metadata.OwnerReferences = [new V1OwnerReference { ApiVersion = "batch/v1", Kind = "Job", Name = "training", Uid = Guid.NewGuid().ToString(), Controller = true }];
        return pod;
    }

    /// <summary>A handshake of its own, checked with the configuration's present bundle.</summary>
    private async Task<X509Certificate2> GreetAsync(WebhookSite site, int port)
    {
        var configuration = await Client.GetAsync(KnownResources.MutatingWebhookConfigurations, new ObjectKey("", site.Configuration), CancellationToken.None);
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPem(Encoding.UTF8.GetString(configuration.Webhooks[0].ClientConfig.CaBundle));
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", port);
        await using var stream = new SslStream(socket.GetStream());
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "127.0.0.1", CertificateChainPolicy = policy });
        return X509CertificateLoader.LoadCertificate(stream.RemoteCertificate!.GetRawCertData());
    }
}
