using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Planning;
using IndexOperator.Runtime;

namespace IndexOperator.Operator;

/// <summary>Decides what a pod gets. The same pod and index, the same answer.</summary>
public interface IPodMutator
{
    /// <summary>Decides.</summary>
    /// <param name="pod">The pod; not changed.</param>
    /// <param name="ns">Its namespace, which the pod itself may not tell yet.</param>
    /// <param name="index">The index that it names; null when there is none.</param>
    InjectionResult Mutate(JsonObject pod, string ns, PretrainIndex? index);
}

/// <summary>As <see cref="PodInjection"/> decides for this cluster.</summary>
public sealed class PodMutator(ServerVersion server, OperatorOptions options) : IPodMutator
{
    // In which a gate may be removed from any pod, and is there without a feature gate (KEP-3521).
    private static readonly Version Gates = new(1, 30);

    /// <inheritdoc/>
    public InjectionResult Mutate(JsonObject pod, string ns, PretrainIndex? index) => PodInjection.Inject(
        pod, ns, index, new InjectionSettings { SchedulingGates = server.Value >= Gates, BuilderImage = options.Planner.BuilderImage });
}
