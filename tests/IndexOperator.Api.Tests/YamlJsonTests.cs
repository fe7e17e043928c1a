using System.Text.Json.Nodes;

namespace IndexOperator.Api.Tests;

public sealed class YamlJsonTests
{
    [Theory]
    [InlineData("12", "12")]
    [InlineData("-12", "-12")]
    [InlineData("9007199254740993", "9007199254740993")]
    [InlineData("9223372036854775807", "9223372036854775807")]
    [InlineData("0.5", "0.5")]
    [InlineData(".5", "0.5")]
    [InlineData("1e3", "1000")]
    [InlineData("true", "true")]
    [InlineData("False", "false")]
    [InlineData("~", "null")]
    [InlineData("null", "null")]
    [InlineData("", "null")]
    [InlineData("\"0.10\"", "\"0.10\"")]
    [InlineData("'12'", "\"12\"")]
    [InlineData("\"true\"", "\"true\"")]
    [InlineData("!!str 0.10", "\"0.10\"")]
    [InlineData("2026-11-20", "\"2026-11-20\"")]
    [InlineData("1h30m", "\"1h30m\"")]
    [InlineData("100Gi", "\"100Gi\"")]
    [InlineData("0.19.1", "\"0.19.1\"")]
    [InlineData(".inf", "\".inf\"")]
    [InlineData(".nan", "\".nan\"")]
    [InlineData("/data/a b", "\"/data/a b\"")]
    public void Reads_scalars_as_the_YAML_core_schema_does(string yaml, string json) =>
        Assert.Equal(json, Single("v: " + yaml)!["v"]?.ToJsonString() ?? "null");

    [Fact]
    public void Keeps_block_text_as_it_stands()
    {
        var value = Single("v: |\n  {\"class\": \"a\",\n   \"b\": 1.50}\n")!["v"]!.GetValue<string>();
        Assert.Equal("{\"class\": \"a\",\n \"b\": 1.50}\n", value);
    }

    [Fact]
    public void Reads_lists_mappings_and_flow_style() =>
        Assert.Equal("""{"a":[1,{"b":"c"},[]],"d":{}}""", Single("a: [1, {b: c}, []]\nd: {}")!.ToJsonString());

    [Fact]
    public void Reads_every_document_of_a_stream()
    {
        var documents = YamlJson.ParseAll("a: 1\n---\n---\nb: 2\n");
        Assert.Equal(["""{"a":1}""", "null", """{"b":2}"""], documents.Select(document => document?.ToJsonString() ?? "null"));
    }

    [Fact]
    public void Reads_JSON_too() =>
        Assert.Equal("""{"a":{"b":[true,null,"x"]}}""", Single("""{"a": {"b": [true, null, "x"]}}""")!.ToJsonString());

    [Fact]
    public void Copies_what_an_alias_points_at()
    {
        var document = Single("a: &x {b: 1}\nc: *x\n")!;
        document["a"]!["b"] = 2;
        Assert.Equal(1, document["c"]!["b"]!.GetValue<long>());
    }

    [Fact]
    public void Forgets_anchors_at_the_end_of_a_document() =>
        Assert.Contains("alias", Fails("a: &x 1\n---\nb: *x\n"), StringComparison.OrdinalIgnoreCase);

    [Fact]
    public void Refuses_an_alias_bomb()
    {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
            + string.Concat(Enumerable.Range(1, 9).Select(i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));
        Assert.Contains("aliases expand to too much", Fails(bomb), StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_an_alias_inside_its_own_anchor() =>
        Assert.Contains("line 1", Fails("a: &a [*a]"), StringComparison.Ordinal);

    [Fact]
    public void Refuses_nesting_that_is_too_deep() =>
        Assert.Contains("nested deeper than 64", Fails(new string('[', 100) + new string(']', 100)), StringComparison.Ordinal);

    [Fact]
    public void Refuses_a_key_that_stands_twice_and_says_where()
    {
        var message = Fails("a: 1\nb: 2\na: 3\n");
        Assert.Contains("line 3, column 1", message, StringComparison.Ordinal);
        Assert.Contains("the key \"a\" stands twice", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a: [1, 2")]
    [InlineData("a: b: c")]
    [InlineData("a:\n\t- 1\n  - 2")]
    [InlineData("a: 'x")]
    [InlineData("? [1, 2]\n: 3")]
    public void Says_the_line_of_what_is_no_YAML(string text) =>
        Assert.StartsWith("line ", Fails(text), StringComparison.Ordinal);

    private static JsonNode? Single(string yaml) => YamlJson.ParseAll(yaml).Single();

    private static string Fails(string yaml) => Assert.Throws<ManifestException>(() => YamlJson.ParseAll(yaml)).Message;
}
