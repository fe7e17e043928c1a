using System.Collections.Concurrent;
using k8s.Models;

namespace IndexOperator.Runtime.Tests;

/// <summary>Entities that something names and that are not there.</summary>
public sealed class MissingEntityTests : IAsyncLifetime
{
    private const string Maps = "api/v1/configmaps";
    private const string Jobs = "apis/batch/v1/jobs";

    private readonly Script _script = new();
    private FaultyApiServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await FaultyApiServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task What_is_named_and_not_there_is_looked_at_too()
    {
        var missing = new ConcurrentQueue<string>();
        _server.Put(Maps, "a", "one");
        await using var running = await TestOperator.StartAsync(
            _server,
            _script,
            builder => builder.Watches<V1ConfigMap, V1Job>(KnownResources.Jobs, null, (job, _) => [new ObjectKey("a", job.Metadata.Name)]),
            controller: options =>
            {
                options.Named = _ => [new ObjectKey("a", "one"), new ObjectKey("a", "named-before")];
                options.Missing = (_, key, _) =>
                {
                    missing.Enqueue(key.Name);
                    return Task.CompletedTask;
                };
            });
        await Eventually.TrueAsync("what was named at the start to be looked at", () => missing.Contains("named-before"));
        _server.Put(Jobs, "a", "named-later");
        await Eventually.TrueAsync("what is named later to be looked at", () => missing.Contains("named-later"));
        _server.Remove(Maps, "a", "one");
        await Eventually.TrueAsync("what went to be looked at", () => missing.Contains("one"));
        Assert.Equal(["reconcile one", "deleted one"], _script.Calls.Distinct());
    }
}
