using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>The CRD on a real API server.</summary>
public sealed class CrdOnServerTests(ControlPlaneFixture fixture)
{
    private const string Minimal = """
        apiVersion: indexoperator.io/v1alpha1
        kind: PretrainIndex
        metadata: {name: minimal}
        spec:
          data:
            claimName: corpus
            mountPath: /data
            blend:
            - prefix: /data/web_text_document
          dataset:
            sequenceLength: 4096
            split: "900,50,50"
            tokenizer: {preset: NeMoAutoTokenizer}
          cache: {claimName: npy-index}
        """;

    private static readonly Version CelServer = new(1, 25);

    private ControlPlane Plane => fixture.Plane;

    public static TheoryData<string> BrokenRules => new(CelCase.All().Select(broken => broken.Rule).Distinct());

    [Fact]
    public async Task The_CRD_is_structural_and_established()
    {
        var crd = await Plane.GetJsonAsync("crd", "pretrainindexes.indexoperator.io");
        var conditions = crd["status"]!["conditions"]!.AsArray();
        Assert.DoesNotContain(conditions, condition => (string?)condition!["type"] == "NonStructuralSchema");
        Assert.Contains(conditions, condition => (string?)condition!["type"] == "Established" && (string?)condition["status"] == "True");
        Assert.Contains(conditions, condition => (string?)condition!["type"] == "NamesAccepted" && (string?)condition["status"] == "True");
    }

    [Fact]
    public async Task A_fully_filled_object_comes_back_with_nothing_pruned()
    {
        var space = await Plane.CreateNamespaceAsync();
        foreach (var written in CrdSchema.FullyFilled())
        {
            var name = (string)written["metadata"]!["name"]!;
            await ApplyAsync(written.ToJsonString(), space);
            var stored = await Plane.GetJsonAsync("pti", name, "-n", space);
            var declared = written.DeepClone().AsObject();
            declared.Remove("status");
            Assert.Empty(CrdSchema.Differences(declared, stored));
            if (written["status"] is null)
            {
                continue;
            }

            stored["status"] = written["status"]!.DeepClone();
            await Plane.KubectlWithInputAsync(stored.ToJsonString(), "replace", "--raw", $"/apis/indexoperator.io/v1alpha1/namespaces/{space}/pretrainindexes/{name}/status", "-f", "-");
            stored = await Plane.GetJsonAsync("pti", name, "-n", space);
            Assert.Empty(CrdSchema.Differences(written, stored));
        }
    }

    [Fact]
    public async Task The_server_fills_in_the_defaults_and_marks_the_status_as_not_observed()
    {
        var space = await Plane.CreateNamespaceAsync();
        await ApplyAsync(Minimal, space);
        var stored = await Plane.GetJsonAsync("pti", "minimal", "-n", space);
        var expected = Api.YamlJson.ParseAll(Minimal).Single()!;
        CrdSchema.ApplyDefaults(expected, CrdSchema.Root());
        Assert.Equal(-1, (long)expected["status"]!["observedGeneration"]!);
        Assert.Empty(CrdSchema.Differences(expected, stored));
        Assert.Empty(CrdSchema.Differences(stored["spec"], expected["spec"]));
    }

    [Theory]
    [InlineData("web-mix")]
    [InlineData("single-dataset")]
    [InlineData("per-split")]
    [InlineData("unweighted")]
    [InlineData("training-pod")]
    public async Task Each_sample_applies(string sample)
    {
        var space = await Plane.CreateNamespaceAsync();
        await Plane.KubectlAsync("apply", "-n", space, "-f", $"config/samples/{sample}.yaml");
    }

    [Fact]
    public async Task A_name_too_long_for_a_label_is_refused() =>
        Assert.Contains("metadata.name", await RefusedAsync(Minimal.Replace("name: minimal", "name: " + new string('a', 64), StringComparison.Ordinal)), StringComparison.Ordinal);

    [Fact]
    public async Task Columns_show_the_state_and_more_of_it_when_asked()
    {
        var space = await Plane.CreateNamespaceAsync();
        var filled = CrdSchema.FullyFilled()[0];
        await ApplyAsync(filled.ToJsonString(), space);
        var stored = await Plane.GetJsonAsync("pti", "fully-filled", "-n", space);
        stored["status"] = filled["status"]!.DeepClone();
        await Plane.KubectlWithInputAsync(stored.ToJsonString(), "replace", "--raw", $"/apis/indexoperator.io/v1alpha1/namespaces/{space}/pretrainindexes/fully-filled/status", "-f", "-");

        var narrow = Lines(await Plane.KubectlAsync("get", "pti", "-n", space));
        Assert.Equal(["NAME", "READY", "VERSION", "DATA", "PROGRESS", "SIZE", "AGE"], Words(narrow[0]));
        Assert.StartsWith("fully-filled True 5f0c00112233445566ff 2026-11-20 SampleIndex 41% 20s 823Mi", string.Join(' ', Words(narrow[1])), StringComparison.Ordinal);
        var wide = Lines(await Plane.KubectlAsync("get", "pti", "-n", space, "-o", "wide"));
        Assert.Equal(["NAME", "READY", "VERSION", "DATA", "PROGRESS", "SIZE", "AGE", "REASON", "JOB", "CLAIM"], Words(wide[0]));
        Assert.EndsWith("Published fully-filled-build-7c2f1 npy-index", string.Join(' ', Words(wide[1])), StringComparison.Ordinal);
        Assert.Contains("fully-filled", await Plane.KubectlAsync("get", "indexoperator", "-n", space), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cache: {claimName: npy-index}", "cache: {claimName: npy-index, deletionPolicy: Keep}", "spec.cache.deletionPolicy", "\"Retain\", \"Delete\"")]
    [InlineData("preset: NeMoAutoTokenizer", "preset: Other", "spec.dataset.tokenizer.preset", "\"NeMoAutoTokenizer\"")]
    [InlineData("mountPath: /data", "mountPath: data", "spec.data.mountPath", "should match")]
    [InlineData("mountPath: /data", "mountPath: /data/", "spec.data.mountPath", "should match")]
    [InlineData("sequenceLength: 4096", "sequenceLength: 0", "spec.dataset.sequenceLength", "should be greater than or equal to 1")]
    [InlineData("sequenceLength: 4096", "sequenceLength: 3000000000", "spec.dataset.sequenceLength", "should be less than or equal to")]
    [InlineData("sequenceLength: 4096", "sequenceLength: \"4096\"", "spec.dataset.sequenceLength", "integer")]
    [InlineData("sequenceLength: 4096", "sequenceLength: 4096\n    megatronCore: \"0.6\"", "spec.dataset.megatronCore", "\"0.19\"")]
    [InlineData("claimName: corpus", "subPath: x", "spec.data.claimName", "Required value")]
    [InlineData("- prefix: /data/web_text_document", "- {prefix: /data/a, weight: 0}", "weight", "should be greater than 0")]
    [InlineData("cache: {claimName: npy-index}", "cache: {claimTemplate: {size: lots}}", "spec.cache.claimTemplate.size", "should match")]
    [InlineData("cache: {claimName: npy-index}", "cache: {claimName: npy-index}\n  build: {resources: {limits: {cpu: 1e999999999}}}", "spec.build.resources.limits.cpu", "should match")]
    [InlineData("cache: {claimName: npy-index}", "cache: {claimName: npy-index}\n  build: {affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 3000000000, preference: {}}]}}}", "weight", "should be less than or equal to")]
    [InlineData("cache: {claimName: npy-index}", "cache: {claimName: npy-index}\n  build: {timeout: 5 minutes}", "spec.build.timeout", "should match")]
    [InlineData("cache: {claimName: npy-index}", "cache: {claimName: npy-index}\n  build: {podSecurityContext: {runAsUser: 0}}", "spec.build.podSecurityContext.runAsUser", "greater than or equal to 1")]
    [InlineData("cache: {claimName: npy-index}", "cache: {claimName: npy-index}\n  build: {affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{}]}}}", "topologyKey", "Required value")]
    public async Task What_the_schema_forbids_is_refused_by_field(string written, string instead, string field, string message)
    {
        var error = await RefusedAsync(Minimal.Replace(written, instead, StringComparison.Ordinal));
        Assert.Contains(field, error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(BrokenRules))]
    public async Task The_rules_refuse_with_their_messages(string rule)
    {
        Plane.SkipBefore(CelServer, "CEL validation");
        foreach (var broken in CelCase.All().Where(broken => broken.Rule == rule))
        {
            if (!broken.IsUpdate)
            {
                Assert.Contains(rule, await RefusedAsync(broken.Item.ToJsonString()), StringComparison.Ordinal);
                continue;
            }

            var space = await Plane.CreateNamespaceAsync();
            await ApplyAsync(CelCase.Minimal().ToJsonString(), space);
            Assert.Contains(rule, await Plane.KubectlFailsAsync(broken.Item.ToJsonString(), "apply", "--validate=false", "-n", space, "-f", "-"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Explain_describes_the_fields()
    {
        // The API server publishes the schema a moment after the CRD is established.
        var text = await Wait.For(
            "kubectl explain to know pretrainindexes",
            async () => await Plane.TryKubectlAsync(["explain", "pti.spec.data"]) is { ExitCode: 0 } answer ? answer.Output : null,
            TimeSpan.FromSeconds(60));
        Assert.Contains("PersistentVolumeClaim in this namespace that holds the .bin/.idx files", Joined(text), StringComparison.Ordinal);
        Assert.Contains("Weights on all entries or on none", Joined(text), StringComparison.Ordinal);
        Assert.Contains("node affinity", Joined(await Plane.KubectlAsync("explain", "pti.spec.build.affinity.nodeAffinity")), StringComparison.Ordinal);
    }

    private async Task ApplyAsync(string manifest, string space) => await Plane.KubectlWithInputAsync(manifest, "apply", "-n", space, "-f", "-");

    // Without kubectl's own validation, so that the server's words are read.
    private async Task<string> RefusedAsync(string manifest) =>
        await Plane.KubectlFailsAsync(manifest, "apply", "--validate=false", "--dry-run=server", "-n", "default", "-f", "-");

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static string Joined(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
