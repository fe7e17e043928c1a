using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Operator;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s.Models;
using Rbac;

namespace IndexOperator.Integration;

/// <summary>A control plane that writes an audit log, and lets only those block an owner's deletion who may change its finalizers.</summary>
public sealed class AuditedControlPlane : ControlPlaneFixture
{
    /// <inheritdoc/>
    protected override string[] Options => ["--audit", "--admission", "OwnerReferencesPermissionEnforcement"];
}

/// <summary>
/// The operator, as its ServiceAccount and with the generated roles, does everything that it can do, and the API server's audit log is held
/// against the roles: no call was denied, and no verb was granted in vain.
/// </summary>
public sealed class RbacAuditTests(AuditedControlPlane own) : ClusterTest(own), IClassFixture<AuditedControlPlane>
{
    // What Kueue may hold, beside Jobs of Kubernetes itself.
    private static readonly IReadOnlyList<(string Group, string Kind, string Plural)> QueuedKinds = [.. KueueResources.JobKinds.Where(job => job.Group != "batch")];

    private static readonly string[] NamespacedRights = ["rbac/service_account", "rbac/leader_election_role", "rbac/leader_election_role_binding", "namespaced/role", "namespaced/role_binding"];

    [Fact]
    public async Task A_run_of_everything_is_denied_nothing_and_leaves_no_verb_unused()
    {
        await InstallKueueAsync();
        var account = await OperatorAccess.KubeConfigAsync(Plane);
        await OperatorAccess.GrantedAsync(Plane, OperatorAccess.Namespace, "list", "workloads.kueue.x-k8s.io", "default");
        await MakeTroubleAsync();
        using var client = new ApiClient(ApiConnection.FromKubeconfig(account));
        var site = Keep(WebhookSite.AsShipped(Plane, Namespace));
        var certificates = new CertificateSettings
        {
            LeafLifetime = TimeSpan.FromSeconds(12),
            AuthorityLifetime = TimeSpan.FromSeconds(60),
            Backdate = TimeSpan.FromSeconds(5),
            Interval = TimeSpan.FromMilliseconds(200),
            Propagation = TimeSpan.FromSeconds(1),
        };

        // As it is installed: all namespaces, leader election, webhook, and Kueue where it is found.
        var found = await KueueDiscovery.FindAsync(client, KueueMode.Auto, [], TimeProvider.System, _ => { }, TestContext.Current.CancellationToken);
        Assert.NotNull(found);
        var callee = await StartOperatorAsync(options => site.On(options, certificates) with
        {
            Namespaces = [],
            LeaderElection = true,
            LeaderElectionNamespace = OperatorAccess.Namespace,
            KueueVersion = found,
        });

        await WaitForAnIndexAsync();
        await site.CallAsync(callee);
        await QueueAsync(found);
        await RefuseAsync();
        await BuildAndGrowAsync();
        await ReplaceAsync();
        await DeleteInUseAsync();

        // Certificates are renewed when it is time, and a watch is in the log when it has ended.
        var verdict = Judge();
        try
        {
            await UntilAsync("each verb but watch to be used", () => (verdict = Judge()).Unused.All(unused => unused.StartsWith("watch ", StringComparison.Ordinal)));
            await callee.StopAsync();
            await UntilAsync("each verb to be used", () => (verdict = Judge()).Unused.Count == 0);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"granted and never used: {string.Join("; ", verdict.Unused)}");
        }

        Assert.Empty(verdict.Denied);
        TestContext.Current.TestOutputHelper?.WriteLine($"{verdict.Requests} requests by {verdict.Used} granted verbs");
    }

    [Theory]
    [InlineData("chart")]
    [InlineData("config")]
    public async Task An_operator_of_listed_namespaces_is_denied_nothing_with_the_Roles_that_it_is_given_there(string by)
    {
        // Nothing cluster-wide at all: no webhook. Kueue is looked for, and is none of this operator's.
        var home = $"{Namespace}-operator";
        await Plane.KubectlAsync("create", "namespace", home);
        var rights = by == "chart" ? await ChartRightsAsync(home) : ConfigRights(home);
        Assert.DoesNotContain(rights, item => ((string)item["kind"]!).StartsWith("Cluster", StringComparison.Ordinal));
        var list = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "List", ["items"] = new JsonArray([.. rights.Select(item => item.DeepClone())]) };
        await Plane.KubectlWithInputAsync(list.ToJsonString(), "apply", "-f", "-");
        await OperatorAccess.GrantedAsync(Plane, home, "list", "pods", Namespace);
        await OperatorAccess.GrantedAsync(Plane, home, "create", "leases.coordination.k8s.io", home);
        var account = await OperatorAccess.KubeConfigOfAsync(Plane, home);
        using var client = new ApiClient(ApiConnection.FromKubeconfig(account));
        Assert.False(await client.MayAsync("list", KnownResources.Pods, new ObjectKey("default", ""), TestContext.Current.CancellationToken));
        Assert.Null(await KueueDiscovery.FindAsync(client, KueueMode.Auto, [Namespace], TimeProvider.System, _ => { }, TestContext.Current.CancellationToken));

        Keep(await OperatorUnderTest.StartAsync(account, Namespace, options => options with { LeaderElection = true, LeaderElectionNamespace = home }));
        await WaitForAnIndexAsync();
        await BuildAndGrowAsync();
        await ReplaceAsync();
        await DeleteInUseAsync();
        var requests = AuditLog.Read(Plane.AuditLog).Where(request => request.User == $"system:serviceaccount:{home}:index-operator").ToList();
        Assert.Contains(requests, request => request is { Verb: "create", Resource: "jobs" });
        Assert.DoesNotContain(requests, request => request.IsDenied);
        Assert.All(requests.Where(request => request.Namespace.Length > 0), request => Assert.Contains(request.Namespace, new[] { Namespace, home }));
    }

    [Fact]
    public async Task What_an_admission_plugin_asks_for_is_needed_too()
    {
        var asked = Assert.Single(Granted.All, rule => rule.AskedBy is not null);
        Assert.Equal(("OwnerReferencesPermissionEnforcement", "pretrainindexes/finalizers"), (asked.AskedBy, asked.Resource));
        await OperatorAccess.KubeConfigAsync(Plane);
        var index = await CreateAsync("mix");

        // Jane may do all that the operator may, but for that.
        var role = await Plane.GetJsonAsync("clusterrole", "index-operator");
        role["metadata"] = new JsonObject { ["name"] = $"without-{Namespace}" };
        var rules = role["rules"]!.AsArray();
        rules.Remove(rules.Single(rule => (string?)rule!["resources"]![0] == asked.Resource));
        await Plane.KubectlWithInputAsync(role.ToJsonString(), "create", "-f", "-");
        await Plane.KubectlAsync("create", "rolebinding", "jane", $"--clusterrole=without-{Namespace}", "--user=jane", "-n", Namespace);
        await Plane.KubectlAsync("create", "rolebinding", "joe", "--clusterrole=index-operator", "--user=joe", "-n", Namespace);
        var job = new JsonObject
        {
            ["apiVersion"] = "batch/v1",
            ["kind"] = "Job",
            ["metadata"] = new JsonObject
            {
                ["name"] = "owned",
                ["ownerReferences"] = new JsonArray(new JsonObject
                {
                    ["apiVersion"] = PretrainIndex.GroupVersion,
                    ["kind"] = PretrainIndex.KindName,
                    ["name"] = "mix",
                    ["uid"] = index.Metadata.Uid,
                    ["controller"] = true,
                    ["blockOwnerDeletion"] = true,
                }),
            },
            ["spec"] = new JsonObject { ["template"] = new JsonObject { ["spec"] = new JsonObject { ["restartPolicy"] = "Never", ["containers"] = new JsonArray(new JsonObject { ["name"] = "x", ["image"] = "x" }) } } },
        }.ToJsonString();
        await UntilAsync("joe's right to count", async () => (await TryAsync("joe")).ExitCode == 0);
        Assert.Contains("cannot set blockOwnerDeletion", (await TryAsync("jane")).Error, StringComparison.Ordinal);

        Task<CommandResult> TryAsync(string user) => Plane.TryKubectlAsync(["create", "--dry-run=server", "-n", Namespace, "--as", user, "-f", "-"], job);
    }

    private async Task<List<JsonNode>> ChartRightsAsync(string home)
    {
        var rendered = await Helm.TryAsync("template", Helm.Release, Helm.Chart, "--namespace", home, "--set", $"watchNamespaces={{{Namespace}}},webhook.enabled=false,rbac.aggregate=false");
        Assert.True(rendered.ExitCode == 0, rendered.ToString());
        return [.. Helm.Read(rendered.Output).Where(item => (string?)item["kind"] is "ServiceAccount" or "Role" or "RoleBinding" or "ClusterRole" or "ClusterRoleBinding")];
    }

    // Those of config/namespaced and the lease's, for an operator that lives elsewhere.
    private List<JsonNode> ConfigRights(string home) =>
    [
        .. NamespacedRights
            .SelectMany(file => YamlJson.ParseAll(RepositoryRoot.ReadText($"config/{file}.yaml")
                .Replace("namespace: index-operator-system", $"namespace: {home}", StringComparison.Ordinal)
                .Replace("namespace: training", $"namespace: {Namespace}", StringComparison.Ordinal)))
            .OfType<JsonNode>(),
    ];

    private Judgement Judge() => Judgement.Of(AuditLog.Read(Plane.AuditLog).Where(request => request.User == $"system:serviceaccount:{OperatorAccess.Namespace}:index-operator"), Granted.All);

    private async Task InstallKueueAsync()
    {
        await Plane.KubectlWithInputAsync(StandIns.Definition("kueue.x-k8s.io", "Workload", "workloads", "v1beta1", "v1beta2"), "apply", "-f", "-");
        foreach (var (group, kind, plural) in QueuedKinds)
        {
            await Plane.KubectlWithInputAsync(StandIns.Definition(group, kind, plural, "v1"), "apply", "-f", "-");
        }

        await Plane.KubectlAsync("apply", "-f", "config/manager/namespace.yaml");
        await Plane.KubectlAsync("apply", "-k", "config/kueue");
        var kinds = string.Join(',', QueuedKinds.Select(kind => $"{kind.Plural}.{kind.Group}"));
        await UntilAsync("the definitions to be served", async () => (await Plane.TryKubectlAsync(["get", $"workloads.kueue.x-k8s.io,{kinds}", "-n", Namespace])).ExitCode == 0);
    }

    // What others have made under names of the operator's own: it looks whose they are.
    private async Task MakeTroubleAsync()
    {
        var stuck = await CreateAsync("stuck", spec => Specs.Seeded(spec, 1));
        var template = new V1PodTemplateSpec { Spec = new V1PodSpec { RestartPolicy = "Never", Containers = [new V1Container { Name = "x", Image = "registry.example/other" }] } };
        await Client.CreateAsync(
            KnownResources.Jobs,
            new V1Job { Metadata = new V1ObjectMeta { Name = WantedBuild.Of(stuck).JobName(stuck, 1), NamespaceProperty = Namespace }, Spec = new V1JobSpec { Template = template } },
            CancellationToken.None);
        await Plane.KubectlAsync("create", "configmap", "wide-binding", "-n", Namespace);
    }

    // A pod that waits for what is not there yet is told so.
    private async Task WaitForAnIndexAsync()
    {
        await Client.CreateAsync(KnownResources.Pods, WaitingPods.Pod(Plane, Namespace, "early", "mix"), CancellationToken.None);
        await UntilAsync("the pod to be told", () => Pods.Now.Any(pod => pod.Metadata.Name == "early" && pod.Told() is not null));
    }

    // Jobs of every kind that Kueue holds for an index that is Ready later, and one that nobody could let go: told twice.
    private async Task QueueAsync(string version)
    {
        foreach (var (group, kind, plural) in QueuedKinds)
        {
            var job = new JsonObject
            {
                ["apiVersion"] = $"{group}/v1",
                ["kind"] = kind,
                ["metadata"] = new JsonObject { ["name"] = "held", ["annotations"] = new JsonObject { [KueuePolicy.GatedBy] = KueuePolicy.Gate } },
                ["spec"] = new JsonObject(),
            };
            await Plane.KubectlWithInputAsync(job.ToJsonString(), "create", "-n", Namespace, "-f", "-");
            var uid = (string)(await Plane.GetJsonAsync($"{plural}.{group}", "held", "-n", Namespace))["metadata"]!["uid"]!;
            await CreateWorkloadAsync(version, plural, "mix", new V1OwnerReference { ApiVersion = $"{group}/v1", Kind = kind, Name = "held", Uid = uid, Controller = true });
        }

        await CreateWorkloadAsync(version, "nobodys", null, null);
        await ToldAsync("nobodys", PodReasons.IndexMissing);
        await Plane.KubectlAsync("annotate", "workloads.kueue.x-k8s.io", "nobodys", "look=again", "-n", Namespace);
        await UntilAsync("it to be told again", () => Told("nobodys").Any(told => told.Times > 1));
    }

    private Task<KueueWorkload> CreateWorkloadAsync(string version, string name, string? index, V1OwnerReference? owner) => Client.CreateAsync(
        KueueResources.Workloads(version),
        new KueueWorkload
        {
            ApiVersion = $"{KueueResources.Group}/{version}",
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = Namespace,
                Annotations = new Dictionary<string, string> { [KueuePolicy.GatedBy] = KueuePolicy.Gate },
                OwnerReferences = owner is null ? null : [owner],
            },
            Spec = new KueueWorkloadSpec
            {
                PodSets = [new KueuePodSet { Template = new KueuePodTemplate { Metadata = new KueueTemplateMetadata { Labels = index is null ? null : new Dictionary<string, string> { [Labels.Index] = index } } } }],
            },
        },
        CancellationToken.None);

    // A training Job whose pod is refused, as its index is not there: looked at again as soon as it is.
    private async Task RefuseAsync()
    {
        var template = new V1PodTemplateSpec
        {
            Metadata = new V1ObjectMeta { Labels = new Dictionary<string, string> { [Labels.Index] = "late" } },
            Spec = new V1PodSpec { RestartPolicy = "Never", Containers = [new V1Container { Name = "train", Image = "registry.example/train:test" }] },
        };
        var job = await Client.CreateAsync(KnownResources.Jobs, new V1Job { Metadata = new V1ObjectMeta { Name = "training", NamespaceProperty = Namespace }, Spec = new V1JobSpec { Template = template } }, CancellationToken.None);
        await UntilAsync("a refusal", async () => (await Plane.KubectlAsync("get", "events", "-n", Namespace, "--field-selector", "reason=FailedCreate")).Contains("training", StringComparison.Ordinal));
        await CreateAsync("late", spec => Specs.Seeded(spec, 2));
        await UntilAsync("the Job to be nudged", async () => (await Client.GetAsync(KnownResources.Jobs, ObjectKey.Of(job), CancellationToken.None)).Metadata.Annotations?.ContainsKey(Annotations.IndexSeen) == true);
    }

    // The main job: a claim is made, a build runs and tells its progress, pods that wait are opened, and the claim grows.
    private async Task BuildAndGrowAsync()
    {
        var storage = $"storage-of-{Namespace}";
        await Plane.KubectlWithInputAsync(
            $$"""{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":"{{storage}}"},"provisioner":"example.com/by-hand","allowVolumeExpansion":true}""", "create", "-f", "-");
        await CreateAsync("mix", spec => spec with { Cache = new CacheSpec { SubPath = null!, ClaimTemplate = new ClaimTemplate { StorageClassName = storage, Size = new ResourceQuantity("1Gi") } } });
        var pod = await Player.PodAsync("mix");
        FakeNode.Logs[pod.Metadata.Name] = """{"progress":{"phase":"SampleIndex","completed":41,"total":100,"percent":41,"etaSeconds":20}}""";
        await Player.RunAsync(pod);
        await IndexAsync("mix", "41% done", index => index.Status!.Build?.Percent == 41);
        await Player.EndAsync(pod, 0, Specs.Built());
        var claim = (await ReadyAsync("mix")).Status!.ClaimName!;
        await UntilAsync("the pod to be opened", () => Pods.Now.Any(early => early.Metadata.Name == "early" && early.VersionOf() is not null));
        await BindAsync(claim, storage);
        await PatchSpecAsync("mix", new JsonObject { ["cache"] = new JsonObject { ["claimTemplate"] = new JsonObject { ["size"] = "2Gi" } } });
        await UntilAsync("the claim to ask for more", async () => (string?)(await Plane.GetJsonAsync("pvc", claim, "-n", Namespace))["spec"]!["resources"]!["requests"]!["storage"] == "2Gi");
    }

    // A second version changes the binding; a spec too long for a Job is in a ConfigMap that goes with the Job.
    private async Task ReplaceAsync()
    {
        await PatchSpecAsync("mix", new JsonObject { ["dataVersion"] = "2026-11-21" });
        await Player.EndAsync(await Player.PodAsync("mix"), 0, Specs.Built("second"));
        await UntilAsync("the binding to follow", () => ConfigMaps.Now.Any(map => map.Metadata.Name == "mix-binding" && map.Data["version"] == Specs.Version("second")));

        await CreateAsync("wide", Specs.Wide);
        await Player.PodAsync("wide");
        var first = Assert.Single(JobsEver("wide")).Metadata.Name;
        await PatchSpecAsync("wide", new JsonObject { ["dataset"] = new JsonObject { ["randomSeed"] = 7 } });
        await UntilAsync("the first Job and its ConfigMap to go", () => Jobs.Now.All(job => job.Metadata.Name != first) && ConfigMaps.Now.All(map => map.Metadata.Name != first), Collected);
        await UntilAsync("the second Job", () => JobsEver("wide").Count == 2);
        await UntilAsync("its pod", () => Pods.Now.Any(pod => pod.Metadata.Labels?.GetValueOrDefaultOf(Labels.OwnerName) == "wide" && pod.Metadata.DeletionTimestamp is null));
        await Player.EndAsync(await Player.PodAsync("wide"), 0, Specs.Built("wide"));
        await ReadyAsync("wide");
    }

    // Its deletion waits for who uses it, and asks whether what holds it goes.
    private async Task DeleteInUseAsync()
    {
        var pod = await RunConsumerAsync(Specs.Consumer(Namespace, "train-0", "wide", Specs.Version("wide")));
        await IndexAsync("wide", "in use", index => index.Status!.Consumers?.Running == 1);
        await DeleteAsync("wide");
        await NotReadyAsync("wide", Reasons.InUse);
        await Client.DeleteAsync(KnownResources.Pods, ObjectKey.Of(pod), CancellationToken.None, gracePeriodSeconds: 0);
        Player.SucceedAll();
        await GoneAsync("wide", Collected);
    }
}
