using System.Text.Json;
using System.Text.Json.Serialization;
using IndexOperator.Api;
using IndexOperator.Runtime;

namespace IndexOperator.Operator;

/// <summary>Writes a resource's status by server-side apply, and only when it says something new.</summary>
public sealed class StatusWriter(ApiClient client, OwnWrites ownWrites)
{
    /// <summary>Writes the status; false when it already reads so.</summary>
    public async Task<bool> WriteAsync(PretrainIndex index, PretrainIndexStatus status, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(status);
        if (Text(index.Status) == Text(status))
        {
            return false;
        }

        var apply = new StatusApply
        {
            // The uid makes the server refuse when the resource was deleted and created again in between.
            Metadata = new StatusApplyMetadata { Name = index.Metadata.Name, Namespace = index.Metadata.NamespaceProperty, Uid = index.Metadata.Uid },
            Status = status,
        };
        ownWrites.Wrote(await client.ApplyStatusAsync(Resources.PretrainIndexes, ObjectKey.Of(index), apply, StatusJsonContext.Default.StatusApply, cancellationToken));
        return true;
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
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, NumberHandling = JsonNumberHandling.Strict)]
[JsonSerializable(typeof(StatusApply))]
[JsonSerializable(typeof(PretrainIndexStatus))]
internal sealed partial class StatusJsonContext : JsonSerializerContext;
