using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Runtime.Tests;

public sealed class WriteFenceTests : IAsyncLifetime
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);
    private static readonly ObjectKey Key = new("default", "thing");

    private readonly FreezableTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private FaultyApiServer _server = null!;
    private ApiClient _elections = null!;
    private ApiClient _client = null!;
    private LeaseElector _elector = null!;
    private Task _run = Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        _server = await FaultyApiServer.StartAsync();
        _elections = _server.Client(_time);
        _elector = new LeaseElector(_elections, new LeaderElectionSettings { Identity = "one" }, _time);
        _client = _server.Client(_time, fence: _elector);
        _server.Put("api/v1/configmaps", Key.Namespace, Key.Name);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Eventually.TrueAsync("the elector to end", _time, Step, () => _run.IsCompleted);
        _client.Dispose();
        _elections.Dispose();
        _stop.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Nothing_is_written_before_a_term_and_anything_may_be_read()
    {
        await Assert.ThrowsAsync<LeadershipLostException>(WriteAsync);
        Assert.NotNull(await _client.FindAsync(KnownResources.ConfigMaps, Key, TestContext.Current.CancellationToken));
        Assert.DoesNotContain(_server.Requests, request => request.Method != "GET");
    }

    [Fact]
    public async Task A_write_carries_replica_and_term()
    {
        _server.Put("apis/coordination.k8s.io/v1/leases", "default", "index-operator", new JsonObject { ["spec"] = new JsonObject { ["holderIdentity"] = "", ["leaseTransitions"] = 6 } });
        await LeadAsync();
        await WriteAsync();
        Assert.Equal("index-operator (one; term 7)", _server.Requests.Last(request => request.Path.Contains("configmaps", StringComparison.Ordinal)).UserAgent);
    }

    /// <summary>A process that was frozen goes on where it stood; its timers come later than its next line of code.</summary>
    [Fact]
    public async Task A_process_that_wakes_up_after_its_term_writes_nothing_even_before_a_timer_has_told_it()
    {
        await LeadAsync();
        await WriteAsync();
        _time.Freeze(TimeSpan.FromSeconds(11));
        Assert.False(_elector.LeadershipToken.IsCancellationRequested, "The timer has run: this shows nothing.");
        await Assert.ThrowsAsync<LeadershipLostException>(WriteAsync);
    }

    [Fact]
    public async Task A_write_under_way_is_cut_short_when_the_term_ends()
    {
        await LeadAsync();
        var hanging = false;
        _server.Fault(request => request.Path.Value!.Contains("configmaps", StringComparison.Ordinal) && request.Method != "GET", async context =>
        {
            hanging = true;
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        var write = WriteAsync();
        await Eventually.TrueAsync("the write to hang", () => hanging);
        await _stop.CancelAsync();
        await Assert.ThrowsAsync<LeadershipLostException>(() => write);
    }

    /// <summary>A freeze may come anywhere between the fence and the kernel: in a queue, in a thread that waits, in encryption.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_write_that_was_held_up_behind_the_fence_is_stopped_at_the_connection(bool bySameReplica)
    {
        var fence = new FallingFence();
        using var client = _server.Client(fence: fence);
        await WriteAsync(client);
        var before = _server.Requests.Count;
        fence.FallAfter(2, bySameReplica);
        await Assert.ThrowsAsync<LeadershipLostException>(() => WriteAsync(client));
        Assert.Equal(before, _server.Requests.Count);
        Assert.NotNull(await client.FindAsync(KnownResources.ConfigMaps, Key, TestContext.Current.CancellationToken));

        fence.Stand();
        await WriteAsync(client);
    }

    private async Task LeadAsync()
    {
        _run = _elector.RunAsync(_stop.Token);
        await Eventually.TrueAsync("leadership", _time, Step, () => _elector.IsLeader);
    }

    private Task WriteAsync() => WriteAsync(_client);

    private static Task<V1ConfigMap> WriteAsync(ApiClient client) =>
        client.MergePatchAsync(KnownResources.ConfigMaps, Key, new JsonObject { ["data"] = new JsonObject { ["a"] = "b" } }, null, TestContext.Current.CancellationToken);

    /// <summary>A clock that can run on while no timer does.</summary>
    private sealed class FreezableTime : FakeTimeProvider
    {
        private long _frozen;

        public void Freeze(TimeSpan length) => _frozen += (long)(length.TotalSeconds * TimestampFrequency);

        public override long GetTimestamp() => base.GetTimestamp() + _frozen;
    }

    /// <summary>A fence that lets a number of questions through and then says that the term is over, or that another has begun.</summary>
    private sealed class FallingFence : IWriteFence
    {
        private int _left = int.MaxValue;
        private int _term = 1;
        private bool _hasNext;

        public void FallAfter(int questions, bool hasNextTerm) => (_left, _hasNext) = (questions, hasNextTerm);

        public void Stand() => (_left, _term) = (int.MaxValue, _term + 1);

        public WriteTerm Enter() => _left-- > 0 ? new WriteTerm("one", _term, CancellationToken.None)
            : _hasNext ? new WriteTerm("one", _term + 1, CancellationToken.None)
            : throw new LeadershipLostException();
    }
}
