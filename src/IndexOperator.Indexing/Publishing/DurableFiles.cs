namespace IndexOperator.Indexing;

/// <summary>
/// How the files of one build become durable. Large ones are synced one by one, so that the disk works while the next is computed. Small
/// ones cost a sync each nearly all of their time; where there are many, one barrier is for all of them.
/// </summary>
/// <remarks>
/// A barrier waits for all that others wrote to the same file system too. It is used only where no more waits for the disk when the
/// build begins than as many mebibytes as there are small files: a disk writes one in about the time that it takes to sync a file.
/// </remarks>
internal sealed class DurableFiles : IDisposable
{
    /// <summary>From this size on, a file is synced for itself.</summary>
    public const long SmallBelow = 1 << 20;

    private readonly ICacheFileSystem _files;
    private readonly IWriteBarrier? _barrier;
    private volatile bool _isOwing;

    private DurableFiles(ICacheFileSystem files, IWriteBarrier? barrier)
    {
        _files = files;
        _barrier = barrier;
    }

    /// <summary>Chooses the way for the files of a plan, before the first of them is created.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="directory">Where the files will be.</param>
    /// <param name="plan">The files.</param>
    /// <param name="options">Tell how many small files are many.</param>
    /// <exception cref="IOException">The directory cannot be opened.</exception>
    public static DurableFiles For(ICacheFileSystem files, string directory, IndexPlan plan, BuildOptions options)
    {
        var small = plan.Files.Count(file => file.Bytes < SmallBelow);
        return new(files, small >= options.SyncTogetherFrom ? files.OpenBarrier(directory, small * SmallBelow) : null);
    }

    /// <summary>Closes a written file, which is durable then or after <see cref="Complete"/>.</summary>
    /// <param name="file">The file.</param>
    /// <param name="bytes">Its size.</param>
    public void Close(Stream file, long bytes)
    {
        if (_barrier is null || bytes >= SmallBelow)
        {
            _files.SyncAndClose(file);
            return;
        }

        file.Dispose();
        _isOwing = true;
    }

    /// <summary>Returns when all files that were closed are durable.</summary>
    /// <exception cref="IOException">Some could not be written.</exception>
    public void Complete()
    {
        if (_isOwing)
        {
            _barrier!.Sync();
            _isOwing = false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _barrier?.Dispose();
}
