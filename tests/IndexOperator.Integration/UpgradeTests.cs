using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>Today's definition over that of a release, on a real API server.</summary>
public sealed class UpgradeTests
{
    public static TheoryData<string> Releases => [.. Released.Versions];

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task Stored_resources_of_a_release_are_served_whole_and_can_be_written_after_the_definition_is_upgraded(string release)
    {
        await using var plane = await ControlPlane.StartAsync();
        await plane.KubectlAsync("apply", "--validate=false", "-f", $"{Released.Folder}/{release}/crd.yaml");
        await Wait.Until("the definition to be served", async () => (await plane.TryKubectlAsync(["get", "pretrainindexes", "-A"])).ExitCode == 0, TimeSpan.FromSeconds(30));
        var written = Released.Objects(release, "pretrainindexes.yaml");
        foreach (var item in written)
        {
            await plane.KubectlWithInputAsync(item.ToJsonString(), "apply", "--validate=false", "-n", "default", "-f", "-");
            var stored = await GetAsync(item);
            stored["status"] = item["status"]?.DeepClone() ?? stored["status"]?.DeepClone();
            await plane.KubectlWithInputAsync(stored.ToJsonString(), "replace", "--raw", $"/apis/indexoperator.io/v1alpha1/namespaces/default/pretrainindexes/{NameOf(item)}/status", "-f", "-");
        }

        await plane.ApplyCrdAsync();
        await Wait.Until(
            "the upgraded definition to be accepted",
            async () => (await plane.GetJsonAsync("crd", "pretrainindexes.indexoperator.io"))["status"]!["conditions"]!.AsArray().Any(condition => (string?)condition!["type"] == "Established" && (string?)condition["status"] == "True"),
            TimeSpan.FromSeconds(30));

        foreach (var item in written)
        {
            Assert.Empty(CrdSchema.Differences(item, await GetAsync(item)));
            await plane.KubectlAsync("annotate", "pti", NameOf(item), "touched=after-the-upgrade", "-n", "default");
            Assert.Empty(CrdSchema.Differences(item, await GetAsync(item)));
            Assert.Equal(1, (long)(await GetAsync(item))["metadata"]!["generation"]!);
        }

        static string NameOf(JsonNode item) => (string)item["metadata"]!["name"]!;

        async Task<JsonObject> GetAsync(JsonNode item) => await plane.GetJsonAsync("pti", NameOf(item), "-n", "default");
    }
}
