using System.Text.Json.Nodes;
using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>
/// Which containers get the index: those that the annotation names, init containers and sidecars among them, or all main containers.
/// Our own init containers are never among them, and nobody else's may have their names.
/// </summary>
internal static class ContainerChoice
{
    private const int MostNamed = 20;

    private static readonly string[] Ours = [InjectedNames.WaitContainer, InjectedNames.StageContainer];

    /// <summary>Chooses the containers.</summary>
    public static InjectionResult.Refused? Choose(PodDraft draft)
    {
        var main = PodJson.Objects(draft.Spec, "containers").ToList();
        var init = PodJson.Objects(draft.Spec, "initContainers").Where(container => !Ours.Contains(NameOf(container))).ToList();
        if (main.Find(container => Ours.Contains(NameOf(container))) is { } taken)
        {
            return new($"Container {NameOf(taken)} has the name of an init container that is added to pods that use an index. Rename it.");
        }

        if (draft.Request.Containers is not { } names)
        {
            draft.Chosen = main;
            return null;
        }

        List<JsonObject> all = [.. init, .. main];
        var known = all.Select(NameOf).ToList();
        if (names.Except(known).FirstOrDefault() is { } unknown)
        {
            var there = string.Join(", ", known.Take(MostNamed).Select(name => Clip.Characters(Clip.Plain(name), 63)));
            return new($"Annotation {Annotations.Containers} names {PodJson.Quote(unknown)}, and the pod has no container of that name. It has: {there}{(known.Count > MostNamed ? $" and {known.Count - MostNamed} more" : "")}.");
        }

        draft.Chosen = [.. all.Where(container => names.Contains(NameOf(container)))];
        return null;
    }

    /// <summary>A container's name.</summary>
    public static string NameOf(JsonObject container) => PodJson.Text(container, "name")!;

    /// <summary>The chosen container whose memory stands for the pod's: the first main one, or the first init container where no main one is chosen.</summary>
    public static JsonObject First(PodDraft draft)
    {
        var main = PodJson.Objects(draft.Spec, "containers").ToList();
        return draft.Chosen.FirstOrDefault(main.Contains) ?? draft.Chosen[0];
    }
}
