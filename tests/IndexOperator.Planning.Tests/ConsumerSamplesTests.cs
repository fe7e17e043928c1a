using System.Text.Json;
using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.TestSupport;

namespace IndexOperator.Planning.Tests;

/// <summary>Every manifest of config/samples/consumers, whatever its kind: what its pod templates ask for is given.</summary>
public sealed class ConsumerSamplesTests
{
    private const string Folder = "config/samples/consumers";

    public static TheoryData<string> Samples => new(Directory.GetFiles(RepositoryRoot.PathOf(Folder)).Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Samples))]
    public void The_pods_of_each_launcher_are_held_back_and_see_data_and_version(string sample)
    {
        var index = YamlJson.ParseAll(RepositoryRoot.ReadText("config/samples/web-mix.yaml"))[0]!.Deserialize(PlanningJsonContext.Default.PretrainIndex)!;
        index.Metadata.NamespaceProperty = "training";
        var templates = YamlJson.ParseAll(RepositoryRoot.ReadText($"{Folder}/{sample}")).SelectMany(document => TemplatesIn(document!, index.Metadata.Name)).ToList();
        Assert.NotEmpty(templates);
        foreach (var template in templates)
        {
            // A TrainJob only adds to what its runtime has: one container of that name.
            template["spec"] ??= new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = "node", ["image"] = "registry.example/runtime:1" }) };
            var pod = Assert.IsType<InjectionResult.Patched>(PodInjection.Inject(template, "training", index, new InjectionSettings())).Pod;
            Assert.Contains(pod["spec"]!["schedulingGates"]!.AsArray(), gate => (string?)gate!["name"] == SchedulingGates.IndexReady);
            var names = ((string?)pod["metadata"]!["annotations"]![Annotations.Containers])?.Split(',');
            foreach (var container in pod["spec"]!["containers"]!.AsArray().Where(container => names?.Contains((string?)container!["name"]) != false))
            {
                var mounts = container!["volumeMounts"]!.AsArray().Select(mount => (string?)mount!["mountPath"]).ToList();
                Assert.Contains(index.Spec.Data.MountPath, mounts);
                Assert.Contains(index.Spec.Cache.MountPath, mounts);
                Assert.Contains(container["env"]!.AsArray(), variable => (string?)variable!["name"] == InjectedNames.MegatronVariable);
            }
        }
    }

    // Wherever they stand: at the top for a Pod, and at another place in each kind of job.
    private static IEnumerable<JsonObject> TemplatesIn(JsonNode node, string index)
    {
        if (node is JsonObject map)
        {
            var isPod = map["metadata"] is JsonObject metadata && (string?)metadata["labels"]?[Labels.Index] == index && map["spec"]?["template"] is null;
            return isPod ? [map.DeepClone().AsObject()] : map.SelectMany(member => member.Value is null ? [] : TemplatesIn(member.Value, index));
        }

        return node is JsonArray list ? list.SelectMany(item => item is null ? [] : TemplatesIn(item, index)) : [];
    }
}
