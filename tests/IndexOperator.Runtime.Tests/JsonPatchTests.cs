using System.Text.Json.Nodes;

namespace IndexOperator.Runtime.Tests;

public sealed class JsonPatchTests
{
    [Theory]
    [InlineData("""{"a":1}""", """{"a":1.0}""", "[]")]
    [InlineData("{}", """{"a":{"b":1}}""", """[{"op":"add","path":"/a","value":{"b":1}}]""")]
    [InlineData("""{"a":{"b":1}}""", """{"a":{"b":1,"c/d~e":"x"}}""", """[{"op":"add","path":"/a/c~1d~0e","value":"x"}]""")]
    [InlineData("""{"a":[1,2]}""", """{"a":[1]}""", """[{"op":"add","path":"/a","value":[1]}]""")]
    [InlineData("""{"a":{"b":1,"c":2}}""", """{"a":{"c":2}}""", """[{"op":"remove","path":"/a/b"}]""")]
    [InlineData("""{"a":null}""", """{"a":{"b":1}}""", """[{"op":"add","path":"/a","value":{"b":1}}]""")]
    [InlineData("""{"a":{"b":1}}""", """{"a":null}""", """[{"op":"add","path":"/a","value":null}]""")]
    [InlineData("""{"a":null}""", """{"a":null}""", "[]")]
    [InlineData("""{"a":null}""", "{}", """[{"op":"remove","path":"/a"}]""")]
    [InlineData("""{"":{"":1}}""", """{"":{"":2}}""", """[{"op":"add","path":"//","value":2}]""")]
    public void A_patch_names_the_members_that_differ(string before, string after, string patch)
    {
        Assert.Equal(patch, JsonPatch.Between(Parse(before), Parse(after)).ToJsonString());
    }

    [Fact]
    public void A_patch_makes_whatever_there_was_into_whatever_there_shall_be()
    {
        var random = new Random(20261126);
        for (var i = 0; i < 2000; i++)
        {
            var before = Some(random, 3);
            var after = random.Next(3) == 0 ? Some(random, 3) : Changed(random, before);
            var (b, a) = (before.ToJsonString(), after.ToJsonString());
            var made = FakeJsonPatch.Apply(before, JsonPatch.Between(before, after))!;
            Assert.True(JsonNode.DeepEquals(after, made), $"{b} -> {a}, but was {made.ToJsonString()}");
            Assert.Equal((b, a), (before.ToJsonString(), after.ToJsonString()));
        }
    }

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();

#pragma warning disable CA5394 // examples, and the same ones each time
    private static JsonObject Some(Random random, int depth)
    {
        var made = new JsonObject();
        for (var i = random.Next(4); i > 0; i--)
        {
            made[random.Next(5) switch { 0 => "a/b", 1 => "~", 2 => "", 3 => "c", _ => "d" }] = random.Next(depth > 0 ? 6 : 4) switch
            {
                0 => null,
                1 => random.Next(3),
                2 => "text",
                3 => new JsonArray(1, random.Next(2)),
                _ => Some(random, depth - 1),
            };
        }

        return made;
    }

    private static JsonObject Changed(Random random, JsonObject before)
    {
        var made = before.DeepClone().AsObject();
        foreach (var name in before.Select(member => member.Key).ToList())
        {
            switch (random.Next(4))
            {
                case 0:
                    made.Remove(name);
                    break;
                case 1:
                    made[name] = Some(random, 1);
                    break;
                case 2 when made[name] is JsonObject inner:
                    made[name] = Changed(random, inner);
                    break;
            }
        }

        return made;
    }
#pragma warning restore CA5394
}
