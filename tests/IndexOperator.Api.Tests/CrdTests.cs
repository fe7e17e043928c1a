using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using CrdGen;
using IndexOperator.Api.Schema;
using IndexOperator.TestSupport;
using k8s.Models;

namespace IndexOperator.Api.Tests;

public sealed class CrdTests
{
    private static readonly JsonSerializerOptions Reflection = new(JsonSerializerDefaults.Web) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };

    [Fact]
    public void The_checked_in_CRD_is_what_the_types_say() =>
        Assert.True(CustomResourceDefinition.Generate() == RepositoryRoot.ReadText(CrdSchema.Path), "Run: make manifests");

    [Fact]
    public void The_YAML_says_exactly_what_was_built() =>
        Assert.True(JsonNode.DeepEquals(CustomResourceDefinition.Build(), CrdSchema.Crd()));

    [Fact]
    public void The_defaults_of_the_schema_are_the_initialisers_of_the_types()
    {
        foreach (var cache in (string[])["claimName: npy-index", "claimTemplate: {size: 1Gi}"])
        {
            var written = YamlJson.ParseAll(Manifests.Minimal.Replace("claimName: npy-index", cache, StringComparison.Ordinal)).Single()!;
            var filled = written.DeepClone();
            CrdSchema.ApplyDefaults(filled, CrdSchema.Root());
            Assert.False(JsonNode.DeepEquals(written, filled));
            filled.AsObject().Remove("status");
            Assert.Equal(Json(written), Json(filled));
        }

        static string Json(JsonNode node) => JsonSerializer.Serialize(node.Deserialize(ApiJsonContext.Strict.PretrainIndex), ApiJsonContext.Default.PretrainIndex);
    }

    [Fact]
    public void What_the_types_write_by_themselves_is_a_default_of_the_schema()
    {
        // Otherwise a client that reads and writes an object back would add to it.
        var written = YamlJson.ParseAll(Manifests.Minimal).Single()!;
        var filled = written.DeepClone();
        CrdSchema.ApplyDefaults(filled, CrdSchema.Root());
        var typed = JsonSerializer.SerializeToNode(written.Deserialize(ApiJsonContext.Strict.PretrainIndex), ApiJsonContext.Default.PretrainIndex)!;
        var subPath = typed["spec"]!["cache"]!.AsObject();
        Assert.Equal("", subPath["subPath"]!.GetValue<string>());
        subPath.Remove("subPath");
        Assert.Empty(CrdSchema.Differences(typed, filled));
    }

    [Fact]
    public void A_resource_without_status_reads_as_not_observed()
    {
        var index = YamlJson.ParseAll(Manifests.Minimal).Single()!;
        CrdSchema.ApplyDefaults(index, CrdSchema.Root());
        Assert.Equal("""{"observedGeneration":-1}""", index["status"]!.ToJsonString());
    }

    [Fact]
    public void Every_field_has_a_description()
    {
        Assert.Empty(Undescribed(CrdSchema.Root(), ""));

        static IEnumerable<string> Undescribed(JsonObject schema, string path) =>
            (schema["properties"]?.AsObject() ?? []).SelectMany(pair =>
                Undescribed(pair.Value!.AsObject(), $"{path}.{pair.Key}")
                    .Concat(pair.Value["description"] is null && $"{path}.{pair.Key}" != ".metadata" ? [$"{path}.{pair.Key}"] : []))
                .Concat(schema["items"] is JsonObject items ? Undescribed(items, path + "[]") : []);
    }

    [Fact]
    public void Every_part_of_the_schema_has_one_type()
    {
        Assert.Empty(Untyped(CrdSchema.Root(), ""));

        static IEnumerable<string> Untyped(JsonObject schema, string path)
        {
            var own = schema["type"]?.GetValueKind() == JsonValueKind.String || schema["x-kubernetes-int-or-string"] is not null ? [] : new[] { path };
            var children = (schema["properties"]?.AsObject() ?? []).SelectMany(pair => Untyped(pair.Value!.AsObject(), $"{path}.{pair.Key}"));
            var list = schema["items"] is JsonObject items ? Untyped(items, path + "[]") : [];
            var map = schema["additionalProperties"] is JsonObject values ? Untyped(values, path + "{}") : [];
            var missing = (string?)schema["type"] == "array" && schema["items"] is null ? [path + "[]"] : Array.Empty<string>();
            return own.Concat(children).Concat(list).Concat(map).Concat(missing);
        }
    }

    [Fact]
    public void It_is_small_enough_for_kubectl_to_keep_in_an_annotation() =>
        Assert.InRange(CustomResourceDefinition.Build().ToJsonString().Length, 10_000, 200_000);

    [Fact]
    public void Lists_and_texts_that_rules_look_into_are_bounded()
    {
        // Otherwise API servers estimate the rules as too expensive and refuse the CRD.
        Assert.Empty(Unbounded(CrdSchema.Root()["properties"]!["spec"]!["properties"]!["data"]!.AsObject(), "data"));

        static IEnumerable<string> Unbounded(JsonObject schema, string path) =>
            ((string?)schema["type"] switch { "array" => schema["maxItems"], "string" => schema["maxLength"], _ => schema } is null ? [path] : Array.Empty<string>())
                .Concat((schema["properties"]?.AsObject() ?? []).SelectMany(pair => Unbounded(pair.Value!.AsObject(), $"{path}.{pair.Key}")))
                .Concat(schema["items"] is JsonObject items ? Unbounded(items, path + "[]") : []);
    }

    [Fact]
    public void Columns_point_at_fields_that_exist()
    {
        var schema = CrdSchema.Root();
        var fields = CrdSchema.Fields(schema).ToHashSet();
        var columns = CrdSchema.Crd()["spec"]!["versions"]![0]!["additionalPrinterColumns"]!.AsArray();
        Assert.Equal(["Ready", "Version", "Data", "Progress", "Size", "Age", "Reason", "Job", "Claim"], columns.Select(column => (string)column!["name"]!));
        Assert.All(columns, column =>
        {
            var path = ((string)column!["jsonPath"]!).TrimStart('.').Replace("[?(@.type==\"Ready\")]", "[]", StringComparison.Ordinal);
            Assert.True(path == "metadata.creationTimestamp" || fields.Contains(path), path);
        });
    }

    [Fact]
    public void Maps_lists_and_unions_of_custom_types_keep_what_is_in_them()
    {
        var schema = Build(typeof(Unusual));
        var properties = schema["properties"]!;
        Assert.True((bool)properties["quantities"]!["additionalProperties"]!["x-kubernetes-int-or-string"]!);
        Assert.True((bool)properties["ports"]!["items"]!["x-kubernetes-int-or-string"]!);
        Assert.Equal("date-time", (string?)properties["time"]!["format"]);
        Assert.Equal("byte", (string?)properties["bytes"]!["format"]);
        Assert.Equal("^a+$", (string?)properties["bounded"]!["pattern"]);
        Assert.Equal(0.0, (double)properties["number"]!["minimum"]!);
        Assert.True((bool)properties["number"]!["exclusiveMinimum"]!);
        Assert.Null(properties["number"]!["maximum"]);
        Assert.Equal("""["bounded"]""", schema["required"]!.ToJsonString());
        Assert.Equal("""[{"rule":"true","message":"never"}]""", schema["x-kubernetes-validations"]!.ToJsonString());
        Assert.Equal("""["name"]""", properties["keyed"]!["x-kubernetes-list-map-keys"]!.ToJsonString());
    }

    [Fact]
    public void Every_quantity_that_the_schema_lets_pass_can_be_read()
    {
        var pattern = new Regex((string)CrdSchema.Root()["properties"]!["spec"]!["properties"]!["cache"]!["properties"]!["claimTemplate"]!["properties"]!["size"]!["pattern"]!);
        string[] numbers = ["0", "007", "1", "1.", ".5", "+1.5", "999999999999999999", "999999999999999999.999999999", ".000000001"];
        string[] suffixes = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e0", "E3", "e-9", "e+18", "e99", "e-99"];
        Assert.All(from number in numbers from suffix in suffixes select number + suffix, text =>
        {
            Assert.Matches(pattern, text);
            var size = JsonSerializer.Deserialize($$"""{"size":"{{text}}"}""", ApiJsonContext.Default.ClaimTemplate)!;
            Assert.NotEmpty(JsonSerializer.Serialize(size, ApiJsonContext.Default.ClaimTemplate));
        });
        Assert.All(["1e999999999", "1e100", "1e2.5", "-1", "1234567890123456789", "", "lots", "1 Gi", "1gi"], text => Assert.DoesNotMatch(pattern, text));
    }

    [Fact]
    public void Every_whole_number_of_the_schema_fits_its_type()
    {
        Assert.Empty(Unbounded(CrdSchema.Root(), ""));

        static IEnumerable<string> Unbounded(JsonObject schema, string path) =>
            ((string?)schema["format"] == "int32" && !((long?)schema["minimum"] >= int.MinValue && (long?)schema["maximum"] <= int.MaxValue) ? [path] : Array.Empty<string>())
                .Concat((schema["properties"]?.AsObject() ?? []).SelectMany(pair => Unbounded(pair.Value!.AsObject(), $"{path}.{pair.Key}")))
                .Concat(schema["items"] is JsonObject items ? Unbounded(items, path + "[]") : []);
    }

    [Theory]
    [InlineData(typeof(WithTimeSpan), "GoDuration")]
    [InlineData(typeof(WithUnsigned), "long")]
    [InlineData(typeof(WithAnything), "no place in a structural schema")]
    [InlineData(typeof(WithJson), "no place in a structural schema")]
    [InlineData(typeof(WithNumericEnum), "JsonStringEnumConverter")]
    [InlineData(typeof(WithoutDescription), "WithoutDescription.Value: has no [Description]")]
    [InlineData(typeof(WithPlainList), "a list needs [ListType]")]
    [InlineData(typeof(WithItself), "contains itself")]
    [InlineData(typeof(WithItselfInAList), "contains itself")]
    [InlineData(typeof(WithEmptyDefault), "an empty text as default")]
    public void What_a_structural_schema_cannot_say_stops_the_generator(Type type, string message) =>
        Assert.Contains(message, Assert.Throws<SchemaException>(() => Build(type)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_type_that_occurs_twice_is_written_out_twice()
    {
        var properties = Build(typeof(WithTwins))["properties"]!;
        Assert.Equal("string", (string?)properties["first"]!["properties"]!["name"]!["type"]);
        Assert.Equal("string", (string?)properties["second"]!["properties"]!["name"]!["type"]);
    }

    private static JsonObject Build(Type type) => new SchemaBuilder(Reflection, XmlDocs.OfKubernetesClient()).OfType(type);

    [CelRule("true", "never")]
    private sealed record Unusual(
        [property: Description("x")] IDictionary<string, ResourceQuantity>? Quantities,
        [property: Description("x"), ListType("atomic")] IReadOnlyList<IntOrString>? Ports,
        [property: Description("x")] DateTimeOffset? Time,
        [property: Description("x")] byte[]? Bytes,
        [property: Description("x"), Required, RegularExpression("^a+$")] string? Bounded,
        [property: Description("x"), Range(0.0, double.MaxValue, MinimumIsExclusive = true)] double Number,
        [property: Description("x"), ListType("map", "name")] IReadOnlyList<Named>? Keyed);

    private sealed record Named([property: Description("x")] string? Name);

    private sealed record WithTwins([property: Description("x")] Named? First, [property: Description("x")] Named? Second);

    private sealed record WithTimeSpan([property: Description("x")] TimeSpan Value);

    private sealed record WithUnsigned([property: Description("x")] ulong Value);

    private sealed record WithAnything([property: Description("x")] object? Value);

    private sealed record WithJson([property: Description("x")] JsonElement Value);

    private sealed record WithNumericEnum([property: Description("x")] DayOfWeek Value);

    private sealed record WithoutDescription(string? Value);

    private sealed record WithPlainList([property: Description("x")] IReadOnlyList<string>? Value);

    private sealed class WithItself
    {
        [Description("x")]
        public WithItself? Value { get; init; }
    }

    private sealed record WithItselfInAList([property: Description("x"), ListType("atomic")] IReadOnlyList<WithItselfInAList>? Value);

    private sealed record WithEmptyDefault([property: Description("x"), DefaultValue("")] string? Value);
}
