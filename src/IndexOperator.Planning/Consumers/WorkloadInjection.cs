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
        if (PodJson.Label(job, KueuePolicy.QueueName) is not { Length: > 0 } || PodJson.Label(job, Labels.Index) is not { Length: > 0 } || job["metadata"]!["annotations"] is not (null or JsonObject))
        {
            return null;
        }

        var list = PodJson.Annotation(job, KueuePolicy.GatedBy) ?? "";
        if (KueuePolicy.IsGated(list))
        {
            return null;
        }

        var injected = job.DeepClone().AsObject();
        PodJson.ObjectOf(injected["metadata"]!.AsObject(), "annotations")[KueuePolicy.GatedBy] = KueuePolicy.With(list);
        return injected;
    }
}
