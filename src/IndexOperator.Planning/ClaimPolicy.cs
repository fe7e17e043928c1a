using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>Whether the claims that the spec names can be used, and the claim that <c>claimTemplate</c> asks for.</summary>
public static class ClaimPolicy
{
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
        var spec = observed.Index.Spec;
        return Trouble(observed, "spec.data.claimName", spec.Data.ClaimName!)
            ?? (spec.Cache.ClaimName is { } cache ? Trouble(observed, "spec.cache.claimName", cache) ?? CacheTrouble(Find(observed, cache)!)
                : Find(observed, CacheClaimName(observed.Index)) is { } made ? Trouble(observed, "spec.cache.claimTemplate", made.Metadata.Name) : null);
    }

    /// <summary>True when the cache claim is there to be cleaned up: not missing, lost or on its way out with its namespace.</summary>
    public static bool CanCleanUp(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return Trouble(observed, "spec.cache", CacheClaimName(observed.Index)) is null;
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

    private static FailureStatus? CacheTrouble(V1PersistentVolumeClaim claim) =>
        claim.Spec?.AccessModes is { Count: > 0 } modes && modes.All(mode => mode == "ReadOnlyMany")
            ? new FailureStatus
            {
                Reason = Reasons.ReadOnlyCache,
                Message = $"spec.cache.claimName: PersistentVolumeClaim \"{claim.Metadata.Name}\" can only be read (ReadOnlyMany). A cache is written to: name a claim with ReadWriteMany or ReadWriteOnce.",
            }
            : null;

    private static V1PersistentVolumeClaim? Find(ObservedState observed, string name) =>
        observed.Claims.FirstOrDefault(claim => claim.Metadata.Name == name);
}
