using System.Text.Json;
using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Planning;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>A real API server takes what injection makes of pods, and what it fills in does not disturb a second look.</summary>
public sealed class InjectedPodTests(ControlPlaneFixture cluster)
{
    private const string Root = "tests/IndexOperator.Planning.Tests/golden-pods";

    private static readonly Version Gates = new(1, 30);
    private static readonly Version Sidecars = new(1, 29);
    private static readonly Version PodSecurity = new(1, 25);

    private ControlPlane Plane => cluster.Plane;

    [Fact]
    public async Task Every_pod_of_the_golden_cases_is_admitted_and_then_needs_nothing_more()
    {
        var space = await NamespaceAsync();
        var cases = GoldenCase.All(Root).Where(folder => File.Exists(PathOf(folder, "expected.yaml")) && File.Exists(PathOf(folder, "index.yaml"))).ToList();
        Assert.NotEmpty(cases);
        foreach (var folder in cases.Where(folder => Plane.ServerVersion >= Sidecars || !HasSidecar(folder)))
        {
            var admitted = await AdmitAsync(space, folder.ReadYaml("expected.yaml").AsObject());
            if (Plane.ServerVersion < Gates && folder.ReadYaml("expected.yaml")["spec"]!["schedulingGates"] is not null)
            {
                // It does not know gates and drops them.
                continue;
            }

            var index = folder.ReadYaml("index.yaml").Deserialize(ApiJsonContext.Default.PretrainIndex);
            var again = PodInjection.Inject(admitted, "training", index, new InjectionSettings { SchedulingGates = !IsOld(folder) });
            Assert.True(again is InjectionResult.Unchanged, $"{folder.Name}: {again}\n{admitted}");
        }
    }

    [Fact]
    public async Task A_pod_that_passes_the_restricted_standard_and_a_quota_passes_them_with_our_init_containers()
    {
        Plane.SkipBefore(PodSecurity, "Pod Security Admission");
        var space = await NamespaceAsync();
        await Plane.KubectlAsync("label", "namespace", space, "pod-security.kubernetes.io/enforce=restricted", "pod-security.kubernetes.io/enforce-version=latest");
        await Plane.KubectlAsync("create", "quota", "all", "--hard=requests.cpu=100,requests.memory=100Gi,limits.cpu=100,limits.memory=100Gi", "-n", space);
        var pod = YamlText.Read("""
            apiVersion: v1
            kind: Pod
            metadata:
              name: trainer
              labels: {indexoperator.io/index: web-mix}
              annotations: {indexoperator.io/staging: Memory, indexoperator.io/staging-size: 1Gi}
            spec:
              containers:
              - name: train
                image: registry.example/train:1
                resources: {requests: {cpu: "1", memory: 1Gi}, limits: {cpu: "1", memory: 1Gi}}
                securityContext: {runAsNonRoot: true, runAsUser: 1000, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}
            """).AsObject();
        var index = GoldenCase.All(Root)[0].ReadYaml("index.yaml").Deserialize(ApiJsonContext.Default.PretrainIndex);
        var injected = Assert.IsType<InjectionResult.Patched>(PodInjection.Inject(pod, "training", index, new InjectionSettings { SchedulingGates = false })).Pod;

        var admitted = await AdmitAsync(space, injected);

        Assert.Equal(2, admitted["spec"]!["initContainers"]!.AsArray().Count);

        // Requests that equal limits everywhere: it stays what it was.
        Assert.Equal("Guaranteed", (string?)admitted["status"]!["qosClass"]);
    }

    // As the server would store it: defaulted, and changed by its own admission.
    private async Task<JsonObject> AdmitAsync(string space, JsonObject pod)
    {
        pod["metadata"]!["namespace"] = space;
        return JsonNode.Parse(await Plane.KubectlWithInputAsync(pod.ToJsonString(), "create", "--dry-run=server", "--validate=false", "-o", "json", "-f", "-"))!.AsObject();
    }

    // Pods are admitted once the service account that they run as is there.
    private async Task<string> NamespaceAsync()
    {
        var space = await Plane.CreateNamespaceAsync();
        await Wait.Until("the default service account", async () => (await Plane.TryKubectlAsync(["get", "serviceaccount", "default", "-n", space])).ExitCode == 0, TimeSpan.FromSeconds(25));
        return space;
    }

    private static bool HasSidecar(GoldenCase folder) =>
        (folder.ReadYaml("expected.yaml")["spec"]!["initContainers"] as JsonArray ?? []).Any(container => container!["restartPolicy"] is not null);

    private static bool IsOld(GoldenCase folder) => File.Exists(PathOf(folder, "settings.yaml")) && (bool?)folder.ReadYaml("settings.yaml")["schedulingGates"] == false;

    private static string PathOf(GoldenCase folder, string file) => Path.Combine(RepositoryRoot.PathOf(Root), folder.Name, file);
}
