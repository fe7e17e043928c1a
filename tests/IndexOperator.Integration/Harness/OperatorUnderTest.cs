using IndexOperator.Operator;
using IndexOperator.Planning;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace IndexOperator.Integration.Harness;

/// <summary>The real operator, composed as its program composes it, in this process.</summary>
public sealed class OperatorUnderTest : IAsyncDisposable
{
    private const string LogVariable = "INDEXOPERATOR_TEST_LOG";

    private readonly WebApplication _host;
    private bool _stopped;

    private OperatorUnderTest(WebApplication host)
    {
        _host = host;
    }

    /// <summary>The services of its host.</summary>
    public IServiceProvider Services => _host.Services;

    /// <summary>Starts an operator that looks at one namespace.</summary>
    /// <param name="kubeconfig">Its credentials.</param>
    /// <param name="ns">The namespace.</param>
    /// <param name="change">Further options.</param>
    /// <param name="services">Services besides, or in place of, its own.</param>
    public static async Task<OperatorUnderTest> StartAsync(
        string kubeconfig, string ns, Func<OperatorOptions, OperatorOptions>? change = null, Action<IServiceCollection>? services = null)
    {
        var options = new OperatorOptions
        {
            Kubeconfig = kubeconfig,
            Namespaces = [ns],
            Port = 0,
            LeaderElection = false,
            Planner = new PlannerSettings { BuilderImage = "registry.example/index-builder:test" },
            LogLevel = Enum.TryParse<LogLevel>(Environment.GetEnvironmentVariable(LogVariable), out var level) ? level : LogLevel.None,
        };
        var host = OperatorHost.Create(change?.Invoke(options) ?? options, services);
        await host.StartAsync();
        return new OperatorUnderTest(host);
    }

    /// <summary>The port of its webhook.</summary>
    public int WebhookPort => PortOf("https");

    /// <summary>Asks one of its HTTP endpoints.</summary>
    public async Task<(int Status, string Body)> GetAsync(string path)
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{PortOf("http")}{path}"));
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Stops as on SIGTERM: passes under way end, the lease is given back.</summary>
    public Task StopAsync() => EndAsync(CancellationToken.None);

    /// <summary>
    /// Stops without waiting for anything. What was under way may still go out: cut its <see cref="ApiProxy"/> first for a stop like
    /// that of kill -9.
    /// </summary>
    public Task KillAsync() => EndAsync(new CancellationToken(canceled: true));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await KillAsync();

    private int PortOf(string scheme) =>
        new Uri(_host.Urls.First(url => url.StartsWith(scheme + ":", StringComparison.Ordinal)).Replace("[::]", "localhost", StringComparison.Ordinal)).Port;

    private async Task EndAsync(CancellationToken patience)
    {
        if (!_stopped)
        {
            _stopped = true;
            try
            {
                await _host.StopAsync(patience);
            }
            catch (Exception error) when (error is OperationCanceledException or AggregateException)
            {
                // It was not waited for.
            }

            await _host.DisposeAsync();
        }
    }
}
