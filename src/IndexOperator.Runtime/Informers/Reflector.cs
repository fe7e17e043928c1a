using System.Text.Json;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace IndexOperator.Runtime;

/// <summary>
/// Mirrors one scope (a namespace, or all) into an informer's store.
/// <para>
/// list -> watch -> (server ends it: watch again from the last version)
///               -> (410, ERROR: back off, list again)
///               -> (broken connection: back off, watch again from the last version)
/// </para>
/// </summary>
internal sealed class Reflector<T>(
    Informer<T> informer,
    ApiClient client,
    ResourceType<T> type,
    InformerOptions<T> options,
    string? scope,
    TimeProvider time,
    ILogger logger,
    RuntimeMetrics? metrics)
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly ListQuery _query = new()
    {
        Namespace = scope,
        LabelSelector = options.LabelSelector,
        FieldSelector = options.FieldSelector,
        Limit = options.PageSize,
    };

    private string? _resourceVersion;
    private int _failures;

    public bool HasSynced { get; private set; }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (string.IsNullOrEmpty(_resourceVersion))
                {
                    await ListAsync(cancellationToken);
                }

                await WatchAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (ApiException e)
            {
                // A server that is merely busy lets the watch go on where it was; a list of everything would not help it.
                if (e.Code is not (429 or >= 500))
                {
                    _resourceVersion = null;
                }

                await PauseAsync(e, cancellationToken);
            }
#pragma warning disable CA1031 // a watch must outlive any failure: connection, time-out, half a message
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (e is JsonException)
                {
                    // The object that cannot be read would be met again at the same version; a list tells which one.
                    _resourceVersion = null;
                }

                await PauseAsync(e, cancellationToken);
            }
        }
    }

    private async Task ListAsync(CancellationToken cancellationToken)
    {
        var seen = new HashSet<ObjectKey>();
        var resourceVersion = "";
        await foreach (var page in client.ListPagesAsync(type, _query, cancellationToken))
        {
            if (page.IsFirst)
            {
                seen.Clear();
                resourceVersion = page.ResourceVersion;
            }

            foreach (var entity in page.Items)
            {
                seen.Add(ObjectKey.Of(entity));
                informer.Upsert(entity);
            }
        }

        // Only now: what is missing from the first pages may be on the last.
        foreach (var key in informer.Store.Keys())
        {
            if ((scope is null || key.Namespace == scope) && !seen.Contains(key))
            {
                informer.Delete(key, null);
            }
        }

        metrics?.Listed(type.ToString());
        _resourceVersion = resourceVersion;
        HasSynced = true;
        informer.ReflectorSynced();
    }

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
#pragma warning disable CA5394 // spreading load needs no secret
            var timeout = options.WatchTimeout * (1 + Random.Shared.NextDouble());
#pragma warning restore CA5394
            var started = time.GetTimestamp();
            var events = 0;

            // The server ends a watch by itself. A connection that died without a word is ended from here.
            using var guard = new CancellationTokenSource(timeout + options.IdleGrace, time);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, guard.Token);
            try
            {
                await foreach (var change in client.WatchAsync(type, _query, _resourceVersion!, timeout, linked.Token))
                {
                    events++;
                    Take(change);
                    _failures = 0;
                }
            }
            catch (OperationCanceledException) when (guard.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                logger.LogInformation("The watch of {Resource} outlived its time; watching again", informer.Description);
                continue;
            }

            cancellationToken.ThrowIfCancellationRequested();
            if (events == 0 && time.GetElapsedTime(started) < TimeSpan.FromSeconds(1))
            {
                // A server that ends every watch at once must not be asked in a hot loop.
                await PauseAsync(null, cancellationToken);
            }
            else
            {
                _failures = 0;
            }
        }
    }

    private void Take(WatchEvent<T> change)
    {
        if (change.Entity is { } entity && string.IsNullOrEmpty(entity.Metadata?.Name) && change.Kind is not WatchEventKind.Bookmark)
        {
            throw new JsonException($"a watch of {informer.Description} told of an object without a name");
        }

        switch (change.Kind)
        {
            case WatchEventKind.Added or WatchEventKind.Modified:
                informer.Upsert(change.Entity!);
                break;
            case WatchEventKind.Deleted:
                informer.Delete(ObjectKey.Of(change.Entity!), change.Entity);
                break;
            case WatchEventKind.Error:
                _resourceVersion = null;
                throw change.Error!;
        }

        if (!string.IsNullOrEmpty(change.ResourceVersion))
        {
            _resourceVersion = change.ResourceVersion;
        }
    }

    private async Task PauseAsync(Exception? failure, CancellationToken cancellationToken)
    {
        var delay = Backoff.Delay(_failures++, options.BackoffBase, options.BackoffMax, jitter: 1);
        if (failure is ApiException { IsGone: true })
        {
            logger.LogInformation("{Resource}: the watch fell behind and lists again in {Delay}", informer.Description, delay);
        }
        else if (failure is not null)
        {
            logger.LogWarning(failure, "{Resource}: list or watch failed, next attempt in {Delay}", informer.Description, delay);
        }

        try
        {
            await Task.Delay(delay, time, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The loop sees it.
        }
    }
}
