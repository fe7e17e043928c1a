using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.Api.Tests;

/// <summary>The repository of docs/gitops, and what config/argocd gives Argo CD.</summary>
public sealed class GitOpsExampleTests
{
    private const string Example = "docs/gitops";

    [Fact]
    public async Task The_index_is_of_the_schema_and_can_be_carried_out()
    {
        var index = Assert.Single(await Kustomize.ObjectsAsync($"{Example}/web-mix/index"));
        Assert.DoesNotContain(CrdSchema.FieldsOf(index, CrdSchema.Root()), field => field.EndsWith('?') && !field.StartsWith("metadata.", StringComparison.Ordinal));
        Assert.Empty(PretrainIndexValidation.Validate(PretrainIndexYaml.Parse(YamlText.Write(index)).Spec));
    }

    [Fact]
    public async Task Argo_CD_applies_the_index_before_the_run_and_the_steps_of_Flux_are_the_same_two()
    {
        var all = await Kustomize.ObjectsAsync($"{Example}/web-mix");
        Assert.Equal(["PretrainIndex", "Job"], all.OrderBy(item => int.Parse((string)item["metadata"]!["annotations"]!["argocd.argoproj.io/sync-wave"]!, System.Globalization.CultureInfo.InvariantCulture)).Select(item => (string?)item["kind"]));

        foreach (var (step, kind) in new[] { ("index", "PretrainIndex"), ("training", "Job") })
        {
            var alone = Assert.Single(await Kustomize.ObjectsAsync($"{Example}/web-mix/{step}"));
            Assert.True(JsonNode.DeepEquals(alone, Assert.Single(all, item => (string?)item["kind"] == kind)), alone.ToString());
        }
    }

    [Fact]
    public async Task The_run_insists_on_the_data_version_of_the_index_and_is_made_anew_for_another_one()
    {
        var all = await Kustomize.ObjectsAsync($"{Example}/web-mix");
        var (index, job) = (all.Single(item => (string?)item["kind"] == "PretrainIndex"), all.Single(item => (string?)item["kind"] == "Job"));
        var pod = job["spec"]!["template"]!["metadata"]!;
        Assert.Equal((string?)index["metadata"]!["name"], (string?)pod["labels"]![Labels.Index]);
        Assert.Equal((string?)index["spec"]!["dataVersion"], (string?)pod["annotations"]![Annotations.DataVersion]);
        Assert.Equal("Force=true,Replace=true", (string?)job["metadata"]!["annotations"]!["argocd.argoproj.io/sync-options"]);
        Assert.Equal("enabled", (string?)job["metadata"]!["annotations"]!["kustomize.toolkit.fluxcd.io/force"]);
    }

    [Fact]
    public void Each_tool_is_pointed_at_folders_that_are_there_and_Flux_at_the_index_first()
    {
        var application = Assert.Single(Documents("argocd/web-mix.yaml"));
        Assert.True(File.Exists(RepositoryRoot.PathOf($"{Example}/{application["spec"]!["source"]!["path"]}/kustomization.yaml")));

        var flux = Documents("flux/web-mix.yaml").Where(item => (string?)item["kind"] == "Kustomization").ToDictionary(item => (string)item["metadata"]!["name"]!, item => item["spec"]!);
        Assert.All(flux.Values, spec => Assert.True(File.Exists(RepositoryRoot.PathOf($"{Example}/{spec["path"]}/kustomization.yaml"))));
        var training = flux["web-mix-training"];
        var needed = flux[(string)Assert.Single(training["dependsOn"]!.AsArray())!["name"]!];
        Assert.Equal(("./web-mix/index", true), ((string?)needed["path"], (bool?)needed["wait"]));
        // Only of one source Flux compares commits.
        Assert.True(JsonNode.DeepEquals(needed["sourceRef"], training["sourceRef"]));
    }

    [Fact]
    public async Task Argo_CD_gets_the_health_check_under_the_key_that_it_reads()
    {
        var map = Assert.Single(await Kustomize.ObjectsAsync("config/argocd"));
        Assert.Equal(("ConfigMap", "argocd-cm", "argocd"), ((string?)map["kind"], (string?)map["metadata"]!["name"], (string?)map["metadata"]!["namespace"]));
        var (key, script) = Assert.Single(map["data"]!.AsObject());
        Assert.Equal($"resource.customizations.health.{PretrainIndex.GroupName}_{PretrainIndex.KindName}", key);
        Assert.Equal(RepositoryRoot.ReadText("config/argocd/health.lua"), (string?)script);
    }

    private static List<JsonNode> Documents(string file) => [.. YamlJson.ParseAll(RepositoryRoot.ReadText($"{Example}/{file}")).OfType<JsonNode>()];
}
