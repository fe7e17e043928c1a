namespace IndexOperator.Indexing;

/// <summary>Waits until nobody writes to the data any more: what is indexed while it is copied is wrong or fails.</summary>
internal static class QuietData
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Returns at once when no file was written to within <see cref="BuildOptions.Quiet"/>; else when size and time of every file have
    /// stood still for so long. Only standing still is measured then, so a volume whose clock is ahead delays nothing for ever.
    /// </summary>
    /// <param name="prefixes">The datasets. A file that is missing is left for the reader to tell of.</param>
    /// <param name="locate">Where a prefix's files are: its path without extension on this machine.</param>
    /// <param name="options">How long, the time, progress and cancellation.</param>
    public static void Await(IReadOnlyList<string> prefixes, Func<string, string> locate, BuildOptions options)
    {
        if (options.Quiet <= TimeSpan.Zero)
        {
            return;
        }

        var paths = prefixes.Select(locate).ToList();
        var seen = Look(paths);
        if (!IsFresh(seen, options))
        {
            return;
        }

        var since = options.Time.GetTimestamp();
        while (options.Time.GetElapsedTime(since) < options.Quiet)
        {
            options.Progress?.Report(BuildPhase.AwaitData, 0, 1);
            Task.Delay(Pause, options.Time, options.CancellationToken).GetAwaiter().GetResult();
            var now = Look(paths);
            if (!now.SequenceEqual(seen))
            {
                (seen, since) = (now, options.Time.GetTimestamp());
            }
        }
    }

    /// <summary>Whether any of the files was written to a moment ago, by its own time.</summary>
    public static bool IsFresh(IEnumerable<FileStamp> files, BuildOptions options)
    {
        var now = options.Time.GetUtcNow().UtcDateTime;
        return files.Any(file => (now - file.ModifiedUtc).Duration() < options.Quiet);
    }

    private static List<FileStamp> Look(IReadOnlyList<string> paths)
    {
        try
        {
            return [.. paths.SelectMany(path => new[] { path + ".idx", path + ".bin" }).Select(path => new FileInfo(path))
                .Select(file => file.Exists ? new FileStamp(file.Length, file.LastWriteTimeUtc) : default)];
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, "Looking at the data", isWrite: false);
        }
    }
}
