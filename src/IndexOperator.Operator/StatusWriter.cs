using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using IndexOperator.Api;
using IndexOperator.Runtime;

namespace IndexOperator.Operator;

/// <summary>
/// Writes a resource's status by server-side apply, and only when it says something new. What somebody wrote into it by hand is theirs by the
/// rules of apply, and would stay: it is taken out by a patch. Only conditions of other types are left to others.
/// </summary>
public sealed class StatusWriter(ApiClient client, OwnWrites ownWrites)
{
    /// <summary>Writes the status; false when it already reads so.</summary>
    public async Task<bool> WriteAsync(PretrainIndex index, PretrainIndexStatus status, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(status);
        var wanted = Text(status);
        if (SaysTheSame(index.Status, status))
        {
            return false;
        }

        var apply = new StatusApply
        {
            // The uid makes the server refuse when the resource was deleted and created again in between.
            Metadata = new StatusApplyMetadata
            {
                Name = index.Metadata.Name,
                Namespace = index.Metadata.NamespaceProperty,
                Uid = index.Metadata.Uid,
                // A status that was planned from an old state would take back what workloads were given.
                ResourceVersion = status.Consumers is null && index.Status?.Consumers is null ? null : index.Metadata.ResourceVersion,
            },
            Status = status,
        };
        var written = await client.ApplyStatusAsync(Resources.PretrainIndexes, ObjectKey.Of(index), apply, StatusJsonContext.Default.StatusApply, cancellationToken);
        if (written.Status is { } there && Text(Own(there)) != wanted)
        {
            var whole = status with { Conditions = [.. status.Conditions ?? [], .. Foreign(there)] };
            var patch = new JsonObject { ["status"] = Difference(Json(there), Json(whole)) };
            written = await client.MergePatchAsync(Resources.PretrainIndexes, ObjectKey.Of(index), patch, written.Metadata.ResourceVersion, cancellationToken, "status");
        }

        ownWrites.Wrote(written);
        return true;
    }

    /// <summary>True where the one status would be written over the other without a change.</summary>
    public static bool SaysTheSame(PretrainIndexStatus? before, PretrainIndexStatus after) => Text(Own(before)) == Text(after);

    private static PretrainIndexStatus? Own(PretrainIndexStatus? status) =>
        status is null || !Foreign(status).Any() ? status : status with { Conditions = [.. status.Conditions!.Except(Foreign(status))] };

    private static IEnumerable<Condition> Foreign(PretrainIndexStatus status) => (status.Conditions ?? []).Where(condition => !ConditionTypes.All.Contains(condition.Type));

    private static JsonObject Json(PretrainIndexStatus status) => JsonSerializer.SerializeToNode(status, StatusJsonContext.Default.PretrainIndexStatus)!.AsObject();

    // A merge patch that makes the one of the other.
    private static JsonObject Difference(JsonObject from, JsonObject to)
    {
        var patch = new JsonObject();
        foreach (var (name, _) in from.Where(member => !to.ContainsKey(member.Key)))
        {
            patch[name] = null;
        }

        foreach (var (name, value) in to)
        {
            if (from[name] is JsonObject before && value is JsonObject after)
            {
                if (Difference(before, after) is { Count: > 0 } inner)
                {
                    patch[name] = inner;
                }
            }
            else if (!JsonNode.DeepEquals(from[name], value))
            {
                patch[name] = value?.DeepClone();
            }
        }

        return patch;
    }

    private static string Text(PretrainIndexStatus? status) => JsonSerializer.Serialize(status, StatusJsonContext.Default.PretrainIndexStatus);
}

/// <summary>The fields of a PretrainIndex that the operator owns.</summary>
internal sealed record StatusApply
{
    public string ApiVersion { get; init; } = PretrainIndex.GroupVersion;

    public string Kind { get; init; } = PretrainIndex.KindName;

    public StatusApplyMetadata Metadata { get; init; } = new();

    public PretrainIndexStatus Status { get; init; } = new();
}

/// <summary>Which object the status is for.</summary>
internal sealed record StatusApplyMetadata
{
    public string? Name { get; init; }

    public string? Namespace { get; init; }

    public string? Uid { get; init; }

    public string? ResourceVersion { get; init; }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, NumberHandling = JsonNumberHandling.Strict)]
[JsonSerializable(typeof(StatusApply))]
[JsonSerializable(typeof(PretrainIndexStatus))]
internal sealed partial class StatusJsonContext : JsonSerializerContext;
