using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace IndexOperator.Runtime;

/// <summary>
/// Changes the list of finalizers and nothing else. Both patches carry the resource version they were computed from:
/// a merge patch replaces the list as a whole and must not undo what someone else did to it in between.
/// </summary>
public static class Finalizers
{
    /// <summary>Whether the entity has the finalizer.</summary>
    public static bool Has(IMetadata<V1ObjectMeta> entity, string finalizer)
    {
        ArgumentNullException.ThrowIfNull(entity);
        return entity.Metadata?.Finalizers?.Contains(finalizer) == true;
    }

    /// <summary>Puts finalizers on; does nothing when all are there.</summary>
    /// <returns>The entity as it is now.</returns>
    public static Task<T> AttachAsync<T>(
        ApiClient client, ResourceType<T> type, T entity, IEnumerable<string> finalizers, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(entity);
        var present = entity.Metadata.Finalizers ?? [];
        return SetAsync(client, type, entity, [.. present.Union(finalizers)], cancellationToken);
    }

    /// <summary>Takes a finalizer off; does nothing when it is not there.</summary>
    /// <returns>The entity as it is now.</returns>
    public static Task<T> DetachAsync<T>(
        ApiClient client, ResourceType<T> type, T entity, string finalizer, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(entity);
        var present = entity.Metadata.Finalizers ?? [];
        return SetAsync(client, type, entity, [.. present.Where(other => other != finalizer)], cancellationToken);
    }

    private static Task<T> SetAsync<T>(ApiClient client, ResourceType<T> type, T entity, List<string> wanted, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(client);
        if (wanted.Count == (entity.Metadata.Finalizers?.Count ?? 0))
        {
            return Task.FromResult(entity);
        }

        var list = new JsonArray([.. wanted.Select(finalizer => (JsonNode)finalizer)]);
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["finalizers"] = list } };
        return client.MergePatchAsync(type, ObjectKey.Of(entity), patch, entity.Metadata.ResourceVersion, cancellationToken);
    }
}
