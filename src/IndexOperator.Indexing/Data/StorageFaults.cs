namespace IndexOperator.Indexing;

/// <summary>Turns the runtime's IO exceptions into reasons, by the error number underneath.</summary>
public static class StorageFaults
{
    private const int Eperm = 1;
    private const int Eacces = 13;
    private const int Enospc = 28;
    private const int Erofs = 30;
    private const int Edquot = 122;

    /// <summary>Whether the exception comes from a file system.</summary>
    public static bool IsStorageFault(Exception fault) => fault is IOException or UnauthorizedAccessException;

    /// <summary>The failure that stands for a fault.</summary>
    /// <param name="fault">What the runtime threw.</param>
    /// <param name="action">What was done to which path, as the beginning of a sentence.</param>
    /// <param name="isWrite">Whether it was done to the cache, not to the data.</param>
    public static IndexingException Translate(Exception fault, string action, bool isWrite)
    {
        var (reason, next) = Classify(fault) switch
        {
            Enospc or Edquot => (FailureReason.OutOfSpace, "the file system or its quota is full. Free space or give the cache a larger volume."),
            Erofs => (FailureReason.ReadOnlyCache, "the file system is mounted read-only. Mount the cache writable for the build."),
            Eacces or Eperm => (
                FailureReason.PermissionDenied,
                isWrite
                    ? "permission denied. Give the build's user or group the right to write there (fsGroup or supplementalGroups)."
                    : "permission denied. Give the build's user or group the right to read the data (runAsUser, supplementalGroups)."),
            _ => (FailureReason.StorageError, $"{fault.Message} Try again; if it stays, look at the storage."),
        };
        return new IndexingException(reason, $"{action} failed: {next}", fault);
    }

    private static int Classify(Exception fault) => fault switch
    {
        UnauthorizedAccessException { InnerException: IOException inner } when inner.HResult == Erofs => Erofs,
        UnauthorizedAccessException => Eacces,
        _ => fault.HResult,
    };
}
