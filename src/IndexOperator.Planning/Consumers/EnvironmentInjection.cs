using System.Text.Json.Nodes;
using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>
/// What the chosen containers are told: the version, where it is mounted, and the arguments for a Megatron-LM command line. Ours come
/// first, so that the container's own variables and arguments can refer to them as <c>$(PRETRAIN_INDEX_DIR)</c>. A variable that a
/// container sets itself stays as it is, but for the version: the path of the mount is made of it.
/// </summary>
internal static class EnvironmentInjection
{
    private const string VersionField = $"metadata.annotations['{Annotations.Version}']";

    /// <summary>Adds the variables to the chosen containers.</summary>
    public static InjectionResult.Refused? Apply(PodDraft draft)
    {
        var directory = PodJson.Literal(draft.Index.Spec.Cache.MountPath);
        (string Name, string? Value)[] rest =
        [
            (InjectedNames.DirectoryVariable, directory),
            (InjectedNames.NeMoVariable, directory),
            (InjectedNames.MegatronVariable, LaunchArguments.Of(draft.Index.Spec)),
        ];
        return draft.Chosen.Select(container => AddVersion(container) ?? AddRest(container, rest)).FirstOrDefault(refused => refused is not null);
    }

    /// <summary>Adds the version alone, of which mounts are made; the refusal where it means something else.</summary>
    public static InjectionResult.Refused? AddVersion(JsonObject container)
    {
        var there = Named(container, InjectedNames.VersionVariable).ToList();
        if (there.Exists(variable => !string.IsNullOrEmpty(PodJson.Text(variable, "value")) || PodJson.Text((variable["valueFrom"] as JsonObject)?["fieldRef"] as JsonObject, "fieldPath") != VersionField))
        {
            return new($"Container {Clip.Characters(Clip.Plain(ContainerChoice.NameOf(container)), 200)} sets {InjectedNames.VersionVariable} to something else, and the path of the index is made of it. Remove the variable, or take its value from {VersionField}.");
        }

        if (there.Count == 0)
        {
            PodJson.ListOf(container, "env").Insert(0, new JsonObject
            {
                ["name"] = InjectedNames.VersionVariable,
                ["valueFrom"] = new JsonObject { ["fieldRef"] = new JsonObject { ["apiVersion"] = "v1", ["fieldPath"] = VersionField } },
            });
        }

        return null;
    }

    // In their order, before whatever else there is.
    private static InjectionResult.Refused? AddRest(JsonObject container, (string Name, string? Value)[] variables)
    {
        var list = PodJson.ListOf(container, "env");
        var at = PodJson.Text(list[0] as JsonObject, "name") == InjectedNames.VersionVariable ? 1 : 0;
        foreach (var (name, value) in variables)
        {
            if (value is not null && !Named(container, name).Any())
            {
                list.Insert(at++, new JsonObject { ["name"] = name, ["value"] = value });
            }
        }

        return null;
    }

    private static IEnumerable<JsonObject> Named(JsonObject container, string name) =>
        PodJson.Objects(container, "env").Where(variable => PodJson.Text(variable, "name") == name);
}
