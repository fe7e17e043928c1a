using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using IndexOperator.Api;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using k8s.Models;

namespace IndexOperator.Operator;

/// <summary>
/// Gives pods that name an index what they need of it. Every replica answers, leading or not: informers run on all of them, and an index
/// that they do not know yet is asked for live.
/// </summary>
/// <param name="mutator">Decides what a pod gets.</param>
/// <param name="indexes">What informers know.</param>
/// <param name="client">Asked for what they do not know.</param>
/// <param name="refused">Remembers the Jobs of refused pods.</param>
/// <param name="nudges">Told of each.</param>
/// <param name="options">The namespaces that the operator looks at.</param>
public sealed partial class PodWebhook(
    IPodMutator mutator,
    Store<PretrainIndex> indexes,
    [FromKeyedServices(OperatorServiceCollectionExtensions.UnfencedClient)] ApiClient client,
    RefusedJobs refused,
    JobNudges nudges,
    OperatorOptions options) : IAdmissionHandler
{
    /// <inheritdoc/>
    public async Task<AdmissionAnswer> ReviewAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request is not { Operation: "CREATE", Group: "", Kind: "Pod", SubResource: "", Entity: { } pod } || NameOf(pod) is not { Length: > 0 } name)
        {
            return AdmissionAnswer.Allow();
        }

        if (options.Namespaces.Count > 0 && !options.Namespaces.Contains(request.Namespace))
        {
            return AdmissionAnswer.Allow($"this IndexOperator does not look at namespace {request.Namespace}: the pod gets nothing of the index {name}");
        }

        // A label may hold what no name may; and whoever reaches the port could have more asked for than an index.
        if (!ObjectName().IsMatch(name) || !ObjectName().IsMatch(request.Namespace))
        {
            return AdmissionAnswer.Invalid($"label {Labels.Index}: no PretrainIndex can have the name {name}; write the name of one of namespace {request.Namespace}");
        }

        var key = new ObjectKey(request.Namespace, name);
        var known = indexes.Get(key);
        var answer = Ask(pod, key, known ?? await LiveAsync(key, cancellationToken));
        if (known is not null && answer is InjectionResult.Refused)
        {
            // What informers have may be a moment old, and a refusal costs the pod's owner a pause.
            answer = Ask(pod, key, await LiveAsync(key, cancellationToken));
        }

        return answer switch
        {
            InjectionResult.Patched changed => AdmissionAnswer.Change(pod, changed.Pod),
            InjectionResult.Refused no => Refuse(request, key, pod, no),
            _ => AdmissionAnswer.Allow(),
        };
    }

    private InjectionResult Ask(JsonObject pod, ObjectKey key, PretrainIndex? index) => mutator.Mutate(pod, key.Namespace, index);

    private async Task<PretrainIndex?> LiveAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var found = await client.FindAsync(Resources.PretrainIndexes, key, cancellationToken);
        return found is null ? null : SlimForms.Of(found);
    }

    private AdmissionAnswer Refuse(AdmissionRequest request, ObjectKey index, JsonObject pod, InjectionResult.Refused no)
    {
        if (!no.UntilIndexExists && !no.UntilIndexReady)
        {
            return AdmissionAnswer.Invalid(no.Message);
        }

        if (!request.DryRun && JobOf(pod, request.Namespace) is var (job, uid))
        {
            refused.Add(index, new RefusedJob(job, uid, no.UntilIndexReady));

            // It may have come between the look and now, and nobody would tell again.
            nudges.Look(index);
        }

        return AdmissionAnswer.Forbid(no.Message);
    }

    private static string? NameOf(JsonObject pod) => Text((pod["metadata"] as JsonObject)?["labels"] as JsonObject, Labels.Index);

    // Jobs are looked at again when they change; of other owners nothing is known that makes them try at once.
    private static (ObjectKey Job, string Uid)? JobOf(JsonObject pod, string ns)
    {
        foreach (var owner in ((pod["metadata"] as JsonObject)?["ownerReferences"] as JsonArray ?? []).OfType<JsonObject>())
        {
            if (owner["controller"] is JsonValue controller && controller.TryGetValue<bool>(out var controls) && controls
                && Text(owner, "kind") == V1Job.KubeKind && Text(owner, "apiVersion")?.StartsWith($"{V1Job.KubeGroup}/", StringComparison.Ordinal) == true
                && Text(owner, "name") is { } name && ObjectName().IsMatch(name)
                && Text(owner, "uid") is { Length: > 0 and <= 64 } uid)
            {
                return (new ObjectKey(ns, name), uid);
            }
        }

        return null;
    }

    private static string? Text(JsonObject? parent, string name) => parent?[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    [GeneratedRegex(@"\A(?=.{1,253}\z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex ObjectName();
}
