using System.Text.Json.Nodes;
using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>What becomes of a pod that asks for an index.</summary>
public abstract record InjectionResult
{
    /// <summary>The pod gets something.</summary>
    /// <param name="Pod">The whole pod as it should be.</param>
    public sealed record Patched(JsonObject Pod) : InjectionResult;

    /// <summary>The pod asks for nothing, or has everything already.</summary>
    public sealed record Unchanged : InjectionResult;

    /// <summary>The pod cannot work and is not admitted.</summary>
    /// <param name="Message">The thing, the cause and the next step, for the person who created the pod or its Job.</param>
    /// <param name="UntilIndexExists">Whether the same pod is admitted once its index exists.</param>
    /// <param name="UntilIndexReady">Whether the same pod is admitted once its index is Ready.</param>
    public sealed record Refused(string Message, bool UntilIndexExists = false, bool UntilIndexReady = false) : InjectionResult;
}

/// <summary>How pods are held back and by which image, as far as injection depends on it.</summary>
public sealed record InjectionSettings
{
    /// <summary>Whether the cluster has scheduling gates that may be removed from any pod (Kubernetes 1.30); an init container waits where it has not.</summary>
    public bool SchedulingGates { get; init; } = true;

    /// <summary>Image of the init containers: <see cref="PlannerSettings.BuilderImage"/>.</summary>
    public string BuilderImage { get; init; } = new PlannerSettings().BuilderImage;
}

/// <summary>
/// What a pod with the label <see cref="Labels.Index"/> is given: a pure function from the pod as the API server sent it to the pod as
/// it should be. It works on JSON, so that fields that no client library knows survive. Each question has a policy of its own:
/// <code>
/// can the pod be read? -> what does it ask for? -> can its index be used? -> which containers? -> is a version mounted by hand?
///     -> what holds it back -> staging -> mounts of data and version -> environment
/// </code>
/// What is there already is taken for what it is, so injecting twice is injecting once; what is in the way is refused, never replaced.
/// </summary>
public static class PodInjection
{
    private static readonly InjectionResult.Unchanged Nothing = new();

    /// <summary>What becomes of a pod that is about to be created.</summary>
    /// <param name="pod">The pod; not changed.</param>
    /// <param name="ns">The namespace that it is created in.</param>
    /// <param name="index">The PretrainIndex that its label names, in that namespace; null where there is none.</param>
    /// <param name="settings">How the operator was set up.</param>
    public static InjectionResult Inject(JsonObject pod, string ns, PretrainIndex? index, InjectionSettings settings)
    {
        ArgumentNullException.ThrowIfNull(pod);
        ArgumentNullException.ThrowIfNull(ns);
        ArgumentNullException.ThrowIfNull(settings);
        if (PodShape.Unreadable(pod) is { } unreadable)
        {
            return unreadable;
        }

        if (!PodRequest.IsMade(pod))
        {
            return Nothing;
        }

        return PodShape.Fault(pod)
            ?? PodRequest.Read(pod, out var request)
            ?? IndexUsability.Trouble(request, ns, index)
            ?? Apply(pod, new PodDraft((JsonObject)pod.DeepClone(), request, index!, settings));
    }

    private static InjectionResult Apply(JsonObject pod, PodDraft draft) =>
        ContainerChoice.Choose(draft)
            ?? (ByHand.IsMounted(draft) ? Nothing : null)
            ?? WaitInjection.Apply(draft)
            ?? StagingInjection.Apply(draft)
            ?? MountInjection.Apply(draft)
            ?? EnvironmentInjection.Apply(draft)
            ?? (JsonNode.DeepEquals(draft.Pod, pod) ? Nothing : (InjectionResult)new InjectionResult.Patched(draft.Pod));
}
