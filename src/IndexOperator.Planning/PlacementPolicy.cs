using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>Which nodes may run a build and what it asks of them: <c>placement</c> added to what the user wrote, never replacing it.</summary>
public static class PlacementPolicy
{
    /// <summary>The user's affinity; with <c>GPUNodes</c>, each of its node terms (they are alternatives) also requires the GPU label.</summary>
    public static V1Affinity? Affinity(BuildSpec build, PlannerSettings settings)
    {
        ArgumentNullException.ThrowIfNull(build);
        ArgumentNullException.ThrowIfNull(settings);
        if (build.Placement == Placement.Any)
        {
            return build.Affinity;
        }

        var gpu = new V1NodeSelectorRequirement { Key = settings.GpuNodeLabel, OperatorProperty = "In", Values = ["true"] };
        var terms = build.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution?.NodeSelectorTerms is { Count: > 0 } given
            ? given
            : [new V1NodeSelectorTerm()];
        return new V1Affinity
        {
            PodAffinity = build.Affinity?.PodAffinity,
            PodAntiAffinity = build.Affinity?.PodAntiAffinity,
            NodeAffinity = new V1NodeAffinity
            {
                PreferredDuringSchedulingIgnoredDuringExecution = build.Affinity?.NodeAffinity?.PreferredDuringSchedulingIgnoredDuringExecution,
                RequiredDuringSchedulingIgnoredDuringExecution = new V1NodeSelector
                {
                    NodeSelectorTerms = terms
                        .Select(term => new V1NodeSelectorTerm { MatchFields = term.MatchFields, MatchExpressions = [.. term.MatchExpressions ?? [], gpu] })
                        .ToList(),
                },
            },
        };
    }

    /// <summary>The user's tolerations; with <c>GPUNodes</c>, the GPU taint is tolerated too.</summary>
    public static IList<V1Toleration>? Tolerations(BuildSpec build, PlannerSettings settings)
    {
        ArgumentNullException.ThrowIfNull(build);
        ArgumentNullException.ThrowIfNull(settings);
        var given = build.Tolerations?.ToList();
        return build.Placement == Placement.Any
            ? given
            : [.. given ?? [], new V1Toleration { Key = settings.GpuResource, OperatorProperty = "Exists" }];
    }

    /// <summary>The user's resources; where they are silent, default requests and as limit of memory the most that a build is given; and the GPUs asked for.</summary>
    /// <param name="build"><c>spec.build</c>.</param>
    /// <param name="settings">How the operator was set up.</param>
    /// <param name="withGpus">Whether the GPUs are asked for.</param>
    /// <param name="memoryBytes">Memory in place of what the user wrote; null for that.</param>
    public static V1ResourceRequirements Resources(BuildSpec build, PlannerSettings settings, bool withGpus, long? memoryBytes = null)
    {
        ArgumentNullException.ThrowIfNull(build);
        ArgumentNullException.ThrowIfNull(settings);
        var requests = new Dictionary<string, ResourceQuantity>(build.Resources?.Requests ?? new Dictionary<string, ResourceQuantity>());
        var limits = new Dictionary<string, ResourceQuantity>(build.Resources?.Limits ?? new Dictionary<string, ResourceQuantity>());
        foreach (var (name, quantity) in new[] { ("cpu", settings.DefaultCpuRequest), ("memory", settings.DefaultMemoryRequest) })
        {
            // A limit without a request is its own request in Kubernetes; a default above it would be refused.
            if (!requests.ContainsKey(name) && !limits.ContainsKey(name))
            {
                requests[name] = new ResourceQuantity(quantity);
            }
        }

        // Without one, a build that goes wrong would take the memory of everything on its node.
        if (!limits.ContainsKey("memory"))
        {
            limits["memory"] = new ResourceQuantity(Larger(requests["memory"].ToString(), settings.MaximumBuildMemory));
        }

        if (withGpus && build.Gpus > 0)
        {
            limits[settings.GpuResource] = new ResourceQuantity(build.Gpus.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        if (memoryBytes is { } bytes)
        {
            requests["memory"] = limits["memory"] = new ResourceQuantity(bytes.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        return new V1ResourceRequirements { Requests = requests, Limits = limits };
    }

    // Kubernetes refuses a limit below the request.
    private static string Larger(string request, string most) => MemoryPolicy.Bytes(request) > MemoryPolicy.Bytes(most) ? request : most;
}
