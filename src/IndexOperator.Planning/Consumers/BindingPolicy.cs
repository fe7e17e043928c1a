using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>
/// The ConfigMap <c>NAME-binding</c>: what a pod must mount and set, for those whom no webhook serves. It follows <c>status.current</c>, is
/// written before the status names the version, and goes with the resource. Nothing waits for it: where it cannot be written, an event says so.
/// </summary>
public static class BindingPolicy
{
    /// <summary>The value of <see cref="Labels.Task"/> on bindings.</summary>
    public const string Task = "binding";

    /// <summary>The label selector of bindings.</summary>
    public const string Selector = $"{Labels.ManagedBy}={Labels.ManagedByValue},{Labels.Task}={Task}";

    /// <summary>The claim that holds the cache.</summary>
    public const string ClaimKey = "claimName";

    /// <summary>The folder of the version on that claim, for <c>subPath</c>.</summary>
    public const string PathKey = "path";

    /// <summary>The version.</summary>
    public const string VersionKey = "version";

    /// <summary>Where training mounts it.</summary>
    public const string MountPathKey = "mountPath";

    /// <summary>The data version that it was built for.</summary>
    public const string DataVersionKey = "dataVersion";

    /// <summary>When a binding that could not be written is tried again: somebody may have removed what is in its way.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMinutes(5);

    private const int LongestName = 253;
    private const int MaxNoteBytes = 1024;

    /// <summary>The name of a resource's binding.</summary>
    public static string NameOf(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        var name = $"{index.Name()}-{Task}";
        return name.Length <= LongestName ? name : WantedBuild.NameOf(index, Task, index.Name());
    }

    /// <summary>Whether a ConfigMap is the binding of this resource, and not of another of its name or a person's own.</summary>
    public static bool IsOf(PretrainIndex index, V1ConfigMap binding)
    {
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(binding);
        return binding.Metadata.OwnerReferences?.Any(owner => owner.Controller == true && owner.Uid == index.Metadata.Uid) == true;
    }

    /// <summary>The plan with the binding: written first where it says something else than the status will, told of where it cannot be.</summary>
    public static Plan Add(ObservedState observed, Plan plan)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(plan);
        if (Wanted(observed.Index, plan.Status) is not { } wanted || Says(observed.Binding, wanted))
        {
            return plan;
        }

        if (observed.BindingRefusal is { } refusal)
        {
            var note = $"ConfigMap {wanted.Metadata.Name} could not be written, and nothing else waits for it: {refusal.Message}";
            return plan with
            {
                Events = [.. plan.Events, new PlannedEvent("Warning", Reasons.BindingFailed, "Bind", Clip.Bytes(Clip.Plain(note), MaxNoteBytes))],
                LookAgainAfter = plan.LookAgainAfter < Pause ? plan.LookAgainAfter : Pause,
            };
        }

        wanted.Metadata.Uid = observed.Binding?.Metadata.Uid;
        return plan with { Actions = [new ApplyBinding(wanted), .. plan.Actions] };
    }

    /// <summary>The binding of what a status says is current; null where nothing is, or where the spec cannot say how it is mounted.</summary>
    public static V1ConfigMap? Wanted(PretrainIndex index, PretrainIndexStatus status)
    {
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(status);
        if (index.Metadata.DeletionTimestamp is not null
            || status.Current is not { Version: { } version, Path: { } path } current
            || status.Conditions?.Any(condition => condition is { Type: ConditionTypes.Ready, Reason: Reasons.InvalidSpec }) == true)
        {
            return null;
        }

        var cache = index.Spec.Cache;
        return new V1ConfigMap
        {
            ApiVersion = "v1",
            Kind = "ConfigMap",
            Metadata = JobParts.Meta(index, NameOf(index), Task),
            // Always the same keys: one that were left out would stay as it was.
            Data = new Dictionary<string, string>
            {
                [ClaimKey] = ClaimPolicy.CacheClaimName(index),
                [PathKey] = string.IsNullOrEmpty(cache.SubPath) ? path : $"{cache.SubPath}/{path}",
                [VersionKey] = version,
                [MountPathKey] = cache.MountPath,
                [DataVersionKey] = current.DataVersion ?? "",
                [InjectedNames.VersionVariable] = version,
                [InjectedNames.DirectoryVariable] = cache.MountPath,
                [InjectedNames.NeMoVariable] = cache.MountPath,
                [InjectedNames.MegatronVariable] = LaunchArguments.Of(index.Spec) ?? "",
            },
        };
    }

    // What others add to it is theirs.
    private static bool Says(V1ConfigMap? binding, V1ConfigMap wanted) =>
        binding is not null && wanted.Data.All(entry => binding.Data?.TryGetValue(entry.Key, out var value) == true && value == entry.Value);
}
