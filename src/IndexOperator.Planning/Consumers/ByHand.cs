using System.Text.Json.Nodes;

namespace IndexOperator.Planning;

/// <summary>
/// Pods that mount a version by hand, as clusters without the webhook need it: read-only, at the index's own path, one version's folder or,
/// with the version in an annotation, the whole claim. Such a pod has chosen its version and is left as it is; it counts as a consumer.
/// </summary>
internal static class ByHand
{
    /// <summary>Whether one of the chosen containers mounts a version by hand.</summary>
    public static bool IsMounted(PodDraft draft) => draft.Chosen.Any(container => PodJson.Objects(container, "volumeMounts").Any(mount => IsVersion(draft, mount)));

    private static bool IsVersion(PodDraft draft, JsonObject mount)
    {
        var cache = draft.Index.Spec.Cache;
        if (PodJson.Clean(PodJson.Text(mount, "mountPath")) != PodJson.Clean(cache.MountPath) || !PodJson.IsTrue(mount, "readOnly") || PodJson.Text(mount, "subPathExpr") is { Length: > 0 })
        {
            return false;
        }

        var volume = PodJson.Text(mount, "name");
        var source = PodJson.Objects(draft.Spec, "volumes").FirstOrDefault(other => PodJson.Text(other, "name") == volume);
        if (PodJson.Text(source?["persistentVolumeClaim"] as JsonObject, "claimName") != ClaimPolicy.CacheClaimName(draft.Index))
        {
            return false;
        }

        var (folder, root) = (PodJson.Clean(PodJson.Text(mount, "subPath")), PodJson.Clean(cache.SubPath));
        var versions = root.Length == 0 ? "versions/" : $"{root}/versions/";
        return folder == root
            ? draft.Request.Version is not null
            : folder.StartsWith(versions, StringComparison.Ordinal) && BuildAttempt.IsVersion(folder[versions.Length..]);
    }
}
