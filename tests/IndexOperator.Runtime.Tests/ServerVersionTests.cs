using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Runtime.Tests;

public sealed class ServerVersionTests
{
    [Theory]
    [InlineData("20", 20)]
    [InlineData("33+", 33)]
    public async Task It_is_asked_for_until_it_is_known(string minor, int expected)
    {
        await using var server = await FaultyApiServer.StartAsync();
        server.Fault(_ => true, context => FaultyApiServer.StatusAsync(context, 500, "InternalError"));
        server.Fault(_ => true, context => context.Response.WriteAsync("""{"major":"many"}"""));
        server.Fault(_ => true, context => context.Response.WriteAsync($$"""{"major":"1","minor":"{{minor}}","gitVersion":"v1"}"""));
        using var client = server.Client();
        var time = new FakeTimeProvider();
        using var version = new ServerVersion(client, time, NullLogger<ServerVersion>.Instance);
        Assert.Single(version.Problems());
        Assert.Throws<InvalidOperationException>(() => version.Value);
        await version.StartAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync("the version", time, TimeSpan.FromSeconds(1), () => !version.Problems().Any());
        Assert.Equal(new Version(1, expected), version.Value);
    }
}
