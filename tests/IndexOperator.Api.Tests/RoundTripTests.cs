using System.Text.Json;
using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.Api.Tests;

public sealed class RoundTripTests
{
    [Fact]
    public void The_fully_filled_objects_have_every_field_of_the_schema()
    {
        var schema = CrdSchema.Root();
        var filled = CrdSchema.FullyFilled().SelectMany(value => CrdSchema.FieldsOf(value, schema)).ToHashSet();
        Assert.Empty(CrdSchema.Fields(schema).Except(filled));
        Assert.DoesNotContain(filled, field => field.EndsWith('?'));
    }

    [Fact]
    public void Nothing_is_lost_on_the_way_through_the_types()
    {
        foreach (var written in CrdSchema.FullyFilled())
        {
            var index = written.Deserialize(ApiJsonContext.Strict.PretrainIndex);
            var again = JsonSerializer.SerializeToNode(index, ApiJsonContext.Default.PretrainIndex);
            Assert.Empty(CrdSchema.Differences(written, again));
        }
    }

    [Fact]
    public void The_second_way_through_changes_nothing_more()
    {
        foreach (var written in CrdSchema.FullyFilled())
        {
            var once = JsonSerializer.Serialize(written.Deserialize(ApiJsonContext.Strict.PretrainIndex), ApiJsonContext.Default.PretrainIndex);
            Assert.Equal(once, JsonSerializer.Serialize(JsonSerializer.Deserialize(once, ApiJsonContext.Strict.PretrainIndex), ApiJsonContext.Default.PretrainIndex));
        }
    }

    [Fact]
    public void A_status_writes_only_what_is_set()
    {
        var status = new PretrainIndexStatus { ObservedGeneration = 0, Build = new() { Percent = 0 }, Consumers = new() { VersionsInUse = [] } };
        Assert.Equal("""{"observedGeneration":0,"build":{"percent":0},"consumers":{"versionsInUse":[]}}""", JsonSerializer.Serialize(status, ApiJsonContext.Default.PretrainIndexStatus));
        Assert.Equal("{}", JsonSerializer.Serialize(new PretrainIndexStatus(), ApiJsonContext.Default.PretrainIndexStatus));
    }

    [Fact]
    public void Every_part_of_a_status_may_be_left_out()
    {
        foreach (var part in (JsonNode[])[new JsonObject(), new JsonObject { ["current"] = new JsonObject(), ["build"] = new JsonObject { ["lastFailure"] = new JsonObject() }, ["consumers"] = new JsonObject() }])
        {
            Assert.Equal(part.ToJsonString(), JsonSerializer.Serialize(part.Deserialize(ApiJsonContext.Strict.PretrainIndexStatus), ApiJsonContext.Default.PretrainIndexStatus));
        }
    }

    [Theory]
    [InlineData("2026-11-20T08:15:00Z", "2026-11-20T08:15:00Z")]
    [InlineData("2026-11-20T08:15:00.987654Z", "2026-11-20T08:15:00Z")]
    [InlineData("2026-11-20T09:15:00+01:00", "2026-11-20T08:15:00Z")]
    public void Times_are_written_as_Kubernetes_writes_them(string read, string written)
    {
        var failure = JsonSerializer.Deserialize($$"""{"startedAt":"{{read}}"}""", ApiJsonContext.Default.BuildStatus);
        Assert.Equal($$"""{"startedAt":"{{written}}"}""", JsonSerializer.Serialize(failure, ApiJsonContext.Default.BuildStatus));
    }

    [Fact]
    public void What_is_no_time_is_refused() =>
        Assert.Contains("RFC 3339", Assert.Throws<JsonException>(() => JsonSerializer.Deserialize("""{"startedAt":"yesterday"}""", ApiJsonContext.Default.BuildStatus)).Message, StringComparison.Ordinal);

    [Fact]
    public void An_error_in_the_place_of_a_resource_can_be_read()
    {
        // The first thing on a watch may be a Status or a bookmark.
        var status = JsonSerializer.Deserialize("""{"kind":"Status","apiVersion":"v1","metadata":{},"status":{},"code":410}""", ApiJsonContext.Default.PretrainIndex);
        Assert.Equal("Status", status!.Kind);
        var bookmark = JsonSerializer.Deserialize("""{"kind":"PretrainIndex","apiVersion":"indexoperator.io/v1alpha1","metadata":{"resourceVersion":"12"}}""", ApiJsonContext.Default.PretrainIndex);
        Assert.Equal("12", bookmark!.Metadata.ResourceVersion);
    }

    [Fact]
    public void A_resource_of_a_later_release_can_be_read()
    {
        var index = JsonSerializer.Deserialize("""{"spec":{"novel":1,"data":{"claimName":"c","novel":{}}}}""", ApiJsonContext.Default.PretrainIndex);
        Assert.Equal("c", index!.Spec.Data.ClaimName);
    }
}
