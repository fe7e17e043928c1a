using System.Threading.Channels;

namespace IndexOperator.Runtime;

/// <summary>
/// A queue of keys with the guarantees of client-go's: a key waits at most once however often it is added, is never
/// with two workers at a time, and one added while a worker has it comes once more after <see cref="Done"/>.
/// Timed additions keep the earliest time a key was asked for, and no other addition cancels them. What is only looked at
/// in passing (<see cref="AddInPassing"/>) lets what happens go first.
/// <para>States of a key: waiting (dirty) -> processing -> gone, or processing + dirty -> waiting.</para>
/// </summary>
/// <typeparam name="TKey">What is queued: something small that names the work.</typeparam>
#pragma warning disable CA1711 // it is a queue
public sealed class WorkQueue<TKey> : IQueueProbe, IDisposable
    where TKey : notnull
#pragma warning restore CA1711
{
    // How many keys that something happened to may go before one that nothing happened to.
    private const int AskedBeforePassing = 8;

    // Timers have an upper limit of about 49 days.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(40);

    private readonly WorkQueueOptions _options;
    private readonly Lock _gate = new();
    private readonly Channel<bool> _ready = Channel.CreateUnbounded<bool>();
    private readonly Queue<TKey> _asked = [];
    private readonly Queue<TKey> _passing = [];
    private readonly Dictionary<TKey, (long At, bool Asked)> _dirty = [];
    private readonly Dictionary<TKey, long> _processing = [];
    private readonly Dictionary<TKey, long> _due = [];
    private readonly PriorityQueue<TKey, long> _timed = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeProvider _time;
    private readonly KeyBackoff<TKey> _backoff;
    private readonly TokenBucket? _bucket;
    private readonly RuntimeMetrics? _metrics;
    private readonly string _name;
    private readonly ITimer _timer;
    private long _armedFor = long.MaxValue;
    private int _askedInARow;
    private bool _shutDown;

    /// <summary>Makes an empty queue.</summary>
    public WorkQueue(WorkQueueOptions? options = null, TimeProvider? time = null, RuntimeMetrics? metrics = null)
    {
        _options = options ??= new WorkQueueOptions();
        _time = time ?? TimeProvider.System;
        _metrics = metrics;
        _name = options.Name;
        _backoff = new KeyBackoff<TKey>(options.BackoffBase, options.BackoffMax, options.Jitter);
        _bucket = options.RetriesPerSecond > 0 ? new TokenBucket(options.RetriesPerSecond, options.RetryBurst, _time) : null;
        _timer = _time.CreateTimer(static queue => ((WorkQueue<TKey>)queue!).Promote(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        metrics?.AddQueue(_name, this);
    }

    /// <summary>Keys that wait for a worker.</summary>
    public int Depth
    {
        get
        {
            lock (_gate)
            {
                return _ready.Reader.Count;
            }
        }
    }

    /// <summary>Keys that workers have.</summary>
    public int Processing
    {
        get
        {
            lock (_gate)
            {
                return _processing.Count;
            }
        }
    }

    double IQueueProbe.UnfinishedWorkSeconds
    {
        get
        {
            lock (_gate)
            {
                return _processing.Values.Sum(started => _time.GetElapsedTime(started).TotalSeconds);
            }
        }
    }

    double IQueueProbe.LongestRunningSeconds => LongestRunning.TotalSeconds;

    internal TimeSpan LongestRunning
    {
        get
        {
            lock (_gate)
            {
                return _processing.Count == 0 ? TimeSpan.Zero : _time.GetElapsedTime(_processing.Values.Min());
            }
        }
    }

    /// <summary>Adds a key now.</summary>
    public void Add(TKey key) => Add(key, asked: true);

    /// <summary>
    /// Adds a key that nothing happened to: at the start everything is looked at once, and a change must not wait behind it. Of every
    /// few keys taken one is such a key, so they are never starved either.
    /// </summary>
    public void AddInPassing(TKey key) => Add(key, asked: false);

    /// <summary>Adds a key later; the earliest time that was asked for counts.</summary>
    public void AddAfter(TKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
        {
            Add(key);
            return;
        }

        lock (_gate)
        {
            if (_shutDown)
            {
                return;
            }

            // On the monotonic clock: setting the wall clock must not delay work by hours.
            var now = _time.GetTimestamp();
            var at = now + (long)(Math.Min(delay.TotalSeconds, Longest.TotalSeconds) * _time.TimestampFrequency);
            if (_due.TryGetValue(key, out var due) && due <= at)
            {
                return;
            }

            // An entry that this one precedes stays in the heap and is skipped when it surfaces.
            _due[key] = at;
            _timed.Enqueue(key, at);
            Arm(now);
        }
    }

    /// <summary>Adds a key after a failure: the more failures in a row, the later.</summary>
    /// <returns>The delay.</returns>
    public TimeSpan AddRateLimited(TKey key)
    {
        var delay = _backoff.Next(key);

        // However many keys fail together, none waits longer for the others than it may wait alone.
        if (_bucket?.Reserve(_options.BackoffMax) is { } wait && wait > delay)
        {
            delay = wait < _options.BackoffMax ? wait : Backoff.Spread(wait, _options.Jitter);
        }

        _metrics?.QueueRetried(_name);
        AddAfter(key, delay);
        return delay;
    }

    /// <summary>Forgets the failures of a key.</summary>
    public void Forget(TKey key) => _backoff.Forget(key);

    /// <summary>Failures of a key in a row.</summary>
    public int Failures(TKey key) => _backoff.Failures(key);

    /// <summary>Waits for a key; the caller must call <see cref="Done"/> with it.</summary>
    /// <returns>The key, or false when the queue was shut down and is empty.</returns>
    public async ValueTask<(bool Taken, TKey Key)> TakeAsync(CancellationToken cancellationToken)
    {
        while (await _ready.Reader.WaitToReadAsync(cancellationToken))
        {
            lock (_gate)
            {
                if (_ready.Reader.TryRead(out _))
                {
                    var key = Next();
                    var now = _time.GetTimestamp();
                    _dirty.Remove(key, out var added);
                    _metrics?.QueueWaited(_name, _time.GetElapsedTime(added.At, now).TotalSeconds);
                    _processing[key] = now;
                    return (true, key);
                }
            }
        }

        return (false, default!);
    }

    /// <summary>Gives a key back.</summary>
    public void Done(TKey key)
    {
        lock (_gate)
        {
            if (_processing.Remove(key, out var started))
            {
                _metrics?.QueueWorked(_name, _time.GetElapsedTime(started).TotalSeconds);
            }

            if (_dirty.TryGetValue(key, out var again) && !_shutDown)
            {
                Enqueue(key, again.Asked);
            }

            SignalIfDrained();
        }
    }

    /// <summary>Takes nothing more in. What waits can still be taken, then workers are told to end.</summary>
    public void ShutDown()
    {
        lock (_gate)
        {
            _shutDown = true;
            _due.Clear();
            _timed.Clear();
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _ready.Writer.TryComplete();
            SignalIfDrained();
        }
    }

    /// <summary>Completes when, after <see cref="ShutDown"/>, no worker has a key any more.</summary>
    public Task DrainAsync(CancellationToken cancellationToken) => _drained.Task.WaitAsync(cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        ShutDown();
        _timer.Dispose();
    }

    private void Add(TKey key, bool asked)
    {
        lock (_gate)
        {
            if (_shutDown)
            {
                return;
            }

            var isProcessing = _processing.ContainsKey(key);
            if (_dirty.TryGetValue(key, out var waiting))
            {
                if (asked && !waiting.Asked)
                {
                    // It waits already, but behind what nothing happened to: its place there is passed over when it comes.
                    _dirty[key] = waiting with { Asked = true };
                    if (!isProcessing)
                    {
                        _asked.Enqueue(key);
                    }
                }

                return;
            }

            _dirty[key] = (_time.GetTimestamp(), asked);
            _metrics?.QueueAdded(_name);
            if (!isProcessing)
            {
                Enqueue(key, asked);
            }
        }
    }

    // One token for each key that waits: a key may stand in both queues, and is handed out once.
    private void Enqueue(TKey key, bool asked)
    {
        (asked ? _asked : _passing).Enqueue(key);
        _ready.Writer.TryWrite(true);
    }

    private TKey Next()
    {
        while (true)
        {
            var fromAsked = _asked.Count > 0 && (_passing.Count == 0 || _askedInARow < AskedBeforePassing);
            _askedInARow = fromAsked ? _askedInARow + 1 : 0;
            var key = (fromAsked ? _asked : _passing).Dequeue();
            if (_dirty.ContainsKey(key) && !_processing.ContainsKey(key))
            {
                return key;
            }
        }
    }

    private void SignalIfDrained()
    {
        if (_shutDown && _processing.Count == 0)
        {
            _drained.TrySetResult();
        }
    }

    private void Promote()
    {
        lock (_gate)
        {
            _armedFor = long.MaxValue;
            var now = _time.GetTimestamp();
            while (_timed.TryPeek(out var key, out var at) && at <= now)
            {
                _timed.Dequeue();
                if (_due.TryGetValue(key, out var due) && due == at)
                {
                    _due.Remove(key);
                    Add(key);
                }
            }

            Arm(now);
        }
    }

    // One timer, set to the earliest entry: an idle queue wakes nobody.
    private void Arm(long now)
    {
        while (_timed.TryPeek(out var key, out var at) && (!_due.TryGetValue(key, out var due) || due != at))
        {
            _timed.Dequeue();
        }

        if (_shutDown || !_timed.TryPeek(out _, out var first) || first >= _armedFor)
        {
            return;
        }

        _armedFor = first;

        // Whole milliseconds, rounded up: a timer that fires a moment early would only be set again.
        var wait = Math.Ceiling(Math.Max(0, (first - now) * 1000.0 / _time.TimestampFrequency));
        _timer.Change(TimeSpan.FromMilliseconds(wait), Timeout.InfiniteTimeSpan);
    }
}
