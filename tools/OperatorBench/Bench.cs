using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Operator;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s;

namespace OperatorBench;

/// <summary>What was measured with one number of objects.</summary>
internal sealed record Measured(
    int Objects,
    double ReadyOnEmptyClusterSeconds,
    double CreatedToReadySeconds,
    double CallsPerIndex,
    IReadOnlyDictionary<string, double> CallsByVerb,
    double RestSeconds,
    double WritesAtRest,
    double ReconcilesAtRest,
    double ChangeMedianMilliseconds,
    double ChangeP99Milliseconds,
    double RestartSeconds,
    double ResidentMegabytes,
    double PeakMegabytes,
    IReadOnlyDictionary<string, double> ProcessorMillisecondsPerIndex);

/// <summary>Runs the real operator's program against a real control plane of its own.</summary>
internal sealed class Bench(string program, int objects, int restSeconds, int changes, Action<string> say) : IAsyncDisposable
{
    private const int Creators = 8;
    private const int Namespaces = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);

    private readonly ConcurrentDictionary<ObjectKey, bool> _ready = new();
    private readonly ConcurrentDictionary<ObjectKey, (long Generation, long At)> _changed = new();
    private readonly ConcurrentDictionary<ObjectKey, (long Generation, long At)> _observed = new();
    private readonly ConcurrentDictionary<ObjectKey, bool> _suspended = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly HttpClient _http = new();
    private ControlPlane _plane = null!;
    private ApiClient _client = null!;
    private OperatorProcess _operator = null!;
    private Task _watching = Task.CompletedTask;

    public async Task<Measured> RunAsync()
    {
        say($"{objects} objects: a control plane");
        // Server, store, operator and player share this machine's processors: the server is spared what the operator does not
        // cause, most of its garbage collections and the controllers that watch along.
        Environment.SetEnvironmentVariable("GOGC", "400");
        Environment.SetEnvironmentVariable("GOMEMLIMIT", $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2}B");
        _plane = await ControlPlane.StartAsync("--controllers", "namespace,serviceaccount,serviceaccount-token");
        await _plane.ApplyCrdAsync();
        _client = new ApiClient(
            ApiConnection.From(KubernetesClientConfiguration.BuildConfigFromConfigFile(_plane.KubeConfig)), new ApiClientOptions { RequestsPerSecond = 0, UserAgent = "bench" });
        for (var i = 0; i < Namespaces; i++)
        {
            await _plane.KubectlAsync("create", "namespace", Space(i));
            await _client.CreateAsync(KnownResources.PersistentVolumeClaims, Specs.Claim(Space(i), Specs.DataClaim), _stop.Token);
            await _client.CreateAsync(KnownResources.PersistentVolumeClaims, Specs.Claim(Space(i), Specs.CacheClaim), _stop.Token);
        }

        var empty = await StartOperatorAsync();
        await using var player = new Player(_client);
        var (before, processors) = (await CallsAsync(), Processors());
        say($"{objects} objects: from created to Ready");
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Creators).Select(CreateAsync));
        // By the operator's own gauge: a watch of the bench's would make the server send every change a second time.
        await UntilAsync("every object to be Ready", async () => await ReadyAsync() >= objects, TimeSpan.FromMilliseconds(500));
        var created = clock.Elapsed.TotalSeconds;
        var spent = Processors().ToDictionary(used => used.Key, used => 1000 * (used.Value - processors[used.Key]) / objects);
        say(string.Create(CultureInfo.InvariantCulture, $"{objects} objects: Ready after {created:0.0} s; milliseconds of a processor an index: {string.Join(", ", spent.Select(used => $"{used.Key} {used.Value:0.0}"))}"));
        await WatchAsync();
        await SettleAsync();
        var calls = await CallsAsync();
        var used = calls.ToDictionary(call => call.Key, call => (call.Value - before.GetValueOrDefault(call.Key)) / objects);

        say($"{objects} objects: {restSeconds} s of rest");
        var (writes, passes) = (await WritesAsync(), await PassesAsync());
        await Task.Delay(TimeSpan.FromSeconds(restSeconds));
        var (writesAtRest, passesAtRest) = (await WritesAsync() - writes, await PassesAsync() - passes);
        var (resident, peak) = (ProcessFigures.ResidentMegabytes(_operator.Id), ProcessFigures.PeakMegabytes(_operator.Id));

        say($"{objects} objects: {changes} changes, one at a time");
        var latencies = new List<double>();
        for (var i = 0; i < changes; i++)
        {
            latencies.Add(await ChangeAsync(Key(i * 37 % objects)));
        }

        say($"{objects} objects: a restart");
        await _operator.TerminateAsync();
        _operator.Dispose();
        clock.Restart();
        var (starting, changing) = (StartOperatorAsync(), ChangeAsync(Key(objects - 1)));
        await changing;
        var restart = clock.Elapsed.TotalSeconds;
        await starting;

        latencies.Sort();
        return new Measured(
            objects, empty, created, used.Values.Sum(), used, restSeconds, writesAtRest, passesAtRest,
            latencies[latencies.Count / 2], latencies[(int)(latencies.Count * 0.99)], restart, resident, peak, spent);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _operator?.Dispose();
        _client?.Dispose();
        _http.Dispose();
        _stop.Dispose();
        if (_plane is not null)
        {
            await _plane.DisposeAsync();
        }
    }

    private static string Space(int i) => $"team-{i}";

    private static ObjectKey Key(int i) => new(Space(i % Namespaces), $"mix-{i}");

    private async Task<double> StartOperatorAsync()
    {
        // Without election: renewals of the lease would be the only writes at rest.
        var config = await OperatorAccess.KubeConfigAsync(_plane);
        var clock = Stopwatch.StartNew();
        _operator = OperatorProcess.StartProgram(program, config, "--leader-elect=false", "--log-level", "Warning", "--builder-image", "registry.example/index-builder:bench");
        await UntilAsync("the operator to be ready", async () =>
        {
            try
            {
                using var answer = await _http.GetAsync(new Uri($"http://127.0.0.1:{_operator.Port}/readyz"));
                return answer.IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, TimeSpan.FromMilliseconds(10));
        return clock.Elapsed.TotalSeconds;
    }

    /// <summary>Watches what is Ready by now, and what changes from here on.</summary>
    /// <exception cref="InvalidOperationException">The operator's gauge told more than is so.</exception>
    private async Task WatchAsync()
    {
        var informer = new Informer<PretrainIndex>(_client, Resources.PretrainIndexes);
        informer.AddHandler(change =>
        {
            var now = Stopwatch.GetTimestamp();
            First(_changed, change.Key, change.New.Metadata.Generation ?? 0, now);
            if (change.New.Status is { } status)
            {
                First(_observed, change.Key, status.ObservedGeneration ?? 0, now);
                if (status.Conditions?.FirstOrDefault(condition => condition.Type == ConditionTypes.Ready) is { Status: "True" })
                {
                    _ready[change.Key] = true;
                }
            }
        });
        _watching = informer.RunAsync(_stop.Token);
        static void First(ConcurrentDictionary<ObjectKey, (long Generation, long At)> times, ObjectKey key, long generation, long now) =>
            times.AddOrUpdate(key, (generation, now), (_, was) => was.Generation >= generation ? was : (generation, now));

        await informer.WaitForSyncAsync(_stop.Token);
        if (_ready.Count < objects)
        {
            throw new InvalidOperationException($"the operator counts {objects} Ready, a list right after it {_ready.Count}");
        }
    }

    private async Task<double> ReadyAsync() => (await MetricAsync("indexoperator_pretrainindexes", "condition", "status=\"True\"")).GetValueOrDefault(ConditionTypes.Ready);

    private async Task CreateAsync(int creator)
    {
        for (var i = creator; i < objects; i += Creators)
        {
            var (key, seed) = (Key(i), i);
            await _client.CreateAsync(Resources.PretrainIndexes, Specs.Index(key.Namespace, key.Name, spec => Specs.Seeded(spec, seed)), _stop.Token);
        }
    }

    /// <summary>Milliseconds from the event of a change until that of its effect, a written status: more than from event to pass.</summary>
    private async Task<double> ChangeAsync(ObjectKey key)
    {
        // Each time the other way round: a patch that changes nothing would be observed before it is sent.
        var suspend = _suspended.AddOrUpdate(key, true, (_, was) => !was);
        var changed = await _client.MergePatchAsync(Resources.PretrainIndexes, key, new JsonObject { ["spec"] = new JsonObject { ["suspend"] = suspend } }, null, _stop.Token);
        await UntilAsync($"{key} to be observed", () => _observed.GetValueOrDefault(key).Generation >= changed.Metadata.Generation);
        return Stopwatch.GetElapsedTime(_changed[key].At, _observed[key].At).TotalMilliseconds;
    }

    private async Task SettleAsync()
    {
        var (last, since) = (-1.0, Stopwatch.StartNew());
        while (since.Elapsed < TimeSpan.FromSeconds(5) && !_stop.IsCancellationRequested)
        {
            var now = await WritesAsync();
            if (now != last)
            {
                (last, since) = (now, Stopwatch.StartNew());
            }

            await Task.Delay(500);
        }
    }

    private static async Task UntilAsync(string what, Func<bool> holds) => await UntilAsync(what, () => Task.FromResult(holds()));

    private static async Task UntilAsync(string what, Func<Task<bool>> holds, TimeSpan? interval = null)
    {
        var clock = Stopwatch.StartNew();
        while (!await holds())
        {
            if (clock.Elapsed > Patience)
            {
                throw new TimeoutException($"waited {Patience} for {what}");
            }

            await Task.Delay(interval ?? TimeSpan.FromMilliseconds(1));
        }
    }

    private async Task<double> WritesAsync() => (await CallsAsync()).Where(call => call.Key != "GET").Sum(call => call.Value);

    private Task<IReadOnlyDictionary<string, double>> CallsAsync() => MetricAsync("rest_client_requests_total", "method");

    private async Task<double> PassesAsync() => (await MetricAsync("controller_runtime_reconcile_total", "result")).Values.Sum();

    private async Task<IReadOnlyDictionary<string, double>> MetricAsync(string name, string label, string with = "")
    {
        var text = await _http.GetStringAsync(new Uri($"http://127.0.0.1:{_operator.Port}/metrics"));
        var sums = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n').Where(line => line.StartsWith(name + "{", StringComparison.Ordinal) && line.Contains(with, StringComparison.Ordinal)))
        {
            var at = line.IndexOf(label + "=\"", StringComparison.Ordinal) + label.Length + 2;
            var key = line[at..line.IndexOf('"', at)];
            var value = double.Parse(line[(line.LastIndexOf('}') + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
            sums[key] = sums.GetValueOrDefault(key) + value;
        }

        return sums;
    }

    private Dictionary<string, double> Processors() => new(StringComparer.Ordinal)
    {
        ["API server"] = ProcessFigures.CpuSeconds(_plane.ProcessId("kube-apiserver")),
        ["etcd"] = ProcessFigures.CpuSeconds(_plane.ProcessId("etcd")),
        ["operator"] = ProcessFigures.CpuSeconds(_operator.Id),
        ["player"] = ProcessFigures.CpuSeconds(Environment.ProcessId),
    };
}
