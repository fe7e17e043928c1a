using IndexOperator.Runtime;
using IndexOperator.Runtime.Tests;
using Microsoft.AspNetCore.Http;

namespace IndexOperator.Operator.Tests;

/// <summary>Kueue is looked for once, and an API server that does not answer is asked again.</summary>
public sealed class KueueDiscoveryTests : IAsyncLifetime
{
    private readonly List<string> _said = [];
    private FaultyApiServer _server = null!;
    private ApiClient _client = null!;

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
    public async Task The_newest_version_that_is_served_is_used()
    {
        Assert.Equal("v1beta2", await FindAsync(KueueMode.Auto));
        Refuse("v1beta2", 404, "NotFound");
        Assert.Equal("v1beta1", await FindAsync(KueueMode.On));
    }

    [Theory]
    [InlineData(404, "NotFound", "the API server has none")]
    [InlineData(403, "Forbidden", "kubectl apply -k config/kueue")]
    public async Task Where_there_is_none_it_does_without_or_does_not_start(int code, string reason, string why)
    {
        Refuse("v1beta", code, reason);
        Assert.Null(await FindAsync(KueueMode.Auto));
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => FindAsync(KueueMode.On));
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_operator_may_not_list_it_does_not_try_to()
    {
        _server.Fault(
            request => request.Path.Value!.Contains("selfsubjectaccessreviews", StringComparison.Ordinal),
            context =>
            {
                context.Response.StatusCode = 201;
                context.Response.ContentType = "application/json";
                return context.Response.WriteAsync("""{"status": {"allowed": false}}""");
            },
            int.MaxValue);
        Assert.Null(await FindAsync(KueueMode.Auto));
        Assert.Contains("kubectl apply -k config/kueue", (await Assert.ThrowsAsync<InvalidOperationException>(() => FindAsync(KueueMode.On))).Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_server.Requests, request => request.Path.Contains("kueue", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Off_asks_nothing()
    {
        Assert.Null(await FindAsync(KueueMode.Off));
        Assert.Empty(_server.Requests);
    }

    [Fact]
    public async Task A_server_that_is_in_trouble_is_asked_again()
    {
        _server.Fault(_ => true, context => FaultyApiServer.StatusAsync(context, 500, "InternalError"), 2);
        Assert.Equal("v1beta2", await FindAsync(KueueMode.Auto));
        Assert.Equal(2, _said.Count);
    }

    private void Refuse(string version, int code, string reason) => _server.Fault(
        request => request.Path.Value!.Contains($"/{version}", StringComparison.Ordinal), context => FaultyApiServer.StatusAsync(context, code, reason), int.MaxValue);

    private Task<string?> FindAsync(KueueMode mode) =>
        KueueDiscovery.FindAsync(_client, mode, ["a"], new ImpatientTime(), _said.Add, TestContext.Current.CancellationToken);

    /// <summary>Pauses end at once.</summary>
    private sealed class ImpatientTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
