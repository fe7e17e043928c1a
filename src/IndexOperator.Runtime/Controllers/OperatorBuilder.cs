using System.Diagnostics.CodeAnalysis;
using k8s;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IndexOperator.Runtime;

/// <summary>Puts an operator together.</summary>
public interface IOperatorBuilder
{
    /// <summary>The services of the host.</summary>
    IServiceCollection Services { get; }

    /// <summary>Adds a controller and the informer of its entities.</summary>
    IOperatorBuilder AddController<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TController, TEntity>(
        ResourceType<TEntity> type, Action<ControllerOptions<TEntity>>? configure = null)
        where TController : class, IEntityController<TEntity>
        where TEntity : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Adds a finalizer under a name like <c>example.com/cleanup</c>.</summary>
    IOperatorBuilder AddFinalizer<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TFinalizer, TEntity>(string identifier)
        where TFinalizer : class, IEntityFinalizer<TEntity>
        where TEntity : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>
    /// Adds an informer: <see cref="Informer{T}"/> and <see cref="Store{T}"/> can then be injected, as keyed services
    /// when it has a name. Adding one that is there already changes nothing.
    /// </summary>
    IOperatorBuilder AddInformer<T>(ResourceType<T> type, InformerOptions<T>? options = null)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Adds an informer whose changes ask for passes of a controller: of the entities that <paramref name="owners"/> names.</summary>
    /// <param name="type">The other resource.</param>
    /// <param name="options">Selectors, indexes and so on; null for all objects.</param>
    /// <param name="owners">The entities that an object concerns. Asked of both the old and the new state. Must be quick.</param>
    IOperatorBuilder Watches<TEntity, TOther>(
        ResourceType<TOther> type, InformerOptions<TOther>? options, Func<TOther, IServiceProvider, IEnumerable<ObjectKey>> owners)
        where TEntity : class, IKubernetesObject<V1ObjectMeta>
        where TOther : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Adds an informer of objects that name an entity as their controlling owner; their changes ask for its passes.</summary>
    IOperatorBuilder Owns<TEntity, TOther>(ResourceType<TEntity> owner, ResourceType<TOther> type, InformerOptions<TOther>? options = null)
        where TEntity : class, IKubernetesObject<V1ObjectMeta>
        where TOther : class, IKubernetesObject<V1ObjectMeta>;
}

/// <summary>Entry point.</summary>
public static class OperatorServiceCollectionExtensions
{
    /// <summary>
    /// Key of an <see cref="ApiClient"/> for what every replica does, leading or not: its writes pass no fence, and it has a rate and
    /// connections of its own. Only for writes that replicas may make at the same time.
    /// </summary>
    public const string UnfencedClient = "every-replica";

    private const string ElectionClient = "leader-election";

    /// <summary>Adds the runtime: client, informers, election, events, metrics, health.</summary>
    public static IOperatorBuilder AddKubernetesOperator(this IServiceCollection services, Action<OperatorSettings>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var settings = new OperatorSettings();
        configure?.Invoke(settings);
        services.AddSingleton(settings);
        services.AddSingleton(settings.LeaderElection);
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.TryAddSingleton<RuntimeMetrics>();
        services.TryAddSingleton(_ => settings.Connection ?? ApiConnection.Default());
        services.TryAddSingleton(p => new ApiClient(
            p.GetRequiredService<ApiConnection>(),
            settings.Client,
            p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<ApiClient>>(),
            p.GetRequiredService<RuntimeMetrics>(),
            p.GetRequiredService<ILeadership>() as IWriteFence));
        services.AddKeyedSingleton(UnfencedClient, (p, _) => new ApiClient(
            p.GetRequiredService<ApiConnection>(),
            new ApiClientOptions { FieldManager = settings.Client.FieldManager, UserAgent = $"{settings.Client.UserAgent}/every-replica ({settings.LeaderElection.Identity})" },
            p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<ApiClient>>(),
            p.GetRequiredService<RuntimeMetrics>()));
        services.TryAddSingleton(p => new EventRecorder(
            p.GetRequiredService<ApiClient>(),
            settings.Events,
            p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<EventRecorder>>(),
            p.GetRequiredService<RuntimeMetrics>()));
        services.TryAddSingleton<RuntimeHealth>();

        // In this order: they stop in reverse, controllers (added later) first, then events, which are writes of the term
        // too, then the lease, then informers.
        services.AddHostedService<InformerService>();
        if (settings.LeaderElection.Enabled)
        {
            // A client of its own: renewals must neither queue behind the controllers' requests nor share their connection.
            services.AddKeyedSingleton(ElectionClient, (p, _) => new ApiClient(
                p.GetRequiredService<ApiConnection>(),
                new ApiClientOptions { FieldManager = settings.Client.FieldManager, UserAgent = $"{settings.Client.UserAgent}/leader-election ({settings.LeaderElection.Identity})", RequestsPerSecond = 0 },
                p.GetRequiredService<TimeProvider>(),
                p.GetRequiredService<ILogger<ApiClient>>(),
                p.GetRequiredService<RuntimeMetrics>()));
            services.TryAddSingleton(p => new LeaseElector(
                p.GetRequiredKeyedService<ApiClient>(ElectionClient),
                settings.LeaderElection,
                p.GetRequiredService<TimeProvider>(),
                p.GetRequiredService<ILogger<LeaseElector>>(),
                p.GetRequiredService<RuntimeMetrics>()));
            services.TryAddSingleton<ILeadership>(p => p.GetRequiredService<LeaseElector>());
            services.AddHostedService<ElectionService>();
        }
        else
        {
            services.TryAddSingleton<ILeadership, SoleReplica>();
        }

        services.AddHostedService<EventService>();

        return new OperatorBuilder(services, settings);
    }
}

internal sealed class OperatorBuilder(IServiceCollection services, OperatorSettings settings) : IOperatorBuilder
{
    public IServiceCollection Services => services;

    public IOperatorBuilder AddController<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TController, TEntity>(
        ResourceType<TEntity> type, Action<ControllerOptions<TEntity>>? configure = null)
        where TController : class, IEntityController<TEntity>
        where TEntity : class, IKubernetesObject<V1ObjectMeta>
    {
        var options = new ControllerOptions<TEntity>();
        configure?.Invoke(options);
        AddInformer(type, options.Informer);
        services.TryAddScoped<TController>();
        var registration = new ControllerRegistration<TEntity>(type, options, p => p.GetRequiredService<TController>());
        services.AddSingleton(p => new ControllerLoop<TEntity>(p, registration));
        services.AddSingleton<IControllerLoop>(p => p.GetRequiredService<ControllerLoop<TEntity>>());
        services.AddSingleton<IEntityQueue<TEntity>>(p => p.GetRequiredService<ControllerLoop<TEntity>>());
        services.AddSingleton<IHostedService>(p => p.GetRequiredService<ControllerLoop<TEntity>>());
        return this;
    }

    public IOperatorBuilder AddFinalizer<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TFinalizer, TEntity>(
        string identifier)
        where TFinalizer : class, IEntityFinalizer<TEntity>
        where TEntity : class, IKubernetesObject<V1ObjectMeta>
    {
        if (!identifier.Contains('/', StringComparison.Ordinal))
        {
            throw new ArgumentException("a finalizer's name must be qualified, like example.com/cleanup", nameof(identifier));
        }

        services.TryAddScoped<TFinalizer>();
        services.AddSingleton(new FinalizerRegistration<TEntity>(identifier, p => p.GetRequiredService<TFinalizer>()));
        return this;
    }

    public IOperatorBuilder AddInformer<T>(ResourceType<T> type, InformerOptions<T>? options = null)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var wanted = options ?? new InformerOptions<T>();
        var key = wanted.Name.Length == 0 ? null : wanted.Name;
        if (services.Any(service => service.ServiceType == typeof(Informer<T>) && Equals(service.ServiceKey, key)))
        {
            return this;
        }

        Informer<T> Make(IServiceProvider p) => new(
            p.GetRequiredService<ApiClient>(),
            type,
            wanted with { Namespaces = wanted.Namespaces ?? [.. settings.Namespaces] },
            p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<Informer<T>>>(),
            p.GetRequiredService<RuntimeMetrics>());
        if (key is null)
        {
            services.AddSingleton(Make);
            services.AddSingleton(p => p.GetRequiredService<Informer<T>>().Store);
        }
        else
        {
            services.AddKeyedSingleton(key, (p, _) => Make(p));
            services.AddKeyedSingleton(key, (p, name) => p.GetRequiredKeyedService<Informer<T>>(name).Store);
        }

        services.AddSingleton<IInformer>(p => p.InformerOf(type, wanted.Name));
        return this;
    }

    public IOperatorBuilder Watches<TEntity, TOther>(
        ResourceType<TOther> type, InformerOptions<TOther>? options, Func<TOther, IServiceProvider, IEnumerable<ObjectKey>> owners)
        where TEntity : class, IKubernetesObject<V1ObjectMeta>
        where TOther : class, IKubernetesObject<V1ObjectMeta>
    {
        AddInformer(type, options);
        var name = options?.Name ?? "";
        services.AddSingleton(new WatchRegistration<TEntity>(
            p => p.InformerOf(type, name),
            (p, enqueue) => p.InformerOf(type, name).AddHandler(change =>
            {
                // The old state too: who just lost an object should notice.
                var keys = owners(change.New, p);
                foreach (var key in change.Old is null ? keys : keys.Union(owners(change.Old, p)))
                {
                    enqueue(key);
                }
            })));
        return this;
    }

    public IOperatorBuilder Owns<TEntity, TOther>(ResourceType<TEntity> owner, ResourceType<TOther> type, InformerOptions<TOther>? options = null)
        where TEntity : class, IKubernetesObject<V1ObjectMeta>
        where TOther : class, IKubernetesObject<V1ObjectMeta> =>
        Watches<TEntity, TOther>(type, options, (other, _) => OwnersOf(owner, other));

    private static IEnumerable<ObjectKey> OwnersOf<TEntity, TOther>(ResourceType<TEntity> owner, TOther other)
        where TEntity : class, IKubernetesObject<V1ObjectMeta>
        where TOther : class, IKubernetesObject<V1ObjectMeta>
    {
        // The group matters, the version does not: an owner may have been named under an older one.
        var prefix = owner.Group.Length == 0 ? "" : owner.Group + "/";
        return from reference in other.Metadata?.OwnerReferences ?? []
               where reference.Controller == true && reference.Kind == owner.Kind
               where prefix.Length == 0 ? !reference.ApiVersion.Contains('/', StringComparison.Ordinal)
                   : reference.ApiVersion.StartsWith(prefix, StringComparison.Ordinal)
               select new ObjectKey(owner.Namespaced ? other.Metadata?.NamespaceProperty ?? "" : "", reference.Name);
    }
}
