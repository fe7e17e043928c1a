namespace IndexOperator.Runtime;

/// <summary>Exponential pauses, counted for each key. It never gives up on one.</summary>
internal sealed class KeyBackoff<TKey>(TimeSpan first, TimeSpan longest, double jitter)
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, int> _failures = [];

    public TimeSpan Next(TKey key)
    {
        int failures;
        lock (_gate)
        {
            failures = _failures.GetValueOrDefault(key);
            _failures[key] = failures + 1;
        }

        return Backoff.Delay(failures, first, longest, jitter);
    }

    public void Forget(TKey key)
    {
        lock (_gate)
        {
            _failures.Remove(key);
        }
    }

    public int Failures(TKey key)
    {
        lock (_gate)
        {
            return _failures.GetValueOrDefault(key);
        }
    }
}

/// <summary>Arithmetic of pauses.</summary>
internal static class Backoff
{
    public static TimeSpan Delay(int failures, TimeSpan first, TimeSpan longest, double jitter)
    {
        var plain = Math.Min(first.TotalMilliseconds * Math.Pow(2, Math.Min(failures, 60)), longest.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(Math.Min(plain * (1 + Share(jitter)), longest.TotalMilliseconds));
    }

    // Shorter, so that those who all wait the longest pause do not return together.
    public static TimeSpan Spread(TimeSpan longest, double jitter) => longest * (1 - Share(jitter));

#pragma warning disable CA5394 // spreading load needs no secret
    private static double Share(double jitter) => jitter * Random.Shared.NextDouble();
#pragma warning restore CA5394
}
