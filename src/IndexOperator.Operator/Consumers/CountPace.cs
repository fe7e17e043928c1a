using System.Collections.Concurrent;
using IndexOperator.Api;
using IndexOperator.Runtime;

namespace IndexOperator.Operator;

/// <summary>
/// Holds back a status that differs from the one before in nothing but how many pods wait and run: while a thousand pods start, each pass
/// would write another number.
/// </summary>
/// <param name="time">The clock.</param>
public sealed class CountPace(TimeProvider time)
{
    /// <summary>The least time between two writes of nothing but counts.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<ObjectKey, long> _written = new();

    /// <summary>How long the write is to wait; null when it is not.</summary>
    public TimeSpan? Wait(ObjectKey key, PretrainIndexStatus? before, PretrainIndexStatus after)
    {
        ArgumentNullException.ThrowIfNull(after);
        if (before?.Consumers is not { } was || after.Consumers is not { } now || (was.Waiting, was.Running) == (now.Waiting, now.Running) || !_written.TryGetValue(key, out var at))
        {
            return null;
        }

        var left = Interval - time.GetElapsedTime(at);
        return left > TimeSpan.Zero && StatusWriter.SaysTheSame(before, after with { Consumers = now with { Waiting = was.Waiting, Running = was.Running } }) ? left : null;
    }

    /// <summary>Remembers that a status was written.</summary>
    public void Wrote(ObjectKey key) => _written[key] = time.GetTimestamp();

    /// <summary>Forgets a resource that is gone.</summary>
    public void Forget(ObjectKey key) => _written.TryRemove(key, out _);
}
