using System.Collections.Immutable;
using IndexOperator.Runtime;
using k8s;
using k8s.Models;

namespace IndexOperator.Integration.Harness;

/// <summary>Everything that ever happened to the objects of a type in a namespace, from a watch that began before them.</summary>
/// <typeparam name="T">The type of object.</typeparam>
public sealed class History<T> : IAsyncDisposable
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Informer<T> _informer;
    private readonly Task _run;
    private ImmutableList<StoreChange<T>> _changes = [];

    /// <summary>Begins to watch.</summary>
    public History(ApiClient client, ResourceType<T> type, string ns)
    {
        _informer = new Informer<T>(client, type, new InformerOptions<T> { Namespaces = [ns] });
        _informer.AddHandler(change => ImmutableInterlocked.Update(ref _changes, (changes, added) => changes.Add(added), change));
        _run = Task.Run(() => _informer.RunAsync(_stop.Token));
    }

    /// <summary>All changes, in order.</summary>
    public IReadOnlyList<StoreChange<T>> Changes => _changes;

    /// <summary>Every object that ever was, in its first state, by uid.</summary>
    public IReadOnlyList<T> Ever => [.. _changes.Select(change => change.New).DistinctBy(entity => entity.Metadata.Uid)];

    /// <summary>The objects that are there now.</summary>
    public IReadOnlyList<T> Now => _informer.Store.List();

    /// <summary>Waits until the watch is open.</summary>
    public Task WaitForSyncAsync() => _informer.WaitForSyncAsync(CancellationToken.None);

    /// <summary>Calls for each change, also for what was before.</summary>
    public void OnChange(Action<StoreChange<T>> handler) => _informer.AddHandler(handler);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run;
        _stop.Dispose();
    }
}
