using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>
/// The finalizer is held from before the first Job until the resource is deleted and cleaned up after. A resource that never had a Job has
/// none: it can be deleted without the operator.
/// </summary>
public static class FinalizerPolicy
{
    /// <summary>Attaches the finalizer where it is missing.</summary>
    public static IReadOnlyList<PlannedAction> AttachIfMissing(PretrainIndex index) => Has(index) ? [] : [new AttachFinalizer(Finalizers.Cleanup)];

    /// <summary>Detaches the finalizer; null where it is not attached.</summary>
    public static PlannedAction? DetachIfAttached(PretrainIndex index) => Has(index) ? new DetachFinalizer(Finalizers.Cleanup) : null;

    private static bool Has(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return index.Metadata.Finalizers?.Contains(Finalizers.Cleanup) == true;
    }
}
