using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder;

/// <summary>
/// Turns the engine's phases, each with units of its own and some of them under way at once, into one percentage and a
/// remaining time, and tells them at most once an interval.
/// </summary>
internal sealed class ProgressMeter : IBuildProgress
{
    /// <summary>What is left for the manifest and its rename, which take no time worth a percentage.</summary>
    private const double PublishShare = 0.01;

    private readonly TimeProvider _time;
    private readonly TimeSpan _interval;
    private readonly WorkForecast _forecast;
    private readonly Action<BuildProgress> _tell;
    private readonly long _started;
    private readonly Lock _lock = new();
    private long _lastTold;
    private bool _hasTold;
    private double _lastFraction;
    private double _read;
    private double _blend;
    private double _arrays;
    private double _verified = double.NaN;

    /// <param name="time">The time.</param>
    /// <param name="interval">How long nothing is told after something was.</param>
    /// <param name="forecast">How much work reading, blends and arrays are beside each other.</param>
    /// <param name="tell">Gets what is to be told, from any thread, one at a time.</param>
    public ProgressMeter(TimeProvider time, TimeSpan interval, WorkForecast forecast, Action<BuildProgress> tell)
    {
        _time = time;
        _interval = interval;
        _forecast = forecast;
        _tell = tell;
        _started = time.GetTimestamp();
    }

    /// <inheritdoc/>
    public void Report(BuildPhase phase, long completed, long total)
    {
        // Called for every few thousand entries from every thread: the common case must not wait for the lock. Threads that note at once
        // can only lose some of what the next note tells again.
        Note(phase, total == 0 ? 1 : (double)completed / total);
        if (_hasTold && _time.GetElapsedTime(Volatile.Read(ref _lastTold)) < _interval)
        {
            return;
        }

        lock (_lock)
        {
            if (_hasTold && _time.GetElapsedTime(_lastTold) < _interval)
            {
                return;
            }

            _lastFraction = Math.Max(_lastFraction, Fraction());
            _hasTold = true;
            Volatile.Write(ref _lastTold, _time.GetTimestamp());
            _tell(new BuildProgress
            {
                Phase = phase.ToString(),
                Completed = completed,
                Total = total,
                Percent = (int)(100 * _lastFraction),
                EtaSeconds = Remaining(_lastFraction),
            });
        }
    }

    private void Note(BuildPhase phase, double done)
    {
        switch (phase)
        {
            case BuildPhase.AwaitData:
                break;
            case BuildPhase.ReadData:
                _read = Math.Max(_read, done);
                break;
            case BuildPhase.BlendIndex:
                _blend = Math.Max(_blend, done);
                break;
            case BuildPhase.Verify or BuildPhase.Stage:
                _verified = double.IsNaN(_verified) ? done : Math.Max(_verified, done);
                break;
            case BuildPhase.Publish:
                (_read, _blend, _arrays) = (1, 1, 1);
                break;
            default:
                _arrays = Math.Max(_arrays, done);
                break;
        }
    }

    private double Fraction()
    {
        if (!double.IsNaN(_verified))
        {
            // Nothing is built. Where data was read first, that was about as much as reading what was built of it.
            return _read > 0 ? (_read + _verified) / 2 : _verified;
        }

        var all = _forecast.Read + _forecast.Blend + _forecast.Arrays;
        var done = (_forecast.Read * _read) + (_forecast.Blend * _blend) + (_forecast.Arrays * _arrays);
        return (1 - PublishShare) * (all > 0 ? done / all : 1);
    }

    private double? Remaining(double fraction) =>
        fraction < 0.01 ? null : Math.Round(_time.GetElapsedTime(_started).TotalSeconds * (1 - fraction) / fraction, 1);
}
