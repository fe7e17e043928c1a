using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using k8s;
using k8s.Models;

namespace IndexOperator.Runtime;

public sealed partial class ApiClient
{
    /// <summary>Creates an object. Its apiVersion and kind are filled in when missing.</summary>
    public Task<T> CreateAsync<T>(ResourceType<T> type, T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(entity);
        Name(type, entity);
        var path = WithQuery(type.CollectionPath(entity.Metadata?.NamespaceProperty), ("fieldManager", FieldManager));
        return SendBodyAsync(HttpMethod.Post, path, entity, type, cancellationToken);
    }

    /// <summary>Replaces an object as a whole; the resource version in it is the precondition.</summary>
    public Task<T> ReplaceAsync<T>(ResourceType<T> type, T entity, CancellationToken cancellationToken, string? subresource = null)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(entity);
        Name(type, entity);
        var path = WithQuery(type.ObjectPath(ObjectKey.Of(entity), subresource), ("fieldManager", FieldManager));
        return SendBodyAsync(HttpMethod.Put, path, entity, type, cancellationToken);
    }

    /// <summary>
    /// Server-side apply. <paramref name="apply"/> must hold only fields that this manager owns, with apiVersion, kind
    /// and metadata.name: whatever is serialised is owned from then on, and an owned field left out is removed.
    /// </summary>
    /// <param name="type">The resource.</param>
    /// <param name="key">The object.</param>
    /// <param name="apply">The fields to own.</param>
    /// <param name="info">Its source-generated contract; it should leave out nulls.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <param name="force">Take fields over from other managers.</param>
    /// <param name="subresource">Like <c>status</c>.</param>
    /// <param name="fieldManager">Another manager than <see cref="FieldManager"/>.</param>
    public Task<T> ApplyAsync<T, TApply>(
        ResourceType<T> type,
        ObjectKey key,
        TApply apply,
        JsonTypeInfo<TApply> info,
        CancellationToken cancellationToken,
        bool force = true,
        string? subresource = null,
        string? fieldManager = null)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(type);
        var path = WithQuery(type.ObjectPath(key, subresource), ("fieldManager", fieldManager ?? FieldManager), ("force", force ? "true" : null));
        return ExecuteAsync(
            HttpMethod.Patch,
            path,
            () => ApplyContent(apply, info),
            ReadAs(type.Item),
            _options.RequestTimeout,
            cancellationToken);
    }

    /// <summary>Server-side apply of the status subresource; see <see cref="ApplyAsync"/> for what <paramref name="apply"/> may hold.</summary>
    public Task<T> ApplyStatusAsync<T, TApply>(
        ResourceType<T> type, ObjectKey key, TApply apply, JsonTypeInfo<TApply> info, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        ApplyAsync(type, key, apply, info, cancellationToken, subresource: "status");

    /// <summary>JSON merge patch. With a resource version it fails with a conflict when the object has changed since.</summary>
    public Task<T> MergePatchAsync<T>(
        ResourceType<T> type,
        ObjectKey key,
        JsonObject patch,
        string? resourceVersion,
        CancellationToken cancellationToken,
        string? subresource = null)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(patch);
        var body = patch;
        if (resourceVersion is not null)
        {
            body = patch.DeepClone().AsObject();
            if (body["metadata"] is not JsonObject metadata)
            {
                body["metadata"] = metadata = [];
            }

            metadata["resourceVersion"] = resourceVersion;
        }

        return PatchAsync(type, key, body.ToJsonString(), "application/merge-patch+json", subresource, cancellationToken);
    }

    /// <summary>JSON patch. With a resource version it fails with a conflict when the object has changed since.</summary>
    public Task<T> JsonPatchAsync<T>(
        ResourceType<T> type,
        ObjectKey key,
        JsonArray operations,
        string? resourceVersion,
        CancellationToken cancellationToken,
        string? subresource = null)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(operations);
        var body = operations;
        if (resourceVersion is not null)
        {
            // Not a "test": that one fails as Invalid, while a replaced version makes the server itself compare it.
            body = operations.DeepClone().AsArray();
            body.Insert(0, new JsonObject { ["op"] = "replace", ["path"] = "/metadata/resourceVersion", ["value"] = resourceVersion });
        }

        return PatchAsync(type, key, body.ToJsonString(), "application/json-patch+json", subresource, cancellationToken);
    }

    /// <summary>
    /// Deletes an object. The server may answer with the object or with a Status, so nothing is returned. Throws
    /// NotFound when there is none.
    /// </summary>
    /// <param name="type">The resource.</param>
    /// <param name="key">The object.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <param name="propagation">What becomes of dependents.</param>
    /// <param name="uid">Delete only the object with this uid.</param>
    /// <param name="resourceVersion">Delete only this version of it.</param>
    /// <param name="gracePeriodSeconds">The grace period, when not the object's own.</param>
    public Task DeleteAsync<T>(
        ResourceType<T> type,
        ObjectKey key,
        CancellationToken cancellationToken,
        PropagationPolicy propagation = PropagationPolicy.Background,
        string? uid = null,
        string? resourceVersion = null,
        int? gracePeriodSeconds = null)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(type);
        var options = new JsonObject
        {
            ["kind"] = "DeleteOptions",
            ["apiVersion"] = "v1",
            ["propagationPolicy"] = propagation switch
            {
                PropagationPolicy.Foreground => "Foreground",
                PropagationPolicy.Orphan => "Orphan",
                _ => "Background",
            },
        };
        if (uid is not null || resourceVersion is not null)
        {
            var preconditions = new JsonObject();
            if (uid is not null)
            {
                preconditions["uid"] = uid;
            }

            if (resourceVersion is not null)
            {
                preconditions["resourceVersion"] = resourceVersion;
            }

            options["preconditions"] = preconditions;
        }

        if (gracePeriodSeconds is { } grace)
        {
            options["gracePeriodSeconds"] = grace;
        }

        var body = options.ToJsonString();
        return ExecuteAsync(
            HttpMethod.Delete,
            type.ObjectPath(key),
            () => Json(body, "application/json"),
            static (_, _) => Task.FromResult(true),
            _options.RequestTimeout,
            cancellationToken);
    }

    private static void Name<T>(ResourceType<T> type, T entity)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        entity.ApiVersion ??= type.ApiVersion;
        entity.Kind ??= type.Kind;
    }

    private Task<T> SendBodyAsync<T>(HttpMethod method, string path, T entity, ResourceType<T> type, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        ExecuteAsync(method, path, () => Json(entity, type.Item), ReadAs(type.Item), _options.RequestTimeout, cancellationToken);

    private Task<T> PatchAsync<T>(
        ResourceType<T> type, ObjectKey key, string body, string mediaType, string? subresource, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(type);
        var path = WithQuery(type.ObjectPath(key, subresource), ("fieldManager", FieldManager));
        return ExecuteAsync(HttpMethod.Patch, path, () => Json(body, mediaType), ReadAs(type.Item), _options.RequestTimeout, cancellationToken);
    }
}
