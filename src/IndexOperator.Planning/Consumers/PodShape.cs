using System.Text.Json;
using System.Text.Json.Nodes;

namespace IndexOperator.Planning;

/// <summary>
/// Whether a pod is one, as far as injection reads it: what comes after can trust lists to be lists and names to be texts. A webhook is
/// asked before the API server has checked anything but the JSON, and anybody who may create pods may send it what they like.
/// </summary>
internal static class PodShape
{
    private const int MostContainers = 256;
    private const int MostItems = 2048;
    private const int MostNodes = 200_000;
    private const int DeepestNesting = 64;
    private const int LongestText = 16 * 1024;

    private enum Kind
    {
        Text,
        Flag,
        Quantity,
        Object,
        Objects,
        Texts,
    }

    /// <summary>JSON that cannot even be read: a field twice, text that is no Unicode, nesting without end. Null for any other.</summary>
    public static InjectionResult.Refused? Unreadable(JsonObject pod)
    {
        try
        {
            var left = MostNodes;
            return Walk(pod, DeepestNesting, ref left) ? null : new($"The pod is nested deeper than {DeepestNesting} levels or has more than {MostNodes} fields. Send a smaller one.");
        }
        catch (Exception fault) when (fault is ArgumentException or InvalidOperationException or JsonException or FormatException)
        {
            // The parser looks at names and texts only when they are asked for.
            return new("The pod's JSON has a field twice in one object, or a text that is no Unicode. Send it as YAML or JSON that kubectl can read.");
        }
    }

    /// <summary>The first thing in the pod that is not what the Kubernetes API says it is; null when there is none.</summary>
    public static InjectionResult.Refused? Fault(JsonObject pod) =>
        Faults(pod).FirstOrDefault() is { } fault ? new InjectionResult.Refused($"The pod cannot be read: {fault}. Correct the pod or the template that it is made from.") : null;

    private static bool Walk(JsonNode? node, int depth, ref int left)
    {
        if (depth < 0 || --left < 0)
        {
            return false;
        }

        switch (node)
        {
            case JsonObject fields:
                foreach (var (_, value) in fields)
                {
                    if (!Walk(value, depth - 1, ref left))
                    {
                        return false;
                    }
                }

                return true;
            case JsonArray list:
                foreach (var item in list)
                {
                    if (!Walk(item, depth - 1, ref left))
                    {
                        return false;
                    }
                }

                return true;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                _ = value.GetValue<string>();
                return true;
            default:
                return true;
        }
    }

    private static IEnumerable<string> Faults(JsonObject pod)
    {
        var metadata = pod["metadata"] as JsonObject;
        var spec = pod["spec"] as JsonObject;
        return Members(pod, "", ("metadata", Kind.Object), ("spec", Kind.Object))
            .Concat(spec is null ? ["spec is missing"] : [])
            .Concat(Members(metadata, "metadata.", ("labels", Kind.Object), ("annotations", Kind.Object)))
            .Concat(Annotations(metadata))
            .Concat(Members(spec, "spec.", ("containers", Kind.Objects), ("initContainers", Kind.Objects), ("volumes", Kind.Objects), ("schedulingGates", Kind.Objects), ("imagePullSecrets", Kind.Objects), ("nodeName", Kind.Text), ("securityContext", Kind.Object)))
            .Concat(Containers(spec))
            .Concat(Each(spec, "spec.", "volumes", Volume))
            .Concat(Twice("spec", PodJson.Objects(spec, "volumes"), "volume"))
            .Concat(Each(spec, "spec.", "schedulingGates", Named))
            .Concat(Each(spec, "spec.", "imagePullSecrets", (secret, path) => Members(secret, path, ("name", Kind.Text))));
    }

    private static IEnumerable<string> Annotations(JsonObject? metadata) =>
        (metadata?["annotations"] as JsonObject ?? []).Where(annotation => annotation.Key.StartsWith(Api.PretrainIndex.GroupName + "/", StringComparison.Ordinal))
            .SelectMany(annotation => Members((JsonObject)metadata!["annotations"]!, "metadata.annotations.", (annotation.Key, Kind.Text)));

    private static IEnumerable<string> Containers(JsonObject? spec)
    {
        var (main, init) = (PodJson.Objects(spec, "containers").Count(), PodJson.Objects(spec, "initContainers").Count());
        return main == 0 ? ["spec.containers has no container"]
            : main + init > MostContainers ? [$"it has {main + init} containers, and at most {MostContainers} are taken"]
            : Each(spec, "spec.", "containers", Container).Concat(Each(spec, "spec.", "initContainers", Container))
                .Concat(Twice("spec", PodJson.Objects(spec, "containers").Concat(PodJson.Objects(spec, "initContainers")), "container"));
    }

    private static IEnumerable<string> Twice(string path, IEnumerable<JsonObject> items, string what) =>
        items.GroupBy(item => PodJson.Text(item, "name")).Where(same => same.Skip(1).Any()).Select(same => $"{path} has more than one {what} of the name {PodJson.Quote(same.Key!)}");

    private static IEnumerable<string> Container(JsonObject container, string path) => Named(container, path)
        .Concat(Members(container, path, ("args", Kind.Texts), ("env", Kind.Objects), ("volumeMounts", Kind.Objects), ("volumeDevices", Kind.Objects), ("resources", Kind.Object), ("securityContext", Kind.Object)))
        .Concat(Each(container, path, "env", Variable))
        .Concat(Each(container, path, "volumeMounts", Mount))
        .Concat(Each(container, path, "volumeDevices", (device, at) => Members(device, at, ("devicePath", Kind.Text))))
        .Concat(Members(container["resources"] as JsonObject, path + "resources.", ("requests", Kind.Object), ("limits", Kind.Object)))
        .Concat(Amounts(container, path, "requests"))
        .Concat(Amounts(container, path, "limits"));

    private static IEnumerable<string> Amounts(JsonObject container, string path, string kind) =>
        Members((container["resources"] as JsonObject)?[kind] as JsonObject, $"{path}resources.{kind}.", ("memory", Kind.Quantity));

    private static IEnumerable<string> Variable(JsonObject variable, string path) => Named(variable, path)
        .Concat(Members(variable, path, ("value", Kind.Text), ("valueFrom", Kind.Object)))
        .Concat(Members(variable["valueFrom"] as JsonObject, path + "valueFrom.", ("fieldRef", Kind.Object)))
        .Concat(Members((variable["valueFrom"] as JsonObject)?["fieldRef"] as JsonObject, path + "valueFrom.fieldRef.", ("fieldPath", Kind.Text)));

    private static IEnumerable<string> Mount(JsonObject mount, string path) => Named(mount, path)
        .Concat(PodJson.Text(mount, "mountPath") is null ? [$"{path}mountPath is no text"] : [])
        .Concat(Members(mount, path, ("mountPath", Kind.Text), ("subPath", Kind.Text), ("subPathExpr", Kind.Text), ("readOnly", Kind.Flag)));

    private static IEnumerable<string> Volume(JsonObject volume, string path) => Named(volume, path)
        .Concat(Members(volume, path, ("persistentVolumeClaim", Kind.Object), ("emptyDir", Kind.Object), ("downwardAPI", Kind.Object)))
        .Concat(Members(volume["persistentVolumeClaim"] as JsonObject, path + "persistentVolumeClaim.", ("claimName", Kind.Text)))
        .Concat(Members(volume["emptyDir"] as JsonObject, path + "emptyDir.", ("medium", Kind.Text), ("sizeLimit", Kind.Quantity)))
        .Concat(Members(volume["downwardAPI"] as JsonObject, path + "downwardAPI.", ("items", Kind.Objects)))
        .Concat(Each(volume["downwardAPI"] as JsonObject, path + "downwardAPI.", "items", (item, at) => Members(item, at, ("path", Kind.Text), ("fieldRef", Kind.Object))));

    private static IEnumerable<string> Named(JsonObject item, string path) => PodJson.Text(item, "name") switch
    {
        null or "" => [$"{path}name is no text"],
        { Length: > LongestText } => [$"{path}name is longer than {LongestText} characters"],
        _ => [],
    };

    private static IEnumerable<string> Each(JsonObject? parent, string path, string name, Func<JsonObject, string, IEnumerable<string>> faults) =>
        PodJson.Objects(parent, name).SelectMany((item, at) => faults(item, $"{path}{name}[{at}]."));

    private static IEnumerable<string> Members(JsonObject? parent, string path, params (string Name, Kind Kind)[] members) =>
        from member in members
        where parent?.ContainsKey(member.Name) == true
        let fault = FaultOf(parent![member.Name], member.Kind)
        where fault is not null
        select $"{path}{member.Name} {fault}";

    private static string? FaultOf(JsonNode? node, Kind kind) => (kind, node) switch
    {
        (_, null) => "is null",
        (Kind.Text, JsonValue value) when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>().Length > LongestText ? $"is longer than {LongestText} characters" : null,
        (Kind.Text, _) => "is no text",
        (Kind.Flag, JsonValue value) when value.GetValueKind() is JsonValueKind.True or JsonValueKind.False => null,
        (Kind.Flag, _) => "is neither true nor false",
        (Kind.Quantity, JsonValue value) when value.GetValueKind() is JsonValueKind.String or JsonValueKind.Number => null,
        (Kind.Quantity, _) => "is no quantity",
        (Kind.Object, JsonObject) => null,
        (Kind.Object, _) => "is no object",
        (Kind.Objects, JsonArray list) => list.Count > MostItems ? $"has {list.Count} items, and at most {MostItems} are taken" : list.All(item => item is JsonObject) ? null : "has an item that is no object",
        (Kind.Texts, JsonArray list) => list.All(item => item is JsonValue text && text.GetValueKind() == JsonValueKind.String) ? null : "has an item that is no text",
        _ => "is no list",
    };
}
