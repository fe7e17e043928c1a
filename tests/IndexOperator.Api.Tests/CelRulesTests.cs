using System.Text.Json;
using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.Api.Tests;

/// <summary>What can be decided within the object is refused when it is written, with words that say what to write.</summary>
public sealed class CelRulesTests
{
    public static TheoryData<int> Cases => [.. Enumerable.Range(0, CelCase.All().Count)];

    public static TheoryData<string> Samples => [.. Directory.GetFiles(RepositoryRoot.PathOf("config/samples"), "*.yaml").Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void An_object_that_breaks_a_rule_is_refused_with_its_message_and_no_other(int number)
    {
        var broken = CelCase.All()[number];
        var messages = CelRules.Broken(broken.Item, broken.IsUpdate ? CelCase.Minimal() : null).Select(rule => rule.Message).Distinct();
        Assert.Equal(broken.With.Append(broken.Rule).Order(StringComparer.Ordinal), messages.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_rule_is_broken_by_a_case_wherever_it_stands()
    {
        var met = CelCase.All().SelectMany(broken => CelRules.Broken(broken.Item, broken.IsUpdate ? CelCase.Minimal() : null)).ToHashSet();
        Assert.Empty(CelRules.All().Except(met));
        Assert.Empty(CelCase.All().Select(broken => broken.Rule).Except(CelRules.All().Select(rule => rule.Message)));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_a_rule_refuses_the_operator_refuses_too(int number)
    {
        // Servers before 1.25 know no rules, so that it comes to the operator.
        var broken = CelCase.All()[number];
        if (!broken.IsUpdate)
        {
            Assert.NotEmpty(PretrainIndexValidation.Validate(broken.Item.Deserialize(ApiJsonContext.Strict.PretrainIndex)!.Spec));
        }
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void No_sample_breaks_a_rule(string sample) =>
        Assert.All(YamlJson.ParseAll(RepositoryRoot.ReadText($"config/samples/{sample}")).OfType<JsonObject>().Where(item => (string?)item["kind"] == PretrainIndex.KindName), item => Assert.Empty(CelRules.Broken(item)));

    [Fact]
    public void Neither_the_fully_filled_objects_nor_the_minimal_one_break_a_rule()
    {
        Assert.All(CrdSchema.FullyFilled(), item => Assert.Empty(CelRules.Broken(item)));
        Assert.Empty(CelRules.Broken(CelCase.Minimal(), CelCase.Minimal()));
    }

    [Fact]
    public void A_path_is_plain_to_the_rules_exactly_when_it_is_to_the_operator()
    {
        foreach (var text in Texts(5))
        {
            var item = CelCase.Minimal();
            item["spec"]!["data"]!["subPath"] = text;
            Assert.True(PathRules.SubPath("", text).Any() == CelRules.Broken(item).Count > 0, $"subPath \"{text}\"");

            // What the pattern of the field lets pass.
            if (text is ['/', _, ..] and not [.., '/'])
            {
                item = CelCase.Minimal();
                item["spec"]!["cache"]!["mountPath"] = text;
                Assert.True(PathRules.MountPath("", text).Any() == CelRules.Broken(item).Count > 0, $"mountPath \"{text}\"");
            }

            item = CelCase.Minimal();
            item["spec"]!["data"]!["blend"]![0]!["prefix"] = "/data/" + text;
            Assert.True(PathRules.Prefix("", "/data/" + text, "/data").Any() == CelRules.Broken(item).Count > 0, $"prefix \"/data/{text}\"");
        }

        static IEnumerable<string> Texts(int length) => length == 0 ? [""] : Texts(length - 1).SelectMany(text => new[] { text, text + "/", text + ".", text + "a" }).Distinct();
    }

    [Fact]
    public void The_rule_on_each_entry_of_the_longest_blend_is_cheap_enough_to_be_admitted()
    {
        // What API servers estimate: a tenth for each byte, four bytes a character, times a fourth for each character of the pattern. Above
        // ten million for all entries they refuse the definition.
        var blend = CrdSchema.Root()["properties"]!["spec"]!["properties"]!["data"]!["properties"]!["blend"]!;
        var (entries, length) = ((long)blend["maxItems"]!, (long)blend["items"]!["properties"]!["prefix"]!["maxLength"]!);
        var pattern = PathRules.PlainPathRule.Split('\'')[1];
        Assert.InRange(entries * Math.Ceiling(((4 * length) + 1) * 0.1) * Math.Ceiling(pattern.Length * 0.25), 1, 9_000_000);
    }

    [Fact]
    public void Rules_say_what_to_write() => Assert.All(CelRules.All(), rule => Assert.InRange(rule.Message.Length, 10, 160));

    [Fact]
    public void The_classes_that_a_rule_names_are_those_that_the_operator_refuses()
    {
        foreach (var name in new[] { "GPTDataset", "GPTFIMDataset", "MockGPTDataset", "T5MaskedWordPieceDataset", "BERTMaskedWordPieceDataset", "MaskedWordPieceDataset", "MultimodalDataset", "MockMultimodalDataset", "SFTDataset", "GPTSFTDataset", "RETRODataset", "BlendedDataset" })
        {
            var item = CelCase.Minimal();
            item["spec"]!["dataset"]!["datasetClass"] = name;
            Assert.Equal(DatasetClasses.WhyNot(name) is not null, CelRules.Broken(item).Count > 0);
        }
    }
}
