using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>Whether the claims that the spec names can be used, and the claim that <c>claimTemplate</c> asks for.</summary>
public static class ClaimPolicy
{
    // "pod has unbound immediate PersistentVolumeClaims", "node(s) didn't find available persistent volumes to bind".
    private static readonly string[] SchedulersWordsForVolumes = ["PersistentVolumeClaim", "persistent volume"];

    /// <summary>When a claim that could not be made larger is asked to grow again: somebody may have changed its storage class or a quota.</summary>
    public static readonly TimeSpan ExpansionPause = TimeSpan.FromMinutes(5);

    /// <summary>
    /// The claim that holds the cache: the named one, or the one made from the template. The latter is named after the resource's name,
    /// not its uid: a resource that is deleted and applied again finds the versions that it left.
    /// </summary>
    public static string CacheClaimName(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return index.Spec.Cache.ClaimName ?? WantedBuild.NameOf(index, "cache", index.Namespace(), index.Name());
    }

    /// <summary>The claim to create; null when none is asked for or it is there already.</summary>
    public static V1PersistentVolumeClaim? ClaimToCreate(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var index = observed.Index;
        var name = CacheClaimName(index);
        if (index.Spec.Cache.ClaimTemplate is not { } template || Find(observed, name) is not null)
        {
            return null;
        }

        return new V1PersistentVolumeClaim
        {
            ApiVersion = "v1",
            Kind = "PersistentVolumeClaim",
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = index.Namespace(),
                Labels = new Dictionary<string, string> { [Labels.ManagedBy] = Labels.ManagedByValue, [Labels.OwnerName] = BuildJobManifest.LabelValue(index.Name()) },
            },
            Spec = new V1PersistentVolumeClaimSpec
            {
                StorageClassName = template.StorageClassName,
                AccessModes = template.AccessModes.Select(mode => mode.ToString()).ToList(),
                Resources = new V1VolumeResourceRequirements { Requests = new Dictionary<string, ResourceQuantity> { ["storage"] = template.Size! } },
            },
        };
    }

    /// <summary>The first claim that cannot be used and why; null when all can.</summary>
    public static FailureStatus? Trouble(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return DataLost(observed) ?? CacheTrouble(observed);
    }

    /// <summary>Why the data cannot be mounted: its claim is missing, going or has lost its volume; null when it can.</summary>
    public static FailureStatus? DataLost(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return Trouble(observed, "spec.data.claimName", observed.Index.Spec.Data.ClaimName!);
    }

    /// <summary>Why what was published cannot be mounted any more: its claim is gone, going or has lost its volume; null when it can.</summary>
    public static FailureStatus? CacheLost(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return Trouble(observed, observed.Index.Spec.Cache.ClaimName is null ? "spec.cache.claimTemplate" : "spec.cache.claimName", CacheClaimName(observed.Index));
    }

    /// <summary>
    /// The trouble of a pod that cannot be scheduled, told by the claim it waits for; null when its claims are bound, or when the scheduler
    /// speaks of something else. A claim that is bound to its pod's node (WaitForFirstConsumer) is pending until a node is found: where no
    /// node has a GPU, the claim is not what a person should look at.
    /// </summary>
    public static PodTrouble? Pending(ObservedState observed, PodTrouble trouble)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(trouble);
        var pending = new[] { ("spec.data.claimName", observed.Index.Spec.Data.ClaimName!), ("spec.cache", CacheClaimName(observed.Index)) }
            .FirstOrDefault(named => Find(observed, named.Item2)?.Status?.Phase == "Pending");
        return trouble.Reason == Reasons.Unschedulable && pending.Item1 is not null && SchedulersWordsForVolumes.Any(words => trouble.Message.Contains(words, StringComparison.OrdinalIgnoreCase))
            ? trouble with { Reason = Reasons.ClaimPending, Message = $"{pending.Item1}: PersistentVolumeClaim \"{pending.Item2}\" is not bound to a volume. `kubectl describe pvc {pending.Item2}` tells why. {trouble.Message}" }
            : null;
    }

    /// <summary>The request for a larger volume, where the template has grown since the claim was made.</summary>
    public static IReadOnlyList<PlannedAction> Expansion(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var index = observed.Index;
        return index.Spec.Cache.ClaimTemplate?.Size is { } size
            && index.Unreadable is null
            && observed is { Refusal: null, ExpansionRefusal: null }
            && Find(observed, CacheClaimName(index)) is { Metadata.DeletionTimestamp: null, Status.Phase: "Bound" } claim
            && claim.Spec?.Resources?.Requests?.TryGetValue("storage", out var has) == true
            && size.ToDecimal() > has.ToDecimal()
            ? [new ExpandClaim(claim.Metadata.Name, size)]
            : [];
    }

    /// <summary>Tells that the claim stays as small as it is: what is built and published goes on, and it is asked for again.</summary>
    public static IReadOnlyList<PlannedEvent> ExpansionEvents(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return observed.ExpansionRefusal is { } refusal
            ? [new PlannedEvent("Warning", Reasons.ClaimExpansionFailed, "Expand", $"PersistentVolumeClaim \"{CacheClaimName(observed.Index)}\" could not be made larger, as spec.cache.claimTemplate.size asks: {refusal.Message}")]
            : [];
    }

    private static FailureStatus? Trouble(ObservedState observed, string field, string name)
    {
        var claim = Find(observed, name);
        var problem = claim switch
        {
            null => $"does not exist in namespace {observed.Index.Namespace()}. Create it, or correct {field}.",
            { Metadata.DeletionTimestamp: not null } => $"is being deleted. Create it again, or name another one in {field}.",
            { Status.Phase: "Lost" } => "has lost its volume. Restore the PersistentVolume, or name another claim.",
            _ => null,
        };
        return problem is null ? null : new FailureStatus { Reason = Reasons.ClaimMissing, Message = $"{field}: PersistentVolumeClaim \"{name}\" {problem}" };
    }

    private static FailureStatus? CacheTrouble(ObservedState observed)
    {
        var claim = Find(observed, CacheClaimName(observed.Index));
        return observed.Index.Spec.Cache.ClaimTemplate is not { } template ? CacheLost(observed) ?? ModesTrouble(observed, "spec.cache.claimName", claim!.Spec?.AccessModes ?? [])
            : claim is null ? ModesTrouble(observed, "spec.cache.claimTemplate.accessModes", [.. template.AccessModes.Select(mode => mode.ToString())])
            : CacheLost(observed) ?? ModesTrouble(observed, "spec.cache.claimTemplate", claim.Spec?.AccessModes ?? []);
    }

    private static FailureStatus? ModesTrouble(ObservedState observed, string field, IList<string> modes)
    {
        var (name, parallelism) = (CacheClaimName(observed.Index), observed.Index.Spec.Build.Parallelism);
        return modes.Count == 0 || modes.Contains("ReadWriteMany") ? null
            : modes.All(mode => mode == "ReadOnlyMany") ? new FailureStatus
            {
                Reason = Reasons.ReadOnlyCache,
                Message = $"{field}: PersistentVolumeClaim \"{name}\" can only be read (ReadOnlyMany). A cache is written to: name a claim with ReadWriteMany or ReadWriteOnce.",
            }
            : parallelism > 1 ? new FailureStatus
            {
                Reason = Reasons.ClaimAccessMode,
                Message = $"{field}: PersistentVolumeClaim \"{name}\" is {string.Join(", ", modes)}, and spec.build.parallelism {parallelism} writes from several pods. Name a claim with ReadWriteMany, or set parallelism to 1.",
            }
            : null;
    }

    private static V1PersistentVolumeClaim? Find(ObservedState observed, string name) =>
        observed.Claims.FirstOrDefault(claim => claim.Metadata.Name == name);
}
