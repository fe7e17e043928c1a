using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using k8s.Models;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Runtime.Tests;

public sealed partial class ApiClientTests : IAsyncLifetime
{
    private const string Maps = "api/v1/configmaps";
    private static readonly ObjectKey Key = new("a", "one");

    private FaultyApiServer _server = null!;
    private ApiClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await FaultyApiServer.StartAsync();
        _client = _server.Client();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Objects_are_created_read_replaced_and_deleted()
    {
        var made = await _client.CreateAsync(KnownResources.ConfigMaps, Map("1"), Cancel);
        Assert.Equal("ConfigMap", made.Kind);
        var read = await _client.GetAsync(KnownResources.ConfigMaps, Key, Cancel);
        Assert.Equal("1", read.Data["k"]);
        var replaced = await _client.ReplaceAsync(KnownResources.ConfigMaps, read with { Data = new Dictionary<string, string> { ["k"] = "2" } }, Cancel);
        Assert.Equal("2", replaced.Data["k"]);
        await _client.DeleteAsync(KnownResources.ConfigMaps, Key, Cancel, uid: read.Metadata.Uid);
        Assert.Null(await _client.FindAsync(KnownResources.ConfigMaps, Key, Cancel));
        var sent = JsonNode.Parse(_server.Requests.Single(r => r.Method == "DELETE").Body)!;
        Assert.Equal(read.Metadata.Uid, sent["preconditions"]!["uid"]!.GetValue<string>());
        Assert.Equal("Background", sent["propagationPolicy"]!.GetValue<string>());
    }

    [Fact]
    public async Task What_it_may_do_is_asked_of_the_server_and_tried_where_that_does_not_say()
    {
        Assert.True(await _client.MayAsync("list", KnownResources.ConfigMaps, new ObjectKey("a", ""), Cancel));
        var asked = JsonNode.Parse(_server.Requests.Single().Body)!["spec"]!["resourceAttributes"]!;
        Assert.True(JsonNode.DeepEquals(new JsonObject { ["group"] = "", ["resource"] = "configmaps", ["verb"] = "list", ["namespace"] = "a" }, asked), asked.ToJsonString());

        _server.Fault(_ => true, context => AnswerAsync(context, """{"status": {"allowed": false}}"""));
        Assert.False(await _client.MayAsync("get", KnownResources.ConfigMaps, Key, Cancel));
        _server.Fault(_ => true, context => AnswerAsync(context, "{}"));
        Assert.True(await _client.MayAsync("get", KnownResources.ConfigMaps, Key, Cancel));
        _server.Fault(_ => true, context => FaultyApiServer.StatusAsync(context, 403, "Forbidden"));
        Assert.True(await _client.MayAsync("get", KnownResources.ConfigMaps, Key, Cancel));

        static Task AnswerAsync(HttpContext context, string json)
        {
            context.Response.StatusCode = 201;
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync(json);
        }
    }

    [Fact]
    public async Task Refusals_say_what_they_are()
    {
        Assert.True((await Assert.ThrowsAsync<ApiException>(() => _client.GetAsync(KnownResources.ConfigMaps, Key, Cancel))).IsNotFound);
        var made = await _client.CreateAsync(KnownResources.ConfigMaps, Map("1"), Cancel);
        var twice = await Assert.ThrowsAsync<ApiException>(() => _client.CreateAsync(KnownResources.ConfigMaps, Map("1"), Cancel));
        Assert.True(twice.IsAlreadyExists);
        Assert.False(twice.IsConflict);
        _server.Put(Maps, "a", "one");
        var stale = await Assert.ThrowsAsync<ApiException>(() => _client.ReplaceAsync(KnownResources.ConfigMaps, made, Cancel));
        Assert.True(stale.IsConflict);
    }

    [Fact]
    public async Task A_refusal_that_is_no_status_is_kept_as_text_and_bounded()
    {
        _server.Fault(_ => true, c =>
        {
            c.Response.StatusCode = 403;
            return c.Response.WriteAsync("<html>" + new string('x', 1_000_000));
        });
        var refusal = await Assert.ThrowsAsync<ApiException>(() => _client.GetAsync(KnownResources.ConfigMaps, Key, Cancel));
        Assert.True(refusal.IsForbidden);
        Assert.InRange(refusal.Message.Length, 100, 2000);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task A_busy_server_is_asked_again_when_it_said_to(int code)
    {
        var time = new FakeTimeProvider();
        using var client = _server.Client(time);
        _server.Put(Maps, "a", "one");
        _server.Fault(_ => true, c => FaultyApiServer.StatusAsync(c, code, "Busy", retryAfter: 7));
        var started = time.GetUtcNow();
        var read = client.GetAsync(KnownResources.ConfigMaps, Key, Cancel);
        await Eventually.TrueAsync("the answer", time, TimeSpan.FromSeconds(1), () => read.IsCompleted);
        Assert.Equal("one", (await read).Metadata.Name);
        Assert.InRange(time.GetUtcNow() - started, TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(25));
    }

    [Fact]
    public async Task A_body_that_stalls_ends_in_a_time_out()
    {
        using var client = _server.Client(options: new ApiClientOptions { RequestTimeout = TimeSpan.FromMilliseconds(200), RequestsPerSecond = 0 });
        _server.Fault(_ => true, async c =>
        {
            await c.Response.WriteAsync("""{"metadata":{""");
            await c.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, c.RequestAborted);
        });
        await Assert.ThrowsAsync<TimeoutException>(() => client.GetAsync(KnownResources.ConfigMaps, Key, Cancel));
    }

    [Fact]
    public async Task Requests_are_limited_to_a_rate()
    {
        var time = new FakeTimeProvider();
        using var client = _server.Client(time, new ApiClientOptions { RequestsPerSecond = 1, RequestBurst = 2 });
        _server.Put(Maps, "a", "one");
        var reads = Enumerable.Range(0, 5).Select(_ => client.GetAsync(KnownResources.ConfigMaps, Key, Cancel)).ToList();
        await Eventually.TrueAsync("the burst", () => reads.Count(r => r.IsCompleted) == 2);
        Assert.Equal(2, _server.Requests.Count);
        time.Advance(TimeSpan.FromSeconds(3));
        await Eventually.CompletesAsync("the rest", Task.WhenAll(reads));
    }

    [Fact]
    public async Task A_status_is_applied_with_nothing_but_owned_fields()
    {
        _server.Put(Maps, "a", "one", new JsonObject { ["data"] = new JsonObject { ["k"] = "1" } });
        var apply = new MapApply("v1", "ConfigMap", new MapApplyMetadata("one", "a"), new MapApplyStatus("done", null));
        await _client.ApplyStatusAsync(KnownResources.ConfigMaps, Key, apply, ApplyContext.Default.MapApply, Cancel);
        var request = _server.Requests.Last();
        Assert.Equal("PATCH", request.Method);
        Assert.Equal("/api/v1/namespaces/a/configmaps/one/status", request.Path);
        Assert.Equal("application/apply-patch+yaml", request.ContentType);
        Assert.Equal("?fieldManager=index-operator&force=true", request.Query);
        Assert.Equal("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one","namespace":"a"},"status":{"phase":"done"}}""", request.Body);
    }

    [Fact]
    public async Task Patches_carry_the_version_they_were_computed_from()
    {
        var made = await _client.CreateAsync(KnownResources.ConfigMaps, Map("1"), Cancel);
        var patch = new JsonObject { ["data"] = new JsonObject { ["k"] = "2" } };
        var patched = await _client.MergePatchAsync(KnownResources.ConfigMaps, Key, patch, made.Metadata.ResourceVersion, Cancel);
        Assert.Equal("2", patched.Data["k"]);
        var stale = await Assert.ThrowsAsync<ApiException>(
            () => _client.MergePatchAsync(KnownResources.ConfigMaps, Key, patch, made.Metadata.ResourceVersion, Cancel));
        Assert.True(stale.IsConflict);
        Assert.False(patch.ContainsKey("metadata"));
    }

    [Fact]
    public async Task A_log_is_cut_at_its_limit()
    {
        _server.Fault(r => r.Path.Value!.EndsWith("/log", StringComparison.Ordinal), c => c.Response.WriteAsync(new string('y', 10_000)));
        var log = await _client.GetPodLogAsync(new ObjectKey("a", "pod"), "main", tailLines: 5, limitBytes: 100, previous: false, Cancel);
        Assert.Equal(100, log.Length);
        Assert.Equal("?container=main&tailLines=5&limitBytes=100", _server.Requests.Last().Query);
    }

    [Fact]
    public async Task A_refused_token_is_read_again()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "old\n", Cancel);
            using var client = new ApiClient(new ApiConnection(_server.Address) { TokenFile = file });
            _server.Put(Maps, "a", "one");
            await client.GetAsync(KnownResources.ConfigMaps, Key, Cancel);
            await File.WriteAllTextAsync(file, "new\n", Cancel);
            _server.Fault(r => r.Headers.Authorization == "Bearer old", c => FaultyApiServer.StatusAsync(c, 401, "Unauthorized"), int.MaxValue);
            await client.GetAsync(KnownResources.ConfigMaps, Key, Cancel);
            File.Delete(file);
            await client.GetAsync(KnownResources.ConfigMaps, Key, Cancel);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static V1ConfigMap Map(string value) => new()
    {
        Metadata = new V1ObjectMeta { Name = "one", NamespaceProperty = "a" },
        Data = new Dictionary<string, string> { ["k"] = value },
    };

    internal sealed record MapApply(string ApiVersion, string Kind, MapApplyMetadata Metadata, MapApplyStatus Status);

    internal sealed record MapApplyMetadata(string Name, string Namespace);

    internal sealed record MapApplyStatus(string Phase, int? Percent);

    [JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(MapApply))]
    internal sealed partial class ApplyContext : JsonSerializerContext;
}
