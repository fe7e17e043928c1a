using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>The finalizer is held from before the first Job until the build is published, so that a deletion in between can clean up.</summary>
public static class FinalizerPolicy
{
    /// <summary>Attaches the finalizer where it is missing.</summary>
    public static IReadOnlyList<PlannedAction> AttachIfMissing(PretrainIndex index) => Has(index) ? [] : [new AttachFinalizer(Finalizers.Cleanup)];

    /// <summary>Detaches the finalizer where it is attached.</summary>
    public static IReadOnlyList<PlannedAction> DetachIfAttached(PretrainIndex index) => Has(index) ? [new DetachFinalizer(Finalizers.Cleanup)] : [];

    private static bool Has(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return index.Metadata.Finalizers?.Contains(Finalizers.Cleanup) == true;
    }
}
