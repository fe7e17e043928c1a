using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IndexOperator.Runtime;

/// <summary>
/// The version of the API server, read once at the start, for what depends on it before any request is made. The process is not ready
/// without it. A server that is made newer meanwhile has all that the older one had.
/// </summary>
public sealed class ServerVersion(ApiClient client, TimeProvider time, ILogger<ServerVersion> logger) : BackgroundService, IReadinessCheck
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private volatile Version? _value;

    /// <summary>Major and minor.</summary>
    /// <exception cref="InvalidOperationException">It is not known yet.</exception>
    public Version Value => _value ?? throw new InvalidOperationException("the version of the API server is not known yet");

    /// <inheritdoc/>
    public IEnumerable<string> Problems() => _value is null ? ["the version of the API server is not known yet"] : [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                _value = await client.GetServerVersionAsync(stoppingToken);
                return;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // tried again until there is an answer
            catch (Exception error)
#pragma warning restore CA1031
            {
                logger.LogWarning("The version of the API server could not be read, and is asked for again: {Problem}", error.Message);
            }

            await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
