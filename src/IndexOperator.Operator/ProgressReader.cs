using System.Collections.Concurrent;
using IndexOperator.Api;
using IndexOperator.Runtime;
using k8s.Models;

namespace IndexOperator.Operator;

/// <summary>Reads a running build's progress from the end of its pod's log. It never fails a pass: progress is a courtesy.</summary>
/// <param name="client">The API server.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Tells why progress is missing.</param>
public sealed class ProgressReader(ApiClient client, TimeProvider time, ILogger<ProgressReader> logger)
{
    private const int TailLines = 20;
    private const int LimitBytes = 16 * 1024;
    private static readonly TimeSpan ReadInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, (DateTimeOffset At, BuildProgress? Progress)> _read = new();

    /// <summary>How many pods it remembers.</summary>
    public int Count => _read.Count;

    /// <summary>The newest progress of the pod; null when its log has none or cannot be read. At most one read a second for each pod.</summary>
    public async Task<BuildProgress?> ReadAsync(V1Pod pod, string container, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(pod);
        var uid = pod.Metadata.Uid;
        var now = time.GetUtcNow();
        if (_read.TryGetValue(uid, out var last) && now - last.At < ReadInterval)
        {
            return last.Progress;
        }

        var progress = last.Progress;
        using var deadline = new CancellationTokenSource(Deadline, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            var log = await client.GetPodLogAsync(ObjectKey.Of(pod), container, TailLines, LimitBytes, previous: false, linked.Token);
            progress = BuildProgressLine.FindLast(log) ?? progress;
        }
        catch (Exception error) when (error is ApiException or HttpRequestException or IOException or TimeoutException
            || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            logger.LogDebug(error, "The log of pod {Pod} cannot be read; its progress stays as it was", pod.Metadata.Name);
        }

        if (_read.TryAdd(uid, (now, progress)))
        {
            ForgetOld(now);
        }

        _read[uid] = (now, progress);
        return progress;
    }

    // A pod that is not asked for any more has ended: a running one is read every few seconds.
    private void ForgetOld(DateTimeOffset now)
    {
        foreach (var (uid, read) in _read)
        {
            if (now - read.At > Remembered)
            {
                _read.TryRemove(uid, out _);
            }
        }
    }
}
