using System.Collections.Concurrent;
using k8s.Models;

namespace IndexOperator.Runtime.Tests;

/// <summary>A server, an informer of ConfigMaps and what its handlers were told.</summary>
public abstract class InformerTest : IAsyncLifetime
{
    protected const string Maps = "api/v1/configmaps";

    private protected FaultyApiServer Server { get; private set; } = null!;

    protected CancellationTokenSource Stop { get; } = new();

    protected ConcurrentQueue<string> Changes { get; } = new();

    protected ApiClient Client { get; private set; } = null!;

    protected Task Running { get; set; } = Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        Server = await FaultyApiServer.StartAsync();
        Client = Server.Client();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Stop.CancelAsync();
        await Eventually.CompletesAsync("the informer to end when cancelled", Running);
        await Server.DisposeAsync();
        Client.Dispose();
        Stop.Dispose();
    }

    protected Informer<V1ConfigMap> Start(InformerOptions<V1ConfigMap>? options = null)
    {
        options = (options ?? new()) with { BackoffBase = TimeSpan.FromMilliseconds(10), BackoffMax = TimeSpan.FromMilliseconds(50) };
        var informer = new Informer<V1ConfigMap>(Client, KnownResources.ConfigMaps, options);
        informer.AddHandler(change => Changes.Enqueue($"{change.Kind} {change.Key}"));
        Running = informer.RunAsync(Stop.Token);
        return informer;
    }

    protected int Lists => Server.Requests.Count(r => r.Path.EndsWith("configmaps", StringComparison.Ordinal) && !r.Query.Contains("watch=1", StringComparison.Ordinal));

    protected Task SyncedAsync(Informer<V1ConfigMap> informer) =>
        Eventually.TrueAsync("the informer to list and to watch", () => informer.HasSynced && Server.OpenWatches > 0);

    protected Task ChangeAsync(string change) => Eventually.TrueAsync($"'{change}' among: {string.Join(", ", Changes)}", () => Changes.Contains(change));
}
