using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Runtime.Tests;

public sealed class LeaseElectorTests : IAsyncLifetime
{
    private const string Leases = "coordination.k8s.io/v1/leases";
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    private readonly FakeTimeProvider _time = new();
    private readonly List<(CancellationTokenSource Stop, Task Run)> _running = [];
    private FaultyApiServer _server = null!;
    private readonly List<ApiClient> _clients = [];
    private ApiClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await FaultyApiServer.StartAsync();
        _client = Client("tests");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (stop, run) in _running)
        {
            await stop.CancelAsync();
            await Eventually.TrueAsync("the elector to end", _time, Step, () => run.IsCompleted);
            stop.Dispose();
        }

        _clients.ForEach(client => client.Dispose());
        await _server.DisposeAsync();
    }

    private JsonObject? Spec => _server.Find("apis/" + Leases, "default", "index-operator")?["spec"]?.AsObject();

    private string? Holder => Spec?["holderIdentity"]?.GetValue<string>();

    private ApiClient Client(string name)
    {
        var client = _server.Client(_time, new ApiClientOptions { RequestsPerSecond = 0, UserAgent = name });
        _clients.Add(client);
        return client;
    }

    private (LeaseElector Elector, CancellationTokenSource Stop, Task Run) Start(string identity)
    {
        var elector = new LeaseElector(Client(identity), new LeaderElectionSettings { Identity = identity }, _time);
        var stop = new CancellationTokenSource();
        var run = elector.RunAsync(stop.Token);
        _running.Add((stop, run));
        return (elector, stop, run);
    }

    private Task LeadsAsync(LeaseElector elector) => Eventually.TrueAsync("leadership", _time, Step, () => elector.IsLeader);

    private Task PassAsync(TimeSpan span)
    {
        var end = _time.GetUtcNow() + span;
        return Eventually.TrueAsync("time to pass", _time, Step, () => _time.GetUtcNow() >= end);
    }

    [Fact]
    public async Task A_lone_replica_leads_and_renews()
    {
        var (elector, _, _) = Start("one");
        Assert.True(elector.LeadershipToken.IsCancellationRequested);
        await LeadsAsync(elector);
        Assert.Equal("one", Holder);
        var renewed = Spec!["renewTime"]!.GetValue<string>();
        await Eventually.TrueAsync("a renewal", _time, Step, () => Spec!["renewTime"]!.GetValue<string>() != renewed);
        Assert.False(elector.LeadershipToken.IsCancellationRequested);
        Assert.Matches(@"\.\d{6}Z$", renewed);
    }

    [Fact]
    public async Task One_dropped_connection_does_not_lose_leadership()
    {
        var (elector, _, _) = Start("one");
        await LeadsAsync(elector);
        var term = elector.LeadershipToken;
        var dropped = 0;
        _server.Fault(r => r.Method == "PUT", c =>
        {
            dropped++;
            c.Abort();
            return Task.CompletedTask;
        });
        var renewed = Spec!["renewTime"]!.GetValue<string>();
        await Eventually.TrueAsync("a renewal after the drop", _time, Step, () => dropped == 1 && Spec!["renewTime"]!.GetValue<string>() != renewed);
        Assert.False(term.IsCancellationRequested);
        Assert.True(elector.IsLeader);
    }

    [Fact]
    public async Task A_renewal_that_hangs_is_cancelled_at_the_deadline_together_with_the_term()
    {
        var (elector, _, _) = Start("one");
        await LeadsAsync(elector);
        var term = elector.LeadershipToken;
        var hanging = 0;
        var aborted = 0;
        _server.Fault(
            r => r.Path.Value!.Contains("leases", StringComparison.Ordinal),
            async c =>
            {
                Interlocked.Increment(ref hanging);
                try
                {
                    await Task.Delay(Timeout.Infinite, c.RequestAborted);
                }
                catch (OperationCanceledException)
                {
                    Interlocked.Increment(ref aborted);
                    throw;
                }
            },
            int.MaxValue);
        await Eventually.TrueAsync("a renewal to hang", _time, Step, () => hanging > 0);
        Assert.True(elector.IsLeader);
        var from = _time.GetUtcNow();
        await Eventually.TrueAsync("the term to end", _time, Step, () => term.IsCancellationRequested);
        Assert.False(elector.IsLeader);
        Assert.InRange(_time.GetUtcNow() - from, TimeSpan.Zero, TimeSpan.FromSeconds(11));

        // The clock stands still: only the end of the term can have ended the request.
        await Eventually.TrueAsync("the request to be given up", () => aborted > 0);
    }

    [Fact]
    public async Task Leadership_comes_back_after_the_network_does()
    {
        var (elector, _, _) = Start("one");
        await LeadsAsync(elector);
        var first = elector.LeadershipToken;
        var cut = true;
        _server.Fault(_ => cut, c => FaultyApiServer.StatusAsync(c, 500, "InternalError"), int.MaxValue);
        await Eventually.TrueAsync("leadership to end", _time, Step, () => !elector.IsLeader);
        Assert.True(first.IsCancellationRequested);
        cut = false;
        await LeadsAsync(elector);
        Assert.False(elector.LeadershipToken.IsCancellationRequested);
    }

    [Fact]
    public async Task Stopping_gives_the_lease_back_and_the_next_replica_takes_over_at_once()
    {
        var (one, stop, run) = Start("one");
        await LeadsAsync(one);
        var (two, _, _) = Start("two");
        await PassAsync(TimeSpan.FromSeconds(5));
        Assert.False(two.IsLeader);
        var term = one.LeadershipToken;
        await stop.CancelAsync();
        await Eventually.TrueAsync("the first to stop", () => run.IsCompleted);
        Assert.True(term.IsCancellationRequested);
        Assert.Equal("", Holder);
        Assert.Equal(1, Spec!["leaseDurationSeconds"]!.GetValue<int>());
        var from = _time.GetUtcNow();
        await LeadsAsync(two);
        Assert.InRange(_time.GetUtcNow() - from, TimeSpan.Zero, TimeSpan.FromSeconds(4));
        Assert.Equal(1, Spec!["leaseTransitions"]!.GetValue<int>());
    }

    [Fact]
    public async Task Two_replicas_never_lead_at_once_whoever_is_cut_off()
    {
        var (one, _, _) = Start("one");
        await LeadsAsync(one);
        var (two, _, _) = Start("two");
        await PassAsync(TimeSpan.FromSeconds(3));

        // Only writes of the first fail: it must stop before the second may start.
        _server.Fault(r => r.Method == "PUT" && r.Headers.UserAgent == "one", c => FaultyApiServer.StatusAsync(c, 500, "InternalError"), int.MaxValue);
        var both = false;
        await Eventually.TrueAsync("the second to lead", _time, Step, () =>
        {
            both |= one.IsLeader && two.IsLeader;
            return two.IsLeader;
        });
        Assert.False(both);
        Assert.False(one.IsLeader);
        Assert.Equal("two", Holder);
    }

    [Fact]
    public async Task A_challenger_waits_as_long_as_the_holder_said_not_as_its_own_settings_say()
    {
        _server.Put("apis/" + Leases, "default", "index-operator", new JsonObject
        {
            ["spec"] = new JsonObject { ["holderIdentity"] = "gone", ["leaseDurationSeconds"] = 40, ["renewTime"] = "2020-01-01T00:00:00.000000Z" },
        });
        var (elector, _, _) = Start("one");
        await Eventually.TrueAsync("the lease to be seen", () => elector.Holder == "gone");
        var from = _time.GetUtcNow();
        await Eventually.TrueAsync("leadership", _time, 5 * Step, () => elector.IsLeader);
        Assert.InRange(_time.GetUtcNow() - from, TimeSpan.FromSeconds(39), TimeSpan.FromSeconds(50));
    }

    [Fact]
    public async Task Who_waits_for_leadership_gets_the_token_of_the_term()
    {
        var elector = new LeaseElector(_client, new LeaderElectionSettings { Identity = "one" }, _time);
        var waiting = elector.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        var stop = new CancellationTokenSource();
        _running.Add((stop, elector.RunAsync(stop.Token)));
        await Eventually.TrueAsync("the term", _time, Step, () => waiting.IsCompleted);
        Assert.Equal(elector.LeadershipToken, await waiting);
    }

    [Fact]
    public void Timings_that_cannot_be_safe_are_refused() =>
        Assert.Throws<ArgumentException>(() => new LeaseElector(_client, new LeaderElectionSettings { RenewDeadline = TimeSpan.FromSeconds(15) }, _time));
}
