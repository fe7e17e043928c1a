using IndexOperator.Api;
using IndexOperator.TestSupport;
using k8s.Models;

namespace IndexOperator.Integration.Harness;

/// <summary>Pods as the webhook leaves them: held back until their index is Ready.</summary>
public static class WaitingPods
{
    /// <summary>The first release whose scheduling gates are there for good.</summary>
    public static readonly Version GateServer = new(1, 30);

    /// <summary>A pod that an init container holds back, as before Kubernetes 1.30; with a server that has them, a gate.</summary>
    public static V1Pod Pod(ControlPlane plane, string ns, string name, string index, string? group = null, string? dataVersion = null)
    {
        var hasGates = plane.ServerVersion >= GateServer;
        var annotations = new Dictionary<string, string> { [Annotations.Injected] = hasGates ? "Gate" : "InitContainer" };
        if (dataVersion is not null)
        {
            annotations[Annotations.DataVersion] = dataVersion;
        }

        var labels = new Dictionary<string, string> { [Labels.Index] = index };
        if (group is not null)
        {
            labels[Labels.Group] = group;
        }

        return new V1Pod
        {
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = ns, Labels = labels, Annotations = annotations },
            Spec = new V1PodSpec
            {
                Containers = [new V1Container { Name = "train", Image = "registry.example/train:test" }],
                InitContainers = hasGates ? null : [new V1Container { Name = InjectedNames.WaitContainer, Image = "registry.example/index-builder:test", Args = ["wait"] }],
                SchedulingGates = hasGates ? [new V1PodSchedulingGate { Name = SchedulingGates.IndexReady }] : null,
            },
        };
    }

    /// <summary>The version that a pod was given; null while it waits.</summary>
    public static string? VersionOf(this V1Pod pod) => pod.Metadata.Annotations?.GetValueOrDefaultOf(Annotations.Version);

    /// <summary>What a pod was told.</summary>
    public static V1PodCondition? Told(this V1Pod pod) => pod.Status?.Conditions?.FirstOrDefault(condition => condition.Type == PodConditionTypes.IndexReady);
}
