namespace IndexOperator.Indexing;

/// <summary>Refuses a build that the file system cannot hold, before it has written for an hour.</summary>
internal static class DiskSpace
{
    private const long MarginBytes = 1 << 20;
    private const long BytesPerFile = 4096;

    // The manifest and its temporary name, the sequences, and the directory itself.
    private const long OwnFiles = 4;

    public static void ThrowIfShort(ICacheFileSystem files, string path, IndexPlan plan)
    {
        var needed = plan.TotalBytes + (plan.Files.Count * BytesPerFile) + MarginBytes;
        var available = files.AvailableBytes(path);
        if (available < needed)
        {
            throw new IndexingException(
                FailureReason.OutOfSpace,
                $"{path} has room for {available} bytes, but the index needs {needed}. Free space, remove old versions or give the cache a larger volume.");
        }

        var count = plan.Files.Count + OwnFiles;
        if (files.AvailableFiles(path) is var free && free < count)
        {
            throw new IndexingException(
                FailureReason.OutOfSpace,
                $"{path} has room for {free} more files (inodes), but the index needs {count}. Remove old versions or other small files, or give the cache a volume with more inodes.");
        }
    }
}
