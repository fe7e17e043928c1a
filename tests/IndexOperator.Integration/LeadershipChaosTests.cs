using System.Globalization;
using IndexOperator.Integration.Harness;
using IndexOperator.Operator;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s;

namespace IndexOperator.Integration;

/// <summary>Nothing else runs beside: failover is measured.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>
/// Three replicas in processes of their own; the leader is killed, frozen, cut off and stopped again and again while
/// resources come and go. The API server's audit log then tells who wrote when.
/// </summary>
[Collection(nameof(Alone))]
[Trait("Category", "Chaos")]
public sealed class LeadershipChaosTests : IAsyncLifetime
{
    private const int Replicas = 3;
    private const int LeaseSeconds = 4;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    private static readonly string[] Timings = ["--leader-elect-lease-duration", $"{LeaseSeconds}s", "--leader-elect-renew-deadline", "2500ms", "--leader-elect-retry-period", "500ms"];
    private static readonly ObjectKey Lease = new(OperatorAccess.Namespace, "index-operator");

    private readonly List<(OperatorProcess Process, TcpLine Line)> _replicas = [];
    private ControlPlane _plane = null!;
    private ApiClient _client = null!;
    private string _namespace = "";

    private enum Blow
    {
        Kill,
        Stop,
        Freeze,
        Partition,
    }

    public async ValueTask InitializeAsync()
    {
        _plane = await ControlPlane.StartAsync("--audit");
        await _plane.ApplyCrdAsync();
        _namespace = await _plane.CreateNamespaceAsync();
        var connection = ApiConnection.From(KubernetesClientConfiguration.BuildConfigFromConfigFile(_plane.KubeConfig));
        _client = new ApiClient(connection, new ApiClientOptions { RequestsPerSecond = 0, UserAgent = "chaos" });
        foreach (var claim in new[] { Specs.DataClaim, Specs.CacheClaim })
        {
            await _client.CreateAsync(KnownResources.PersistentVolumeClaims, Specs.Claim(_namespace, claim), CancellationToken.None);
        }

        for (var i = 0; i < Replicas; i++)
        {
            var line = new TcpLine(connection.Server);
            _replicas.Add((await StartAsync(line), line));
        }
    }

    [Fact]
    public async Task No_replica_writes_after_its_term_and_the_next_one_takes_over_in_time()
    {
        var blows = Chaos.Number("CHAOS_BLOWS", 12);
        var seed = Chaos.Number("CHAOS_SEED", Environment.TickCount);
        var random = new Random(seed);
        var log = new List<(Blow Blow, DateTime At, string Identity)>();
        using var ending = new CancellationTokenSource();
        var traffic = ComeAndGoAsync(ending.Token);
        for (var i = 0; i < blows; i++)
        {
            var leader = await LeaderAsync();
            var blow = (Blow)(i % 4);
            var identity = _replicas[leader].Process.Identity!;
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 1200)), TestContext.Current.CancellationToken);
            log.Add((blow, DateTime.UtcNow, identity));
            await StrikeAsync(leader, blow, TimeSpan.FromMilliseconds(random.Next(300, 2000 * LeaseSeconds)));
        }

        _ = await LeaderAsync();
        await ending.CancelAsync();
        await traffic;
        await _client.CreateAsync(Resources.PretrainIndexes, Specs.Index(_namespace, "last", spec => Specs.Seeded(spec, uint.MaxValue)), CancellationToken.None);
        await Wait.Until("the last leader to build", async () => (await _client.GetAsync(Resources.PretrainIndexes, new(_namespace, "last"), CancellationToken.None)).Status?.Build?.Job is not null, Patience);

        var trail = await AuditTrail.ReadAsync(_plane.AuditLog);
        var takeovers = log.Where(entry => entry.Blow is Blow.Kill or Blow.Stop).Select(entry => (entry.Blow, After: AuditTrail.Takeover(trail, entry.At, entry.Identity))).ToList();
        var writes = trail.Count(write => write.Term is not null);
        var summary = $"seed {seed}: {blows} blows, {trail.Where(write => write.Term is not null).Select(write => write.Term).Distinct().Count()} terms, {writes} writes; taken over after "
            + string.Join(", ", takeovers.Select(item => string.Create(CultureInfo.InvariantCulture, $"{item.Blow} {item.After?.TotalSeconds:0.0} s")));
        await Chaos.TellAsync(summary);
        var trespasses = AuditTrail.Trespasses(trail).ToList();
        Assert.True(trespasses.Count == 0, string.Join('\n', [summary, .. trespasses, .. log.Select(entry => string.Create(CultureInfo.InvariantCulture, $"{entry.At:HH:mm:ss.fff} {entry.Blow} {entry.Identity}"))]));
        Assert.True(writes > 20 * blows, summary);
        Assert.All(takeovers, item => Assert.True(item.After <= TimeSpan.FromSeconds(item.Blow == Blow.Kill ? LeaseSeconds + 2 : 2), summary));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (process, line) in _replicas)
        {
            process.Dispose();
            await line.DisposeAsync();
        }

        _client?.Dispose();
        await _plane.DisposeAsync();
    }

    private async Task StrikeAsync(int leader, Blow blow, TimeSpan length)
    {
        var (process, line) = _replicas[leader];
        switch (blow)
        {
            case Blow.Kill:
                process.Kill();
                break;
            case Blow.Stop:
                await process.TerminateAsync();
                Assert.True(process.ExitCode == 0, $"exit code {process.ExitCode} after SIGTERM:\n{process.Log}");
                break;
            case Blow.Freeze:
                process.Freeze();
                await Task.Delay(length, TestContext.Current.CancellationToken);
                process.Thaw();
                return;
            default:
                line.Cut();
                await Task.Delay(length, TestContext.Current.CancellationToken);
                line.Mend();
                return;
        }

        process.Dispose();
        _replicas[leader] = (await StartAsync(line), line);
    }

    private async Task<OperatorProcess> StartAsync(TcpLine line) =>
        OperatorProcess.Start(await OperatorAccess.KubeConfigThroughAsync(_plane, line.Address), ["--namespace", _namespace, "--leader-elect-namespace", OperatorAccess.Namespace, .. Timings]);

    /// <summary>Which replica leads, as soon as one does and is here.</summary>
    private async Task<int> LeaderAsync()
    {
        var leader = -1;
        await Wait.Until(
            "a leader",
            async () =>
            {
                var holder = (await _client.FindAsync(KnownResources.Leases, Lease, CancellationToken.None))?.Spec?.HolderIdentity;
                leader = string.IsNullOrEmpty(holder) ? -1 : _replicas.FindIndex(replica => replica.Process.Identity == holder);
                return leader >= 0;
            },
            Patience);
        return leader;
    }

    /// <summary>Resources that give the leader something to write at any moment.</summary>
    private async Task ComeAndGoAsync(CancellationToken cancellation)
    {
        const int Alive = 8;
        for (var i = 0; !cancellation.IsCancellationRequested; i++)
        {
            await _client.CreateAsync(Resources.PretrainIndexes, Specs.Index(_namespace, $"mix-{i}", spec => Specs.Seeded(spec, i)), CancellationToken.None);
            if (i >= Alive)
            {
                await _client.DeleteAsync(Resources.PretrainIndexes, new ObjectKey(_namespace, $"mix-{i - Alive}"), CancellationToken.None);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(150), CancellationToken.None);
        }
    }
}
