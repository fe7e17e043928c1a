using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.TestSupport;

namespace IndexOperator.Chart.Tests;

/// <summary>The definition comes from the generated file, goes with upgrades and stays when the chart goes.</summary>
public sealed class DefinitionTests
{
    [Fact]
    public async Task The_definition_is_the_generated_one_and_is_kept_when_the_release_goes()
    {
        var rendered = (await Helm.ObjectsAsync("--set", "commonAnnotations.a=b", "--set", "commonAnnotations.helm\\.sh/resource-policy=nothing")).Of("CustomResourceDefinition").Single();
        var generated = YamlJson.ParseAll(RepositoryRoot.ReadText("config/crd/indexoperator.io_pretrainindexes.yaml")).OfType<JsonNode>().Single();
        Assert.Equal("keep", (string?)rendered["metadata"]!["annotations"]!["helm.sh/resource-policy"]);
        Assert.Equal("b", (string?)rendered["metadata"]!["annotations"]!["a"]);
        Assert.Equal((string?)generated["metadata"]!["name"], (string?)rendered["metadata"]!["name"]);
        Assert.True(JsonNode.DeepEquals(generated["spec"], rendered["spec"]), "the rendered definition is not that of config/crd: make manifests");
    }

    [Fact]
    public async Task Who_installs_the_definition_by_other_means_gets_none() =>
        Assert.Empty((await Helm.ObjectsAsync("--set", "crds.install=false")).Of("CustomResourceDefinition"));

    [Fact]
    public void Chart_and_programs_have_one_version()
    {
        var chart = YamlText.Read(RepositoryRoot.ReadText($"{Helm.Chart}/Chart.yaml"));
        var version = (string?)System.Xml.Linq.XDocument.Load(RepositoryRoot.PathOf("Directory.Build.props")).Descendants("Version").Single();
        Assert.Equal((version, version), ((string?)chart["version"], (string?)chart["appVersion"]));
    }
}
