using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace IndexOperator.Runtime;

/// <summary>Something that keeps a store in step with the cluster.</summary>
public interface IInformer
{
    /// <summary>What it watches, for messages.</summary>
    string Description { get; }

    /// <summary>Whether the first complete list has been taken in, of every namespace.</summary>
    bool HasSynced { get; }

    /// <summary>Completes at that moment.</summary>
    Task WaitForSyncAsync(CancellationToken cancellationToken);

    /// <summary>Runs until cancelled.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}

/// <summary>
/// Lists, then watches, and so keeps a <see cref="Store{T}"/> in step with the cluster; tells handlers of every change.
/// Deletions that happened while no watch was open are found by comparing a complete list with the store.
/// </summary>
/// <typeparam name="T">The type of object.</typeparam>
public sealed class Informer<T> : IInformer
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly Lock _dispatch = new();
    private readonly List<Action<StoreChange<T>>> _handlers = [];
    private readonly List<Reflector<T>> _reflectors;
    private readonly InformerOptions<T> _options;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Makes an informer; it does nothing until <see cref="RunAsync"/>.</summary>
    public Informer(
        ApiClient client,
        ResourceType<T> type,
        InformerOptions<T>? options = null,
        TimeProvider? time = null,
        ILogger<Informer<T>>? logger = null,
        RuntimeMetrics? metrics = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(type);
        Type = type;
        _options = options ?? new InformerOptions<T>();
        _logger = logger ?? NullLogger<Informer<T>>.Instance;
        if (_options.IndexOwners)
        {
            Store.AddOwnerIndex();
        }

        foreach (var (name, values) in _options.Indexes)
        {
            Store.AddIndex(name, values);
        }

        string?[] scopes = type.Namespaced && _options.Namespaces is { Count: > 0 } named ? [.. named.Distinct()] : [null];
        _reflectors = [.. scopes.Select(ns => new Reflector<T>(this, client, type, _options, ns, time ?? TimeProvider.System, _logger, metrics))];
    }

    /// <summary>The resource.</summary>
    public ResourceType<T> Type { get; }

    /// <summary>What is known.</summary>
    public Store<T> Store { get; } = new();

    /// <inheritdoc/>
    public string Description => string.IsNullOrEmpty(_options.Name) ? Type.ToString() : $"{Type} ({_options.Name})";

    /// <inheritdoc/>
    public bool HasSynced => _synced.Task.IsCompleted;

    /// <inheritdoc/>
    public Task WaitForSyncAsync(CancellationToken cancellationToken) => _synced.Task.WaitAsync(cancellationToken);

    /// <summary>
    /// Adds a handler. It is called for each change in order, one at a time, on the watch's own loop: it must be quick
    /// (put a key into a queue). What is in the store already is told as Added.
    /// </summary>
    public void AddHandler(Action<StoreChange<T>> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        lock (_dispatch)
        {
            _handlers.Add(handler);
            foreach (var entity in Store.List())
            {
                Tell(handler, new StoreChange<T>(ChangeKind.Added, ObjectKey.Of(entity), null, entity));
            }
        }
    }

    /// <inheritdoc/>
    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(_reflectors.Select(reflector => reflector.RunAsync(cancellationToken)));

    internal void Upsert(T entity)
    {
        var key = ObjectKey.Of(entity);
        lock (_dispatch)
        {
            if (Store.Get(key) is { } same && same.Metadata?.ResourceVersion is { } version && version == entity.Metadata?.ResourceVersion)
            {
                // A list repeats what is known: keep the old object, so that the new one dies young.
                return;
            }

            var stored = _options.Transform?.Invoke(entity) ?? entity;
            var old = Store.Put(key, stored);
            if (old is null)
            {
                Tell(new StoreChange<T>(ChangeKind.Added, key, null, stored));
            }
            else if (old.Metadata?.Uid != stored.Metadata?.Uid)
            {
                // Deleted and made anew while nobody watched: that was two things, not one.
                Tell(new StoreChange<T>(ChangeKind.Deleted, key, old, old));
                Tell(new StoreChange<T>(ChangeKind.Added, key, null, stored));
            }
            else
            {
                Tell(new StoreChange<T>(ChangeKind.Updated, key, old, stored));
            }
        }
    }

    internal void Delete(ObjectKey key, T? last)
    {
        lock (_dispatch)
        {
            if (Store.Remove(key) is { } old)
            {
                Tell(new StoreChange<T>(ChangeKind.Deleted, key, old, last is null ? old : _options.Transform?.Invoke(last) ?? last));
            }
        }
    }

    internal void ReflectorSynced()
    {
        if (_reflectors.TrueForAll(reflector => reflector.HasSynced))
        {
            _synced.TrySetResult();
        }
    }

    private void Tell(StoreChange<T> change)
    {
        foreach (var handler in _handlers)
        {
            Tell(handler, change);
        }
    }

    private void Tell(Action<StoreChange<T>> handler, StoreChange<T> change)
    {
        try
        {
            handler(change);
        }
#pragma warning disable CA1031 // one bad handler must not end the watch for the others
        catch (Exception e)
#pragma warning restore CA1031
        {
            _logger.LogError(e, "A handler of {Resource} failed on {Kind} {Key}", Description, change.Kind, change.Key);
        }
    }
}
