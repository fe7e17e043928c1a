using System.Text.Json.Nodes;

namespace IndexOperator.Planning;

/// <summary>
/// What our init containers have in common: the builder image, no credentials, the restricted Pod Security Standard, and limits that
/// equal their requests: so they pass a ResourceQuota that asks for either, and a pod of the class Guaranteed stays one.
/// </summary>
internal static class OwnContainer
{
    // The builder's own; any numeric one satisfies the standard where neither the pod nor the image's metadata names a user.
    private const long User = 65532;

    /// <summary>Puts an init container of ours at the front, or takes the one that is there to the front.</summary>
    /// <param name="draft">The pod.</param>
    /// <param name="name">The container's name.</param>
    /// <param name="arguments">Its arguments: what tells ours from somebody else's of the name.</param>
    /// <param name="cpu">CPU.</param>
    /// <param name="memory">Memory in bytes.</param>
    /// <param name="container">The container.</param>
    public static InjectionResult.Refused? Place(PodDraft draft, string name, string[] arguments, string cpu, long memory, out JsonObject container)
    {
        container = New(draft, name, arguments, cpu, memory);
        var list = PodJson.ListOf(draft.Spec, "initContainers");
        foreach (var there in list.OfType<JsonObject>().Where(there => ContainerChoice.NameOf(there) == name).ToList())
        {
            if (!JsonNode.DeepEquals(there["args"], container["args"]))
            {
                return new($"Init container {name} has the name of one that is added to pods that use an index, and is something else. Rename it.");
            }

            container = there;
            list.Remove(there);
        }

        list.Insert(0, container);
        AddPullSecrets(draft);
        return null;
    }

    private static JsonObject New(PodDraft draft, string name, string[] arguments, string cpu, long memory) => new()
    {
        ["name"] = name,
        ["image"] = draft.Settings.BuilderImage,
        ["imagePullPolicy"] = "IfNotPresent",
        ["args"] = new JsonArray([.. arguments.Select(argument => JsonValue.Create(argument))]),
        ["resources"] = new JsonObject { ["requests"] = Resources(cpu, memory), ["limits"] = Resources(cpu, memory) },
        ["terminationMessagePolicy"] = "FallbackToLogsOnError",
        ["securityContext"] = Security(draft),
    };

    private static JsonObject Resources(string cpu, long memory) => new() { ["cpu"] = cpu, ["memory"] = Quantity.Text(memory) };

    private static JsonObject Security(PodDraft draft)
    {
        var security = new JsonObject
        {
            ["runAsNonRoot"] = true,
            ["allowPrivilegeEscalation"] = false,
            ["readOnlyRootFilesystem"] = true,
            ["capabilities"] = new JsonObject { ["drop"] = new JsonArray("ALL") },
            ["seccompProfile"] = new JsonObject { ["type"] = "RuntimeDefault" },
        };
        if (!HasUser(draft))
        {
            security["runAsUser"] = User;
        }

        return security;
    }

    // The pod's user can read what the pod's containers can; root cannot be ours.
    private static bool HasUser(PodDraft draft) =>
        (draft.Spec["securityContext"] as JsonObject)?["runAsUser"] is JsonValue user && Quantity.Bytes(user.ToJsonString()) is > 0;

    // The builder's image may be in a registry that wants credentials; spec.build says which.
    private static void AddPullSecrets(PodDraft draft)
    {
        var missing = (draft.Index.Spec.Build.ImagePullSecrets ?? [])
            .Select(secret => secret.Name)
            .Where(name => !string.IsNullOrEmpty(name) && PodJson.Objects(draft.Spec, "imagePullSecrets").All(there => PodJson.Text(there, "name") != name))
            .Distinct()
            .ToList();
        if (missing.Count > 0)
        {
            var list = PodJson.ListOf(draft.Spec, "imagePullSecrets");
            missing.ForEach(name => list.Add((JsonNode)new JsonObject { ["name"] = name }));
        }
    }
}
