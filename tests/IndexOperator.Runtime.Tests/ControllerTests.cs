using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Runtime.Tests;

public sealed class ControllerTests : IAsyncLifetime
{
    private const string Maps = "api/v1/configmaps";
    private const string Jobs = "apis/batch/v1/jobs";
    private const string Ours = "example.com/cleanup";

    private readonly Script _script = new();
    private FaultyApiServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await FaultyApiServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static ReconciliationResult<V1ConfigMap> Done(V1ConfigMap map) => ReconciliationResult<V1ConfigMap>.Success(map);

    private string[] FinalizersOf(string name) =>
        _server.Find(Maps, "a", name)?["metadata"]?["finalizers"]?.AsArray().Select(f => f!.GetValue<string>()).ToArray() ?? [];

    private static JsonObject With(params string[] finalizers) =>
        new() { ["metadata"] = new JsonObject { ["finalizers"] = new JsonArray([.. finalizers.Select(f => (JsonNode)f)]) } };

    [Fact]
    public async Task What_exists_what_appears_and_what_goes_is_reconciled()
    {
        _server.Put(Maps, "a", "one");
        await using var running = await TestOperator.StartAsync(_server, _script);
        await _script.CalledAsync("reconcile one");
        _server.Put(Maps, "a", "two");
        await _script.CalledAsync("reconcile two");
        _server.Remove(Maps, "a", "one");
        await _script.CalledAsync("deleted one");
        Assert.True(running.Health.Live().IsHealthy);
        Assert.True(running.Health.Ready().IsHealthy);
    }

    [Fact]
    public async Task A_failing_pass_is_tried_for_ever_with_growing_pauses()
    {
        var time = new FakeTimeProvider();
        var at = new List<DateTimeOffset>();
        _script.OnReconcile = (_, _) =>
        {
            lock (at)
            {
                at.Add(time.GetUtcNow());
            }

            throw new InvalidOperationException("always");
        };
        _server.Put(Maps, "a", "one");
        await using var running = await TestOperator.StartAsync(_server, _script, time: time, controller: o => o.Queue = new() { BackoffBase = TimeSpan.FromSeconds(1), Jitter = 0 });
        await Eventually.TrueAsync("twelve attempts", time, TimeSpan.FromSeconds(20), () => _script.Calls.Count >= 12);
        var pauses = at.Zip(at.Skip(1), (a, b) => (b - a).TotalSeconds).ToList();
        Assert.InRange(pauses[0], 1, 41);
        Assert.InRange(pauses[9], 300, 341);
        Assert.InRange(pauses[10], 300, 341);
    }

    [Fact]
    public async Task A_failure_that_names_a_time_comes_back_then()
    {
        var time = new FakeTimeProvider();
        _script.OnReconcile = (map, _) => Task.FromResult(ReconciliationResult<V1ConfigMap>.Failure(map, "no space", requeueAfter: TimeSpan.FromMinutes(1)));
        _server.Put(Maps, "a", "one");
        await using var running = await TestOperator.StartAsync(_server, _script, time: time);
        await _script.CalledAsync("reconcile one");
        await Eventually.TrueAsync("a second pass", time, TimeSpan.FromSeconds(10), () => _script.Count("reconcile one") == 2);
        Assert.InRange(time.GetUtcNow() - time.Start, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(80));
    }

    [Fact]
    public async Task A_timed_pass_survives_a_change_in_between()
    {
        var time = new FakeTimeProvider();
        _script.OnReconcile = (map, _) => Task.FromResult(ReconciliationResult<V1ConfigMap>.Success(map, _script.Calls.Count == 1 ? TimeSpan.FromMinutes(1) : null));
        _server.Put(Maps, "a", "one");
        await using var running = await TestOperator.StartAsync(_server, _script, time: time);
        await _script.CalledAsync("reconcile one");
        _server.Put(Maps, "a", "one");
        await _script.CalledAsync("reconcile one", 2);
        time.Advance(TimeSpan.FromMinutes(1));
        await _script.CalledAsync("reconcile one", 3);
    }

    [Fact]
    public async Task A_pass_that_takes_too_long_is_cancelled_and_tried_again()
    {
        var time = new FakeTimeProvider();
        _script.OnReconcile = async (map, token) =>
        {
            if (_script.Calls.Count == 1)
            {
                await Task.Delay(Timeout.Infinite, token);
            }

            return Done(map);
        };
        _server.Put(Maps, "a", "one");
        await using var running = await TestOperator.StartAsync(_server, _script, time: time);
        await _script.CalledAsync("reconcile one");
        await Eventually.TrueAsync("a second pass", time, TimeSpan.FromSeconds(5), () => _script.Count("reconcile one") == 2);
        Assert.InRange(time.GetUtcNow() - time.Start, TimeSpan.FromMinutes(2), TimeSpan.FromSeconds(140));
    }

    [Fact]
    public async Task A_pass_that_ignores_its_cancellation_makes_the_process_unhealthy()
    {
        var time = new FakeTimeProvider();
        var release = new TaskCompletionSource();
        _script.OnReconcile = async (map, _) =>
        {
            await release.Task;
            return Done(map);
        };
        _server.Put(Maps, "a", "one");
        await using var running = await TestOperator.StartAsync(_server, _script, time: time);
        await _script.CalledAsync("reconcile one");
        Assert.True(running.Health.Live().IsHealthy);
        time.Advance(TimeSpan.FromMinutes(3));
        Assert.Contains("beyond its deadline", Assert.Single(running.Health.Live().Problems), StringComparison.Ordinal);
        release.SetResult();
    }

    [Fact]
    public async Task A_finalizer_is_attached_before_the_first_pass_and_detached_after_it_ran()
    {
        _server.Put(Maps, "a", "one", With("foreign.example/first"));
        await using var running = await TestOperator.StartAsync(_server, _script, b => b.AddFinalizer<ScriptedFinalizer, V1ConfigMap>(Ours));
        await _script.CalledAsync("reconcile one");
        Assert.Equal(["foreign.example/first", Ours], FinalizersOf("one"));
        await running.Services.GetRequiredService<ApiClient>().DeleteAsync(KnownResources.ConfigMaps, new ObjectKey("a", "one"), TestContext.Current.CancellationToken);
        await Eventually.TrueAsync("ours to be taken off", () => FinalizersOf("one") is ["foreign.example/first"]);
        Assert.Equal(["reconcile one", "finalize one"], _script.Calls);
        var patch = _server.Requests.First(r => r.Method == "PATCH");
        Assert.Equal("application/merge-patch+json", patch.ContentType);
        Assert.NotNull(JsonNode.Parse(patch.Body)!["metadata"]!["resourceVersion"]);
    }

    [Fact]
    public async Task What_waits_for_somebody_elses_finalizer_is_no_error_and_no_loop()
    {
        using var logs = new WarningLog();
        _server.Put(Maps, "a", "one", With(Ours, "foreign.example/last"));
        await using var running = await TestOperator.StartAsync(_server, _script, b => b.AddFinalizer<ScriptedFinalizer, V1ConfigMap>(Ours), logs: logs);
        await running.Services.GetRequiredService<ApiClient>().DeleteAsync(KnownResources.ConfigMaps, new ObjectKey("a", "one"), TestContext.Current.CancellationToken);
        await Eventually.TrueAsync("ours to be taken off", () => FinalizersOf("one") is ["foreign.example/last"]);

        // Whatever the removal of ours brought about has been passed over when this one comes through.
        _server.Put(Maps, "a", "two");
        await _script.CalledAsync("reconcile two");
        Assert.Equal(1, _script.Count("finalize one"));
        Assert.Empty(logs.Warnings);
    }

    [Fact]
    public async Task A_finalizer_that_is_not_finished_keeps_the_entity_and_looks_again()
    {
        _script.OnFinalize = (map, _) => Task.FromResult(ReconciliationResult<V1ConfigMap>.Success(map, _script.Count("finalize one") < 3 ? TimeSpan.FromMilliseconds(20) : null));
        _server.Put(Maps, "a", "one", With(Ours));
        await using var running = await TestOperator.StartAsync(_server, _script, b => b.AddFinalizer<ScriptedFinalizer, V1ConfigMap>(Ours));
        await running.Services.GetRequiredService<ApiClient>().DeleteAsync(KnownResources.ConfigMaps, new ObjectKey("a", "one"), TestContext.Current.CancellationToken);
        await _script.CalledAsync("deleted one");
        Assert.Equal(3, _script.Count("finalize one"));
        Assert.Null(_server.Find(Maps, "a", "one"));
    }

    [Fact]
    public async Task A_controller_may_decide_itself_when_a_finalizer_is_needed()
    {
        _server.Put(Maps, "a", "one");
        await using var running = await TestOperator.StartAsync(
            _server, _script, b => b.AddFinalizer<ScriptedFinalizer, V1ConfigMap>(Ours), controller: o => o.AutoAttachFinalizers = false);
        await _script.CalledAsync("reconcile one");
        Assert.Empty(FinalizersOf("one"));
    }

    [Fact]
    public async Task Changes_of_owned_objects_reconcile_the_owner_and_the_store_finds_them()
    {
        var owner = _server.Put(Maps, "a", "one");
        await using var running = await TestOperator.StartAsync(
            _server, _script, b => b.Owns<V1ConfigMap, V1Job>(KnownResources.ConfigMaps, KnownResources.Jobs));
        await _script.CalledAsync("reconcile one");
        var uid = owner["metadata"]!["uid"]!.GetValue<string>();
        _server.Put(Jobs, "a", "job", new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["ownerReferences"] = new JsonArray(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "ConfigMap", ["name"] = "one", ["uid"] = uid, ["controller"] = true }),
            },
        });
        await _script.CalledAsync("reconcile one", 2);
        Assert.Equal("job", Assert.Single(running.Services.GetRequiredService<Store<V1Job>>().OwnedBy(uid)).Metadata.Name);
        _server.Remove(Jobs, "a", "job");
        await _script.CalledAsync("reconcile one", 3);
    }

    [Fact]
    public async Task A_predicate_leaves_out_changes_that_do_not_matter()
    {
        static JsonObject Map(int generation, string phase) => new() { ["metadata"] = new JsonObject { ["generation"] = generation }, ["data"] = new JsonObject { ["phase"] = phase } };
        _server.Put(Maps, "a", "one", Map(1, "old"));
        await using var running = await TestOperator.StartAsync(_server, _script, controller: o => o.Predicate = ChangePredicates.GenerationOrMetadataChanged);
        await _script.CalledAsync("reconcile one");
        _server.Put(Maps, "a", "one", Map(1, "new"));
        _server.Put(Maps, "a", "marker");
        await _script.CalledAsync("reconcile marker");
        Assert.Equal(1, _script.Count("reconcile one"));
        _server.Put(Maps, "a", "one", Map(2, "new"));
        await _script.CalledAsync("reconcile one", 2);
    }

    [Fact]
    public async Task What_changed_while_nobody_ran_comes_before_what_has_settled()
    {
        static JsonObject Map(string phase) => new() { ["data"] = new JsonObject { ["phase"] = phase } };
        for (var i = 0; i < 20; i++)
        {
            _server.Put(Maps, "a", $"settled-{i:00}", Map("settled"));
        }

        _server.Put(Maps, "a", "unsettled", Map("changed"));
        await using var running = await TestOperator.StartAsync(_server, _script, controller: options =>
        {
            options.MaxParallelReconciliations = 1;
            options.IsSettled = map => map.Data["phase"] == "settled";
        });
        await _script.CalledAsync("reconcile settled-19");
        Assert.Equal("reconcile unsettled", _script.Calls.First());
        Assert.Equal(21, _script.Calls.Count);
    }

    [Fact]
    public async Task Stopping_lets_a_pass_finish_and_starts_no_other()
    {
        var entered = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        var finished = false;
        _script.OnReconcile = async (map, token) =>
        {
            entered.TrySetResult();
            await release.Task.WaitAsync(token);
            finished = true;
            return Done(map);
        };
        _server.Put(Maps, "a", "one");
        _server.Put(Maps, "a", "two");
        await using var running = await TestOperator.StartAsync(_server, _script, controller: o => o.MaxParallelReconciliations = 1);
        await Eventually.CompletesAsync("the pass", entered.Task);
        var stopping = running.StopAsync();
        Assert.False(stopping.IsCompleted);
        release.SetResult();
        await Eventually.CompletesAsync("the host to stop", stopping);
        Assert.True(finished);
        Assert.Single(_script.Calls);
    }

    [Fact]
    public async Task Stopping_cancels_a_pass_that_outlasts_the_grace_period()
    {
        var cancelled = false;
        _script.OnReconcile = async (map, token) =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, token);
            }
            catch (OperationCanceledException)
            {
                cancelled = true;
                throw;
            }

            return Done(map);
        };
        _server.Put(Maps, "a", "one");
        await using var running = await TestOperator.StartAsync(_server, _script, settings: s => s.ShutdownGracePeriod = TimeSpan.FromMilliseconds(50));
        await _script.CalledAsync("reconcile one");
        await Eventually.CompletesAsync("the host to stop", running.StopAsync());
        Assert.True(cancelled);
    }

    [Fact]
    public async Task Only_the_leader_works_and_the_next_one_begins_with_everything()
    {
        _server.Put(Maps, "a", "one");
        var second = new Script();
        var first = await TestOperator.StartAsync(_server, _script, settings: Elect);
        await _script.CalledAsync("reconcile one");
        await using var other = await TestOperator.StartAsync(_server, second, settings: Elect);
        await Eventually.TrueAsync("the second replica to be ready", () => other.Health.Ready().IsHealthy);
        Assert.Empty(second.Calls);
        await first.DisposeAsync();
        await second.CalledAsync("reconcile one");
        _server.Put(Maps, "a", "two");
        await second.CalledAsync("reconcile two");
        Assert.Equal(0, _script.Count("reconcile two"));

        static void Elect(OperatorSettings settings)
        {
            settings.LeaderElection.Enabled = true;
            settings.LeaderElection.RetryPeriod = TimeSpan.FromMilliseconds(100);
        }
    }

    [Fact]
    public async Task Losing_leadership_cancels_passes_and_stops_requeues()
    {
        var cancelled = 0;
        _script.OnReconcile = async (map, token) =>
        {
            if (map.Metadata.Name == "slow")
            {
                try
                {
                    await Task.Delay(Timeout.Infinite, token);
                }
                catch (OperationCanceledException)
                {
                    Interlocked.Increment(ref cancelled);
                    throw;
                }
            }

            return ReconciliationResult<V1ConfigMap>.Success(map, TimeSpan.FromMilliseconds(5));
        };
        _server.Put(Maps, "a", "slow");
        _server.Put(Maps, "a", "busy");
        await using var running = await TestOperator.StartAsync(_server, _script, settings: s =>
        {
            s.LeaderElection.Enabled = true;
            s.LeaderElection.LeaseDuration = TimeSpan.FromSeconds(2);
            s.LeaderElection.RenewDeadline = TimeSpan.FromSeconds(1);
            s.LeaderElection.RetryPeriod = TimeSpan.FromMilliseconds(50);
        });
        await _script.CalledAsync("reconcile busy", 3);
        await _script.CalledAsync("reconcile slow");
        _server.Fault(r => r.Path.Value!.Contains("leases", StringComparison.Ordinal), c => FaultyApiServer.StatusAsync(c, 500, "InternalError"), int.MaxValue);
        await Eventually.TrueAsync("leadership to end and the pass with it", () => cancelled == 1 && !running.Health.IsLeader);
        var queue = running.Services.GetRequiredService<IEntityQueue<V1ConfigMap>>();
        await Eventually.TrueAsync("the workers to end", () =>
        {
            var before = _script.Calls.Count;
            queue.Requeue(new ObjectKey("a", "busy"));
            return _script.Calls.Count == before;
        });
        var calls = _script.Calls.Count;
        queue.Requeue(new ObjectKey("a", "busy"));
        _server.Put(Maps, "a", "marker");
        await Eventually.TrueAsync("the store to follow", () => running.Services.GetRequiredService<Store<V1ConfigMap>>().Count == 3);
        Assert.Equal(calls, _script.Calls.Count);
    }

    [Fact]
    public async Task Passes_are_measured_under_controller_runtimes_names_and_traced_one_by_one()
    {
        var seen = new HashSet<string>();
        var results = new HashSet<string>();
        var traces = new HashSet<ActivityTraceId>();
        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == RuntimeMetrics.SourceName)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        meters.SetMeasurementEventCallback<long>((i, _, tags, _) => Note(i, tags));
        meters.SetMeasurementEventCallback<double>((i, _, tags, _) => Note(i, tags));
        meters.SetMeasurementEventCallback<int>((i, _, tags, _) => Note(i, tags));
        meters.Start();
        using var activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == RuntimeMetrics.SourceName,
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                lock (traces)
                {
                    traces.Add(activity.TraceId);
                }
            },
        };
        ActivitySource.AddActivityListener(activities);
        _script.OnReconcile = (map, _) => map.Metadata.Name == "bad" ? throw new InvalidOperationException("bad") : Task.FromResult(Done(map));
        _server.Put(Maps, "a", "good");
        _server.Put(Maps, "a", "bad");
        await using var running = await TestOperator.StartAsync(_server, _script);
        await _script.CalledAsync("reconcile bad", 2);
        await _script.CalledAsync("reconcile good");
        await Eventually.TrueAsync("both results", () => Has(results, "success") && Has(results, "error"));
        meters.RecordObservableInstruments();
        string[] expected =
        [
            "controller_runtime_reconcile_total", "controller_runtime_reconcile_errors_total", "controller_runtime_reconcile_time_seconds",
            "controller_runtime_active_workers", "controller_runtime_max_concurrent_reconciles", "workqueue_depth", "workqueue_adds_total",
            "workqueue_queue_duration_seconds", "workqueue_work_duration_seconds", "workqueue_retries_total", "workqueue_unfinished_work_seconds",
            "rest_client_requests_total", "controller_runtime_reconcile_panics_total",
        ];
        Assert.Empty(expected.Except(seen));
        Assert.True(traces.Count >= 3);

        static bool Has(HashSet<string> set, string value)
        {
            lock (set)
            {
                return set.Contains(value);
            }
        }

        void Note(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            lock (results)
            {
                seen.Add(instrument.Name);
                foreach (var tag in tags)
                {
                    if (tag.Key == "result")
                    {
                        results.Add((string)tag.Value!);
                    }
                }
            }
        }
    }
}
