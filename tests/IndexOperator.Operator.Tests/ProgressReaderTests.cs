using IndexOperator.Runtime;
using IndexOperator.Runtime.Tests;
using k8s.Models;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Operator.Tests;

/// <summary>Progress is a courtesy: it never fails a pass and never floods the API server.</summary>
public sealed class ProgressReaderTests : IAsyncLifetime
{
    private const string At41 = """{"progress":{"phase":"SampleIndex","completed":41,"total":100,"percent":41}}""";

    private readonly FakeTimeProvider _time = new();
    private FaultyApiServer _server = null!;
    private ApiClient _client = null!;
    private ProgressReader _reader = null!;
    private string _log = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await FaultyApiServer.StartAsync();
        _client = _server.Client();
        _reader = new ProgressReader(_client, _time, NullLogger<ProgressReader>.Instance);
        _server.Fault(request => request.Path.Value!.EndsWith("/log", StringComparison.Ordinal), context => context.Response.WriteAsync(_log, Cancel), int.MaxValue);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task The_newest_line_counts_and_the_log_is_read_once_a_second()
    {
        _log = $"hello\n{At41.Replace("41", "3", StringComparison.Ordinal)}\n{At41}\n{{\"progress\":";
        Assert.Equal(41, (await _reader.ReadAsync(Pod("1"), "index-builder", Cancel))!.Percent);
        _log = At41.Replace("41", "55", StringComparison.Ordinal);
        Assert.Equal(41, (await _reader.ReadAsync(Pod("1"), "index-builder", Cancel))!.Percent);
        Assert.Single(_server.Requests);
        Assert.Contains("tailLines=20", _server.Requests.Single().Query, StringComparison.Ordinal);
        Assert.Contains("limitBytes=16384", _server.Requests.Single().Query, StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(55, (await _reader.ReadAsync(Pod("1"), "index-builder", Cancel))!.Percent);
    }

    [Fact]
    public async Task A_log_that_cannot_be_read_leaves_the_progress_as_it_was()
    {
        Assert.Null(await _reader.ReadAsync(Pod("1"), "index-builder", Cancel));
        _log = At41;
        _time.Advance(TimeSpan.FromSeconds(1));
        await _reader.ReadAsync(Pod("1"), "index-builder", Cancel);
        await _server.DisposeAsync();
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(41, (await _reader.ReadAsync(Pod("1"), "index-builder", Cancel))!.Percent);
    }

    [Fact]
    public async Task A_kubelet_that_does_not_answer_costs_three_seconds()
    {
        var asked = new TaskCompletionSource();
        await using var server = await FaultyApiServer.StartAsync();
        using var client = server.Client();
        server.Fault(_ => true, async context =>
        {
            asked.SetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        var reader = new ProgressReader(client, _time, NullLogger<ProgressReader>.Instance);
        var reading = reader.ReadAsync(Pod("1"), "index-builder", Cancel);
        await asked.Task;
        Assert.False(reading.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Null(await reading);
    }

    [Fact]
    public async Task Pods_of_the_past_are_forgotten()
    {
        for (var i = 0; i < 10; i++)
        {
            await _reader.ReadAsync(Pod($"{i}"), "index-builder", Cancel);
            _time.Advance(TimeSpan.FromMinutes(6));
        }

        Assert.Equal(2, _reader.Count);
    }

    private static V1Pod Pod(string uid) => new() { Metadata = new V1ObjectMeta { Name = $"pod-{uid}", NamespaceProperty = "a", Uid = uid } };
}
