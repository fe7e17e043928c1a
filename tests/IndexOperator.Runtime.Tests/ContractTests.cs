using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;
using Microsoft.AspNetCore.Http;

namespace IndexOperator.Runtime.Tests;

/// <summary>A resource's own JSON contract is what lists, watches and writes of it use, whoever made a client before.</summary>
public sealed partial class ContractTests
{
    private const string Valves = "apis/example.com/v1/valves";

    [Fact]
    public async Task A_type_with_required_members_is_watched_through_bookmarks_and_errors()
    {
        await using var server = await FaultyApiServer.StartAsync();
        using var client = server.Client();
        using var stop = new CancellationTokenSource();
        server.Put(Valves, "a", "one", Spec("half-open"));
        var seen = new ConcurrentQueue<string>();
        var informer = new Informer<Valve>(client, Type(), new InformerOptions<Valve> { BackoffBase = TimeSpan.FromMilliseconds(10), BackoffMax = TimeSpan.FromMilliseconds(50) });
        informer.AddHandler(change => seen.Enqueue($"{change.Kind} {change.New.Metadata.Name} {change.New.Spec.Position}"));
        var running = informer.RunAsync(stop.Token);
        await Eventually.TrueAsync("the watch", () => informer.HasSynced && server.OpenWatches > 0);

        // Neither a bookmark nor an error has the member.
        server.Bookmark(Valves);
        server.Fault(
            request => request.Query.ContainsKey("watch"),
            context => context.Response.WriteAsync("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\"}}\n", context.RequestAborted));
        server.CloseWatches();
        server.Put(Valves, "a", "two", Spec("Open"));
        await Eventually.TrueAsync("the second valve", () => seen.Contains("Added two Open"));

        Assert.Equal("Added one HalfOpen", seen.First());
        await stop.CancelAsync();
        await Eventually.CompletesAsync("the informer to end", running);
    }

    [Fact]
    public async Task A_contract_made_after_the_first_request_counts_for_its_type_and_for_no_other()
    {
        await using var server = await FaultyApiServer.StartAsync();
        using var client = server.Client();
        server.Put(Valves, "a", "one", Spec("half-open"));
        await client.ListAsync(KnownResources.ConfigMaps, new ListQuery(), TestContext.Current.CancellationToken);

        var valve = Assert.Single(await client.ListAsync(Type(), new ListQuery(), TestContext.Current.CancellationToken));

        Assert.Equal(Position.HalfOpen, valve.Spec.Position);
        await client.CreateAsync(Type(), new Valve { Metadata = new V1ObjectMeta { Name = "two", NamespaceProperty = "a" }, Spec = new ValveSpec { Position = Position.HalfOpen } }, TestContext.Current.CancellationToken);
        Assert.Equal("half-open", server.Find(Valves, "a", "two")!["spec"]!["position"]!.GetValue<string>());
    }

    private static JsonObject Spec(string position) => new() { ["spec"] = new JsonObject { ["position"] = position } };

    private static ResourceType<Valve> Type() => new("example.com", "v1", "Valve", "valves", ValveContext.Default.Valve);

    internal enum Position
    {
        Open,

        [JsonStringEnumMemberName("half-open")]
        HalfOpen,
    }

    internal sealed class ValveSpec
    {
        [JsonConverter(typeof(JsonStringEnumConverter<Position>))]
        public required Position Position { get; set; }
    }

    internal sealed class Valve : IKubernetesObject<V1ObjectMeta>
    {
        public string ApiVersion { get; set; } = null!;

        public string Kind { get; set; } = null!;

        public V1ObjectMeta Metadata { get; set; } = null!;

        public required ValveSpec Spec { get; set; }
    }

    [JsonSourceGenerationOptions(
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
        Converters = [typeof(KubernetesJson.KubernetesDateTimeConverter), typeof(KubernetesJson.KubernetesDateTimeOffsetConverter)])]
    [JsonSerializable(typeof(Valve))]
    internal sealed partial class ValveContext : JsonSerializerContext;
}
