using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s.Models;

namespace IndexOperator.Integration;

/// <summary>Every manifest of config/samples, applied as a person applies it, does what its comment says.</summary>
public sealed class SamplesTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    public static TheoryData<string> Samples => new(Directory.GetFiles(RepositoryRoot.PathOf("config/samples")).Select(Path.GetFileNameWithoutExtension).OfType<string>().Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task The_server_takes_each_sample_as_it_is_and_the_operator_carries_it_out(string sample)
    {
        var documents = YamlJson.ParseAll(RepositoryRoot.ReadText(PathOf(sample))).Select(document => document!).ToList();
        foreach (var claim in documents.SelectMany(ClaimsOf).Distinct().Except([Specs.DataClaim, Specs.CacheClaim]))
        {
            await CreateClaimAsync(claim);
        }

        await StartOperatorAsync();
        Player.SucceedAll(sample);
        await ApplyAsync(sample);
        foreach (var written in documents)
        {
            var stored = await Plane.GetJsonAsync((string)written["kind"]!, NameOf(written), "-n", Namespace);
            Assert.Empty(CrdSchema.Differences(written, stored));
        }

        foreach (var index in documents.Where(document => (string?)document["kind"] == PretrainIndex.KindName))
        {
            if ((bool?)index["spec"]!["suspend"] == true)
            {
                await NotReadyAsync(NameOf(index), Reasons.Suspended);
                Assert.Empty(JobsEver(NameOf(index)));
                await PatchSpecAsync(NameOf(index), new JsonObject { ["suspend"] = false });
            }

            var ready = await ReadyAsync(NameOf(index));
            Assert.Single(JobsEver(NameOf(index)));
            Assert.Equal(Specs.Version(sample), ready.Status!.Current!.Version);
            Assert.Equal((string?)index["spec"]!["dataVersion"], ready.Status.Current.DataVersion);
            Assert.Equal((string?)index["metadata"]!["annotations"]?[Annotations.Rebuild], ready.Status.RebuildToken);
        }
    }

    [Fact]
    public async Task Of_two_that_share_a_cache_one_builds_and_the_other_waits()
    {
        await StartOperatorAsync();
        await ApplyAsync("shared-cache");
        string[] names = ["shared-cache-team-a", "shared-cache-team-b"];
        var states = await Task.WhenAll(names.Select(name => IndexAsync(name, "building or waiting", index => index.Is(ConditionTypes.Ready, "False", Reasons.SharedBuild) || index.Status!.Build?.Job is not null)));
        var builder = Assert.Single(states, index => index.Status!.Build?.Job is not null);
        var waiting = Assert.Single(states, index => index.Is(ConditionTypes.Ready, "False", Reasons.SharedBuild));
        Assert.Contains(builder.Metadata.Name, waiting.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);
        Assert.Empty(JobsEver(waiting.Metadata.Name));

        await Player.EndAsync(await Player.PodAsync(builder.Metadata.Name), 0, Specs.Built("shared"));
        await ReadyAsync(builder.Metadata.Name);
        await Player.EndAsync(await Player.PodAsync(waiting.Metadata.Name), 0, Specs.Built("shared", BuildReport.Reused));
        Assert.True((await ReadyAsync(waiting.Metadata.Name)).Is(ConditionTypes.Ready, "True", Reasons.Reused));
    }

    [Fact]
    public async Task The_claim_of_a_template_has_the_name_that_the_status_tells_and_outlives_the_resource()
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        await ApplyAsync("claim-template");
        var name = (await ReadyAsync("claim-template")).Status!.ClaimName!;
        Assert.Equal($"persistentvolumeclaim/{name}\n", await Plane.KubectlAsync("get", "pvc", "-l", $"{Labels.OwnerName}=claim-template", "-o", "name", "-n", Namespace));
        var claim = await Client.GetAsync(KnownResources.PersistentVolumeClaims, new ObjectKey(Namespace, name), TestContext.Current.CancellationToken);
        Assert.Equal(["ReadWriteMany"], claim.Spec.AccessModes);
        Assert.Equal("20Gi", claim.Spec.Resources.Requests["storage"].ToString());

        await DeleteAsync("claim-template");
        await GoneAsync("claim-template");
        Assert.Null((await Client.GetAsync(KnownResources.PersistentVolumeClaims, new ObjectKey(Namespace, name), TestContext.Current.CancellationToken)).Metadata.DeletionTimestamp);
    }

    [Theory]
    [InlineData("training-pod")]
    [InlineData("pinned-training-pod")]
    public async Task A_training_pod_is_pinned_to_the_version_that_it_names(string sample)
    {
        await StartOperatorAsync();
        await ApplyAsync("web-mix");
        await Player.EndAsync(await Player.PodAsync("web-mix"), 0, Specs.Built());
        var version = (await ReadyAsync("web-mix")).Status!.Current!.Version!;
        await Plane.KubectlWithInputAsync(RepositoryRoot.ReadText(PathOf(sample)).Replace("00000000000000000000", version, StringComparison.Ordinal), "apply", "-n", Namespace, "-f", "-");
        var used = await IndexAsync("web-mix", "used by a pod", index => index.Status!.Consumers is not null);
        Assert.Equal((1, 0), (used.Status!.Consumers!.Waiting, used.Status.Consumers.Running));
        Assert.Equal([version], used.Status.Consumers.VersionsInUse!);
    }

    [Theory]
    [InlineData("job")]
    [InlineData("pod")]
    [InlineData("staging")]
    [InlineData("megatron-lm")]
    [InlineData("nemo2")]
    [InlineData("kueue")]
    public async Task The_server_takes_each_consumer_of_a_kind_that_it_has(string sample)
    {
        // Older API servers do not know Indexed Jobs, and drop the field.
        var told = await Plane.KubectlAsync("apply", "--dry-run=server", "--validate=false", "-n", Namespace, "-f", PathOf($"consumers/{sample}"));
        Assert.Equal(YamlJson.ParseAll(RepositoryRoot.ReadText(PathOf($"consumers/{sample}"))).Count, told.Split("created (server dry run)").Length - 1);
    }

    [Fact]
    public async Task What_a_sample_says_of_its_build_is_in_the_Job()
    {
        await StartOperatorAsync();
        foreach (var sample in new[] { "placement-any-node", "more-memory", "timeouts-and-retries", "refresh-rebuild" })
        {
            await ApplyAsync(sample);
        }

        var anywhere = (await JobAsync("placement-any-node")).Spec.Template.Spec;
        Assert.Null(anywhere.Affinity);
        Assert.Equal(["dedicated"], anywhere.Tolerations.Select(toleration => toleration.Key));
        Assert.Equal("linux", anywhere.NodeSelector["kubernetes.io/os"]);
        Assert.Equal("8Gi", (await JobAsync("more-memory")).Spec.Template.Spec.Containers[0].Resources.Limits["memory"].ToString());
        Assert.Equal(1800, (await JobAsync("timeouts-and-retries")).Spec.ActiveDeadlineSeconds);
        var standard = (await JobAsync("refresh-rebuild")).Spec;
        Assert.Equal(7200, standard.ActiveDeadlineSeconds);
        Assert.Equal("nvidia.com/gpu.present", standard.Template.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0].MatchExpressions[0].Key);
    }

    private static string PathOf(string sample) => $"config/samples/{sample}.yaml";

    private static string NameOf(JsonNode document) => (string)document["metadata"]!["name"]!;

    private static IEnumerable<string> ClaimsOf(JsonNode document)
    {
        var spec = document["spec"]!;
        var volumes = spec["volumes"]?.AsArray().Select(volume => (string?)volume!["persistentVolumeClaim"]?["claimName"]) ?? [];
        return volumes.Append((string?)spec["data"]?["claimName"]).Append((string?)spec["cache"]?["claimName"]).OfType<string>();
    }

    private Task<string> ApplyAsync(string sample) => Plane.KubectlAsync("apply", "-n", Namespace, "-f", PathOf(sample));

    private async Task<V1Job> JobAsync(string index)
    {
        await UntilAsync($"a Job of {index}", () => JobsEver(index, BuildAttempt.BuildTask).Count > 0);
        return JobsEver(index)[0];
    }
}
