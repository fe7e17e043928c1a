using System.Text.Json;
using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.Planning.Tests;

/// <summary>
/// Every folder in golden-pods/ is a case: pod.yaml is what somebody creates, index.yaml the index that there is (without: none), settings.yaml
/// how the operator was set up where that matters; expected.yaml is the pod that comes of it, or refusal.txt what its creator is told.
/// UPDATE_GOLDEN=1 rewrites those two.
/// </summary>
public sealed class PodInjectionGoldenTests
{
    private const string Root = "tests/IndexOperator.Planning.Tests/golden-pods";
    private const string Expected = "expected.yaml";
    private const string Refusal = "refusal.txt";

    private static readonly Lazy<IReadOnlyDictionary<string, GoldenCase>> Folders = new(() => GoldenCase.All(Root).ToDictionary(folder => folder.Name));

    public static TheoryData<string> Cases => new(Folders.Value.Keys);

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_pod_that_comes_of_it(string name)
    {
        var folder = Folders.Value[name];
        var pod = folder.ReadYaml("pod.yaml").AsObject();
        var before = pod.DeepClone();

        var result = Inject(folder, pod);

        Assert.True(JsonNode.DeepEquals(before, pod), "The argument was changed.");
        Assert.False(File.Exists(PathOf(name, result is InjectionResult.Refused ? Expected : Refusal)), $"{name} has an outcome of the other kind too.");
        if (result is InjectionResult.Refused refused)
        {
            var until = refused.UntilIndexExists ? "(until the index exists)\n" : refused.UntilIndexReady ? "(until the index is Ready)\n" : "";
            new GoldenFolder($"{Root}/{name}").AssertText(Refusal, $"{refused.Message}\n{until}");
            return;
        }

        folder.MatchYaml(Expected, result is InjectionResult.Patched patched ? patched.Pod : pod);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Once_is_as_good_as_twice(string name)
    {
        var folder = Folders.Value[name];
        if (Inject(folder, folder.ReadYaml("pod.yaml").AsObject()) is InjectionResult.Patched once)
        {
            Assert.IsType<InjectionResult.Unchanged>(Inject(folder, once.Pod));
        }
    }

    [Fact]
    public void A_pod_that_was_looked_at_before_and_one_without_the_label_are_unchanged()
    {
        string[] names = ["a-pod-of-before-is-unchanged-when-it-is-looked-at-again", "a-pod-without-the-label-is-none-of-our-business"];
        Assert.All(names, name => Assert.IsType<InjectionResult.Unchanged>(Inject(Folders.Value[name], Folders.Value[name].ReadYaml("pod.yaml").AsObject())));
    }

    private static InjectionResult Inject(GoldenCase folder, JsonObject pod)
    {
        var index = File.Exists(PathOf(folder.Name, "index.yaml")) ? folder.ReadYaml("index.yaml").Deserialize(PlanningJsonContext.Default.PretrainIndex) : null;
        var settings = File.Exists(PathOf(folder.Name, "settings.yaml")) ? folder.ReadYaml("settings.yaml") : new JsonObject();
        return PodInjection.Inject(
            pod,
            (string?)settings["namespace"] ?? "training",
            index,
            new InjectionSettings { SchedulingGates = (bool?)settings["schedulingGates"] ?? true, BuilderImage = "registry.example/index-builder:1" });
    }

    private static string PathOf(string name, string file) => Path.Combine(RepositoryRoot.PathOf(Root), name, file);
}
