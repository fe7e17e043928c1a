using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>What a GitOps tool meets: files that stay as they were applied, and the repository of docs/gitops rolled step by step.</summary>
public sealed class GitOpsTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    private const string Health = "config/argocd/health.lua";

    private const string Before = "2026-11-20";

    private const string After = "2026-11-27";

    public static TheoryData<string, bool> Applied => [.. Directory.GetFiles(RepositoryRoot.PathOf("config/samples"))
        .Select(Path.GetFileNameWithoutExtension).OfType<string>().Order(StringComparer.Ordinal).SelectMany(sample => new[] { (sample, false), (sample, true) })];

    [Theory]
    [MemberData(nameof(Applied))]
    public async Task A_file_that_was_carried_out_shows_no_difference_and_changes_nothing_when_it_is_applied_again(string sample, bool serverSide)
    {
        string[] mode = serverSide ? ["--server-side"] : [];
        string[] file = [.. mode, "-n", Namespace, "-f", $"config/samples/{sample}.yaml"];
        var indexes = YamlJson.ParseAll(RepositoryRoot.ReadText($"config/samples/{sample}.yaml")).OfType<JsonNode>()
            .Where(document => (string?)document["kind"] == PretrainIndex.KindName).Select(document => (string)document["metadata"]!["name"]!).ToList();
        await StartOperatorAsync();
        Player.SucceedAll(sample);

        await Plane.KubectlAsync(["apply", .. file]);
        foreach (var index in indexes)
        {
            await IndexAsync(index, "carried out", found => found.Is(ConditionTypes.Ready, "True") || found.Is(ConditionTypes.Ready, "False", Reasons.Suspended));
        }

        var difference = await Plane.TryKubectlAsync(["diff", .. file]);
        Assert.True(difference.ExitCode == 0, difference.ToString());
        await Plane.KubectlAsync(["apply", .. file]);
        foreach (var index in indexes)
        {
            var stored = JsonNode.Parse(await Plane.KubectlAsync("get", "--raw", $"/apis/{PretrainIndex.GroupVersion}/namespaces/{Namespace}/{PretrainIndex.Plural}/{index}"))!["metadata"]!;
            Assert.Equal(1, (long)stored["generation"]!);
            var writers = stored["managedFields"]!.AsArray().Where(entry => entry!["fieldsV1"]!["f:spec"] is not null).Select(entry => (string)entry!["manager"]!);
            Assert.All(writers, writer => Assert.StartsWith("kubectl", writer, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_commit_with_another_data_version_makes_the_new_index_and_only_then_the_new_run()
    {
        var operatorAtFirst = await StartOperatorAsync();
        await ApplyAsync("PretrainIndex", Before);
        Assert.Equal(("Progressing", Kstatus.InProgress), await VerdictsAsync());
        await Player.EndAsync(await Player.PodAsync("web-mix"), 0, Specs.Built(Before));
        await HealthyAsync();
        await ApplyAsync("Job", Before);
        var firstRun = await Plane.GetJsonAsync("job", "web-mix-train", "-n", Namespace);

        // The moment in which only the API server knows of the commit: what the operator said before is of the generation before.
        await operatorAtFirst.StopAsync();
        await ApplyAsync("PretrainIndex", After);
        Assert.True((await GetAsync("web-mix")).Is(ConditionTypes.Ready, "True"));
        Assert.Equal(("Progressing", Kstatus.InProgress), await VerdictsAsync());

        await StartOperatorAsync();
        var pod = await Player.PodAsync("web-mix");
        Assert.Equal(("Progressing", Kstatus.InProgress), await VerdictsAsync());
        Assert.True((await GetAsync("web-mix")).Is(ConditionTypes.Available, "True"));
        var meanwhile = await Plane.GetJsonAsync("job", "web-mix-train", "-n", Namespace);
        Assert.Equal((string?)firstRun["metadata"]!["uid"], (string?)meanwhile["metadata"]!["uid"]);

        await Player.EndAsync(pod, 0, Specs.Built(After));
        await HealthyAsync();
        Assert.Equal((Specs.Version(After), After), ((await GetAsync("web-mix")).Status!.Current!.Version, (await GetAsync("web-mix")).Status!.Current!.DataVersion));

        // The Job of before cannot take the new pod template over, which is what the annotations of the file are for.
        Assert.Contains("immutable", await Plane.KubectlFailsAsync((await ManifestAsync("Job", After)).ToJsonString(), "apply", "-f", "-"), StringComparison.Ordinal);
        await Plane.KubectlWithInputAsync((await ManifestAsync("Job", After)).ToJsonString(), "replace", "--force", "-f", "-");
        var secondRun = await Plane.GetJsonAsync("job", "web-mix-train", "-n", Namespace);
        Assert.NotEqual((string?)firstRun["metadata"]!["uid"], (string?)secondRun["metadata"]!["uid"]);
        Assert.Equal(After, (string?)secondRun["spec"]!["template"]!["metadata"]!["annotations"]![Annotations.DataVersion]);

        await AssertNeverHealthyTooEarlyAsync();
    }

    // Every state that a tool may have seen, not only those that this test looked at.
    private async Task AssertNeverHealthyTooEarlyAsync()
    {
        var seen = Indexes.Changes.Select(change => System.Text.Json.JsonSerializer.SerializeToNode(change.New, ApiJsonContext.Default.PretrainIndex)!).ToList();
        var answers = await ArgoHealthCheck.RunAsync(Health, seen);
        foreach (var (index, answer) in seen.Zip(answers))
        {
            var isDelivered = (string?)index["status"]?["current"]?["dataVersion"] == (string?)index["spec"]!["dataVersion"];
            Assert.True(answer.Status == "Progressing" || (answer.Status == "Healthy" && isDelivered), $"{answer} of {index}");
            Assert.Equal(answer.Status == "Healthy", Kstatus.Of(index) == Kstatus.Current);
        }

        Assert.Contains(answers, answer => answer.Status == "Healthy");
    }

    private async Task<JsonNode> ManifestAsync(string kind, string dataVersion)
    {
        var item = (await Kustomize.ObjectsAsync("docs/gitops/web-mix")).Single(item => (string?)item["kind"] == kind);
        item["metadata"]!["namespace"] = Namespace;
        if (kind == "Job")
        {
            item["spec"]!["template"]!["metadata"]!["annotations"]![Annotations.DataVersion] = dataVersion;
        }
        else
        {
            item["spec"]!["dataVersion"] = dataVersion;
        }

        return item;
    }

    private async Task ApplyAsync(string kind, string dataVersion) => await Plane.KubectlWithInputAsync((await ManifestAsync(kind, dataVersion)).ToJsonString(), "apply", "-f", "-");

    private async Task<(string? ArgoCD, string Flux)> VerdictsAsync()
    {
        var index = await Plane.GetJsonAsync("pti", "web-mix", "-n", Namespace);
        return (Assert.Single(await ArgoHealthCheck.RunAsync(Health, [index])).Status, Kstatus.Of(index));
    }

    private Task HealthyAsync() => UntilAsync("the index to be Healthy and Current", async () => await VerdictsAsync() == ("Healthy", Kstatus.Current));
}
