using System.Text.Json.Nodes;
using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>
/// What the webhook adds to a job (Job, JobSet, PyTorchJob, TrainJob, RayCluster, RayJob) that is created with both a Kueue queue and an index
/// among its own labels: our name in the list of those who gate its admission. Only at creation: Kueue takes no gate later.
/// </summary>
public static class WorkloadInjection
{
    /// <summary>The job as it should be; null where nothing is to be added.</summary>
    /// <param name="job">The job as the API server sent it; not changed.</param>
    public static JsonObject? Inject(JsonObject job)
    {
        ArgumentNullException.ThrowIfNull(job);
        if (job["metadata"] is not JsonObject metadata || metadata["labels"] is not JsonObject labels || Text(labels, KueuePolicy.QueueName) is null || Text(labels, Labels.Index) is null
            || metadata["annotations"] is not (null or JsonObject))
        {
            return null;
        }

        var list = metadata["annotations"] is JsonObject annotations ? Text(annotations, KueuePolicy.GatedBy) : null;
        var wanted = KueuePolicy.With(list);
        if (list is not null && KueuePolicy.IsGated(new Dictionary<string, string> { [KueuePolicy.GatedBy] = list }))
        {
            return null;
        }

        var injected = job.DeepClone().AsObject();
        var target = injected["metadata"]!.AsObject();
        target["annotations"] ??= new JsonObject();
        target["annotations"]![KueuePolicy.GatedBy] = wanted;
        return injected;
    }

    private static string? Text(JsonObject map, string key) => map[key] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;
}
