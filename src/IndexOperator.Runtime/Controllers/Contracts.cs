using k8s;
using k8s.Models;

namespace IndexOperator.Runtime;

/// <summary>Brings the world in line with an entity. A new instance serves each pass (scoped in dependency injection).</summary>
/// <typeparam name="TEntity">The type of entity.</typeparam>
public interface IEntityController<TEntity>
    where TEntity : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>
    /// Looks at the whole state and does what is missing. It is called again for every change, after every failure and
    /// after every restart, so it must be repeatable. The entity comes from the informer's store and is shared: copy
    /// it (<c>with</c>) instead of changing it. Where no finalizers are registered it is also called for what is being
    /// deleted: a controller that attaches finalizers itself detaches them here, any other must leave such entities alone.
    /// </summary>
    Task<ReconciliationResult<TEntity>> ReconcileAsync(TEntity entity, CancellationToken cancellationToken);

    /// <summary>Called, if this process saw it, after an entity is gone; for what must never be missed use a finalizer.</summary>
    Task<ReconciliationResult<TEntity>> DeletedAsync(TEntity entity, CancellationToken cancellationToken);
}

/// <summary>Does what must happen before an entity may go.</summary>
/// <typeparam name="TEntity">The type of entity.</typeparam>
public interface IEntityFinalizer<TEntity>
    where TEntity : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>
    /// Cleans up. Success lets the entity go; Success with a time to requeue, or Failure, keeps it and looks again.
    /// </summary>
    Task<ReconciliationResult<TEntity>> FinalizeAsync(TEntity entity, CancellationToken cancellationToken);
}

/// <summary>How a pass ended.</summary>
/// <typeparam name="TEntity">The type of entity.</typeparam>
public sealed record ReconciliationResult<TEntity>
    where TEntity : class, IKubernetesObject<V1ObjectMeta>
{
    private ReconciliationResult(TEntity entity)
    {
        Entity = entity;
    }

    /// <summary>The entity, perhaps as last written.</summary>
    public TEntity Entity { get; }

    /// <summary>Whether the pass did all it wanted.</summary>
    public bool IsSuccess { get; private init; }

    /// <summary>When to look again without being told to.</summary>
    public TimeSpan? RequeueAfter { get; private init; }

    /// <summary>What failed, for people.</summary>
    public string? ErrorMessage { get; private init; }

    /// <summary>What failed.</summary>
    public Exception? Error { get; private init; }

#pragma warning disable CA1000 // KubeOps' shape: ReconciliationResult<T>.Success(entity) is what people know
    /// <summary>Everything was done. Earlier failures are forgotten.</summary>
    public static ReconciliationResult<TEntity> Success(TEntity entity, TimeSpan? requeueAfter = null) =>
        new(entity) { IsSuccess = true, RequeueAfter = requeueAfter };

    /// <summary>Something failed. It is tried again with exponential backoff, or after the time given.</summary>
    public static ReconciliationResult<TEntity> Failure(
        TEntity entity, string errorMessage, Exception? error = null, TimeSpan? requeueAfter = null) =>
        new(entity) { ErrorMessage = errorMessage, Error = error, RequeueAfter = requeueAfter };
#pragma warning restore CA1000
}

/// <summary>Asks for a pass from outside, like from an HTTP request. Does nothing where this process does not lead.</summary>
/// <typeparam name="TEntity">The type of entity.</typeparam>
#pragma warning disable CA1711 // it is a queue
public interface IEntityQueue<TEntity>
#pragma warning restore CA1711
    where TEntity : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>Asks for a pass, now or later; asking never cancels or delays a pass asked for before.</summary>
    void Requeue(ObjectKey key, TimeSpan? after = null);
}
