using k8s;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IndexOperator.Runtime;

/// <summary>What health checks ask of a controller.</summary>
internal interface IControllerLoop
{
    string Name { get; }

    bool HasEnded { get; }

    /// <summary>How far the slowest pass is beyond its deadline.</summary>
    TimeSpan Overdue { get; }
}

/// <summary>
/// Runs one controller: a queue and workers for each term of leadership. The queue lives as long as the term, so a
/// former leader has no leftover requeues, and a new one starts by looking at everything there is.
/// </summary>
internal sealed class ControllerLoop<TEntity> : BackgroundService, IControllerLoop, IEntityQueue<TEntity>
    where TEntity : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly ControllerRegistration<TEntity> _registration;
    private readonly OperatorSettings _settings;
    private readonly Informer<TEntity> _informer;
    private readonly List<IInformer> _informers;
    private readonly ILeadership _leadership;
    private readonly ReconcilePass<TEntity> _pass;
    private readonly IServiceProvider _services;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RuntimeMetrics _metrics;
    private volatile WorkQueue<ObjectKey>? _queue;

    public ControllerLoop(IServiceProvider services, ControllerRegistration<TEntity> registration)
    {
        _registration = registration;
        _services = services;
        _settings = services.GetRequiredService<OperatorSettings>();
        _leadership = services.GetRequiredService<ILeadership>();
        _time = services.GetRequiredService<TimeProvider>();
        _metrics = services.GetRequiredService<RuntimeMetrics>();
        _logger = services.GetRequiredService<ILoggerFactory>().CreateLogger($"IndexOperator.Runtime.Controller.{registration.Name}");
        _informer = services.InformerOf(registration.Type, registration.Options.Informer.Name);
        _pass = new ReconcilePass<TEntity>(services, registration, _informer, PassDeadline, _logger);
        _informers = [_informer];
        foreach (var watch in services.GetServices<WatchRegistration<TEntity>>())
        {
            _informers.Add(watch.Informer(services));
            watch.Connect(services, key => _queue?.Add(key));
        }

        _informer.AddHandler(OnChange);
    }

    public string Name => _registration.Name;

    public bool HasEnded => ExecuteTask is { IsCompleted: true };

    public TimeSpan Overdue => _queue is { } queue ? queue.LongestRunning - PassDeadline : TimeSpan.Zero;

    private TimeSpan PassDeadline => _registration.Options.PassDeadline ?? _settings.PassDeadline;

    public void Requeue(ObjectKey key, TimeSpan? after = null) => _queue?.AddAfter(key, after ?? TimeSpan.Zero);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            foreach (var informer in _informers)
            {
                await informer.WaitForSyncAsync(stoppingToken);
            }

            while (!stoppingToken.IsCancellationRequested)
            {
                var term = await _leadership.WaitAsync(stoppingToken);
                await RunTermAsync(term, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task RunTermAsync(CancellationToken term, CancellationToken stopping)
    {
        var workers = _registration.Options.MaxParallelReconciliations ?? _settings.MaxParallelReconciliations;
        using var queue = new WorkQueue<ObjectKey>(_registration.Options.Queue with { Name = Name }, _time, _metrics);

        // Passes under way may finish when the process stops, within the grace period; when the term ends they may not.
        using var grace = new CancellationTokenSource();
        using var passes = CancellationTokenSource.CreateLinkedTokenSource(term, grace.Token);
        using var taking = CancellationTokenSource.CreateLinkedTokenSource(term);
        await using var registration = stopping.Register(() =>
        {
            // First of all no worker may take another key, or it would be cut short.
            taking.Cancel();
            _ = EndGraceAsync(grace, queue);
        });
        using var resync = StartResync(queue);

        _metrics.SetMaximum(Name, workers);
        _queue = queue;
        EnqueueAll(queue);
        _logger.LogInformation("Controller {Controller} starts with {Workers} workers and {Count} entities", Name, workers, _informer.Store.Count);
        try
        {
            await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(() => WorkAsync(queue, taking.Token, passes.Token), CancellationToken.None)));
        }
        finally
        {
            _queue = null;
            queue.ShutDown();
            _pass.ForgetDeleted();
            _logger.LogInformation("Controller {Controller} stopped", Name);
        }
    }

    private async Task WorkAsync(WorkQueue<ObjectKey> queue, CancellationToken taking, CancellationToken passes)
    {
        while (!taking.IsCancellationRequested)
        {
            ObjectKey key;
            try
            {
                (var taken, key) = await queue.TakeAsync(taking);
                if (!taken)
                {
                    return;
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }

            _metrics.WorkersChanged(Name, 1);
            try
            {
                if (taking.IsCancellationRequested)
                {
                    return;
                }

                await _pass.RunAsync(queue, key, passes);
            }
            finally
            {
                queue.Done(key);
                _metrics.WorkersChanged(Name, -1);
            }
        }
    }

    private async Task EndGraceAsync(CancellationTokenSource grace, WorkQueue<ObjectKey> queue)
    {
        queue.ShutDown();
        try
        {
            await Task.WhenAny(queue.DrainAsync(CancellationToken.None), Task.Delay(_settings.ShutdownGracePeriod, _time));
            await grace.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // The workers were done first.
        }
    }

    private ITimer? StartResync(WorkQueue<ObjectKey> queue) =>
        _settings.Resync is { } period && period > TimeSpan.Zero ? _time.CreateTimer(_ => EnqueueAll(queue), null, period, period) : null;

    private void EnqueueAll(WorkQueue<ObjectKey> queue)
    {
        foreach (var entity in _informer.Store.List())
        {
            if (_registration.Options.IsSettled is { } isSettled && !isSettled(entity))
            {
                queue.Add(ObjectKey.Of(entity));
            }
            else
            {
                queue.AddInPassing(ObjectKey.Of(entity));
            }
        }

        foreach (var key in _registration.Options.Named?.Invoke(_services) ?? [])
        {
            queue.Add(key);
        }
    }

    private void OnChange(StoreChange<TEntity> change)
    {
        if (_queue is not { } queue)
        {
            return;
        }

        if (change.Kind == ChangeKind.Deleted)
        {
            _pass.RememberDeleted(change.Key, change.New);
            queue.Add(change.Key);
        }
        else if (_registration.Options.Predicate is not { } predicate || predicate(change))
        {
            queue.Add(change.Key);
        }
    }
}
