using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace IndexOperator.Runtime.Tests;

/// <summary>The example of the runtime's README, run.</summary>
public sealed partial class ExampleTests
{
    private const string Maps = "api/v1/configmaps";

    [Fact]
    public async Task Labelled_config_maps_are_copied_and_their_copies_go_with_them()
    {
        await using var server = await FaultyApiServer.StartAsync();
        server.Put(Maps, "here", "one", new JsonObject
        {
            ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["copy-to"] = "there" } },
            ["data"] = new JsonObject { ["k"] = "v" },
        });
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKubernetesOperator(settings =>
            {
                settings.Connection = new ApiConnection(server.Address) { Namespace = "default" };
                settings.Namespaces.Add("here");
                settings.LeaderElection.Name = "copier";
            })
            .AddController<CopyController, V1ConfigMap>(KnownResources.ConfigMaps, options => options.Informer = new() { LabelSelector = "copy-to" })
            .AddFinalizer<CopyFinalizer, V1ConfigMap>("example.com/copies");
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);

        await Eventually.TrueAsync("the copy", () => server.Find(Maps, "there", "one")?["data"]?["k"]?.GetValue<string>() == "v");
        await Eventually.TrueAsync("the event", () => server.All("apis/events.k8s.io/v1/events").Count == 1);
        var client = host.Services.GetRequiredService<ApiClient>();
        await client.DeleteAsync(KnownResources.ConfigMaps, new ObjectKey("here", "one"), TestContext.Current.CancellationToken);
        await Eventually.TrueAsync("both to go", () => server.All(Maps).Count == 0);
        await host.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal("", server.All("apis/coordination.k8s.io/v1/leases")[0]["spec"]!["holderIdentity"]!.GetValue<string>());
    }

    [Fact]
    public void A_resource_of_ones_own_needs_one_contract_only()
    {
        var widgets = new ResourceType<Widget>("example.com", "v1", "Widget", "widgets", WidgetContext.Default.Widget);
        Assert.Equal("apis/example.com/v1/namespaces/a/widgets/one/status", widgets.ObjectPath(new ObjectKey("a", "one"), "status"));
        var read = JsonSerializer.Deserialize(
            """{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"one","creationTimestamp":"2026-01-02T03:04:05Z","managedFields":[{"manager":"x"}]},"size":3}""",
            widgets.Item)!;
        Assert.Equal(3, read.Size);
        Assert.Null(read.Metadata.ManagedFields);
        Assert.Equal("""{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"creationTimestamp":"2026-01-02T03:04:05Z","name":"one"},"size":3}""", JsonSerializer.Serialize(read, widgets.Item));
    }

    internal sealed class Widget : IKubernetesObject<V1ObjectMeta>
    {
        public string ApiVersion { get; set; } = null!;

        public string Kind { get; set; } = null!;

        public V1ObjectMeta Metadata { get; set; } = null!;

        public int? Size { get; set; }
    }

    [JsonSourceGenerationOptions(
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
        Converters = [typeof(KubernetesJson.KubernetesDateTimeConverter), typeof(KubernetesJson.KubernetesDateTimeOffsetConverter)])]
    [JsonSerializable(typeof(Widget))]
    internal sealed partial class WidgetContext : JsonSerializerContext;
}

internal static class Copy
{
    public static ObjectKey KeyOf(V1ConfigMap entity) => new(entity.Metadata.Labels["copy-to"], entity.Metadata.Name);
}

internal sealed class CopyController(ApiClient client, EventRecorder events) : IEntityController<V1ConfigMap>
{
    public async Task<ReconciliationResult<V1ConfigMap>> ReconcileAsync(V1ConfigMap entity, CancellationToken cancellationToken)
    {
        var key = Copy.KeyOf(entity);
        var copy = new V1ConfigMap
        {
            ApiVersion = "v1",
            Kind = "ConfigMap",
            Metadata = new V1ObjectMeta { Name = key.Name, NamespaceProperty = key.Namespace },
            Data = entity.Data,
        };
        await client.ApplyAsync(KnownResources.ConfigMaps, key, copy, KnownResources.ConfigMaps.Item, cancellationToken);
        events.Record(KnownResources.ConfigMaps, entity, EventKind.Normal, "Copied", "Copy", $"copied to {key}");
        return ReconciliationResult<V1ConfigMap>.Success(entity);
    }

    public Task<ReconciliationResult<V1ConfigMap>> DeletedAsync(V1ConfigMap entity, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<V1ConfigMap>.Success(entity));
}

internal sealed class CopyFinalizer(ApiClient client) : IEntityFinalizer<V1ConfigMap>
{
    public async Task<ReconciliationResult<V1ConfigMap>> FinalizeAsync(V1ConfigMap entity, CancellationToken cancellationToken)
    {
        try
        {
            await client.DeleteAsync(KnownResources.ConfigMaps, Copy.KeyOf(entity), cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // Gone already: that is what was wanted.
        }

        return ReconciliationResult<V1ConfigMap>.Success(entity);
    }
}
