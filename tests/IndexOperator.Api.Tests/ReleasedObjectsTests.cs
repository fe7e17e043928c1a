using System.Text.Json;
using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.Api.Tests;

/// <summary>What an earlier release stored or wrote is read whole.</summary>
public sealed class ReleasedObjectsTests
{
    public static TheoryData<string> Releases => [.. Released.Versions];

    [Theory]
    [MemberData(nameof(Releases))]
    public void Every_field_of_a_stored_resource_is_read_and_nothing_is_lost(string release)
    {
        var stored = Released.Objects(release, "pretrainindexes.yaml");
        var schema = Released.Crd(release)["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!.AsObject();
        Assert.Empty(CrdSchema.Fields(schema).Except(stored.SelectMany(item => CrdSchema.FieldsOf(item, schema))));

        foreach (var item in stored)
        {
            var index = item.Deserialize(ApiJsonContext.Strict.PretrainIndex)!;
            Assert.Empty(CrdSchema.Differences(item, JsonSerializer.SerializeToNode(index, ApiJsonContext.Default.PretrainIndex)));
        }
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void Every_field_of_a_termination_message_is_read(string release)
    {
        foreach (var (file, outcome) in new[] { ("build-report.json", BuildReport.Built), ("check-report.json", BuildReport.Checked) })
        {
            var text = Released.Text(release, file);
            Assert.True(BuildReport.TryParse(text, out var report));
            Assert.Equal(outcome, report!.Outcome);
            Assert.Empty(CrdSchema.Differences(JsonNode.Parse(text), JsonNode.Parse(report.ToJson())));
        }
    }
}
