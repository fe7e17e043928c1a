using IndexOperator.Runtime;

namespace IndexOperator.Operator;

/// <summary>Puts the webhook into the host.</summary>
internal static class PodWebhookSetup
{
    /// <summary>Adds the webhook and what it needs.</summary>
    public static void AddPodWebhook(this IOperatorBuilder builder, PodWebhookOptions options)
    {
        // How a pod can be held back depends on it.
        builder.Services.AddSingleton(p => new ServerVersion(
            p.GetRequiredKeyedService<ApiClient>(OperatorServiceCollectionExtensions.UnfencedClient), p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<ServerVersion>>()));
        builder.Services.AddSingleton<IReadinessCheck>(p => p.GetRequiredService<ServerVersion>());
        builder.Services.AddHostedService(p => p.GetRequiredService<ServerVersion>());
        builder.Services.AddSingleton<RefusedJobs>();
        builder.Services.AddSingleton<JobNudges>();
        builder.Services.AddHostedService(p => p.GetRequiredService<JobNudges>());
        builder.Services.AddSingleton<IPodMutator, PodMutator>();
        builder.Services.AddSingleton<PodWebhook>();
        builder.AddWebhook(options.ToSettings(), p => new WorkloadWebhook(p.GetRequiredService<PodWebhook>()));
    }

    /// <summary>Listens on a port for probes and metrics, and on another for the webhook.</summary>
    public static void ListenWithPodWebhook(this IWebHostBuilder web, OperatorOptions options)
    {
        web.UseKestrelHttpsConfiguration();
        web.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenAnyIP(options.Port);
            kestrel.ListenForWebhook(options.Webhook.Port);
        });
    }
}
