namespace IndexOperator.Runtime;

/// <summary>Names one object of a known type. What queues hold: a key stays small and true however often the object changes.</summary>
/// <param name="Namespace">The namespace; empty for a cluster-scoped object.</param>
/// <param name="Name">The name.</param>
public readonly record struct ObjectKey(string Namespace, string Name)
{
    /// <summary>The key of an object as it was read.</summary>
    public static ObjectKey Of(k8s.Models.IMetadata<k8s.Models.V1ObjectMeta> entity)
    {
        ArgumentNullException.ThrowIfNull(entity);
        return new ObjectKey(entity.Metadata?.NamespaceProperty ?? "", entity.Metadata?.Name ?? "");
    }

    /// <inheritdoc/>
    public override string ToString() => string.IsNullOrEmpty(Namespace) ? Name : $"{Namespace}/{Name}";
}
