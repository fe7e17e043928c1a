using k8s.Models;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace IndexOperator.Runtime;

/// <summary>
/// Leader election on a Lease.
/// <para>
/// Safety rests on two clocks that never compare wall times: a leader stops <see cref="LeaderElectionSettings.RenewDeadline"/>
/// after its last renewal was <em>sent</em>, a challenger waits the holder's stored duration after it last <em>saw</em>
/// the lease change. Any error in between (a dropped connection, a time-out, a conflict) is only a reason to try again.
/// </para>
/// </summary>
#pragma warning disable CA1001 // terms are cancelled at their end, and never disposed: passes may be linked to them still
public sealed class LeaseElector : ILeadership, IWriteFence
#pragma warning restore CA1001
{
    private static readonly TimeSpan ReleaseTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly ApiClient _client;
    private readonly LeaderElectionSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RuntimeMetrics? _metrics;
    private readonly ObjectKey _key;
    private TaskCompletionSource<CancellationToken> _nextTerm = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenSource? _term;
    private V1Lease? _lease;
    private (string?, DateTime?, DateTime?, int?, int?) _observed;
    private long _observedAt;
    private long _renewedAt;
    private int _termNumber;

    /// <summary>Makes a candidate; it does nothing until <see cref="RunAsync"/>.</summary>
    public LeaseElector(
        ApiClient client,
        LeaderElectionSettings settings,
        TimeProvider? time = null,
        ILogger<LeaseElector>? logger = null,
        RuntimeMetrics? metrics = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.RenewDeadline >= settings.LeaseDuration || settings.RetryPeriod * LeaderElectionSettings.JitterFactor >= settings.RenewDeadline)
        {
            throw new ArgumentException("leader election needs RetryPeriod * 1.2 < RenewDeadline < LeaseDuration", nameof(settings));
        }

        _client = client;
        _settings = settings;
        _time = time ?? TimeProvider.System;
        _logger = logger ?? NullLogger<LeaseElector>.Instance;
        _metrics = metrics;
        _key = new ObjectKey(settings.Namespace ?? client.Namespace ?? "default", settings.Name);
    }

    /// <inheritdoc/>
    public bool IsLeader
    {
        get
        {
            lock (_gate)
            {
                return _term is { IsCancellationRequested: false };
            }
        }
    }

    /// <inheritdoc/>
    public CancellationToken LeadershipToken
    {
        get
        {
            lock (_gate)
            {
                return _term?.Token ?? new CancellationToken(canceled: true);
            }
        }
    }

    /// <inheritdoc/>
    public WriteTerm Enter()
    {
        lock (_gate)
        {
            // The clock besides the token: after a freeze the timer that cancels the token may not have run yet.
            return _term is { IsCancellationRequested: false } term && Remaining() > TimeSpan.Zero
                ? new WriteTerm(_settings.Identity, _termNumber, term.Token)
                : throw new LeadershipLostException();
        }
    }

    /// <summary>Who holds the lease as far as this replica saw; empty when nobody does.</summary>
    public string Holder => _lease?.Spec?.HolderIdentity ?? "";

    /// <inheritdoc/>
    public Task<CancellationToken> WaitAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return _term is { IsCancellationRequested: false } term
                ? Task.FromResult(term.Token)
                : _nextTerm.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Takes part until cancelled, then gives the lease back so that the next replica need not wait.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        _metrics?.SetLeader(_settings.Name, leading: false);
        var held = false;
        try
        {
            while (true)
            {
                held = false;
                await AcquireAsync(cancellationToken);
                held = true;
                StartTerm();
                try
                {
                    await KeepAsync(cancellationToken);
                }
                finally
                {
                    EndTerm();
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            if (held)
            {
                await ReleaseAsync();
            }
        }
    }

    private async Task AcquireAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            using var deadline = new CancellationTokenSource(_settings.RenewDeadline, _time);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
            var attempt = await TryOnceAsync(linked.Token);
            if (attempt == Attempt.Held)
            {
                return;
            }

            // Not later than the lease expires, or a killed leader would be missed for up to two pauses more.
            var pause = Jittered(_settings.RetryPeriod);
            var expiry = attempt == Attempt.HeldByOther && _lease is { } held ? DurationOf(held) - _time.GetElapsedTime(_observedAt) : pause;
            await Task.Delay(expiry > TimeSpan.Zero && expiry < pause ? expiry : pause, _time, cancellationToken);
        }
    }

    /// <summary>Renews; returns when the lease can no longer be counted on.</summary>
    private async Task KeepAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            // The term's own timer ends it at the deadline even when this loop is stuck; requests end with it, so that
            // none renews the lease after this replica stopped working.
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _term!.Token);
            try
            {
                await Task.Delay(Jittered(_settings.RetryPeriod), _time, linked.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
            }

            cancellationToken.ThrowIfCancellationRequested();
            var attempt = _term.IsCancellationRequested ? Attempt.Failed : await TryOnceAsync(linked.Token);
            cancellationToken.ThrowIfCancellationRequested();
            if (attempt == Attempt.Held)
            {
                _term.CancelAfter(Remaining());
                if (!_term.IsCancellationRequested)
                {
                    continue;
                }
            }

            if (attempt == Attempt.HeldByOther || _term.IsCancellationRequested || Remaining() <= TimeSpan.Zero)
            {
                _logger.LogWarning("Leadership of {Lease} is lost; the holder is now {Holder}", _key, Holder);
                return;
            }
        }
    }

    private TimeSpan Remaining()
    {
        var left = _settings.RenewDeadline - _time.GetElapsedTime(Volatile.Read(ref _renewedAt));
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private void StartTerm()
    {
        lock (_gate)
        {
            _term = new CancellationTokenSource(Remaining(), _time);
            _termNumber = _lease?.Spec?.LeaseTransitions ?? 0;
            _nextTerm.TrySetResult(_term.Token);
            _nextTerm = new TaskCompletionSource<CancellationToken>(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        _metrics?.SetLeader(_settings.Name, leading: true);
        _logger.LogInformation("{Identity} leads {Lease}, term {Term}", _settings.Identity, _key, _termNumber);
    }

    private void EndTerm()
    {
        CancellationTokenSource? over;
        lock (_gate)
        {
            over = _term;
            _term = null;
        }

        over?.Cancel();
        _metrics?.SetLeader(_settings.Name, leading: false);
    }

    private async Task<Attempt> TryOnceAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await AcquireOrRenewAsync(cancellationToken);
        }
#pragma warning disable CA1031 // whatever failed is tried again until the deadline
        catch (Exception e)
#pragma warning restore CA1031
        {
            // After a failure nothing is known of the lease's version: read it before the next write.
            _lease = null;
            _logger.LogDebug(e, "An attempt on lease {Lease} failed", _key);
            return Attempt.Failed;
        }
    }

    private async Task<Attempt> AcquireOrRenewAsync(CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var lease = _lease?.Spec?.HolderIdentity == _settings.Identity
            ? _lease
            : await _client.FindAsync(KnownResources.Leases, _key, cancellationToken);
        var now = MicroTime.From(_time.GetUtcNow());
        if (lease is null)
        {
            var fresh = new V1Lease
            {
                Metadata = new V1ObjectMeta { Name = _key.Name, NamespaceProperty = _key.Namespace },
                Spec = Claim(now, now, transitions: 0),
            };
            Observe(await _client.CreateAsync(KnownResources.Leases, fresh, cancellationToken));
        }
        else
        {
            Observe(lease);
            var holder = lease.Spec?.HolderIdentity;
            var mine = holder == _settings.Identity;
            if (!mine && !string.IsNullOrEmpty(holder) && !HasExpired(lease))
            {
                return Attempt.HeldByOther;
            }

            var transitions = (lease.Spec?.LeaseTransitions ?? 0) + (mine ? 0 : 1);
            var acquired = mine ? lease.Spec?.AcquireTime ?? now : now;
            lease = lease with { Spec = Claim(MicroTime.From(acquired), now, transitions) };
            Observe(await _client.ReplaceAsync(KnownResources.Leases, lease, cancellationToken));
        }

        Volatile.Write(ref _renewedAt, started);
        return Attempt.Held;
    }

    private void Observe(V1Lease lease)
    {
        _lease = lease;
        var spec = lease.Spec;
        var seen = (spec?.HolderIdentity, spec?.RenewTime, spec?.AcquireTime, spec?.LeaseTransitions, spec?.LeaseDurationSeconds);
        if (_observedAt == 0 || seen != _observed)
        {
            _observed = seen;
            _observedAt = Math.Max(1, _time.GetTimestamp());
        }
    }

    // The holder decided how long it may be silent, not this replica's settings.
    private bool HasExpired(V1Lease lease) => _time.GetElapsedTime(_observedAt) >= DurationOf(lease);

    private TimeSpan DurationOf(V1Lease lease) =>
        lease.Spec?.LeaseDurationSeconds is > 0 and var seconds ? TimeSpan.FromSeconds(seconds) : _settings.LeaseDuration;

    private V1LeaseSpec Claim(DateTime acquired, DateTime renewed, int transitions) => new()
    {
        HolderIdentity = _settings.Identity,
        LeaseDurationSeconds = Math.Max(1, (int)Math.Ceiling(_settings.LeaseDuration.TotalSeconds)),
        AcquireTime = acquired,
        RenewTime = renewed,
        LeaseTransitions = transitions,
    };

    private async Task ReleaseAsync()
    {
        try
        {
            using var deadline = new CancellationTokenSource(ReleaseTimeout, _time);
            var lease = _lease ?? await _client.FindAsync(KnownResources.Leases, _key, deadline.Token);
            if (lease?.Spec?.HolderIdentity != _settings.Identity)
            {
                return;
            }

            var now = MicroTime.From(_time.GetUtcNow());
            var spec = new V1LeaseSpec
            {
                HolderIdentity = "",
                LeaseDurationSeconds = 1,
                AcquireTime = now,
                RenewTime = now,
                LeaseTransitions = lease.Spec.LeaseTransitions,
            };
            _lease = await _client.ReplaceAsync(KnownResources.Leases, lease with { Spec = spec }, deadline.Token);
            _logger.LogInformation("{Identity} gave {Lease} back", _settings.Identity, _key);
        }
#pragma warning disable CA1031 // the process ends anyway; others take over when the lease expires
        catch (Exception e)
#pragma warning restore CA1031
        {
            _logger.LogInformation(e, "Lease {Lease} could not be given back; it will expire", _key);
        }
    }

    private static TimeSpan Jittered(TimeSpan period)
    {
#pragma warning disable CA5394 // spreading load needs no secret
        return period * (1 + ((LeaderElectionSettings.JitterFactor - 1) * Random.Shared.NextDouble()));
#pragma warning restore CA5394
    }

    private enum Attempt
    {
        Held,
        HeldByOther,
        Failed,
    }
}
