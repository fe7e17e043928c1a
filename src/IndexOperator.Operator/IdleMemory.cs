using System.Runtime;

namespace IndexOperator.Operator;

/// <summary>
/// Gives memory back when the work is done. The collector runs while memory is asked for: after a rush nobody asks, and what the rush left
/// behind would stay resident for as long as the operator rests, which is nearly always.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="collector">The collector.</param>
public sealed class IdleMemory(TimeProvider time, IdleMemory.ICollector collector) : BackgroundService
{
    /// <summary>How often it looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>Bytes allocated in an interval up to which the operator rests: renewals of the lease, probes and scrapes.</summary>
    public const long Resting = 8L << 20;

    /// <summary>Bytes allocated since the last collection that make another one worth its pause.</summary>
    public const long WorthIt = 64L << 20;

    private long _seen;
    private long _collected;

    /// <summary>What it asks of the collector.</summary>
    public interface ICollector
    {
        /// <summary>Bytes allocated since the process began.</summary>
        long Allocated { get; }

        /// <summary>Collects all generations, compacts them, and returns what is free to the system.</summary>
        void Collect();
    }

    /// <summary>Collects when there was a rush and now is rest. Called at every <see cref="Interval"/>.</summary>
    public void Look()
    {
        var allocated = collector.Allocated;
        if (allocated - _seen <= Resting && allocated - _collected > WorthIt)
        {
            collector.Collect();
            _collected = allocated;
        }

        _seen = allocated;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            Look();
        }
    }

    /// <summary>The process's own.</summary>
    internal sealed class Collector : ICollector
    {
        public long Allocated => GC.GetTotalAllocatedBytes();

        public void Collect()
        {
            GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }
}
