using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.AspNetCore.Http;

namespace IndexOperator.Runtime.Tests;

public sealed class InformerTests : InformerTest
{
    [Fact]
    public async Task What_exists_is_added_andChanges_follow()
    {
        Server.Put(Maps, "a", "one");
        var informer = Start();
        await SyncedAsync(informer);
        Server.Put(Maps, "a", "two");
        Server.Put(Maps, "a", "one", new JsonObject { ["data"] = new JsonObject { ["k"] = "v" } });
        Server.Remove(Maps, "a", "two");
        await ChangeAsync("Deleted a/two");
        Assert.Equal(["Added a/one", "Added a/two", "Updated a/one", "Deleted a/two"], Changes);
        Assert.Equal("v", informer.Store.Get(new ObjectKey("a", "one"))!.Data["k"]);
    }

    [Fact]
    public async Task Deletions_during_a_disconnect_are_found_by_the_next_list()
    {
        Server.Put(Maps, "a", "kept");
        Server.Put(Maps, "a", "lost");
        var informer = Start();
        await SyncedAsync(informer);
        var shut = true;
        Server.Fault(r => shut, c => FaultyApiServer.StatusAsync(c, 503, "ServiceUnavailable"), int.MaxValue);
        Server.AbortWatches();
        await Eventually.TrueAsync("the watch to end", () => Server.OpenWatches == 0);
        Server.Remove(Maps, "a", "lost");
        Server.Put(Maps, "a", "new");
        Server.Compact();
        shut = false;
        await ChangeAsync("Deleted a/lost");
        await ChangeAsync("Added a/new");
        Assert.NotNull(informer.Store.Get(new ObjectKey("a", "kept")));
        Assert.Equal(2, informer.Store.Count);
    }

    [Fact]
    public async Task A_watch_that_theServer_ends_without_any_event_goes_on_without_a_list()
    {
        var informer = Start();
        await SyncedAsync(informer);
        for (var round = 0; round < 3; round++)
        {
            Server.CloseWatches();
            await Eventually.TrueAsync("the watch to come back", () => Server.OpenWatches > 0);
        }

        Server.Put(Maps, "a", "one");
        await ChangeAsync("Added a/one");
        Assert.Equal(1, Lists);
    }

    [Fact]
    public async Task A_broken_connection_resumes_from_the_last_version_and_misses_nothing()
    {
        var informer = Start();
        await SyncedAsync(informer);
        Server.Put(Maps, "a", "one");
        await ChangeAsync("Added a/one");
        var version = Server.Version;
        Server.AbortWatches();
        Server.Remove(Maps, "a", "one");
        await ChangeAsync("Deleted a/one");
        Assert.Equal(1, Lists);
        Assert.Contains($"resourceVersion={version}&", Server.Requests.Last().Query, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bookmarks_move_the_version_to_resume_from()
    {
        var informer = Start();
        await SyncedAsync(informer);
        Server.Bookmark(Maps);
        var version = Server.Version;
        await Eventually.TrueAsync("a watch from the bookmark's version", () =>
        {
            Server.CloseWatches();
            return Server.Requests.Any(r => r.Query.Contains($"resourceVersion={version}", StringComparison.Ordinal));
        });
        Server.Compact();
        Server.CloseWatches();
        Server.Put(Maps, "a", "one");
        await ChangeAsync("Added a/one");
        Assert.Equal(1, Lists);
        Assert.All(Server.Requests.Where(r => r.Query.Contains("watch=1", StringComparison.Ordinal)), r => Assert.Contains("allowWatchBookmarks=true", r.Query, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Gone_as_an_event_lists_again()
    {
        var informer = Start();
        await SyncedAsync(informer);
        Server.Fault(r => r.Query.ContainsKey("watch"), c =>
            c.Response.WriteAsync("""{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}""" + "\n"));
        Server.CloseWatches();
        await Eventually.TrueAsync("a second list", () => Lists == 2);
        await SyncedAsync(informer);
    }

    [Fact]
    public async Task Gone_as_a_status_lists_again()
    {
        var informer = Start();
        await SyncedAsync(informer);
        Server.Fault(r => r.Query.ContainsKey("watch"), c => FaultyApiServer.StatusAsync(c, 410, "Gone"));
        Server.CloseWatches();
        await Eventually.TrueAsync("a second list", () => Lists == 2);
        await SyncedAsync(informer);
    }

    [Fact]
    public async Task A_busyServer_does_not_make_it_list_again()
    {
        var informer = Start();
        await SyncedAsync(informer);
        Server.Fault(r => r.Query.ContainsKey("watch"), c => FaultyApiServer.StatusAsync(c, 503, "ServiceUnavailable"), 2);
        Server.CloseWatches();
        await Eventually.TrueAsync("the watch to come back", () => Server.Requests.Count(r => r.Query.Contains("watch=1", StringComparison.Ordinal)) >= 4 && Server.OpenWatches > 0);
        Assert.Equal(1, Lists);
    }

    [Fact]
    public async Task Lists_go_page_by_page_and_no_page_deletes_what_another_holds()
    {
        for (var i = 0; i < 25; i++)
        {
            Server.Put(Maps, "a", $"m{i:00}");
        }

        var informer = Start(new() { PageSize = 10 });
        await SyncedAsync(informer);
        Assert.Equal(25, informer.Store.Count);
        Assert.Equal(3, Lists);
        Server.Fault(r => r.Query.ContainsKey("watch"), c => FaultyApiServer.StatusAsync(c, 410, "Gone"));
        Server.CloseWatches();
        await Eventually.TrueAsync("three more pages", () => Lists == 6);
        await SyncedAsync(informer);
        Assert.DoesNotContain(Changes, change => change.StartsWith("Deleted", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_forgotten_continue_token_starts_the_list_anew()
    {
        for (var i = 0; i < 25; i++)
        {
            Server.Put(Maps, "a", $"m{i:00}");
        }

        Server.Fault(r => r.Query["continue"] == "20", c =>
        {
            Server.Remove(Maps, "a", "m00");
            return FaultyApiServer.StatusAsync(c, 410, "Expired");
        });
        var informer = Start(new() { PageSize = 10 });
        await SyncedAsync(informer);
        Assert.Equal(24, informer.Store.Count);
        Assert.Contains("Deleted a/m00", Changes);
    }

    [Fact]
    public async Task An_event_in_many_small_packets_is_one_event()
    {
        Server.Fault(r => r.Query.ContainsKey("watch"), async c =>
        {
            foreach (var letter in """{"type":"ADDED","object":{"metadata":{"name":"split","namespace":"a","resourceVersion":"999"}}}""" + "\n")
            {
                await c.Response.WriteAsync(letter.ToString());
                await c.Response.Body.FlushAsync();
            }
        });
        Start();
        await ChangeAsync("Added a/split");
    }

    [Fact]
    public async Task An_object_made_anew_while_nobody_watched_is_a_deletion_and_an_addition()
    {
        Server.Put(Maps, "a", "one");
        var informer = Start();
        await SyncedAsync(informer);
        Server.Fault(r => r.Query.ContainsKey("watch"), c => FaultyApiServer.StatusAsync(c, 410, "Gone"), 1);
        var shut = true;
        Server.Fault(r => shut, c => FaultyApiServer.StatusAsync(c, 503, "ServiceUnavailable"), int.MaxValue);
        Server.CloseWatches();
        await Eventually.TrueAsync("the watch to end", () => Server.OpenWatches == 0);
        Server.Remove(Maps, "a", "one");
        Server.Put(Maps, "a", "one");
        shut = false;
        await Eventually.TrueAsync("three changes", () => Changes.Count == 3);
        Assert.Equal(["Added a/one", "Deleted a/one", "Added a/one"], Changes);
    }

    [Fact]
    public async Task Listed_namespaces_are_watched_one_by_one_and_no_other_is_seen()
    {
        Server.Put(Maps, "a", "one");
        Server.Put(Maps, "b", "two");
        Server.Put(Maps, "c", "three");
        var informer = Start(new() { Namespaces = ["a", "b"] });
        await Eventually.TrueAsync("both namespaces", () => informer.HasSynced && Server.OpenWatches == 2);
        Assert.Equal(2, informer.Store.Count);
        Assert.DoesNotContain(Server.Requests, r => r.Path == "/api/v1/configmaps");
    }

    [Fact]
    public async Task Indexes_find_objects_by_owner_and_followChanges()
    {
        static JsonObject OwnedBy(string uid) => new()
        {
            ["metadata"] = new JsonObject { ["ownerReferences"] = new JsonArray(new JsonObject { ["uid"] = uid, ["name"] = "o", ["kind"] = "Job", ["apiVersion"] = "batch/v1" }) },
        };
        Server.Put(Maps, "a", "one", OwnedBy("u1"));
        Server.Put(Maps, "a", "two", OwnedBy("u1"));
        var informer = Start();
        await SyncedAsync(informer);
        Assert.Equal(2, informer.Store.OwnedBy("u1").Count);
        Server.Put(Maps, "a", "two", OwnedBy("u2"));
        await ChangeAsync("Updated a/two");
        Assert.Equal("one", Assert.Single(informer.Store.OwnedBy("u1")).Metadata.Name);
        Server.Remove(Maps, "a", "one");
        await ChangeAsync("Deleted a/one");
        Assert.Empty(informer.Store.OwnedBy("u1"));
    }

    [Fact]
    public async Task Managed_fields_never_reach_the_store_and_a_transform_keeps_what_is_needed()
    {
        Server.Put(Maps, "a", "one", new JsonObject
        {
            ["metadata"] = new JsonObject { ["managedFields"] = new JsonArray(new JsonObject { ["manager"] = "x", ["fieldsV1"] = new JsonObject { ["f:data"] = new JsonObject() } }) },
            ["data"] = new JsonObject { ["big"] = "value" },
        });
        var seen = false;
        var informer = Start(new()
        {
            Transform = map =>
            {
                seen = map.Data["big"] == "value";
                return new V1ConfigMap { Metadata = map.Metadata };
            },
        });
        await SyncedAsync(informer);
        var stored = Assert.Single(informer.Store.List());
        Assert.True(seen);
        Assert.Null(stored.Data);
        Assert.Null(stored.Metadata.ManagedFields);
    }

    [Fact]
    public async Task A_stalled_list_is_given_up_and_tried_again()
    {
        using var client = Server.Client(options: new ApiClientOptions { ListTimeout = TimeSpan.FromMilliseconds(200), RequestsPerSecond = 0 });
        Server.Put(Maps, "a", "one");
        Server.Fault(r => !r.Query.ContainsKey("watch"), async c =>
        {
            await c.Response.WriteAsync("""{"kind":"List","items":[""");
            await c.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, c.RequestAborted);
        });
        var informer = new Informer<V1ConfigMap>(client, KnownResources.ConfigMaps, new() { BackoffBase = TimeSpan.FromMilliseconds(10) });
        Running = informer.RunAsync(Stop.Token);
        await Eventually.TrueAsync("the second attempt to succeed", () => informer.HasSynced);
        Assert.Equal(1, informer.Store.Count);
        await Stop.CancelAsync();
        await Eventually.CompletesAsync("the informer to end", Running);
    }

    [Fact]
    public async Task A_watch_on_a_dead_connection_is_ended_from_this_side()
    {
        var informer = Start(new() { WatchTimeout = TimeSpan.FromMilliseconds(50), IdleGrace = TimeSpan.FromMilliseconds(50) });
        await Eventually.TrueAsync("several watches", () => Server.Requests.Count(r => r.Query.Contains("watch=1", StringComparison.Ordinal)) >= 3);
        Assert.True(informer.HasSynced);
        Assert.Equal(1, Lists);
    }

    [Fact]
    public async Task A_handler_that_throws_does_not_end_the_watch()
    {
        var informer = Start();
        informer.AddHandler(_ => throw new InvalidOperationException("bad handler"));
        await SyncedAsync(informer);
        Server.Put(Maps, "a", "one");
        Server.Put(Maps, "a", "two");
        await ChangeAsync("Added a/two");
    }
}
