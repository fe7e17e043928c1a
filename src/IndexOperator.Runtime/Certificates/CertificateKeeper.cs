using k8s.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IndexOperator.Runtime;

/// <summary>
/// Keeps the webhook's certificates: in a Secret, in the configuration's trust and in what this process serves. Every replica runs it, with
/// or without leadership: each must serve. They agree by the Secret's version: who writes second reads what the first has written.
/// </summary>
internal sealed class CertificateKeeper : BackgroundService
{
    // As often as replicas could collide in a row, with room.
    private const int Collisions = 10;

    private static readonly TimeSpan Busy = TimeSpan.FromSeconds(1);

    private readonly ApiClient _client;
    private readonly CertificateSettings _settings;
    private readonly ServingCertificate _serving;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TrustStore _trust;

    /// <param name="client">A client whose writes need no leadership.</param>
    /// <param name="settings">What to keep.</param>
    /// <param name="serving">Gets what is to be served.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told of each change.</param>
    public CertificateKeeper(ApiClient client, CertificateSettings settings, ServingCertificate serving, TimeProvider time, ILogger<CertificateKeeper> logger)
    {
        settings.Validate();
        _client = client;
        _settings = settings;
        _serving = serving;
        _time = time;
        _logger = logger;
        _trust = new TrustStore(client, settings, time);
    }

    /// <summary>Looks once and does what is to be done.</summary>
    /// <returns>When to look again.</returns>
    internal async Task<TimeSpan> LookAsync(CancellationToken cancellationToken)
    {
        for (var tries = 0; tries < Collisions; tries++)
        {
            // In this order: see TrustStore.EnsureAsync.
            await _trust.ReadAsync(cancellationToken);
            var secret = await _client.FindAsync(KnownResources.Secrets, _settings.Secret, cancellationToken);
            if (await AdvanceAsync(secret, cancellationToken) is { } set && await _trust.EnsureAsync(set.Bundle, cancellationToken))
            {
                return Serve(set);
            }
        }

        _serving.Explain("other replicas, or somebody else, keep changing the certificates");
        return Pause(Busy);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var said = "";
        while (!stoppingToken.IsCancellationRequested)
        {
            TimeSpan pause;
            try
            {
                pause = await LookAsync(stoppingToken);
                said = "";
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // the API server may be away for a while; what is served meanwhile stays valid for long
            catch (Exception error)
#pragma warning restore CA1031
            {
                // Said once: it is tried every second, and an outage may be long.
                _logger.Log(
                    error.Message == said ? LogLevel.Debug : LogLevel.Warning, "The webhook's certificates could not be looked after, and are tried again: {Problem}", error.Message);
                said = error.Message;
                _serving.Explain(error.Message);
                pause = Pause(Busy);
            }

            await Task.Delay(pause, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Carries out the next step.</summary>
    /// <returns>What the Secret holds now; null when another has changed it meanwhile.</returns>
    private async Task<CertificateSet?> AdvanceAsync(V1Secret? secret, CancellationToken cancellationToken)
    {
        var problem = "";
        var set = secret is null ? null : CertificateSet.Read(secret, out problem);
        if (secret is not null && set is null)
        {
            _logger.LogWarning("Secret {Secret} cannot be used and is written anew: {Problem}", _settings.Secret, problem);
        }

        var now = _time.GetUtcNow();
        var step = RotationPolicy.Next(set, set is not null && _trust.Trusts(set.Signer, _settings.Propagation), _settings, now);
        var wanted = step switch
        {
            RotationStep.Create => CertificateSet.Create(_settings, _trust.Authorities, now),
            RotationStep.NewAuthority => set!.WithNewAuthority(_settings, now),
            RotationStep.NewLeaf => set!.WithNewLeaf(_settings, now),
            RotationStep.DropAuthorities => set!.Without(RotationPolicy.Retired(set, _settings, now)),
            _ => set!,
        };
        if (step == RotationStep.None)
        {
            return wanted;
        }

        try
        {
            var written = wanted.ToSecret(_settings.Secret, secret);
            await (secret is null
                ? _client.CreateAsync(KnownResources.Secrets, written, cancellationToken)
                : _client.ReplaceAsync(KnownResources.Secrets, written, cancellationToken));
        }
        catch (ApiException error) when (error.Code == 409 || (error.IsNotFound && secret is not null))
        {
            return null;
        }

        _logger.LogInformation(
            "Webhook certificates: {Step}; the authority ends {AuthorityEnd:u}, the certificate {LeafEnd:u}", step, Issuing.End(wanted.Signer), Issuing.End(wanted.Leaf));
        return wanted;
    }

    /// <summary>Serves the certificate if it is trusted.</summary>
    private TimeSpan Serve(CertificateSet set)
    {
        // The first one need not wait for the slowest API server: without it none could call at all.
        if (_serving.Current?.Thumbprint != set.Leaf.Thumbprint && _trust.Trusts(set.Issuer, _serving.Current is null ? TimeSpan.Zero : _settings.Propagation))
        {
            _serving.Use(set.Leaf);
            _logger.LogInformation("The webhook serves certificate {Serial}, valid until {End:u}", set.Leaf.SerialNumber, Issuing.End(set.Leaf));
        }

        if (_serving.Current?.Thumbprint == set.Leaf.Thumbprint)
        {
            return Pause(RotationPolicy.IsLeafDue(set, _settings, _time.GetUtcNow()) ? Busy : _settings.Interval);
        }

        _serving.Explain(_trust.Missing is { } missing
            ? $"there is no MutatingWebhookConfiguration {missing}; create it (config/webhook), or start without the webhook"
            : "the configuration does not trust its authority long enough yet");
        return Pause(Busy);
    }

    private TimeSpan Pause(TimeSpan wanted) => wanted < _settings.Interval ? wanted : _settings.Interval;
}
