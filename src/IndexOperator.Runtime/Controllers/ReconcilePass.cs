using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using k8s;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace IndexOperator.Runtime;

/// <summary>
/// One pass over one key.
/// <para>gone -> DeletedAsync; not there -> Missing; being deleted -> our finalizers; finalizer missing -> attach, end; otherwise -> ReconcileAsync</para>
/// <para>A controller without registered finalizers gets what is being deleted too: it may hold a finalizer of its own making.</para>
/// </summary>
internal sealed class ReconcilePass<TEntity>(
    IServiceProvider services,
    ControllerRegistration<TEntity> registration,
    Informer<TEntity> informer,
    TimeSpan deadline,
    ILogger logger)
    where TEntity : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly ApiClient _client = services.GetRequiredService<ApiClient>();
    private readonly TimeProvider _time = services.GetRequiredService<TimeProvider>();
    private readonly RuntimeMetrics _metrics = services.GetRequiredService<RuntimeMetrics>();
    private readonly List<FinalizerRegistration<TEntity>> _finalizers = [.. services.GetServices<FinalizerRegistration<TEntity>>()];
    private readonly bool _attach = registration.Options.AutoAttachFinalizers ?? services.GetRequiredService<OperatorSettings>().AutoAttachFinalizers;
    private readonly ConcurrentDictionary<ObjectKey, TEntity> _deleted = new();

    public void RememberDeleted(ObjectKey key, TEntity last) => _deleted[key] = last;

    public void ForgetDeleted() => _deleted.Clear();

    /// <summary>Runs the pass and decides when the key comes again. Never throws.</summary>
    public async Task RunAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken)
    {
        using var activity = RuntimeMetrics.Activities.StartActivity("Reconcile", ActivityKind.Internal, parentContext: default);
        activity?.SetTag("controller", registration.Name).SetTag("k8s.object", key.ToString());
        using var timeout = new CancellationTokenSource(deadline, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        var started = _time.GetTimestamp();
        string outcome;
        try
        {
            outcome = Conclude(queue, key, await ReconcileAsync(key, linked.Token));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The term or the process is over: whoever comes next looks at everything anyway.
            activity?.SetStatus(ActivityStatusCode.Unset, "cancelled");
            return;
        }
#pragma warning disable CA1031 // a pass may fail in any way; it is tried again
        catch (Exception e)
#pragma warning restore CA1031
        {
            _metrics.Threw(registration.Name);
            var late = e is OperationCanceledException && timeout.IsCancellationRequested;
            var message = late ? string.Create(CultureInfo.InvariantCulture, $"the pass took longer than {deadline.TotalSeconds} s") : e.Message;
            outcome = Retry(queue, key, message, e is ApiException or LeadershipLostException || late ? null : e, (e as ApiException)?.IsConflict == true);
            activity?.SetStatus(ActivityStatusCode.Error, message);
        }

        activity?.SetTag("result", outcome);
        _metrics.Reconciled(registration.Name, outcome, _time.GetElapsedTime(started).TotalSeconds);
    }

    private string Conclude(WorkQueue<ObjectKey> queue, ObjectKey key, ReconciliationResult<TEntity>? result)
    {
        switch (result)
        {
            case { IsSuccess: false, RequeueAfter: { } after }:
                logger.LogWarning(result.Error, "{Controller} {Key}: {Message}; again in {Delay}", registration.Name, key, result.ErrorMessage, after);
                queue.AddAfter(key, after);
                Activity.Current?.SetStatus(ActivityStatusCode.Error, result.ErrorMessage);
                return "error";
            case { IsSuccess: false }:
                Activity.Current?.SetStatus(ActivityStatusCode.Error, result.ErrorMessage);
                return Retry(queue, key, result.ErrorMessage ?? "failed", result.Error, isConflict: false);
            case { RequeueAfter: { } after }:
                queue.Forget(key);
                queue.AddAfter(key, after);
                return "requeue_after";
            default:
                queue.Forget(key);
                return "success";
        }
    }

    private string Retry(WorkQueue<ObjectKey> queue, ObjectKey key, string message, Exception? error, bool isConflict)
    {
        var failures = queue.Failures(key) + 1;
        var delay = queue.AddRateLimited(key);

        // A conflict only says that the store was a moment behind.
        logger.Log(
            isConflict ? LogLevel.Information : LogLevel.Warning,
            error,
            "{Controller} {Key}: {Message} (failure {Failures}); again in {Delay}",
            registration.Name,
            key,
            message,
            failures,
            delay);
        return "error";
    }

    private async Task<ReconciliationResult<TEntity>?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_deleted.TryGetValue(key, out var gone))
        {
            var told = await WithControllerAsync(controller => controller.DeletedAsync(gone, cancellationToken));
            if (!told.IsSuccess || told.RequeueAfter is not null)
            {
                return told;
            }

            _deleted.TryRemove(KeyValuePair.Create(key, gone));
        }

        if (informer.Store.Get(key) is not { } entity)
        {
            if (registration.Options.Missing is { } missing)
            {
                await missing(services, key, cancellationToken);
            }

            return null;
        }

        if (entity.Metadata.DeletionTimestamp is not null && _finalizers.Count > 0)
        {
            return await FinalizeAsync(key, cancellationToken);
        }

        if (_attach && _finalizers.Exists(finalizer => !Finalizers.Has(entity, finalizer.Identifier)))
        {
            // The change comes back through the watch and asks for the pass that does the work.
            await Finalizers.AttachAsync(_client, registration.Type, entity, _finalizers.Select(finalizer => finalizer.Identifier), cancellationToken);
            return null;
        }

        return await WithControllerAsync(controller => controller.ReconcileAsync(entity, cancellationToken));
    }

    private async Task<ReconciliationResult<TEntity>?> FinalizeAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        // Cleaning up cannot be undone: look at what is there now, not at what the store remembers.
        var entity = await _client.FindAsync(registration.Type, key, cancellationToken);
        var result = default(ReconciliationResult<TEntity>);
        foreach (var finalizer in _finalizers)
        {
            if (entity?.Metadata.DeletionTimestamp is null || !Finalizers.Has(entity, finalizer.Identifier))
            {
                continue;
            }

            await using (var scope = services.CreateAsyncScope())
            {
                result = await finalizer.Create(scope.ServiceProvider).FinalizeAsync(entity, cancellationToken);
            }

            if (!result.IsSuccess || result.RequeueAfter is not null)
            {
                return result;
            }

            entity = await DetachAsync(entity, finalizer.Identifier, cancellationToken);
        }

        return result;
    }

    private async Task<TEntity?> DetachAsync(TEntity entity, string finalizer, CancellationToken cancellationToken)
    {
        try
        {
            return await Finalizers.DetachAsync(_client, registration.Type, entity, finalizer, cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    private async Task<ReconciliationResult<TEntity>> WithControllerAsync(Func<IEntityController<TEntity>, Task<ReconciliationResult<TEntity>>> call)
    {
        await using var scope = services.CreateAsyncScope();
        return await call(registration.Create(scope.ServiceProvider));
    }
}
