using System.Text.Json.Nodes;
using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>
/// What holds a pod back until its index is Ready: a scheduling gate, so that it occupies no node meanwhile; where the cluster has none, or
/// the pod is bound to a node already (the API refuses a gate then), an init container that waits for the version to be annotated.
/// A pod that brings its version is held back too: it goes on once that version is known to be published.
/// </summary>
internal static class WaitInjection
{
    /// <summary>The value of <see cref="Annotations.Injected"/> where a scheduling gate holds the pod back.</summary>
    public const string Gate = "Gate";

    /// <summary>The value of <see cref="Annotations.Injected"/> where an init container does.</summary>
    public const string InitContainer = ConsumerPod.ByInitContainer;

    private const string Folder = "/index-operator/annotations";
    private const string File = "annotations";
    private const string Cpu = "50m";
    private const long Memory = 128 * Quantity.Mi;

    /// <summary>Holds the pod back.</summary>
    public static InjectionResult.Refused? Apply(PodDraft draft)
    {
        var gated = draft.Settings.SchedulingGates && string.IsNullOrEmpty(PodJson.Text(draft.Spec, "nodeName"));
        draft.Annotate(Annotations.Injected, gated ? Gate : InitContainer);
        return gated ? AddGate(draft) : UnknownVersion(draft) ?? AddContainer(draft);
    }

    private static InjectionResult.Refused? AddGate(PodDraft draft)
    {
        if (PodJson.Objects(draft.Spec, "schedulingGates").All(gate => PodJson.Text(gate, "name") != SchedulingGates.IndexReady))
        {
            PodJson.ListOf(draft.Spec, "schedulingGates").Add((JsonNode)new JsonObject { ["name"] = SchedulingGates.IndexReady });
        }

        return null;
    }

    // The init container waits for the annotation only, and this pod has it.
    private static InjectionResult.Refused? UnknownVersion(PodDraft draft)
    {
        var status = draft.Index.Status;
        return draft.Request.Version is { } version && (status?.Previous ?? []).Prepend(status?.Current).All(known => known?.Version != version)
            ? new($"Annotation {Annotations.Version} asks for version {version}, which PretrainIndex {draft.Request.IndexName} has not published. Remove it to get the current version, or create the pod once that one is published.", UntilIndexReady: true)
            : null;
    }

    private static InjectionResult.Refused? AddContainer(PodDraft draft)
    {
        var annotations = new JsonObject { ["path"] = File, ["fieldRef"] = new JsonObject { ["apiVersion"] = "v1", ["fieldPath"] = "metadata.annotations" } };
        return OwnContainer.Place(draft, InjectedNames.WaitContainer, ["wait", "--annotations", $"{Folder}/{File}"], Cpu, Memory, out var container)
            ?? AddVolume(draft, annotations)
            ?? MountInjection.Add(draft, container, new Mount(Folder, InjectedNames.AnnotationsVolume));
    }

    private static InjectionResult.Refused? AddVolume(PodDraft draft, JsonObject annotations)
    {
        if (PodJson.Objects(draft.Spec, "volumes").FirstOrDefault(volume => PodJson.Text(volume, "name") == InjectedNames.AnnotationsVolume) is not { } there)
        {
            PodJson.ListOf(draft.Spec, "volumes").Add((JsonNode)new JsonObject
            {
                ["name"] = InjectedNames.AnnotationsVolume,
                ["downwardAPI"] = new JsonObject { ["items"] = new JsonArray(annotations) },
            });
            return null;
        }

        return PodJson.Objects(there["downwardAPI"] as JsonObject, "items").Any(item =>
            PodJson.Text(item, "path") == File && PodJson.Text(item["fieldRef"] as JsonObject, "fieldPath") == "metadata.annotations")
            ? null
            : MountInjection.IsSomethingElse(InjectedNames.AnnotationsVolume);
    }
}
