using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.Api.Tests;

/// <summary>The definition only ever grows: whatever a release took, every later one takes.</summary>
public sealed class ReleasedCrdTests
{
    private const string Version = "/spec/versions/0";

    private const string Schema = Version + "/schema/openAPIV3Schema/properties";

    private const string Data = Schema + "/spec/properties/data";

    public static TheoryData<string> Releases => [.. Released.Versions];

    [Theory]
    [MemberData(nameof(Releases))]
    public void Nothing_that_a_release_took_is_refused_renamed_or_meant_otherwise(string release)
    {
        var changes = CrdChanges.Breaking(Released.Crd(release), CrdSchema.Crd());
        Assert.True(changes.Count == 0, $"config/crd breaks those who use {release} (docs/releasing.md):\n{string.Join('\n', changes)}");
    }

    [Fact]
    public void There_is_a_release_to_compare_with() => Assert.NotEmpty(Released.Versions);

    [Theory]
    [InlineData("remove", Data + "/properties/subPath", null, "v1alpha1.spec.data.subPath: the field is gone")]
    [InlineData("add", Schema + "/spec/required", """["data","dataset","cache","dataVersion"]""", "v1alpha1.spec: dataVersion has become required")]
    [InlineData("add", Data + "/properties/claimName/type", "\"integer\"", "v1alpha1.spec.data.claimName: type was \"string\", is \"integer\"")]
    [InlineData("add", Data + "/properties/claimName/maxLength", "10", "maxLength was 253, is 10")]
    [InlineData("add", Data + "/properties/claimName/minLength", "2", "minLength was 1, is 2")]
    [InlineData("add", Data + "/properties/claimName/pattern", "\"^[a-z]+$\"", "pattern was absent, is \"^[a-z]\\u002B$\"")]
    [InlineData("add", Data + "/properties/mountPath/pattern", "\"^/x$\"", "v1alpha1.spec.data.mountPath: pattern was")]
    [InlineData("add", Data + "/properties/claimName/format", "\"uuid\"", "format was absent, is \"uuid\"")]
    [InlineData("add", Data + "/properties/claimName/enum", "[\"corpus\"]", "v1alpha1.spec.data.claimName: enum no longer has every other value")]
    [InlineData("add", Data + "/properties/claimName/default", "\"corpus\"", "default was absent, is \"corpus\"")]
    [InlineData("add", Data + "/properties/blend/maxItems", "10", "v1alpha1.spec.data.blend: maxItems was 4096, is 10")]
    [InlineData("add", Data + "/properties/blend/minItems", "2", "v1alpha1.spec.data.blend: minItems was 1, is 2")]
    [InlineData("add", Data + "/properties/blend/uniqueItems", "true", "uniqueItems was absent, is true")]
    [InlineData("add", Data + "/properties/blend/x-kubernetes-list-type", "\"set\"", "x-kubernetes-list-type was \"atomic\", is \"set\"")]
    [InlineData("add", Data + "/properties/blend/items/properties/weight/minimum", "1", "v1alpha1.spec.data.blend[].weight: minimum was 0, is 1")]
    [InlineData("add", Data + "/properties/blend/items/properties/weight/maximum", "1", "maximum was absent, is 1")]
    [InlineData("add", Data + "/properties/blend/items/properties/weight/multipleOf", "0.5", "multipleOf was absent, is 0.5")]
    [InlineData("add", Data + "/properties/blend/items/properties/weight/exclusiveMaximum", "true", "exclusiveMaximum was absent, is true")]
    [InlineData("remove", Data + "/properties/blend/items", null, "v1alpha1.spec.data.blend: items was")]
    [InlineData("add", Data + "/x-kubernetes-validations/-", """{"rule":"self.claimName != 'x'","message":"not x"}""", "v1alpha1.spec.data: there is a new rule self.claimName != 'x'")]
    [InlineData("add", Data + "/x-kubernetes-validations/0/rule", "\"has(self.blend)\"", "v1alpha1.spec.data: there is a new rule has(self.blend)")]
    [InlineData("add", Data + "/minProperties", "3", "v1alpha1.spec.data: minProperties was absent, is 3")]
    [InlineData("add", Data + "/maxProperties", "3", "v1alpha1.spec.data: maxProperties was absent, is 3")]
    [InlineData("add", Data + "/not", """{"required":["subPath"]}""", "v1alpha1.spec.data: not was absent")]
    [InlineData("add", Schema + "/spec/properties/cache/properties/historyLimit/default", "9", "historyLimit: default was 2, is 9")]
    [InlineData("remove", Schema + "/spec/properties/cache/properties/historyLimit/default", null, "historyLimit: default was 2, is absent")]
    [InlineData("remove", Schema + "/spec/properties/cache/properties/deletionPolicy/enum/0", null, "deletionPolicy: enum no longer has \"Retain\"")]
    [InlineData("remove", Schema + "/spec/properties/cache/properties/claimTemplate/properties/size/x-kubernetes-int-or-string", null, "x-kubernetes-int-or-string was true, is absent")]
    [InlineData("remove", Schema + "/spec/properties/cache/properties/claimTemplate/properties/size/anyOf/0", null, "claimTemplate.size: anyOf was")]
    [InlineData("add", Schema + "/spec/properties/build/properties/resources/properties/limits/additionalProperties/maxLength", "2", "limits{}: maxLength was")]
    [InlineData("remove", Schema + "/spec/properties/build/properties/resources/properties/limits/additionalProperties", null, "limits: additionalProperties was")]
    [InlineData("add", Schema + "/status/properties/conditions/x-kubernetes-list-map-keys", """["type","status"]""", "x-kubernetes-list-map-keys was [\"type\"]")]
    [InlineData("remove", Schema + "/status/properties/current/properties/version", null, "v1alpha1.status.current.version: the field is gone")]
    [InlineData("add", Version + "/served", "false", "v1alpha1: served was true, is false")]
    [InlineData("add", Version + "/storage", "false", "v1alpha1: storage was true, is false")]
    [InlineData("add", Version + "/name", "\"v1\"", "v1alpha1: the version is gone")]
    [InlineData("remove", Version + "/subresources/status", null, "v1alpha1: the subresource status is gone")]
    [InlineData("remove", Version + "/additionalPrinterColumns/0", null, "v1alpha1: the column Ready is gone")]
    [InlineData("add", Version + "/additionalPrinterColumns/1/jsonPath", "\".status.x\"", "v1alpha1: the column Version is gone or shows something else")]
    [InlineData("add", "/spec/scope", "\"Cluster\"", "spec.scope was \"Namespaced\", is \"Cluster\"")]
    [InlineData("add", "/spec/names/plural", "\"indexes\"", "spec.names.plural was")]
    [InlineData("add", "/spec/conversion", """{"strategy":"Webhook"}""", "spec.conversion was absent")]
    [InlineData("remove", "/spec/names/shortNames/0", null, "spec.names.shortNames: pti is gone")]
    public void A_change_that_breaks_somebody_is_found(string operation, string path, string? value, string expected)
    {
        var change = Assert.Single(CrdChanges.Breaking(CrdSchema.Crd(), Changed(operation, path, value)).Distinct(), told => told.Contains(expected, StringComparison.Ordinal));
        Assert.NotEmpty(change);
    }

    [Theory]
    [InlineData("add", Data + "/properties/retention", """{"type":"string","description":"x"}""")]
    [InlineData("add", Data + "/properties/claimName/description", "\"in other words\"")]
    [InlineData("remove", Data + "/properties/claimName/minLength", null)]
    [InlineData("add", Data + "/properties/claimName/maxLength", "500")]
    [InlineData("remove", Data + "/properties/mountPath/pattern", null)]
    [InlineData("remove", Data + "/required", null)]
    [InlineData("remove", Data + "/x-kubernetes-validations/0", null)]
    [InlineData("add", Data + "/x-kubernetes-validations/0/message", "\"in other words\"")]
    [InlineData("add", Data + "/nullable", "true")]
    [InlineData("add", Data + "/x-kubernetes-preserve-unknown-fields", "true")]
    [InlineData("add", Schema + "/spec/properties/cache/properties/deletionPolicy/enum/-", "\"Archive\"")]
    [InlineData("remove", Schema + "/spec/properties/cache/properties/deletionPolicy/enum", null)]
    [InlineData("add", "/spec/names/shortNames/-", "\"pi\"")]
    [InlineData("add", Version + "/additionalPrinterColumns/-", """{"name":"New","type":"string","jsonPath":".status.x"}""")]
    [InlineData("add", Version + "/subresources/scale", """{"specReplicasPath":".spec.x","statusReplicasPath":".status.x"}""")]
    public void A_change_that_only_adds_or_loosens_is_let_pass(string operation, string path, string? value) =>
        Assert.Empty(CrdChanges.Breaking(CrdSchema.Crd(), Changed(operation, path, value)));

    [Fact]
    public void Taking_back_what_let_more_pass_is_found()
    {
        foreach (var keyword in new[] { "nullable", "x-kubernetes-preserve-unknown-fields" })
        {
            var change = Assert.Single(CrdChanges.Breaking(Changed("add", $"{Data}/{keyword}", "true"), CrdSchema.Crd()));
            Assert.Equal($"v1alpha1.spec.data: {keyword} was true, is absent", change);
        }
    }

    [Fact]
    public void A_keyword_that_nobody_has_thought_about_stops_the_comparison() =>
        Assert.Contains("x-kubernetes-new", Assert.Throws<InvalidDataException>(() => CrdChanges.Breaking(CrdSchema.Crd(), Changed("add", Data + "/x-kubernetes-new", "true"))).Message, StringComparison.Ordinal);

    private static JsonObject Changed(string operation, string path, string? value)
    {
        var crd = CrdSchema.Crd();
        var parts = path.Split('/')[1..];
        var parent = parts[..^1].Aggregate((JsonNode)crd, (node, part) => Member(node, part) ?? throw new InvalidDataException($"{path} is not in the definition"));
        var last = parts[^1];
        if (operation == "remove")
        {
            Assert.True(parent is JsonArray list ? Removed(list, int.Parse(last, System.Globalization.CultureInfo.InvariantCulture)) : parent.AsObject().Remove(last), path);
        }
        else if (parent is JsonArray items)
        {
            items.Add(JsonNode.Parse(value!));
        }
        else
        {
            parent[last] = JsonNode.Parse(value!);
        }

        return crd;

        static JsonNode? Member(JsonNode node, string part) => node is JsonArray list ? list[int.Parse(part, System.Globalization.CultureInfo.InvariantCulture)] : node[part];

        static bool Removed(JsonArray list, int index)
        {
            list.RemoveAt(index);
            return true;
        }
    }
}
