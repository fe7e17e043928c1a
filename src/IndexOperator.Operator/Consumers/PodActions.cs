using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using IndexOperator.Api;
using IndexOperator.Operator.Telemetry;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using k8s.Models;

namespace IndexOperator.Operator;

/// <summary>
/// Opens pods and tells them why they wait: many at once, and none held up by another. What a pod refuses because it changed or went is
/// decided again by the next pass.
/// </summary>
public sealed class PodActions(ApiClient client, PodWrites writes, EventRecorder events, OperatorMetrics metrics, TimeProvider time, ILogger<PodActions> logger)
{
    /// <summary>How many pods are written at a time.</summary>
    public const int AtOnce = 32;

    /// <summary>Carries the actions out, in their order but for those of one kind in a row, which go together.</summary>
    /// <param name="about">For the log: the resource that they follow from.</param>
    /// <param name="consumers">The pods that they are about, for events.</param>
    /// <param name="actions">The actions.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>How many pods had changed or gone meanwhile.</returns>
    /// <exception cref="ApiException">A pod was refused for another reason; all others were tried.</exception>
    public async Task<int> ApplyAsync(ObjectKey about, IReadOnlyList<V1Pod> consumers, IReadOnlyList<PlannedAction> actions, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(consumers);
        ArgumentNullException.ThrowIfNull(actions);
        var (missed, opened) = (0, 0);
        var refused = default(ApiException);
        foreach (var kind in InARow(actions))
        {
            await Parallel.ForEachAsync(kind, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (action, cancellation) =>
            {
                try
                {
                    var written = await ApplyAsync(about.Namespace, action, cancellation);
                    writes.Wrote(written);
                    if (action is OpenGate)
                    {
                        Interlocked.Increment(ref opened);
                        metrics.Opened(time.GetUtcNow() - (BuildAttempt.Utc(written.Metadata.CreationTimestamp) ?? time.GetUtcNow()));
                    }
                }
                catch (ApiException error) when (error.IsConflict || error.IsNotFound || error.IsInvalid)
                {
                    // It went, or its gate did: what the informer will show asks for the next pass.
                    Interlocked.Increment(ref missed);
                    logger.LogDebug("{Index}: {Action} was in vain: {Reason}", about, action, error.Message);
                }
                catch (ApiException error)
                {
                    refused = error;
                }
            });
        }

        if (opened > 0)
        {
            logger.LogInformation("{Index}: opened {Count} pods", about, opened);
        }

        Record(consumers, actions.OfType<TellPod>().Where(tell => tell.Event));
        return refused is null ? missed : throw refused;
    }

    private static IEnumerable<List<PlannedAction>> InARow(IReadOnlyList<PlannedAction> actions)
    {
        var row = new List<PlannedAction>();
        foreach (var action in actions)
        {
            if (row.Count > 0 && row[0].GetType() != action.GetType())
            {
                yield return row;
                row = [];
            }

            row.Add(action);
        }

        if (row.Count > 0)
        {
            yield return row;
        }
    }

    private Task<V1Pod> ApplyAsync(string ns, PlannedAction action, CancellationToken cancellationToken) => action switch
    {
        OpenGate open => client.JsonPatchAsync(KnownResources.Pods, new ObjectKey(ns, open.Pod), PatchOf(open), open.Bare is { Length: > 0 } version ? version : null, cancellationToken),
        TellPod tell => client.ApplyStatusAsync(KnownResources.Pods, new ObjectKey(ns, tell.Pod), StatusOf(ns, tell), PodStatusJsonContext.Default.PodStatusApply, cancellationToken),
        _ => throw new System.Diagnostics.UnreachableException($"No way to carry out {action.GetType().Name} on a pod."),
    };

    // Refused as a whole where the pod is another one, or the gate not where it was: never a version without the gate's removal, nor the other way round.
    private static JsonArray PatchOf(OpenGate open)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/spec/schedulingGates/{open.Gate}");
        JsonNode?[] operations =
        [
            Operation("test", "/metadata/uid", open.Uid),
            open.Bare is null ? null : Operation("add", "/metadata/annotations", new JsonObject()),
            Operation("add", $"/metadata/annotations/{Annotations.Version.Replace("/", "~1", StringComparison.Ordinal)}", open.Version),
            open.Gate is null ? null : Operation("test", $"{path}/name", SchedulingGates.IndexReady),
            open.Gate is null ? null : new JsonObject { ["op"] = "remove", ["path"] = path },
        ];
        return new JsonArray([.. operations.OfType<JsonNode>()]);

        static JsonObject Operation(string name, string path, JsonNode value) => new() { ["op"] = name, ["path"] = path, ["value"] = value };
    }

    private PodStatusApply StatusOf(string ns, TellPod tell) => new()
    {
        Metadata = new StatusApplyMetadata { Name = tell.Pod, Namespace = ns, Uid = tell.Uid },
        Status = new PodStatusPart
        {
            Conditions =
            [
                new PodConditionPart
                {
                    Type = PodConditionTypes.IndexReady,
                    Status = tell.IsReady ? "True" : "False",
                    Reason = tell.Reason,
                    Message = tell.Message,
                    LastTransitionTime = time.GetUtcNow(),
                },
            ],
        },
    };

    private void Record(IReadOnlyList<V1Pod> consumers, IEnumerable<TellPod> told)
    {
        var pods = default(Dictionary<string, V1Pod>);
        foreach (var tell in told)
        {
            pods ??= consumers.ToDictionary(pod => pod.Metadata.Uid);
            if (pods.TryGetValue(tell.Uid, out var pod))
            {
                events.Record(KnownResources.Pods, pod, EventKind.Warning, tell.Reason, tell.IsReady ? "Stage" : "Wait", tell.Message);
            }
        }
    }
}

/// <summary>The part of a pod's status that the operator owns.</summary>
internal sealed record PodStatusApply
{
    public string ApiVersion { get; init; } = "v1";

    public string Kind { get; init; } = "Pod";

    public StatusApplyMetadata Metadata { get; init; } = new();

    public PodStatusPart Status { get; init; } = new();
}

/// <summary>Its conditions: a list that is merged by type.</summary>
internal sealed record PodStatusPart
{
    public IReadOnlyList<PodConditionPart> Conditions { get; init; } = [];
}

/// <summary>A condition of a pod.</summary>
internal sealed record PodConditionPart
{
    public string Type { get; init; } = "";

    public string Status { get; init; } = "";

    public string Reason { get; init; } = "";

    public string Message { get; init; } = "";

    [JsonConverter(typeof(Rfc3339Converter))]
    public DateTimeOffset LastTransitionTime { get; init; }
}

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PodStatusApply))]
internal sealed partial class PodStatusJsonContext : JsonSerializerContext;
