using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>A person who may create PretrainIndexes in one namespace, and nothing else there or elsewhere: what they get of it.</summary>
public sealed class TenancyTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    private string Jane => $"jane-{Namespace}";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Plane.KubectlAsync("create", "role", "indexes", "--verb=get,list,watch,create,update,patch,delete", "--resource=pretrainindexes.indexoperator.io", "-n", Namespace);
        await Plane.KubectlAsync("create", "rolebinding", "jane", "--role=indexes", $"--user={Jane}", "-n", Namespace);
        await UntilAsync("the right to count", async () => await MayAsync("create", "pretrainindexes.indexoperator.io", Namespace));
    }

    [Fact]
    public async Task They_get_a_pod_of_the_namespace_without_a_token_an_account_or_a_privilege_of_choice()
    {
        await StartOperatorAsync();
        await ApplyAsync(Manifest("mix", """{"podSecurityContext":{"runAsUser":1000,"fsGroup":0},"podLabels":{"app":"x"},"podAnnotations":{"a":"b"}}"""));
        var pod = await Player.PodAsync("mix");

        // As the server has stored it: with its defaults, and with what its admission has added.
        var stored = await Plane.GetJsonAsync("pod", pod.Metadata.Name, "-n", Namespace);
        Assert.Empty(OwnPods.Faults(WithoutDefaults(stored)));
        Assert.Equal((Namespace, "default"), ((string?)stored["metadata"]!["namespace"], (string?)stored["spec"]!["serviceAccountName"]));
        Assert.DoesNotContain("/var/run/secrets", stored.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("registry.example/index-builder:test", (string?)stored["spec"]!["containers"]!.AsArray().Single()!["image"]);

        // They could have made none of this themselves, nor read what it reads.
        foreach (var (verb, resource) in new[] { ("create", "pods"), ("create", "jobs.batch"), ("get", "secrets"), ("get", "configmaps"), ("get", "pods/log"), ("patch", "pretrainindexes.indexoperator.io/status"), ("create", "pods/exec") })
        {
            Assert.False(await MayAsync(verb, resource, Namespace), $"{verb} {resource}");
        }
    }

    [Theory]
    [InlineData("a claim of another namespace", "/spec/data/claimName", "other/corpus")]
    [InlineData("a claim by a path", "/spec/data/claimName", "../other/corpus")]
    [InlineData("a cache of another namespace", "/spec/cache/claimName", "other/npy-index")]
    [InlineData("a path of the node", "/spec/data/subPath", "/etc")]
    [InlineData("a path out of the data", "/spec/data/subPath", "../..")]
    [InlineData("a path out of the cache", "/spec/cache/subPath", "a/../../../b")]
    [InlineData("data out of its mount", "/spec/data/blend/0/prefix", "/data/../etc/shadow")]
    [InlineData("a mount over the system", "/spec/data/mountPath", "/proc/../etc")]
    [InlineData("a field that is not there", "/spec/build/serviceAccountName", "admin")]
    [InlineData("a volume of their own", "/spec/build/volumes", "/")]
    public async Task What_reaches_out_of_the_namespace_or_its_mounts_is_refused_or_never_mounted(string what, string path, string value)
    {
        Player.SucceedAll();
        await StartOperatorAsync();
        await CreateAsync("good", spec => Specs.Seeded(spec, 3));
        var manifest = Manifest("bad", "{}");
        var at = path.Split('/')[1..];
        var parent = at[..^1].Aggregate((JsonNode)manifest, (node, part) => node is JsonArray list ? list[int.Parse(part, System.Globalization.CultureInfo.InvariantCulture)]! : node[part]!);
        parent[at[^1]] = value;
        var result = await Plane.TryKubectlAsync(["create", "--validate=false", "--as", Jane, "-n", Namespace, "-f", "-"], manifest.ToJsonString());
        await ReadyAsync("good");
        if (result.ExitCode == 0)
        {
            await IndexAsync("bad", "judged", index => index.ConditionOf(ConditionTypes.Ready) is not null);
        }

        // No pod of this namespace, and no Job anywhere, has it.
        var everywhere = await Plane.GetJsonAsync("jobs,pods", "-n", Namespace);
        foreach (var item in everywhere["items"]!.AsArray())
        {
            var spec = (string?)item!["kind"] == "Job" ? item["spec"]!["template"]!["spec"]! : item["spec"]!;
            Assert.DoesNotContain(spec["volumes"]!.AsArray(), volume => volume!["hostPath"] is not null || volume["persistentVolumeClaim"]?["claimName"]?.GetValue<string>().Contains('/', StringComparison.Ordinal) == true);
            Assert.All(PodSecurity.Containers(spec).SelectMany(container => container["volumeMounts"]!.AsArray()), mount => Assert.DoesNotContain("..", (string?)mount!["subPath"] ?? "", StringComparison.Ordinal));
            Assert.DoesNotContain(PodSecurity.Containers(spec).SelectMany(container => container["args"]!.AsArray()), argument => ((string)argument!).Contains("..", StringComparison.Ordinal));
            Assert.Equal("default", (string?)spec["serviceAccountName"] ?? "default");
        }

        Assert.True(result.ExitCode != 0 || what is "a field that is not there" or "a volume of their own" || JobsEver("bad").Count == 0, what);
    }

    [Fact]
    public async Task Two_namespaces_that_name_the_same_claims_and_content_know_nothing_of_each_other()
    {
        var other = await Plane.CreateNamespaceAsync("tenant");
        await StartOperatorAsync(options => options with { Namespaces = [Namespace, other] });
        await UntilAsync("the other namespace's account", async () => (await Plane.TryKubectlAsync(["get", "serviceaccount", "default", "-n", other])).ExitCode == 0);
        foreach (var claim in new[] { Specs.DataClaim, Specs.CacheClaim })
        {
            await Client.CreateAsync(KnownResources.PersistentVolumeClaims, Specs.Claim(other, claim), CancellationToken.None);
        }

        Player.SucceedAll("mine");
        await CreateAsync("mix");
        await ReadyAsync("mix");

        // Neither waited for nor reused: the claim of that name is another one.
        await CreateAsync(Specs.Index(other, "mix"));
        await UntilAsync("a build of the other's own", async () => (await Plane.GetJsonAsync("jobs", "-n", other))["items"]!.AsArray().Any(job => (string?)job!["metadata"]!["labels"]![Labels.Task] == Planning.BuildAttempt.BuildTask));
        var theirs = await Client.GetAsync(Operator.Resources.PretrainIndexes, new ObjectKey(other, "mix"), CancellationToken.None);
        Assert.Null(theirs.Status?.Current);
        await Plane.KubectlAsync("delete", "namespace", other, "--wait=false");
    }

    private async Task<bool> MayAsync(string verb, string resource, string space)
    {
        var parts = resource.Split('/');
        string[] asked = ["auth", "can-i", verb, parts[0], "--as", Jane, "-n", space];
        return (await Plane.TryKubectlAsync(parts.Length > 1 ? [.. asked, "--subresource=" + parts[1]] : asked)).ExitCode == 0;
    }

    private Task<string> ApplyAsync(JsonObject manifest) => Plane.KubectlWithInputAsync(manifest.ToJsonString(), "create", "--validate=false", "--as", Jane, "-n", Namespace, "-f", "-");

    private static JsonObject Manifest(string name, string build) => new()
    {
        ["apiVersion"] = PretrainIndex.GroupVersion,
        ["kind"] = PretrainIndex.KindName,
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = new JsonObject
        {
            ["data"] = new JsonObject { ["claimName"] = Specs.DataClaim, ["mountPath"] = "/data", ["blend"] = new JsonArray(new JsonObject { ["prefix"] = "/data/a" }) },
            ["dataset"] = new JsonObject { ["sequenceLength"] = 4096, ["split"] = "1", ["tokenizer"] = new JsonObject { ["preset"] = "NeMoAutoTokenizer" } },
            ["cache"] = new JsonObject { ["claimName"] = Specs.CacheClaim },
            ["build"] = JsonNode.Parse(build),
        },
    };

    // The account that the server fills in is the namespace's, for which no token is mounted.
    private static JsonObject WithoutDefaults(JsonObject pod)
    {
        var copy = pod.DeepClone().AsObject();
        copy["spec"]!.AsObject().Remove("serviceAccountName");
        copy["spec"]!.AsObject().Remove("serviceAccount");
        return copy;
    }
}
