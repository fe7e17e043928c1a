using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace IndexOperator.Runtime.Tests;

/// <summary>What a server, a proxy or a network can do to a watch; each time the store ends up like the cluster.</summary>
public sealed class WatchFaultTests : InformerTest
{
    private const string Whole = """{"type":"ADDED","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"ghost","namespace":"a","resourceVersion":"1","uid":"g"}}}""";

    [Theory]
    [InlineData("{\"type\":\"ADDED\",\"obj")]
    [InlineData("<html>502 Bad Gateway</html>\n")]
    [InlineData("{}\n")]
    [InlineData("{\"type\":\"NEWS\",\"object\":{}}\n")]
    [InlineData("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":500,\"reason\":\"InternalError\",\"message\":\"etcd\"}}\n")]
    [InlineData("{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"ConfigMap\",\"metadata\":null}}\n")]
    [InlineData("{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":7}}}\n")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[")]
    public async Task Whatever_comes_instead_of_an_event_the_store_catches_up(string text)
    {
        Server.Put(Maps, "a", "one");
        var informer = Start();
        await SyncedAsync(informer);
        Server.Fault(IsWatch, context => context.Response.WriteAsync(text, context.RequestAborted), times: 2);
        Server.AbortWatches();
        await Eventually.TrueAsync("the faults to be over", () => Server.OpenWatches > 0 && Server.Requests.Count(request => request.Query.Contains("watch=1", StringComparison.Ordinal)) > 2);
        Server.Put(Maps, "a", "two");
        Server.Remove(Maps, "a", "one");
        await ChangeAsync("Deleted a/one");
        await ChangeAsync("Added a/two");
        Assert.Equal(1, informer.Store.Count);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(410)]
    public async Task Whatever_status_a_list_or_a_watch_gets_the_store_catches_up(int code)
    {
        Server.Put(Maps, "a", "one");
        Server.Fault(request => !IsWatch(request), context => FaultyApiServer.StatusAsync(context, code, "Made", retryAfter: code == 429 ? 0 : null), times: 2);
        Server.Fault(IsWatch, context => FaultyApiServer.StatusAsync(context, code, "Made", retryAfter: code == 429 ? 0 : null), times: 2);
        var informer = Start();
        await SyncedAsync(informer);
        Server.Put(Maps, "a", "two");
        await ChangeAsync("Added a/two");
        Assert.Equal(2, informer.Store.Count);
    }

    [Fact]
    public async Task Events_in_a_strange_order_end_in_the_last_word_of_each_object()
    {
        var informer = Start();
        await SyncedAsync(informer);
        Server.Fault(IsWatch, async context =>
        {
            var deleted = Whole.Replace("ADDED", "DELETED", StringComparison.Ordinal);
            var modified = Whole.Replace("ADDED", "MODIFIED", StringComparison.Ordinal);
            await context.Response.WriteAsync(string.Join('\n', [deleted, modified.Replace("\"1\"", "\"2\"", StringComparison.Ordinal), Whole.Replace("\"1\"", "\"3\"", StringComparison.Ordinal), deleted, deleted, ""]), context.RequestAborted);
        });
        Server.CloseWatches();
        await ChangeAsync("Deleted a/ghost");
        Assert.Equal(["Added a/ghost", "Updated a/ghost", "Deleted a/ghost"], Changes);
        Assert.Equal(0, informer.Store.Count);
    }

    [Fact]
    public async Task A_list_in_any_order_with_an_object_on_two_of_its_pages_is_a_list()
    {
        Server.Put(Maps, "a", "gone");
        var informer = Start();
        await SyncedAsync(informer);
        Server.Remove(Maps, "a", "gone");
        Server.Fault(IsWatch, context => FaultyApiServer.StatusAsync(context, 410, "Gone"));
        Server.Fault(request => !IsWatch(request), context => PageAsync(context, "next", ("z", "3"), ("b", "9"), ("m", "2")));
        Server.Fault(request => request.Query["continue"] == "next", context => PageAsync(context, "", ("c", "8"), ("m", "11"), ("a", "1")));
        Server.AbortWatches();
        await Eventually.TrueAsync("both pages in the store", () => informer.Store.Count == 5);
        Assert.Equal("11", informer.Store.Get(new ObjectKey("a", "m"))!.Metadata.ResourceVersion);
        Assert.Equal(["a", "b", "c", "m", "z"], informer.Store.List().Select(map => map.Metadata.Name).Order());
        await ChangeAsync("Deleted a/gone");

        static Task PageAsync(HttpContext context, string next, params (string Name, string Version)[] items) => context.Response.WriteAsJsonAsync(
            new JsonObject
            {
                ["metadata"] = new JsonObject { ["resourceVersion"] = "20", ["continue"] = next },
                ["items"] = new JsonArray([.. items.Select(item => new JsonObject
                {
                    ["metadata"] = new JsonObject { ["name"] = item.Name, ["namespace"] = "a", ["uid"] = item.Name, ["resourceVersion"] = item.Version },
                })]),
            },
            context.RequestAborted);
    }

    [Fact]
    public async Task A_quiet_watch_is_open_at_once_and_ends_at_once_when_cancelled()
    {
        var informer = Start();
        var watch = Stopwatch.StartNew();
        await SyncedAsync(informer);
        await Stop.CancelAsync();
        await Eventually.CompletesAsync("the informer to end", Running);
        await Eventually.TrueAsync("the server to see that the watch is over", () => Server.OpenWatches == 0);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), $"It took {watch.Elapsed}.");
    }

    [Fact]
    public async Task A_server_that_ends_every_watch_at_once_is_not_asked_in_a_hot_loop()
    {
        Server.Fault(IsWatch, _ => Task.CompletedTask, int.MaxValue);
        var informer = Start(new() { BackoffBase = TimeSpan.FromMilliseconds(10), BackoffMax = TimeSpan.FromMilliseconds(50) });
        await Eventually.TrueAsync("the list", () => informer.HasSynced);
        var before = Watches;
        var watch = Stopwatch.StartNew();
        await Eventually.TrueAsync("a few more watches", () => Watches >= before + 10);
        Assert.True(watch.ElapsedMilliseconds > 100, $"Ten watches in {watch.ElapsedMilliseconds} ms.");
        Assert.Equal(1, Lists);
    }

    [Fact]
    public async Task An_event_as_large_as_an_object_can_be_arrives()
    {
        var informer = Start();
        await SyncedAsync(informer);
        Server.Put(Maps, "a", "big", new JsonObject { ["data"] = new JsonObject { ["k"] = new string('x', 1 << 20) } });
        await ChangeAsync("Added a/big");
        Assert.Equal(1 << 20, informer.Store.Get(new ObjectKey("a", "big"))!.Data["k"].Length);
    }

    private int Watches => Server.Requests.Count(request => request.Query.Contains("watch=1", StringComparison.Ordinal));

    private static bool IsWatch(HttpRequest request) => request.QueryString.Value!.Contains("watch=1", StringComparison.Ordinal);
}
