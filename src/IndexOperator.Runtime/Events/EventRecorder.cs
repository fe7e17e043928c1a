using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace IndexOperator.Runtime;

/// <summary>How an event is to be taken.</summary>
public enum EventKind
{
    /// <summary>For information.</summary>
    Normal,

    /// <summary>Someone should look.</summary>
    Warning,
}

/// <summary>
/// Writes Kubernetes events (events.k8s.io/v1) beside the work: recording never waits and never fails. Events that say
/// the same of the same object become one with a count.
/// </summary>
public sealed class EventRecorder
{
    private const int NoteLimit = 1024;

    private readonly ApiClient _client;
    private readonly EventRecorderOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RuntimeMetrics? _metrics;
    private readonly TokenBucket _bucket;
    private readonly Channel<Entry> _channel;
    private readonly Dictionary<Identity, Series> _series = [];

    /// <summary>Makes a recorder; events wait until <see cref="RunAsync"/> runs.</summary>
    public EventRecorder(
        ApiClient client,
        EventRecorderOptions? options = null,
        TimeProvider? time = null,
        ILogger<EventRecorder>? logger = null,
        RuntimeMetrics? metrics = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        _client = client;
        _options = options ?? new EventRecorderOptions();
        _time = time ?? TimeProvider.System;
        _logger = logger ?? NullLogger<EventRecorder>.Instance;
        _metrics = metrics;
        _bucket = new TokenBucket(_options.WritesPerSecond, _options.WriteBurst, _time);
        _channel = Channel.CreateBounded<Entry>(new BoundedChannelOptions(_options.Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    }

    /// <summary>Records an event about an object as it was read (its apiVersion and kind may be missing: give the resource).</summary>
    public void Record<T>(ResourceType<T> type, T regarding, EventKind kind, string reason, string action, string note)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(regarding);
        Record(
            new V1ObjectReference
            {
                ApiVersion = type.ApiVersion,
                Kind = type.Kind,
                Name = regarding.Metadata.Name,
                NamespaceProperty = regarding.Metadata.NamespaceProperty,
                Uid = regarding.Metadata.Uid,
                ResourceVersion = regarding.Metadata.ResourceVersion,
            },
            kind,
            reason,
            action,
            note);
    }

    /// <summary>Records an event.</summary>
    /// <param name="regarding">What it is about.</param>
    /// <param name="kind">Normal or Warning.</param>
    /// <param name="reason">Why, as one word in UpperCamelCase.</param>
    /// <param name="action">What was done or tried, as one word in UpperCamelCase.</param>
    /// <param name="note">A sentence for people; cut at 1024 bytes.</param>
    public void Record(V1ObjectReference regarding, EventKind kind, string reason, string action, string note)
    {
        ArgumentNullException.ThrowIfNull(regarding);
        var identity = new Identity(regarding.NamespaceProperty ?? "", regarding.Kind ?? "", regarding.Name ?? "", regarding.Uid ?? "", kind, reason, action, Cut(note));
        if (!_channel.Writer.TryWrite(new Entry(identity, regarding, _time.GetUtcNow())))
        {
            _metrics?.EventDropped();
        }
    }

    /// <summary>Writes events until cancelled, then for a moment what still waits.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var flush = new CancellationTokenSource();
        await using var registration = cancellationToken.Register(() =>
        {
            _channel.Writer.TryComplete();
            _ = CancelLaterAsync(flush);
        });
        try
        {
            while (await MoreAsync(flush.Token))
            {
                while (_channel.Reader.TryRead(out var entry))
                {
                    await WriteAsync(entry, flush.Token);
                }

                await WriteCountsAsync(onlyDue: true, flush.Token);
            }

            await WriteCountsAsync(onlyDue: false, flush.Token);
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>Waits for an event, but no longer than until a count should be written.</summary>
    private async Task<bool> MoreAsync(CancellationToken cancellationToken)
    {
        var more = _channel.Reader.WaitToReadAsync(cancellationToken).AsTask();
        if (_series.Values.Any(series => series.IsBehind))
        {
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var winner = await Task.WhenAny(more, Task.Delay(_options.SeriesInterval, _time, enough.Token));
            await enough.CancelAsync();
            if (winner != more)
            {
                return true;
            }
        }

        return await more;
    }

    private async Task WriteCountsAsync(bool onlyDue, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        foreach (var (identity, series) in _series.Where(s => s.Value.IsBehind && (!onlyDue || now - s.Value.WrittenAt >= _options.SeriesInterval)).ToList())
        {
            await GuardAsync(identity, () => WriteSeriesAsync(series, cancellationToken), cancellationToken);
        }
    }

    private async Task CancelLaterAsync(CancellationTokenSource flush)
    {
        await Task.Delay(_options.FlushTimeout, _time);
        try
        {
            await flush.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // All was written in time.
        }
    }

    private Task WriteAsync(Entry entry, CancellationToken cancellationToken) => GuardAsync(
        entry.Identity,
        async () =>
        {
            var known = _series.GetValueOrDefault(entry.Identity);
            if (known is not null && entry.At - known.LastAt < _options.SeriesLifetime)
            {
                known.Count++;
                known.LastAt = entry.At;
                if (entry.At - known.WrittenAt >= _options.SeriesInterval || known.Count == 2)
                {
                    await WriteSeriesAsync(known, cancellationToken);
                }

                return;
            }

            MakeRoom(entry.At);
            await _bucket.WaitAsync(cancellationToken);
            var made = await _client.CreateAsync(KnownResources.Events, ToEvent(entry), cancellationToken);
            _series[entry.Identity] = new Series(ObjectKey.Of(made), entry.At);
        },
        cancellationToken);

    /// <summary>Lets no failure but the end of the recorder out.</summary>
    private async Task GuardAsync(Identity identity, Func<Task> write, CancellationToken cancellationToken)
    {
        try
        {
            await write();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // an event that cannot be written must not end the recorder
        catch (Exception e)
#pragma warning restore CA1031
        {
            _metrics?.EventDropped();
            _series.Remove(identity);
            _logger.LogInformation("Event {Reason} on {Name} was not written: {Error}", identity.Reason, identity.Name, e.Message);
        }
    }

    private async Task WriteSeriesAsync(Series series, CancellationToken cancellationToken)
    {
        await _bucket.WaitAsync(cancellationToken);
        series.WrittenAt = _time.GetUtcNow();
        series.WrittenCount = series.Count;
        var last = series.LastAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
        var patch = new JsonObject { ["series"] = new JsonObject { ["count"] = series.Count, ["lastObservedTime"] = last } };
        await _client.MergePatchAsync(KnownResources.Events, series.Key, patch, null, cancellationToken);
    }

    private Eventsv1Event ToEvent(Entry entry)
    {
        var identity = entry.Identity;

        // The name only has to be unique; client-go makes it the same way.
        var suffix = "." + Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture)[..16];
        var name = identity.Name[..Math.Min(identity.Name.Length, 253 - suffix.Length)].TrimEnd('.', '-') + suffix;
        return new Eventsv1Event
        {
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = identity.Namespace.Length == 0 ? "default" : identity.Namespace },
            EventTime = MicroTime.From(entry.At),
            ReportingController = _options.Controller,
            ReportingInstance = _options.Instance[..Math.Min(_options.Instance.Length, 128)],
            Type = identity.Kind == EventKind.Warning ? "Warning" : "Normal",
            Reason = identity.Reason,
            Action = identity.Action,
            Note = identity.Note,
            Regarding = entry.Regarding,
        };
    }

    private void MakeRoom(DateTimeOffset now)
    {
        if (_series.Count < _options.Remembered)
        {
            return;
        }

        foreach (var (identity, series) in _series.ToList())
        {
            if (now - series.LastAt >= _options.SeriesLifetime)
            {
                _series.Remove(identity);
            }
        }

        // All are recent: forgetting everything costs a few events more, remembering everything costs memory for good.
        if (_series.Count >= _options.Remembered)
        {
            _series.Clear();
        }
    }

    private static string Cut(string note)
    {
        while (System.Text.Encoding.UTF8.GetByteCount(note) > NoteLimit)
        {
            note = note[..(Math.Min(note.Length, NoteLimit) - 8)] + "...";
        }

        return note;
    }

    private sealed record Identity(string Namespace, string ObjectKind, string Name, string Uid, EventKind Kind, string Reason, string Action, string Note);

    private sealed record Entry(Identity Identity, V1ObjectReference Regarding, DateTimeOffset At);

    private sealed class Series(ObjectKey key, DateTimeOffset at)
    {
        public ObjectKey Key { get; } = key;

        public int Count { get; set; } = 1;

        public int WrittenCount { get; set; } = 1;

        public bool IsBehind => Count > WrittenCount;

        public DateTimeOffset LastAt { get; set; } = at;

        public DateTimeOffset WrittenAt { get; set; } = at;
    }
}
