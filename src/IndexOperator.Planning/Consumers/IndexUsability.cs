using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>
/// Whether pods can be made for an index. Its mounts must be known, as a pod's volumes cannot be changed once it exists; whether it is
/// built already does not matter.
/// </summary>
internal static class IndexUsability
{
    private const int MostNamed = 3;

    /// <summary>Why no pod can be made for the index; null when one can.</summary>
    public static InjectionResult.Refused? Trouble(PodRequest request, string ns, PretrainIndex? index)
    {
        if (index is null)
        {
            return new(
                $"PretrainIndex {request.IndexName} does not exist in namespace {ns}, and what a pod mounts cannot be changed later. Create it, or correct the label {Labels.Index}; a Job's pods are made again by themselves once it is there.",
                UntilIndexExists: true);
        }

        if (index.Metadata.NamespaceProperty != ns)
        {
            return new($"PretrainIndex {request.IndexName} is of namespace {index.Metadata.NamespaceProperty}, and a pod mounts claims of its own namespace ({ns}) only. Create a PretrainIndex there.");
        }

        if (index.Metadata.DeletionTimestamp is not null)
        {
            return new($"PretrainIndex {request.IndexName} is being deleted. Create it again once it is gone, or name another in the label {Labels.Index}.");
        }

        return SpecTrouble(index) is { } trouble
            ? new($"PretrainIndex {request.IndexName} cannot be used before its spec is corrected: {Clip.Characters(Clip.Plain(trouble), 1000)}")
            : null;
    }

    private static string? SpecTrouble(PretrainIndex index)
    {
        if (index.Unreadable is { } unreadable)
        {
            return unreadable;
        }

        if (PretrainIndexValidation.Validate(index.Spec) is { Count: > 0 } errors)
        {
            return string.Join("; ", errors.Take(MostNamed));
        }

        var spec = index.Spec;
        foreach (var (field, claim) in new[] { ("spec.data.claimName", spec.Data.ClaimName), ("spec.cache.claimName", ClaimPolicy.CacheClaimName(index)) })
        {
            if (!DnsName.IsOne(claim))
            {
                return $"{field}: {PodJson.Quote(claim ?? "")} is no name of a PersistentVolumeClaim. Pods mount claims of their own namespace, by name.";
            }
        }

        return spec.Data.MountPath == spec.Cache.MountPath
            ? $"spec.data.mountPath and spec.cache.mountPath are both {PodJson.Quote(spec.Cache.MountPath)}, and a container can mount only one of them there. Change one."
            : null;
    }
}
