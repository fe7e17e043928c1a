using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder;

/// <summary>Gives every exception that can end a command a reason and a message.</summary>
internal static class Failures
{
    /// <summary>What a Job's operator is told of a failure.</summary>
    public static BuildReport Report(IndexingException failure) => new() { Outcome = BuildReport.Failed, Reason = failure.Reason.ToString(), Message = failure.Message };

    public static IndexingException From(Exception fault) => fault switch
    {
        IndexingException failure => failure,
        ManifestException manifest => new IndexingException(FailureReason.InvalidSpec, manifest.Message, manifest),
        OperationCanceledException => new IndexingException(FailureReason.Interrupted, "The build was asked to stop and left nothing behind. Start it again.", fault),
        OutOfMemoryException => new IndexingException(FailureReason.OutOfMemory, "The memory given was used up. Raise the memory limit (see `plan`), or use fewer --threads.", fault),
        _ when StorageFaults.IsStorageFault(fault) => StorageFaults.Translate(fault, "The command", isWrite: true),
        _ => new IndexingException(FailureReason.BuilderCrashed, $"The builder failed in a way it does not know ({fault.GetType().Name}: {fault.Message}). Please report this.", fault),
    };
}
