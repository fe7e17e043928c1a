using System.Collections.Concurrent;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IndexOperator.Runtime.Tests;

/// <summary>A host with the runtime and one controller of config maps, against the fake server.</summary>
internal sealed class TestOperator : IAsyncDisposable
{
    public static readonly InformerOptions<V1ConfigMap> Fast = new() { BackoffBase = TimeSpan.FromMilliseconds(10), BackoffMax = TimeSpan.FromMilliseconds(50) };

    private readonly IHost _host;

    private TestOperator(IHost host)
    {
        _host = host;
    }

    public IServiceProvider Services => _host.Services;

    public RuntimeHealth Health => Services.GetRequiredService<RuntimeHealth>();

    public static async Task<TestOperator> StartAsync(
        FaultyApiServer server,
        Script script,
        Action<IOperatorBuilder>? more = null,
        Action<OperatorSettings>? settings = null,
        Action<ControllerOptions<V1ConfigMap>>? controller = null,
        TimeProvider? time = null,
        ILoggerProvider? logs = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        if (logs is not null)
        {
            builder.Logging.AddProvider(logs);
        }

        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddSingleton(script);
        var runtime = builder.Services.AddKubernetesOperator(s =>
        {
            s.Connection = new ApiConnection(server.Address) { Namespace = "default" };
            s.Client.RequestsPerSecond = 0;
            s.LeaderElection.Enabled = false;
            s.ShutdownGracePeriod = TimeSpan.FromSeconds(10);
            settings?.Invoke(s);
        });
        runtime.AddController<ScriptedController, V1ConfigMap>(KnownResources.ConfigMaps, options =>
        {
            options.Informer = Fast;
            controller?.Invoke(options);
        });
        more?.Invoke(runtime);
        var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        return new TestOperator(host);
    }

    public Task StopAsync() => _host.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}

/// <summary>What a test wants its controller to do, and what the controller was asked.</summary>
internal sealed class Script
{
    public Func<V1ConfigMap, CancellationToken, Task<ReconciliationResult<V1ConfigMap>>> OnReconcile { get; set; } =
        static (map, _) => Task.FromResult(ReconciliationResult<V1ConfigMap>.Success(map));

    public Func<V1ConfigMap, CancellationToken, Task<ReconciliationResult<V1ConfigMap>>> OnFinalize { get; set; } =
        static (map, _) => Task.FromResult(ReconciliationResult<V1ConfigMap>.Success(map));

    public ConcurrentQueue<string> Calls { get; } = new();

    public int Count(string call) => Calls.Count(c => c == call);

    public Task CalledAsync(string call, int times = 1) =>
        Eventually.TrueAsync($"{times} x '{call}' among: {string.Join(", ", Calls)}", () => Count(call) >= times);
}

internal sealed class ScriptedController(Script script) : IEntityController<V1ConfigMap>
{
    public Task<ReconciliationResult<V1ConfigMap>> ReconcileAsync(V1ConfigMap entity, CancellationToken cancellationToken)
    {
        script.Calls.Enqueue($"reconcile {entity.Metadata.Name}");
        return script.OnReconcile(entity, cancellationToken);
    }

    public Task<ReconciliationResult<V1ConfigMap>> DeletedAsync(V1ConfigMap entity, CancellationToken cancellationToken)
    {
        script.Calls.Enqueue($"deleted {entity.Metadata.Name}");
        return Task.FromResult(ReconciliationResult<V1ConfigMap>.Success(entity));
    }
}

internal sealed class ScriptedFinalizer(Script script) : IEntityFinalizer<V1ConfigMap>
{
    public Task<ReconciliationResult<V1ConfigMap>> FinalizeAsync(V1ConfigMap entity, CancellationToken cancellationToken)
    {
        script.Calls.Enqueue($"finalize {entity.Metadata.Name}");
        return script.OnFinalize(entity, cancellationToken);
    }
}
