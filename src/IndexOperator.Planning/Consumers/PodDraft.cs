using System.Text.Json.Nodes;
using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>A copy of a pod, in which the policies of injection write; its shape has been checked.</summary>
internal sealed class PodDraft(JsonObject pod, PodRequest request, PretrainIndex index, InjectionSettings settings)
{
    /// <summary>The copy.</summary>
    public JsonObject Pod { get; } = pod;

    /// <summary>What the pod asks for.</summary>
    public PodRequest Request { get; } = request;

    /// <summary>The index that it asks for.</summary>
    public PretrainIndex Index { get; } = index;

    /// <summary>How the operator was set up.</summary>
    public InjectionSettings Settings { get; } = settings;

    /// <summary>The containers that get the index: init containers first, each kind in the pod's order.</summary>
    public IReadOnlyList<JsonObject> Chosen { get; set; } = [];

    /// <summary>The pod's spec.</summary>
    public JsonObject Spec => (JsonObject)Pod["spec"]!;

    /// <summary>Whether the version is copied to a RAM disk.</summary>
    public bool IsStaged => Request.IsStaged;

    /// <summary>An annotation of the pod; null where it has none of the name.</summary>
    public string? Annotation(string name) => PodJson.Annotation(Pod, name);

    /// <summary>Sets an annotation of the pod.</summary>
    public void Annotate(string name, string value)
    {
        var metadata = (JsonObject)Pod["metadata"]!;
        PodJson.ObjectOf(metadata, "annotations")[name] = value;
    }
}
