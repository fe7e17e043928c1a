using System.Text.Json.Nodes;
using CsCheck;
using IndexOperator.Api;
using IndexOperator.TestSupport;

namespace IndexOperator.Planning.Tests;

/// <summary>Whatever a pod is, it is refused with a sentence or gets what was promised and loses nothing.</summary>
public sealed class PodInjectionProperties
{
    private const int LongestMessage = 4000;

    // CsCheck_Iter=1000000 looks longer.
    private static readonly long Pods = Math.Max(4000, Check.Iter);

    private static readonly Gen<(int Pod, int Setting, (int Kind, int Where, int What)[] Steps)> Cases =
        Gen.Select(Gen.Int[0, 10_000], Gen.Int[0, 3], Gen.Select(Gen.Int[0, 8], Gen.Int[0, 100_000], Gen.Int[0, 10_000]).Array[0, 8]);

    private static readonly Lazy<List<string>> Originals = new(() => [.. GoldenCase.All("tests/IndexOperator.Planning.Tests/golden-pods").Select(folder => folder.ReadYaml("pod.yaml").ToJsonString())]);

    // Words that mean something here, so that mutations meet rules and not only the parser.
    private static readonly string[] Words =
    [
        "", " ", "/", "/data", "/data/", "/npy_index", "corpus", "npy-index", "versions/$(PRETRAIN_INDEX_VERSION)", "Memory", "train", "train,metrics", "1Gi", "0", "-1", "9e99", "1e-99", "8Ei", "0.5Mi",
        "indexoperator-data", "indexoperator-cache", "indexoperator-staging", "indexoperator-annotations", "indexoperator-wait", "indexoperator-stage", "wait", "stage", "0123456789abcdef0123",
        "PRETRAIN_INDEX_VERSION", "PRETRAIN_INDEX_DIR", "metadata.annotations['indexoperator.io/version']", "Always", "web-mix", "a/b", "\u0000\u202e", "😀", new string('x', 20_000),
    ];

    private static readonly string[] Fields =
    [
        "volumes", "volumeMounts", "env", "initContainers", "containers", "schedulingGates", "nodeName", "resources", "requests", "limits", "memory", "subPath", "subPathExpr", "readOnly", "name", "mountPath", "annotations",
        "indexoperator.io/staging", "indexoperator.io/staging-size", "indexoperator.io/containers", "indexoperator.io/version", "indexoperator.io/injected", "persistentVolumeClaim", "emptyDir", "securityContext", "runAsUser", "args",
    ];

    [Fact]
    public void A_mutated_pod_is_refused_or_gets_what_was_promised()
    {
        var (patched, refused) = (0, 0);
        Cases.Sample(
            chosen =>
            {
                var pod = JsonNode.Parse(Originals.Value[chosen.Pod % Originals.Value.Count])!.AsObject();
                foreach (var (kind, where, what) in chosen.Steps)
                {
                    Mutate(pod, kind, where, what);
                }

                var index = Given.Published(Given.Index(), status => status with { Current = status.Current! with { SizeBytes = chosen.Setting < 2 ? 1 << 30 : null } });
                var result = Judge(pod, new InjectionSettings { SchedulingGates = chosen.Setting % 2 == 0 }, index);
                _ = result is InjectionResult.Patched ? Interlocked.Increment(ref patched) : result is InjectionResult.Refused ? Interlocked.Increment(ref refused) : 0;
            },
            iter: Pods,
            print: chosen => $"pod {chosen.Pod % Originals.Value.Count}, setting {chosen.Setting}, steps {string.Join(' ', chosen.Steps)}");

        // Both happen often enough to mean something.
        Assert.True(patched > Pods / 20 && refused > Pods / 20, $"{patched} pods were patched and {refused} refused.");
    }

    [Theory]
    [InlineData("{\"metadata\": {\"labels\": {\"indexoperator.io/index\": \"web-mix\"}}, \"spec\": {\"containers\": [], \"containers\": []}}")]
    [InlineData("{\"metadata\": {\"labels\": {\"indexoperator.io/index\": \"web-mix\"}, \"name\": \"\\ud800\"}, \"spec\": {\"containers\": [{\"name\": \"train\"}]}}")]
    [InlineData("{\"metadata\": {\"labels\": {\"indexoperator.io/index\": \"web-mix\"}}}")]
    [InlineData("{\"metadata\": {\"labels\": {\"indexoperator.io/index\": 7}}, \"spec\": {\"containers\": [{\"name\": \"train\"}]}}")]
    [InlineData("{\"metadata\": {\"labels\": {\"indexoperator.io/index\": \"web-mix\"}}, \"spec\": {\"containers\": [null]}}")]
    [InlineData("{\"metadata\": {\"labels\": {\"indexoperator.io/index\": \"web-mix\"}}, \"spec\": {\"containers\": [{\"name\": \"train\", \"env\": [{\"name\": \"A\", \"valueFrom\": 7}]}]}}")]
    public void JSON_that_is_no_pod_is_refused(string json) =>
        Assert.NotEmpty(Assert.IsType<InjectionResult.Refused>(PodInjection.Inject(JsonNode.Parse(json)!.AsObject(), "training", Given.Index(), new InjectionSettings())).Message);

    [Fact]
    public void Thousands_of_containers_are_refused()
    {
        var pod = new JsonObject
        {
            ["metadata"] = new JsonObject { ["labels"] = new JsonObject { [Labels.Index] = "web-mix" } },
            ["spec"] = new JsonObject { ["containers"] = new JsonArray([.. Enumerable.Range(0, 2000).Select(i => new JsonObject { ["name"] = $"c{i}" })]) },
        };
        var refused = Assert.IsType<InjectionResult.Refused>(PodInjection.Inject(pod, "training", Given.Index(), new InjectionSettings()));
        Assert.Contains("2000 containers", refused.Message, StringComparison.Ordinal);
    }

    private static InjectionResult Judge(JsonObject pod, InjectionSettings settings, PretrainIndex index)
    {
        var before = pod.ToJsonString();
        var result = PodInjection.Inject(pod, "training", index, settings);
        Assert.Equal(before, pod.ToJsonString());
        switch (result)
        {
            case InjectionResult.Refused refused:
                Assert.InRange(refused.Message.Length, 10, LongestMessage);
                Assert.DoesNotContain(refused.Message, char.IsControl);
                break;
            case InjectionResult.Patched patched:
                Assert.IsType<InjectionResult.Unchanged>(PodInjection.Inject(patched.Pod, "training", index, settings));
                Promises(pod, patched.Pod, settings);
                break;
            case InjectionResult.Unchanged when AsksForAnIndex(pod) && !HasChosenByHand(pod["spec"]!):
                Promises(pod, pod, settings);
                break;
        }

        return result;
    }

    private static bool AsksForAnIndex(JsonObject pod)
    {
        var metadata = pod["metadata"] as JsonObject;
        return metadata?["labels"] is JsonObject labels && labels.ContainsKey(Labels.Index);
    }

    // A mount of the claim where the version would be, that only reads and follows no annotation.
    private static bool HasChosenByHand(JsonNode spec) => Items(spec, "initContainers").Concat(Items(spec, "containers"))
        .SelectMany(container => Items(container, "volumeMounts"))
        .Any(mount => Text(mount, "mountPath")?.TrimEnd('/') == "/npy_index" && mount["readOnly"]?.ToJsonString() == "true" && Text(mount, "subPathExpr") is null or ""
            && Items(spec, "volumes").Any(volume => Text(volume, "name") == Text(mount, "name") && Text(volume["persistentVolumeClaim"], "claimName") == "npy-index"));

    private static void Promises(JsonObject before, JsonObject after, InjectionSettings settings)
    {
        NothingIsLost(before, after);
        var spec = after["spec"]!.AsObject();
        var gated = IsGated(spec);
        var waits = Items(spec, "initContainers").Any(container => Text(container, "name") == InjectedNames.WaitContainer);
        Assert.True(gated || waits, "Nothing holds the pod back.");
        Assert.True(gated || Text(Items(spec, "initContainers").First(), "name") == InjectedNames.WaitContainer, "Somebody comes before the one who waits.");
        Assert.True(!gated || Text(spec, "nodeName") is null or "" || IsGated(before["spec"]), "A gate was added to a pod that is bound.");
        Assert.Equal(!settings.SchedulingGates || !string.IsNullOrEmpty(Text(spec, "nodeName")) ? "InitContainer" : "Gate", Text(after["metadata"]!["annotations"], Annotations.Injected));

        var names = Text(after["metadata"]!["annotations"], Annotations.Containers)?.Split(',').Select(name => name.Trim()).ToList();
        var staged = after["metadata"]!["annotations"]![Annotations.Staging] is not null;
        var chosen = names is null ? Items(spec, "containers") : Items(spec, "initContainers").Concat(Items(spec, "containers")).Where(container => names.Contains(Text(container, "name")!));
        Assert.NotEmpty(chosen);
        foreach (var container in chosen)
        {
            Assert.Equal("corpus", SourceAt(spec, container, "/data", null));
            Assert.Equal(staged ? "Memory" : "npy-index", SourceAt(spec, container, "/npy_index", staged ? null : $"versions/$({InjectedNames.VersionVariable})"));
            foreach (var name in new[] { InjectedNames.VersionVariable, InjectedNames.DirectoryVariable, InjectedNames.NeMoVariable, InjectedNames.MegatronVariable })
            {
                Assert.Contains(Items(container, "env"), variable => Text(variable, "name") == name);
            }
        }
    }

    private static bool IsGated(JsonNode? spec) => Items(spec, "schedulingGates").Any(gate => Text(gate, "name") == SchedulingGates.IndexReady);

    private static string? SourceAt(JsonObject spec, JsonNode container, string path, string? expression)
    {
        var mount = Assert.Single(Items(container, "volumeMounts").Where(mount => Segments(Text(mount, "mountPath")).SequenceEqual(Segments(path))).Take(1));
        Assert.Equal(expression ?? "", Text(mount, "subPathExpr") ?? "");
        var volume = Items(spec, "volumes").First(volume => Text(volume, "name") == Text(mount, "name"));
        return Text(volume["persistentVolumeClaim"], "claimName") ?? Text(volume["emptyDir"], "medium");
    }

    private static IEnumerable<string> Segments(string? path) => (path ?? "").Split('/').Where(part => part is not ("" or "."));

    private static void NothingIsLost(JsonObject before, JsonObject after)
    {
        Same(before, after, "metadata", "spec");
        Same(before["metadata"]!.AsObject(), after["metadata"]!.AsObject(), "annotations");
        foreach (var (name, value) in before["metadata"]!["annotations"] as JsonObject ?? [])
        {
            Assert.True(name == Annotations.Injected || JsonNode.DeepEquals(value, after["metadata"]!["annotations"]![name]), $"Annotation {name} changed.");
        }

        var (was, now) = (before["spec"]!.AsObject(), after["spec"]!.AsObject());
        Same(was, now, "containers", "initContainers", "volumes", "schedulingGates", "imagePullSecrets");
        foreach (var list in new[] { "volumes", "schedulingGates", "imagePullSecrets" })
        {
            Subsequence([.. Items(was, list)], [.. Items(now, list)], list);
        }

        Containers([.. Items(was, "containers")], [.. Items(now, "containers")]);
        Containers([.. Items(was, "initContainers").Where(IsTheirs)], [.. Items(now, "initContainers").Where(IsTheirs)]);
    }

    private static bool IsTheirs(JsonNode container) => Text(container, "name") is not (InjectedNames.WaitContainer or InjectedNames.StageContainer);

    private static void Containers(List<JsonNode> before, List<JsonNode> after)
    {
        Assert.Equal(before.Count, after.Count);
        foreach (var (was, now) in before.Zip(after, (was, now) => (was.AsObject(), now.AsObject())))
        {
            Same(was, now, "env", "volumeMounts", "resources");
            Subsequence([.. Items(was, "env")], [.. Items(now, "env")], "env");
            Subsequence([.. Items(was, "volumeMounts")], [.. Items(now, "volumeMounts")], "volumeMounts");
            Assert.True(JsonNode.DeepEquals(WithoutMemory(was["resources"]), WithoutMemory(now["resources"])), "More than memory changed in the resources.");
        }
    }

    private static JsonObject WithoutMemory(JsonNode? resources)
    {
        var copy = (resources as JsonObject)?.DeepClone().AsObject() ?? [];
        foreach (var kind in new[] { "requests", "limits" })
        {
            if (copy[kind] is JsonObject amounts)
            {
                amounts.Remove("memory");
                if (amounts.Count == 0)
                {
                    copy.Remove(kind);
                }
            }
        }

        return copy;
    }

    private static void Same(JsonObject before, JsonObject after, params string[] but)
    {
        foreach (var (name, value) in before.Where(field => !but.Contains(field.Key)))
        {
            Assert.True(JsonNode.DeepEquals(value, after[name]), $"{name} changed.");
        }

        Assert.Empty(after.Select(field => field.Key).Except(before.Select(field => field.Key)).Except(but));
    }

    private static void Subsequence(List<JsonNode> before, List<JsonNode> after, string what)
    {
        var at = 0;
        foreach (var item in after)
        {
            at += at < before.Count && JsonNode.DeepEquals(before[at], item) ? 1 : 0;
        }

        Assert.True(at == before.Count, $"An item of {what} changed or went.");
    }

    private static IEnumerable<JsonNode> Items(JsonNode? parent, string name) => (parent?[name] as JsonArray ?? []).OfType<JsonNode>();

    private static string? Text(JsonNode? parent, string name) => (parent as JsonObject)?[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static void Mutate(JsonObject pod, int kind, int where, int what)
    {
        var parents = Descendants(pod).Where(node => node is JsonObject or JsonArray).ToList();
        var parent = parents[where % parents.Count];
        switch (parent)
        {
            case JsonArray list:
                if (kind == 0 && list.Count > 0)
                {
                    list.RemoveAt(what % list.Count);
                }
                else if (kind < 4 && list.Count > 0)
                {
                    // One more of the kind, as it is: a name twice, a path twice.
                    list.Insert(what % (list.Count + 1), list[what % list.Count]?.DeepClone());
                }
                else
                {
                    list.Add(Value(kind, what));
                }

                break;
            case JsonObject fields:
                var name = kind < 6 && fields.Count > 0 ? fields.ElementAt(what % fields.Count).Key : Fields[what % Fields.Length];
                if (kind == 0)
                {
                    fields.Remove(name);
                }
                else
                {
                    fields[name] = Value(kind, what / 3);
                }

                break;
        }
    }

    private static JsonNode? Value(int kind, int what) => kind switch
    {
        1 => null,
        2 => JsonValue.Create(what - 5),
        3 => new JsonArray(JsonValue.Create(Words[what % Words.Length])),
        4 => new JsonObject { ["name"] = Words[what % Words.Length], ["mountPath"] = Words[(what / 7) % Words.Length] },
        5 => JsonValue.Create(what % 2 == 0),
        _ => JsonValue.Create(Words[what % Words.Length]),
    };

    private static IEnumerable<JsonNode> Descendants(JsonNode? node) => node switch
    {
        JsonObject fields => fields.SelectMany(field => Descendants(field.Value)).Prepend(fields),
        JsonArray list => list.SelectMany(Descendants).Prepend(list),
        null => [],
        _ => [node],
    };
}
