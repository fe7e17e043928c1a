namespace IndexOperator.Runtime;

/// <summary>
/// Limits a rate. A caller takes a token now and learns how long to wait before using it, so waiters are served in
/// order and nothing runs in the background.
/// </summary>
public sealed class TokenBucket
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly double _perSecond;
    private readonly double _burst;
    private double _tokens;
    private long _updated;

    /// <summary>Makes a full bucket.</summary>
    /// <param name="perSecond">Tokens that flow in each second; zero or less means no limit.</param>
    /// <param name="burst">Tokens the bucket holds.</param>
    /// <param name="time">The clock.</param>
    public TokenBucket(double perSecond, int burst, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _time = time;
        _perSecond = perSecond;
        _burst = Math.Max(1, burst);
        _tokens = _burst;
        _updated = time.GetTimestamp();
    }

    /// <summary>Takes a token, on credit if need be.</summary>
    /// <param name="longest">The longest wait: whoever would wait longer waits so long and takes no token. Null means no limit.</param>
    /// <returns>How long to wait before acting on it.</returns>
    public TimeSpan Reserve(TimeSpan? longest = null)
    {
        if (_perSecond <= 0)
        {
            return TimeSpan.Zero;
        }

        lock (_gate)
        {
            Refill();
            var wait = TimeSpan.FromSeconds(Math.Max(0, 1 - _tokens) / _perSecond);
            if (longest is { } limit && wait > limit)
            {
                return limit;
            }

            _tokens -= 1;
            return wait;
        }
    }

    /// <summary>Takes a token only if there is one.</summary>
    public bool TryTake()
    {
        if (_perSecond <= 0)
        {
            return true;
        }

        lock (_gate)
        {
            Refill();
            if (_tokens < 1)
            {
                return false;
            }

            _tokens -= 1;
            return true;
        }
    }

    /// <summary>Takes a token and waits until it may be used.</summary>
    public async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var delay = Reserve();
        if (delay <= TimeSpan.Zero)
        {
            return;
        }

        try
        {
            await Task.Delay(delay, _time, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Whoever gave up must not slow down those behind it.
            lock (_gate)
            {
                _tokens = Math.Min(_burst, _tokens + 1);
            }

            throw;
        }
    }

    private void Refill()
    {
        var now = _time.GetTimestamp();
        _tokens = Math.Min(_burst, _tokens + (_time.GetElapsedTime(_updated, now).TotalSeconds * _perSecond));
        _updated = now;
    }
}
