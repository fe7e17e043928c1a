using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IndexOperator.Runtime;

/// <summary>Adds a webhook to an operator and to its web server.</summary>
public static class WebhookServer
{
    /// <summary>Adds the endpoint of a handler, and what keeps its certificate. Every replica answers.</summary>
    public static IOperatorBuilder AddWebhook(this IOperatorBuilder builder, WebhookSettings settings, Func<IServiceProvider, IAdmissionHandler> handler)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(settings);
        var services = builder.Services;
        services.AddSingleton<ServingCertificate>();
        services.AddSingleton<IReadinessCheck>(p => p.GetRequiredService<ServingCertificate>());
        services.AddSingleton(p => new AdmissionEndpoint(
            handler(p),
            settings,
            p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<AdmissionEndpoint>>(),
            p.GetRequiredService<RuntimeMetrics>()));
        if (settings.CertificateDirectory is { } folder)
        {
            services.AddHostedService(p => new CertificateFiles(
                folder, p.GetRequiredService<ServingCertificate>(), p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<CertificateFiles>>()));
        }
        else
        {
            services.AddHostedService(p => new CertificateKeeper(
                p.GetRequiredKeyedService<ApiClient>(OperatorServiceCollectionExtensions.UnfencedClient),
                settings.Certificates,
                p.GetRequiredService<ServingCertificate>(),
                p.GetRequiredService<TimeProvider>(),
                p.GetRequiredService<ILogger<CertificateKeeper>>()));
        }

        services.AddHostedService(p => new LateStop(settings.ShutdownDelay, p.GetRequiredService<TimeProvider>(), p));
        return builder;
    }

    /// <summary>Listens with the webhook's certificate, whichever that is when a connection comes.</summary>
    /// <param name="kestrel">The server.</param>
    /// <param name="port">The port; 0 for any free one.</param>
    public static void ListenForWebhook(this KestrelServerOptions kestrel, int port)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        var serving = kestrel.ApplicationServices.GetRequiredService<ServingCertificate>();
        kestrel.ListenAnyIP(port, listen =>
        {
            // API servers call webhooks by HTTP/1.1, and what is not spoken cannot be abused.
            listen.Protocols = HttpProtocols.Http1;
            listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(serving.ForHandshake()) });
        });
    }

    /// <summary>Gives all that comes by HTTPS to the webhook: metrics and probes are not for that port, nor the webhook for theirs.</summary>
    public static void UseWebhook(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var endpoint = app.Services.GetRequiredService<AdmissionEndpoint>();
        app.MapWhen(static context => context.Request.IsHttps, branch => branch.Run(endpoint.HandleAsync));
    }

    /// <summary>
    /// Answers a little longer after the process was told to stop, while the controllers stop at once and the lease is given back: whoever
    /// comes next leads without delay. Reviews under way then end by themselves, since the server stops first and waits for them.
    /// </summary>
    private sealed class LateStop(TimeSpan delay, TimeProvider time, IServiceProvider services) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.WhenAll(StopLeadingAsync(cancellationToken), GoOnAnsweringAsync(cancellationToken));

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        // In the order in which the host would, which finds them stopped then.
        private async Task StopLeadingAsync(CancellationToken cancellationToken)
        {
            foreach (var service in services.GetServices<IHostedService>().Reverse().Where(service => service is IControllerLoop or EventService or ElectionService))
            {
                await service.StopAsync(cancellationToken);
            }
        }

        private async Task GoOnAnsweringAsync(CancellationToken cancellationToken)
        {
            try
            {
                await Task.Delay(delay, time, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // Whoever stops the process is not so patient.
            }
        }
    }
}
