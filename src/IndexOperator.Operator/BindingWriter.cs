using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using k8s.Models;

namespace IndexOperator.Operator;

/// <summary>
/// Writes the ConfigMap that tells what to mount: created, or patched where it is the resource's own. One of the name that is a person's is
/// left as it is; it is asked about again after a pause only, as a resource may be looked at often.
/// </summary>
public sealed class BindingWriter(ApiClient client, OwnWrites ownWrites, TimeProvider time, ILogger<BindingWriter> logger)
{
    private readonly ConcurrentDictionary<ObjectKey, (ApiException Refusal, DateTimeOffset At)> _refused = new();

    /// <summary>Writes the binding.</summary>
    /// <exception cref="ApiException">It is somebody else's, or the API server refused it: now, or within the pause before.</exception>
    public async Task ApplyAsync(PretrainIndex index, V1ConfigMap binding, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(binding);
        var key = ObjectKey.Of(index);
        if (_refused.TryGetValue(key, out var before) && time.GetUtcNow() - before.At < BindingPolicy.Pause)
        {
            throw before.Refusal;
        }

        try
        {
            var written = (binding.Metadata.Uid is { } uid ? await PatchAsync(binding, uid, cancellationToken) : null) ?? await CreateAsync(index, binding, cancellationToken);
            ownWrites.Bound(key, written);
            _refused.TryRemove(key, out _);
        }
        catch (ApiException error) when (!error.IsConflict)
        {
            _refused[key] = (error, time.GetUtcNow());
            throw;
        }

        logger.LogInformation("{Index}: ConfigMap {Binding} tells of version {Version}", key, binding.Metadata.Name, binding.Data[BindingPolicy.VersionKey]);
    }

    private async Task<V1ConfigMap> CreateAsync(PretrainIndex index, V1ConfigMap binding, CancellationToken cancellationToken)
    {
        try
        {
            binding.Metadata.Uid = null;
            return await client.CreateAsync(KnownResources.ConfigMaps, binding, cancellationToken);
        }
        catch (ApiException error) when (error.IsAlreadyExists)
        {
            var there = await client.GetAsync(KnownResources.ConfigMaps, ObjectKey.Of(binding), cancellationToken);
            return BindingPolicy.IsOf(index, there) && await PatchAsync(binding, there.Metadata.Uid, cancellationToken) is { } patched
                ? patched
                : throw new ApiException(422, "NotOwned", "A ConfigMap of that name exists, is not this PretrainIndex's, and is left alone. Delete or rename it to get the binding.");
        }
    }

    // With the uid for a precondition, and without a word of what others may have added. Null where it is gone.
    private async Task<V1ConfigMap?> PatchAsync(V1ConfigMap binding, string uid, CancellationToken cancellationToken)
    {
        try
        {
            return await client.MergePatchAsync(
                KnownResources.ConfigMaps,
                ObjectKey.Of(binding),
                new JsonObject { ["metadata"] = new JsonObject { ["uid"] = uid, ["labels"] = Json(binding.Metadata.Labels) }, ["data"] = Json(binding.Data) },
                resourceVersion: null,
                cancellationToken);
        }
        catch (ApiException error) when (error.IsNotFound)
        {
            return null;
        }
    }

    private static JsonObject Json(IDictionary<string, string> map) => new(map.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, JsonValue.Create(pair.Value))));
}
