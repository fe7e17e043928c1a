using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Operator;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s.Models;

namespace IndexOperator.Integration;

/// <summary>
/// Jobs that Kueue holds without quota are let go when their index is Ready. Kueue itself is played: its Workloads have a small definition
/// of this test's own, and the list of gates is copied from job to Workload as Kueue does it.
/// </summary>
public sealed class KueueTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    private const string Version = "v1beta2";
    private static readonly ResourceType<KueueWorkload> Workloads = KueueResources.Workloads(Version);

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Plane.KubectlWithInputAsync(StandIns.Definition("kueue.x-k8s.io", "Workload", "workloads", "v1beta1", "v1beta2"), "apply", "-f", "-");
        await Plane.KubectlWithInputAsync(StandIns.Definition("jobset.x-k8s.io", "JobSet", "jobsets", "v1alpha2"), "apply", "-f", "-");
        // In this namespace only: other tests show what the operator may not do without.
        await Plane.KubectlAsync("apply", "-f", "config/kueue/role.yaml");
        await OperatorAccess.KubeConfigAsync(Plane);
        await Plane.KubectlAsync("create", "rolebinding", "kueue", "--clusterrole=index-operator-kueue", $"--serviceaccount={OperatorAccess.Namespace}:index-operator", "-n", Namespace);
        await OperatorAccess.GrantedAsync(Plane, OperatorAccess.Namespace, "list", "workloads.kueue.x-k8s.io", Namespace);
        await UntilAsync("the definitions to be served", async () => (await Plane.TryKubectlAsync(["get", "workloads.kueue.x-k8s.io,jobsets.jobset.x-k8s.io", "-n", Namespace])).ExitCode == 0);
    }

    [Fact]
    public async Task A_Job_is_let_go_when_its_index_is_Ready_and_gates_of_others_stay()
    {
        await StartOperatorAsync(options => options with { KueueVersion = Version });
        var job = await Client.CreateAsync(KnownResources.Jobs, Job("llm", $"example.com/budget,{KueuePolicy.Gate}"), CancellationToken.None);
        await CreateWorkloadAsync("job-llm", "batch/v1", "Job", job.Metadata, job.Metadata.Annotations[KueuePolicy.GatedBy], "mix");
        await CreateAsync("mix");
        var build = await Player.PodAsync("mix");
        Assert.Equal($"example.com/budget,{KueuePolicy.Gate}", (await JobAsync("llm")).Metadata.Annotations[KueuePolicy.GatedBy]);

        await Player.EndAsync(build, 0, Specs.Built());
        await UntilAsync("our gate to be taken off", async () => (await JobAsync("llm")).Metadata.Annotations.GetValueOrDefaultOf(KueuePolicy.GatedBy) == "example.com/budget");
    }

    [Fact]
    public async Task A_JobSet_whose_index_was_Ready_before_is_let_go_at_once_and_loses_the_annotation_with_its_last_gate()
    {
        await StartOperatorAsync(options => options with { KueueVersion = Version });
        Player.SucceedAll();
        await CreateAsync("mix");
        await ReadyAsync("mix");
        var set = new ResourceType<KueueJob>("jobset.x-k8s.io", "v1alpha2", "JobSet", "jobsets", KueueResources.JobOf(new V1OwnerReference { ApiVersion = "jobset.x-k8s.io/v1alpha2", Kind = "JobSet" })!.Item);
        await Plane.KubectlWithInputAsync(
            new JsonObject
            {
                ["apiVersion"] = "jobset.x-k8s.io/v1alpha2",
                ["kind"] = "JobSet",
                ["metadata"] = new JsonObject { ["name"] = "llm", ["annotations"] = new JsonObject { [KueuePolicy.GatedBy] = KueuePolicy.Gate } },
                ["spec"] = new JsonObject(),
            }.ToJsonString(),
            "apply", "-n", Namespace, "-f", "-");
        var created = await Client.GetAsync(set, new ObjectKey(Namespace, "llm"), CancellationToken.None);
        await CreateWorkloadAsync("jobset-llm", "jobset.x-k8s.io/v1alpha2", "JobSet", created.Metadata, KueuePolicy.Gate, "mix");

        await UntilAsync("the annotation to go", async () => (await Client.GetAsync(set, new ObjectKey(Namespace, "llm"), CancellationToken.None)).Metadata.Annotations?.ContainsKey(KueuePolicy.GatedBy) != true);
    }

    [Fact]
    public async Task A_Workload_that_nobody_could_let_go_says_so()
    {
        await StartOperatorAsync(options => options with { KueueVersion = Version });
        var job = await Client.CreateAsync(KnownResources.Jobs, Job("llm", KueuePolicy.Gate), CancellationToken.None);
        await CreateWorkloadAsync("no-label", "batch/v1", "Job", job.Metadata, KueuePolicy.Gate, null);
        await CreateWorkloadAsync("no-index", "batch/v1", "Job", job.Metadata, KueuePolicy.Gate, "not-there");
        await ToldAsync("no-label", PodReasons.IndexMissing);
        await ToldAsync("no-index", PodReasons.IndexMissing);

        Player.SucceedAll();
        await CreateAsync("mix");
        await ReadyAsync("mix");
        await CreateWorkloadAsync("no-kind", "apps/v1", "Deployment", job.Metadata, KueuePolicy.Gate, "mix");
        await ToldAsync("no-kind", "GateNotRemoved");
    }

    [Fact]
    public async Task Kueue_is_found_by_what_the_operator_may_read()
    {
        Assert.Equal(Version, await FindAsync(Client, KueueMode.Auto));
        Assert.Null(await FindAsync(Client, KueueMode.Off));
        using var operators = new ApiClient(ApiConnection.FromKubeconfig(await OperatorAccess.KubeConfigAsync(Plane)));
        Assert.Equal(Version, await FindAsync(operators, KueueMode.On, Namespace));
        Assert.Null(await FindAsync(operators, KueueMode.Auto));
        Assert.Contains("config/kueue", (await Assert.ThrowsAsync<InvalidOperationException>(() => FindAsync(operators, KueueMode.On))).Message, StringComparison.Ordinal);

        static Task<string?> FindAsync(ApiClient client, KueueMode mode, params string[] namespaces) =>
            KueueDiscovery.FindAsync(client, mode, namespaces, TimeProvider.System, _ => { }, TestContext.Current.CancellationToken);
    }

    private V1Job Job(string name, string gates) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = Namespace, Annotations = new Dictionary<string, string> { [KueuePolicy.GatedBy] = gates } },
        Spec = new V1JobSpec
        {
            // Kueue suspends what it queues; the server of the tests may not know that field.
            Parallelism = 0,
            Template = new V1PodTemplateSpec { Spec = new V1PodSpec { RestartPolicy = "Never", Containers = [new V1Container { Name = "train", Image = "registry.example/train:test" }] } },
        },
    };

    private Task<V1Job> JobAsync(string name) => Client.GetAsync(KnownResources.Jobs, new ObjectKey(Namespace, name), CancellationToken.None);

    private Task<KueueWorkload> CreateWorkloadAsync(string name, string apiVersion, string kind, V1ObjectMeta owner, string gates, string? index) => Client.CreateAsync(
        Workloads,
        new KueueWorkload
        {
            ApiVersion = Workloads.ApiVersion,
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = Namespace,
                Annotations = new Dictionary<string, string> { [KueuePolicy.GatedBy] = gates },
                OwnerReferences = [new V1OwnerReference { ApiVersion = apiVersion, Kind = kind, Name = owner.Name, Uid = owner.Uid, Controller = true }],
            },
            Spec = new KueueWorkloadSpec
            {
                PodSets = [new KueuePodSet { Template = new KueuePodTemplate { Metadata = new KueueTemplateMetadata { Labels = index is null ? null : new Dictionary<string, string> { [Labels.Index] = index } } } }],
            },
        },
        CancellationToken.None);
}
