using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder;

/// <summary>
/// Turns the engine's phases, each with units of its own, into one percentage and a remaining time, and tells them at
/// most once an interval.
/// </summary>
internal sealed class ProgressMeter(TimeProvider time, TimeSpan interval, Action<BuildProgress> tell) : IBuildProgress
{
    private readonly long _started = time.GetTimestamp();
    private readonly Lock _lock = new();
    private long _lastTold;
    private bool _hasTold;
    private double _lastFraction;

    public void Report(BuildPhase phase, long completed, long total)
    {
        // Called for every few thousand entries from every thread: the common case must not wait for the lock.
        if (_hasTold && time.GetElapsedTime(Volatile.Read(ref _lastTold)) < interval)
        {
            return;
        }

        lock (_lock)
        {
            if (_hasTold && time.GetElapsedTime(_lastTold) < interval)
            {
                return;
            }

            var (from, to) = Share(phase);
            _lastFraction = Math.Max(_lastFraction, from + ((to - from) * (total == 0 ? 1 : (double)completed / total)));
            _hasTold = true;
            Volatile.Write(ref _lastTold, time.GetTimestamp());
            tell(new BuildProgress
            {
                Phase = phase.ToString(),
                Completed = completed,
                Total = total,
                Percent = (int)(100 * _lastFraction),
                EtaSeconds = Remaining(_lastFraction),
            });
        }
    }

    private long? Remaining(double fraction) =>
        fraction < 0.01 ? null : (long)Math.Ceiling(time.GetElapsedTime(_started).TotalSeconds * (1 - fraction) / fraction);

    /// <summary>The part of a build's time that a phase takes, roughly: reading is short, the arrays are long.</summary>
    private static (double From, double To) Share(BuildPhase phase) => phase switch
    {
        BuildPhase.AwaitData => (0, 0),
        BuildPhase.ReadData => (0, 0.15),
        BuildPhase.BlendIndex => (0.15, 0.3),
        BuildPhase.Publish => (0.99, 1),
        BuildPhase.Verify => (0.15, 1),
        BuildPhase.Stage => (0, 1),
        _ => (0.3, 0.99),
    };
}
