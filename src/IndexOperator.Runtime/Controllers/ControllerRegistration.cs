using k8s;
using k8s.Models;

namespace IndexOperator.Runtime;

/// <summary>What the builder was told of one controller.</summary>
internal sealed class ControllerRegistration<TEntity>(ResourceType<TEntity> type, ControllerOptions<TEntity> options, Func<IServiceProvider, IEntityController<TEntity>> create)
    where TEntity : class, IKubernetesObject<V1ObjectMeta>
{
    public ResourceType<TEntity> Type { get; } = type;

    public ControllerOptions<TEntity> Options { get; } = options;

    public Func<IServiceProvider, IEntityController<TEntity>> Create { get; } = create;

    public string Name => Options.Name ?? Type.Kind.ToLowerInvariant();
}

/// <summary>What the builder was told of one finalizer.</summary>
internal sealed record FinalizerRegistration<TEntity>(string Identifier, Func<IServiceProvider, IEntityFinalizer<TEntity>> Create)
    where TEntity : class, IKubernetesObject<V1ObjectMeta>;

/// <summary>Another resource whose changes ask for passes of a controller.</summary>
internal sealed record WatchRegistration<TEntity>(Func<IServiceProvider, IInformer> Informer, Action<IServiceProvider, Action<ObjectKey>> Connect)
    where TEntity : class, IKubernetesObject<V1ObjectMeta>;
