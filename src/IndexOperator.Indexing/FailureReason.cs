namespace IndexOperator.Indexing;

/// <summary>Why a build, a check or a look-up ended without a result; the words an operator acts on.</summary>
public enum FailureReason
{
    /// <summary>The request contradicts itself or asks for what the chosen release cannot do.</summary>
    InvalidSpec,

    /// <summary>A <c>.idx</c> or <c>.bin</c> file is not there.</summary>
    DataMissing,

    /// <summary>A data file does not hold what its format promises, or changed while it was read.</summary>
    DataCorrupt,

    /// <summary>A split has no tokens although samples are asked of it; Megatron would loop for ever.</summary>
    EmptySplit,

    /// <summary>A blend draws more samples of a member than are built for it.</summary>
    OversampledBlend,

    /// <summary>The cache's file system is full, or its quota is.</summary>
    OutOfSpace,

    /// <summary>The cache's file system is mounted read-only.</summary>
    ReadOnlyCache,

    /// <summary>The process may not read the data or write the cache.</summary>
    PermissionDenied,

    /// <summary>A version that is already published does not match its manifest.</summary>
    VersionCorrupt,

    /// <summary>The storage answered with an error that another attempt may not meet.</summary>
    StorageError,

    /// <summary>The process was asked to stop.</summary>
    Interrupted,

    /// <summary>The time given was used up.</summary>
    Timeout,

    /// <summary>The memory given was used up.</summary>
    OutOfMemory,

    /// <summary>The builder failed in a way it does not know.</summary>
    BuilderCrashed,
}
