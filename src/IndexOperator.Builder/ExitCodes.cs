using IndexOperator.Indexing;

namespace IndexOperator.Builder;

/// <summary>What the process returns; a Job's pod failure policy may rely on it.</summary>
public static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Success = 0;

    /// <summary>A comparison was made and differs: what <c>explain</c> or <c>check-run</c> was given would not find the resource's files.</summary>
    public const int Differs = 1;

    /// <summary>The spec or the command line is wrong; trying again is of no use.</summary>
    public const int BadSpec = 2;

    /// <summary>Data is missing or corrupt.</summary>
    public const int BadData = 3;

    /// <summary>Storage: no space, read-only, no permission.</summary>
    public const int BadStorage = 4;

    /// <summary>A published version is corrupt.</summary>
    public const int VersionCorrupt = 5;

    /// <summary>Interrupted or failed in a way that another attempt may not meet.</summary>
    public const int TryAgain = 75;

    /// <summary>The code for a reason.</summary>
    public static int For(FailureReason reason) => reason switch
    {
        FailureReason.InvalidSpec or FailureReason.EmptySplit or FailureReason.OversampledBlend => BadSpec,
        FailureReason.DataMissing or FailureReason.DataCorrupt => BadData,
        FailureReason.OutOfSpace or FailureReason.ReadOnlyCache or FailureReason.PermissionDenied => BadStorage,
        FailureReason.VersionCorrupt => VersionCorrupt,
        _ => TryAgain,
    };
}
