namespace IndexOperator.Api;

/// <summary>Reasons of the condition <see cref="PodConditionTypes.IndexReady"/> on pods, and of events about them. A reason never changes its meaning once released.</summary>
public static class PodReasons
{
    /// <summary>There is no PretrainIndex of the name in the pod's label.</summary>
    public const string IndexMissing = "IndexMissing";

    /// <summary>The index is being built, checked or repaired.</summary>
    public const string IndexNotReady = "IndexNotReady";

    /// <summary>The index needs a person.</summary>
    public const string IndexStalled = "IndexStalled";

    /// <summary><c>spec.suspend</c> is true and what the pod needs is not published.</summary>
    public const string IndexSuspended = "IndexSuspended";

    /// <summary>The index is being deleted.</summary>
    public const string IndexDeleting = "IndexDeleting";

    /// <summary>The index has another data version than the pod insists on, and will not build that one.</summary>
    public const string DataVersionUnavailable = "DataVersionUnavailable";

    /// <summary>The version that the pod, or its workload, is pinned to is not on the volume.</summary>
    public const string VersionUnavailable = "VersionUnavailable";

    /// <summary>The version is larger than the pod's RAM disk.</summary>
    public const string StagingTooSmall = "StagingTooSmall";

    /// <summary>The pod is pinned, and its RAM disk makes it too large for the nodes.</summary>
    public const string StagingUnschedulable = "StagingUnschedulable";

    /// <summary>The pod is pinned to a version. Written only where it was told something else before.</summary>
    public const string Pinned = "Pinned";
}
