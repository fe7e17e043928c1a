using IndexOperator.Runtime;

namespace IndexOperator.Operator;

/// <summary>
/// Looks whether a resource that is being deleted goes because what holds it goes: its namespace, or the definition of its kind. Asked
/// only for resources that are being deleted, so nothing is cached and nothing watched.
/// </summary>
public sealed class ScopeReader(ApiClient client, ILogger<ScopeReader> logger)
{
    private static readonly ObjectKey Definition = new("", AccessRules.DefinitionName);

    /// <summary>What is going, for a person; null when nothing is, or when this operator may not look.</summary>
    public async Task<string?> GoingAsync(string? ns, CancellationToken cancellationToken) =>
        await IsGoingAsync(KnownResources.Namespaces, ns!, cancellationToken) ? $"namespace {ns}"
        : await IsDefinitionGoingAsync(cancellationToken) ? $"CustomResourceDefinition {Definition.Name}"
        : null;

    // An operator of listed namespaces may not look: what it cannot see is not going. It asks first, as a refused call is told to whoever
    // watches for such.
    private async Task<bool> IsDefinitionGoingAsync(CancellationToken cancellationToken) =>
        await client.MayAsync("get", Resources.Definitions, Definition, cancellationToken) && await IsGoingAsync(Resources.Definitions, Definition.Name, cancellationToken);

    private async Task<bool> IsGoingAsync<T>(ResourceType<T> type, string name, CancellationToken cancellationToken)
        where T : class, k8s.IKubernetesObject<k8s.Models.V1ObjectMeta>
    {
        try
        {
            return (await client.GetAsync(type, new ObjectKey("", name), cancellationToken)).Metadata.DeletionTimestamp is not null;
        }
        catch (ApiException error) when (error.IsNotFound || error.IsForbidden)
        {
            logger.LogDebug("{Type} {Name} cannot be looked at: {Reason}", type, name, error.Reason);
            return error.IsNotFound;
        }
    }
}
