using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder;

/// <summary>That a pod still waits for its index, and what is known of it.</summary>
/// <param name="Index">The index; null when nothing beside the annotations tells.</param>
/// <param name="DataVersion">The data version that the pod insists on, if it does.</param>
/// <param name="Waited">For how long.</param>
/// <param name="Trouble">Why what is there is not enough; null while nothing is there.</param>
public sealed record WaitNotice(string? Index, string? DataVersion, TimeSpan Waited, string? Trouble)
{
    /// <summary>The notice as a sentence.</summary>
    public string Describe() =>
        $"waiting for index {Index ?? "(name not known)"}{(DataVersion is null ? "" : $" of data version {DataVersion}")} since {(long)Waited.TotalSeconds} s: " +
        (Trouble ?? $"the pod has no annotation {Annotations.Version} yet, which the operator writes when the index is Ready. kubectl describe pti {Index ?? ""}".TrimEnd());
}

/// <summary>
/// Waits in a pod's first init container until the operator has pinned the pod to a version, where there are no scheduling
/// gates. Looks at the file again and again: it is small, and watching would cost one of the node's few inotify instances.
/// </summary>
public sealed class VersionWait(TimeProvider time, string path, Action<WaitNotice> tell)
{
    /// <summary>Time between two looks.</summary>
    public static TimeSpan Interval { get; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Time between two notices.</summary>
    public static TimeSpan NoticeInterval { get; } = TimeSpan.FromSeconds(30);

    private const int LongestShown = 64;

    /// <summary>Waits.</summary>
    /// <param name="timeout">For how long at most; zero = without end.</param>
    /// <param name="cancellation">Ends the wait at once.</param>
    /// <returns>The version.</returns>
    /// <exception cref="IndexingException">Timeout, or Interrupted, or the file cannot be read.</exception>
    public async Task<string> ForVersionAsync(TimeSpan timeout, CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        var told = TimeSpan.MinValue;
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                var (version, notice) = Look(time.GetElapsedTime(begun));
                if (version is not null)
                {
                    return version;
                }

                if (timeout > TimeSpan.Zero && notice.Waited >= timeout)
                {
                    throw new IndexingException(FailureReason.Timeout, $"The time given is used up, still {notice.Describe()}");
                }

                if (told == TimeSpan.MinValue || notice.Waited - told >= NoticeInterval)
                {
                    told = notice.Waited;
                    tell(notice);
                }
            }
            while (await timer.WaitForNextTickAsync(cancellation));
        }
        catch (OperationCanceledException fault)
        {
            throw new IndexingException(FailureReason.Interrupted, "The wait was asked to stop before the pod had its version.", fault);
        }

        throw new InvalidOperationException("The timer ended by itself.");
    }

    private (string? Version, WaitNotice Notice) Look(TimeSpan waited)
    {
        var text = AnnotationsFile.Read(path);
        var found = text is null ? null : AnnotationsFile.Find(text, Annotations.Version);
        if (found is not null && CacheLayout.IsVersionName(found))
        {
            return (found, new WaitNotice(null, null, waited, null));
        }

        var trouble = text is null ? $"{path} is not there yet"
            : found is null ? null
            : $"the annotation {Annotations.Version} is \"{Shown(found)}\", which is no version (20 hex digits). Remove it: the operator writes it";
        return (null, new WaitNotice(
            Shown(IndexName(text)),
            Shown(text is null ? null : AnnotationsFile.Find(text, Annotations.DataVersion)),
            waited,
            trouble));
    }

    /// <summary>The index is in a label: a file of labels may lie beside that of the annotations.</summary>
    private string? IndexName(string? text)
    {
        try
        {
            var labels = AnnotationsFile.Read(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/", "labels"));
            return (labels is null ? null : AnnotationsFile.Find(labels, Labels.Index)) ?? (text is null ? null : AnnotationsFile.Find(text, Labels.Index));
        }
        catch (IndexingException)
        {
            return null; // The name is for people only.
        }
    }

    private static string? Shown(string? text) => text is null ? null
        : string.Concat(text.Take(LongestShown).Select(letter => char.IsControl(letter) ? '?' : letter)) + (text.Length > LongestShown ? "…" : "");
}
