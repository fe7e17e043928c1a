using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.Api.Tests;

/// <summary>Every manifest of config/samples, as the builder and the operator read it.</summary>
public sealed class SamplesTests
{
    private static readonly string[] Files = [.. Directory.GetFiles(RepositoryRoot.PathOf("config/samples")).Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal)];

    public static TheoryData<string> Samples => new(Files);

    [Theory]
    [MemberData(nameof(Samples))]
    public void Every_index_of_a_sample_can_be_carried_out(string file)
    {
        foreach (var document in Documents(file).Where(IsIndex))
        {
            var index = PretrainIndexYaml.Parse(YamlText.Write(document));
            Assert.Empty(PretrainIndexValidation.Validate(index.Spec));
            Assert.StartsWith(Path.GetFileNameWithoutExtension(file), index.Metadata.Name, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void Every_sample_begins_with_what_it_is_for(string file)
    {
        Assert.EndsWith(".yaml", file, StringComparison.Ordinal);
        var text = RepositoryRoot.ReadText($"config/samples/{file}");
        Assert.Matches("^# [A-Z].*[.:]", text);
        Assert.All(Documents(file), document => Assert.Null(document["metadata"]!["namespace"]));
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void Every_pod_of_a_sample_uses_an_index_of_the_samples_and_the_claims_of_that(string file)
    {
        var indexes = Files.SelectMany(Documents).Where(IsIndex).ToDictionary(document => (string)document["metadata"]!["name"]!);
        foreach (var pod in Documents(file).Where(document => (string?)document["kind"] == "Pod"))
        {
            Assert.True(indexes.TryGetValue((string)pod["metadata"]!["labels"]![Labels.Index]!, out var index));
            var claims = pod["spec"]!["volumes"]!.AsArray().Select(volume => (string?)volume!["persistentVolumeClaim"]!["claimName"]);
            Assert.Contains((string?)index["spec"]!["cache"]!["claimName"], claims);
        }
    }

    private static List<JsonNode> Documents(string file) => [.. YamlJson.ParseAll(RepositoryRoot.ReadText($"config/samples/{file}")).Select(document => document!)];

    private static bool IsIndex(JsonNode document) => (string?)document["kind"] == PretrainIndex.KindName;
}
