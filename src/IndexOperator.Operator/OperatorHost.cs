using IndexOperator.Api;
using IndexOperator.Operator.Telemetry;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using k8s.Models;

namespace IndexOperator.Operator;

/// <summary>Puts the operator together: settings, runtime, controller, telemetry, health endpoints.</summary>
public static class OperatorHost
{
    private const string ByClaim = "by-claim";

    /// <summary>Runs the operator until it is told to stop.</summary>
    /// <returns>0 after a clean stop.</returns>
    public static async Task<int> RunAsync(OperatorOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        await using var host = Create(options with { KueueVersion = await FindKueueAsync(options, cancellationToken) });
        await host.RunAsync(cancellationToken);
        return 0;
    }

    /// <summary>The operator, ready to be started.</summary>
    /// <param name="options">How it was started.</param>
    /// <param name="services">Services besides, or in place of, its own; for tests.</param>
    public static WebApplication Create(OperatorOptions options, Action<IServiceCollection>? services = null)
    {
        ArgumentNullException.ThrowIfNull(options);

        // No settings are read from files, so none need be watched.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        Log(builder.Logging, options);
        if (options.Webhook.Enabled)
        {
            builder.WebHost.ListenWithPodWebhook(options);
        }
        else
        {
            builder.WebHost.UseUrls($"http://*:{options.Port}");
        }

        builder.Services.AddOperatorTelemetry(builder.Configuration);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<OwnWrites>();
        builder.Services.AddSingleton<ProgressReader>();
        builder.Services.AddSingleton<BindingWriter>();
        builder.Services.AddSingleton<PlanApplier>();
        builder.Services.AddSingleton<PodWrites>();
        builder.Services.AddSingleton<PodActions>();
        builder.Services.AddSingleton<CountPace>();
        builder.Services.AddSingleton<MissingIndexes>();
        builder.Services.AddSingleton<StatusWriter>();
        builder.Services.AddSingleton<Gatherer>();
        builder.Services.AddSingleton<PeerFinder>();
        builder.Services.AddSingleton<ScopeReader>();
        builder.Services.AddSingleton<IdleMemory.ICollector, IdleMemory.Collector>();
        builder.Services.AddHostedService<IdleMemory>();
        var runtime = AddController(builder.Services, options);
        if (options.Webhook.Enabled)
        {
            runtime.AddPodWebhook(options.Webhook);
        }

        if (options.KueueVersion is { } kueue)
        {
            runtime.AddKueue(kueue);
        }

        services?.Invoke(builder.Services);
        var host = builder.Build();
        if (options.Webhook.Enabled)
        {
            host.UseWebhook();
        }

        host.MapPrometheusScrapingEndpoint("/metrics");
        host.MapGet("/healthz", context => Answer(context, context.RequestServices.GetRequiredService<RuntimeHealth>().Live()));
        host.MapGet("/readyz", context => Answer(context, context.RequestServices.GetRequiredService<RuntimeHealth>().Ready()));
        return host;
    }

    // Before anything else runs: which informers there are is settled when the host is built.
    private static async Task<string?> FindKueueAsync(OperatorOptions options, CancellationToken cancellationToken)
    {
        using var client = new ApiClient(options.Kubeconfig is { } file ? ApiConnection.FromKubeconfig(file) : ApiConnection.Default());
        return await KueueDiscovery.FindAsync(client, options.Kueue, options.Namespaces, TimeProvider.System, Console.Error.WriteLine, cancellationToken);
    }

    private static IOperatorBuilder AddController(IServiceCollection services, OperatorOptions options) => services
        .AddKubernetesOperator(settings =>
        {
            foreach (var name in options.Namespaces)
            {
                settings.Namespaces.Add(name);
            }

            settings.MaxParallelReconciliations = options.MaxParallelReconciliations;
            settings.LeaderElection.Enabled = options.LeaderElection;
            settings.LeaderElection.Name = "index-operator";
            settings.LeaderElection.Namespace = options.LeaderElectionNamespace;
            settings.LeaderElection.LeaseDuration = options.LeaseDuration;
            settings.LeaderElection.RenewDeadline = options.RenewDeadline;
            settings.LeaderElection.RetryPeriod = options.RetryPeriod;
            settings.Client.RequestsPerSecond = options.RequestsPerSecond;
            settings.Client.RequestBurst = options.RequestBurst;
            settings.Client.FieldManager = "index-operator";
            settings.Events.Controller = "indexoperator.io/index-operator";
            settings.Connection = options.Kubeconfig is { } file ? ApiConnection.FromKubeconfig(file) : null;
        })
        .AddController<PretrainIndexController, PretrainIndex>(Resources.PretrainIndexes, controller =>
        {
            // The finalizer is the planner's decision: a resource that never built anything needs none.
            controller.AutoAttachFinalizers = false;
            controller.IsSettled = Planner.IsSettled;
            controller.Missing = (provider, key, cancellationToken) => provider.GetRequiredService<MissingIndexes>().LookAsync(key, cancellationToken);
            controller.Named = provider => provider.GetRequiredService<Gatherer>().NamedByPods();
            controller.Informer = new InformerOptions<PretrainIndex>
            {
                Transform = SlimForms.Of,
                Indexes = new Dictionary<string, Func<PretrainIndex, IEnumerable<string>>>
                {
                    [ByClaim] = ClaimKeys,
                    [PeerFinder.ByContent] = PeerFinder.ContentKeys,
                    [PeerFinder.ByVersion] = PeerFinder.VersionKeys,
                    [PeerFinder.ByBuildingCache] = PeerFinder.BuildingCacheKeys,
                },
            };
        })
        .Owns<PretrainIndex, V1Job>(Resources.PretrainIndexes, KnownResources.Jobs, new InformerOptions<V1Job>
        {
            LabelSelector = Gatherer.OwnObjects,
            Transform = SlimForms.Of,
            Indexes = new Dictionary<string, Func<V1Job, IEnumerable<string>>> { [PeerFinder.ByWork] = PeerFinder.WorkKeys },
        })
        .Watches<PretrainIndex, V1Pod>(
            KnownResources.Pods,
            new InformerOptions<V1Pod>
            {
                LabelSelector = Gatherer.OwnObjects,
                Transform = SlimForms.Of,
                Indexes = new Dictionary<string, Func<V1Pod, IEnumerable<string>>> { [Gatherer.ByResource] = Gatherer.ResourceKeys },
            },
            (pod, _) => Gatherer.ResourceKeys(pod).Select(_ => new ObjectKey(pod.Metadata.NamespaceProperty, pod.Metadata.Labels[Labels.OwnerName])))
        .Watches<PretrainIndex, V1Pod>(
            KnownResources.Pods,
            new InformerOptions<V1Pod>
            {
                Name = Gatherer.Consumers,
                LabelSelector = Labels.Index,
                Transform = SlimForms.OfConsumer,
                IndexOwners = false,
                Indexes = new Dictionary<string, Func<V1Pod, IEnumerable<string>>> { [Gatherer.ByIndex] = Gatherer.ConsumerKeys, [PeerFinder.ByPinned] = PeerFinder.PinnedKeys },
            },
            (pod, _) => Gatherer.ConsumerKeys(pod).Select(_ => new ObjectKey(pod.Metadata.NamespaceProperty, pod.Metadata.Labels[Labels.Index])))
        .Watches<PretrainIndex, V1ConfigMap>(
            KnownResources.ConfigMaps,
            new InformerOptions<V1ConfigMap> { LabelSelector = BindingPolicy.Selector, Transform = SlimForms.Of },
            BindingOwners)
        .Watches<PretrainIndex, V1PersistentVolumeClaim>(
            KnownResources.PersistentVolumeClaims,
            new InformerOptions<V1PersistentVolumeClaim> { Transform = SlimForms.Of },
            (claim, provider) => provider.GetRequiredService<Store<PretrainIndex>>().ByIndex(ByClaim, ObjectKey.Of(claim).ToString()).Select(ObjectKey.Of));

    // A change of a binding also tells how far the informer is.
    private static IEnumerable<ObjectKey> BindingOwners(V1ConfigMap binding, IServiceProvider provider)
    {
        foreach (var owner in (binding.Metadata.OwnerReferences ?? []).Where(owner => owner.Controller == true && owner.Kind == PretrainIndex.KindName))
        {
            var index = new ObjectKey(binding.Metadata.NamespaceProperty, owner.Name);
            provider.GetRequiredService<OwnWrites>().Saw(index, binding);
            yield return index;
        }
    }

    private static IEnumerable<string> ClaimKeys(PretrainIndex index) =>
        new[] { index.Spec.Data.ClaimName, ClaimPolicy.CacheClaimName(index) }
            .Where(name => !string.IsNullOrEmpty(name))
            .Distinct()
            .Select(name => $"{index.Metadata.NamespaceProperty}/{name}");

    private static void Log(ILoggingBuilder logging, OperatorOptions options)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(options.LogLevel);

        // A filter also overrides the least level: neither may show what --log-level hides.
        logging.AddFilter("Microsoft", Max(options.LogLevel, LogLevel.Warning));
        logging.AddFilter("Microsoft.Hosting.Lifetime", Max(options.LogLevel, LogLevel.Information));
        if (options.JsonLogs)
        {
            logging.AddJsonConsole(console =>
            {
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
            });
        }
        else
        {
            logging.AddSimpleConsole(console =>
            {
                console.UseUtcTimestamp = true;
                console.SingleLine = true;
                console.TimestampFormat = "HH:mm:ss.fff ";
            });
        }
    }

    private static LogLevel Max(LogLevel a, LogLevel b) => a > b ? a : b;

    private static Task Answer(HttpContext context, HealthState health)
    {
        context.Response.StatusCode = health.IsHealthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "text/plain";
        return context.Response.WriteAsync(health.IsHealthy ? "ok" : string.Join('\n', health.Problems), context.RequestAborted);
    }
}
