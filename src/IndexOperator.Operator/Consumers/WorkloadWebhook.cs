using IndexOperator.Planning;
using IndexOperator.Runtime;

namespace IndexOperator.Operator;

/// <summary>
/// Gives jobs that are created in a queue of Kueue and name an index our gate, where the configuration asks about them
/// (<c>config/kueue/webhook_patch.yaml</c>); pods get what they need from the webhook for pods.
/// </summary>
/// <param name="pods">The webhook for pods.</param>
public sealed class WorkloadWebhook(IAdmissionHandler pods) : IAdmissionHandler
{
    /// <inheritdoc/>
    public Task<AdmissionAnswer> ReviewAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request is { Group: "", Kind: "Pod" } ? pods.ReviewAsync(request, cancellationToken) : Task.FromResult(AnswerTo(request));
    }

    private static AdmissionAnswer AnswerTo(AdmissionRequest request) =>
        request is { Operation: "CREATE", SubResource: "", Entity: { } job } && WorkloadInjection.Inject(job) is { } gated
            ? AdmissionAnswer.Change(job, gated)
            : AdmissionAnswer.Allow();
}
