using k8s;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace IndexOperator.Runtime;

/// <summary>Runs all informers, on leaders and on the others, so that a new leader starts with a warm store.</summary>
internal sealed class InformerService(IEnumerable<IInformer> informers) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(informers.Select(informer => informer.RunAsync(stoppingToken)));
}

/// <summary>Runs the election. Registered before the controllers: services stop in reverse, so the lease is given back last.</summary>
internal sealed class ElectionService(LeaseElector elector) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => elector.RunAsync(stoppingToken);
}

/// <summary>Writes events.</summary>
internal sealed class EventService(EventRecorder recorder) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => recorder.RunAsync(stoppingToken);
}

internal static class InformerLookup
{
    public static Informer<T> InformerOf<T>(this IServiceProvider services, ResourceType<T> type, string name)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var informer = name.Length == 0 ? services.GetService<Informer<T>>() : services.GetKeyedService<Informer<T>>(name);
        return informer ?? throw new InvalidOperationException($"no informer of {type} named '{name}' is registered");
    }
}
