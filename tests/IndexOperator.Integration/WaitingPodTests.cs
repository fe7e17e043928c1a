using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Operator;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s.Models;

namespace IndexOperator.Integration;

/// <summary>Pods that wait for an index are opened when it is Ready, all of a workload with one version, and are told why they wait.</summary>
public sealed class WaitingPodTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    private static readonly string Monday = Specs.Version("mon");
    private static readonly string Tuesday = Specs.Version("tue");

    [Fact]
    public async Task Pods_that_came_before_their_index_are_told_so_and_opened_once_it_is_Ready()
    {
        await WaitAsync("llm-0", "llm");
        await StartOperatorAsync();
        await ToldAsync("llm-0", PodReasons.IndexMissing, isEvent: true);
        await WaitAsync("llm-1", "llm");
        await ToldAsync("llm-1", PodReasons.IndexMissing, isEvent: true);

        await CreateAsync("mix");
        var build = await Player.PodAsync("mix");
        await ToldAsync("llm-0", PodReasons.IndexNotReady, isEvent: false);
        await IndexAsync("mix", "waited for", index => index.Status!.Consumers is { Waiting: 2, Running: 0 });

        await Player.EndAsync(build, 0, Specs.Built("mon"));
        await OpenedAsync("llm-0", Monday);
        await OpenedAsync("llm-1", Monday);
        await ToldAsync("llm-1", PodReasons.Pinned, isEvent: false);
        var ready = await IndexAsync("mix", "used", index => index.Status!.Consumers is { VersionsInUse: [var only] } && only == Monday);
        Assert.Equal(("group/llm", Monday), Assert.Single(ready.Status!.Consumers!.Groups!.Select(group => (group.Group, group.Version))));
    }

    [Fact]
    public async Task A_workload_keeps_its_version_through_a_switch_and_a_later_one_gets_the_new_one()
    {
        await StartPublishedAsync("mon");
        await WaitAsync("llm-0", "llm");
        await OpenedAsync("llm-0", Monday);

        Player.SucceedAll("tue");
        await PatchSpecAsync("mix", new JsonObject { ["dataVersion"] = "2026-11-21" });
        await IndexAsync("mix", "at Tuesday", index => index.Is(ConditionTypes.Ready, "True") && index.Status!.Current!.Version == Tuesday);
        await WaitAsync("llm-1", "llm");
        await WaitAsync("later-0", "later");
        await OpenedAsync("llm-1", Monday);
        await OpenedAsync("later-0", Tuesday);

        // The whole workload goes and is created again.
        await DeletePodAsync("llm-0");
        await DeletePodAsync("llm-1");
        await IndexAsync("mix", "left by the workload", index => index.Status!.Consumers?.Groups?.Any(group => group is { Group: "group/llm", GoneSince: not null }) == true);
        await WaitAsync("llm-0", "llm");
        await OpenedAsync("llm-0", Monday);
    }

    [Fact]
    public async Task A_pod_that_insists_on_a_data_version_gets_it_or_is_told()
    {
        await StartPublishedAsync("mon");
        Player.SucceedAll("tue");
        await PatchSpecAsync("mix", new JsonObject { ["dataVersion"] = "2026-11-21" });
        await IndexAsync("mix", "at Tuesday", index => index.Is(ConditionTypes.Ready, "True") && index.Status!.Current!.Version == Tuesday);

        await WaitAsync("old", null, "2026-11-20");
        await WaitAsync("never", null, "2026-01-01");
        await OpenedAsync("old", Monday);
        await ToldAsync("never", PodReasons.DataVersionUnavailable, isEvent: true);
        Assert.Null((await PodAsync("never")).VersionOf());
    }

    [Fact]
    public async Task Pods_are_told_that_their_index_is_stalled_suspended_or_going()
    {
        await StartOperatorAsync();
        await CreateAsync("mix", spec => spec with { Data = spec.Data with { ClaimName = "not-there" } });
        await WaitAsync("llm-0", "llm");
        await ToldAsync("llm-0", PodReasons.IndexStalled, isEvent: true);
        Assert.Contains("not-there", (await PodAsync("llm-0")).Told()!.Message, StringComparison.Ordinal);

        await PatchSpecAsync("mix", new JsonObject { ["suspend"] = true });
        await ToldAsync("llm-0", PodReasons.IndexSuspended, isEvent: true);

        await PatchSpecAsync("mix", new JsonObject { ["suspend"] = false, ["data"] = new JsonObject { ["claimName"] = Specs.DataClaim } });
        await Player.PodAsync("mix");
        await ToldAsync("llm-0", PodReasons.IndexNotReady, isEvent: false);
        Player.StopsWhenTold = false;
        await DeleteAsync("mix");
        await ToldAsync("llm-0", PodReasons.IndexDeleting, isEvent: true);
        foreach (var pod in Pods.Now.Where(pod => pod.Metadata.Labels.ContainsKey(Labels.Task)))
        {
            await Player.KillAsync(pod);
        }

        Player.StopsWhenTold = true;
        Player.SucceedAll();
        await GoneAsync("mix", Collected);
        await ToldAsync("llm-0", PodReasons.IndexMissing, isEvent: true);
    }

    [Fact]
    public async Task A_pod_on_a_server_with_scheduling_gates_never_has_the_one_without_the_other()
    {
        Plane.SkipBefore(WaitingPods.GateServer, "scheduling gates");
        await StartPublishedAsync("mon");
        await WaitAsync("llm-0", "llm");
        await OpenedAsync("llm-0", Monday);
        await UntilAsync("the watch to show it", () => Pods.Now.Any(pod => pod.Metadata.Name == "llm-0" && pod.VersionOf() is not null));
        Assert.All(Pods.Changes.Where(change => change.Key.Name == "llm-0").Select(change => change.New), pod => Assert.Equal(pod.VersionOf() is null, pod.Spec.SchedulingGates is { Count: > 0 }));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task An_operator_that_dies_while_it_opens_leaves_a_workload_with_one_version(int opened)
    {
        var (first, proxy) = await StartProxiedOperatorAsync();
        Player.SucceedAll("mon");
        await CreateAsync("mix");
        await ReadyAsync("mix");
        var patched = 0;
        proxy.CutBefore = sent => IsOpening(sent) && Interlocked.Increment(ref patched) > opened;
        for (var i = 0; i < 6; i++)
        {
            await WaitAsync($"llm-{i}", "llm");
        }

        await proxy.WasCut.WaitAsync(Soon, TestContext.Current.CancellationToken);
        await first.KillAsync();
        Assert.Equal(Monday, Assert.Single((await GetAsync("mix")).Status!.Consumers!.Groups!).Version);

        // Another version becomes current before the next operator comes: by hand, as no operator runs.
        await PatchStatusAsync("mix", SwitchedStatus(await GetAsync("mix")));
        await StartOperatorAsync();
        for (var i = 0; i < 6; i++)
        {
            await OpenedAsync($"llm-{i}", Monday);
        }
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1000)]
    public async Task Many_pods_that_wait_are_opened_together(int count)
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) => await WaitAsync($"llm-{i}", $"llm-{i % 4}"));
        var bare = await WriteBareAsync(Pods.Now);
        var (_, proxy) = await StartProxiedOperatorAsync();
        await CreateAsync("mix");
        var build = await Player.PodAsync("mix");
        await IndexAsync("mix", "waited for by all", index => index.Status!.Consumers?.Waiting == count, TimeSpan.FromMinutes(2));
        await UntilAsync("all to be told that they wait", () => Pods.Now.Count(pod => pod.Told() is not null) == count, TimeSpan.FromMinutes(2));

        var before = proxy.Sent.Count(sent => sent.IsWrite);
        await Player.EndAsync(build, 0, Specs.Built("mon"));
        await ReadyAsync("mix");
        var opened = new List<double>();
        var clock = Stopwatch.StartNew();
        await UntilAsync(
            "all to be opened",
            () =>
            {
                var now = Pods.Now.Count(pod => pod.VersionOf() == Monday);
                while (opened.Count < now)
                {
                    opened.Add(clock.Elapsed.TotalSeconds);
                }

                return now == count;
            },
            TimeSpan.FromMinutes(2));
        await UntilAsync("all to be told that they wait no more", () => Pods.Now.Count(pod => pod.Told() is { Status: "True" }) == count, TimeSpan.FromMinutes(2));
        var writes = proxy.Sent.Where(sent => sent.IsWrite).Skip(before).ToList();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{count} pods from Ready to open: {Spread(opened)}; as many bare writes: {Spread(bare)}; {writes.Count} writes, of them {writes.Count(IsOpening)} openings, {writes.Count(sent => sent.Path.Contains("/pods/", StringComparison.Ordinal) && sent.Path.Contains("/status", StringComparison.Ordinal))} of pods' statuses and {writes.Count(sent => sent.Path.Contains("pretrainindexes/mix/status", StringComparison.Ordinal))} of the index's"));

        Assert.Equal(count, writes.Count(IsOpening));
        Assert.True(writes.Count(sent => sent.Path.Contains("pretrainindexes/mix/status", StringComparison.Ordinal)) < 50, "a status was written for every few pods");
        Assert.Equal(4, (await GetAsync("mix")).Status!.Consumers!.Groups!.Count);

        // They start, within some seconds: not every number is written.
        before = proxy.Sent.Count(sent => sent.IsWrite);
        clock.Restart();
        await Parallel.ForEachAsync(Pods.Now.Where(pod => pod.VersionOf() is not null), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (pod, cancellation) =>
            await Client.MergePatchAsync(KnownResources.Pods, ObjectKey.Of(pod), new JsonObject { ["status"] = new JsonObject { ["phase"] = "Running" } }, null, cancellation, "status"));
        var seconds = clock.Elapsed.TotalSeconds;
        await IndexAsync("mix", "used by all", index => index.Status!.Consumers is { Waiting: 0, Running: var running } && running == count);
        var counts = proxy.Sent.Where(sent => sent.IsWrite).Skip(before).ToList();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} pods start within {seconds:0.0} s: {counts.Count} writes"));
        Assert.True(counts.Count <= 3 + (clock.Elapsed.TotalSeconds / CountPace.Interval.TotalSeconds), $"{counts.Count} writes in {clock.Elapsed}: {string.Join(", ", counts.Select(sent => sent.Path).Distinct().Take(5))}");
    }

    [Fact]
    public async Task A_status_that_was_planned_from_an_old_state_does_not_take_a_workloads_version_back()
    {
        var writer = new StatusWriter(Client, new OwnWrites(TimeProvider.System));
        var old = await CreateAsync("mix");
        var first = new PretrainIndexStatus { ObservedGeneration = 1, Consumers = new ConsumersStatus { Waiting = 1, Running = 0, Groups = [new GroupStatus { Group = "group/llm", Version = Monday }] } };
        Assert.True(await writer.WriteAsync(old, first, TestContext.Current.CancellationToken));

        var refused = await Assert.ThrowsAsync<ApiException>(() => writer.WriteAsync(old, first with { Consumers = new ConsumersStatus { Waiting = 1, Running = 0 } }, TestContext.Current.CancellationToken));

        Assert.True(refused.IsConflict, refused.Message);
        Assert.Equal(Monday, Assert.Single((await GetAsync("mix")).Status!.Consumers!.Groups!).Version);
    }

    // What this machine's API server needs for as many small writes, as many at a time, when nothing else happens: no operator can be faster here.
    private async Task<IReadOnlyList<double>> WriteBareAsync(IReadOnlyList<V1Pod> pods)
    {
        var done = new ConcurrentQueue<double>();
        var clock = Stopwatch.StartNew();
        await Parallel.ForEachAsync(pods, new ParallelOptions { MaxDegreeOfParallelism = PodActions.AtOnce }, async (pod, cancellation) =>
        {
            var patch = new JsonArray(new JsonObject { ["op"] = "add", ["path"] = "/metadata/labels/bare", ["value"] = "written" });
            await Client.JsonPatchAsync(KnownResources.Pods, ObjectKey.Of(pod), patch, null, cancellation);
            done.Enqueue(clock.Elapsed.TotalSeconds);
        });
        return [.. done.Order()];
    }

    private static string Spread(IReadOnlyList<double> seconds) => string.Create(
        CultureInfo.InvariantCulture, $"p50 {seconds[seconds.Count / 2]:0.00} s, p99 {seconds[(seconds.Count * 99 / 100) - 1]:0.00} s, all {seconds[^1]:0.00} s");

    private static bool IsOpening(SentRequest sent) =>
        sent.Method == "PATCH" && sent.Path.Contains("/pods/", StringComparison.Ordinal) && !sent.Path.Contains("/status", StringComparison.Ordinal);

    // Tuesday's version in the place of Monday's, which is kept.
    private static JsonObject SwitchedStatus(PretrainIndex index)
    {
        var monday = JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(index.Status!.Current, ApiJsonContext.Default.VersionStatus))!.AsObject();
        var tuesday = monday.DeepClone().AsObject();
        (tuesday["version"], tuesday["path"]) = (Tuesday, $"versions/{Tuesday}");
        monday["buildKey"] = "0123456789abcdef";
        return new JsonObject { ["current"] = tuesday, ["previous"] = new JsonArray(monday) };
    }

    private async Task StartPublishedAsync(string content)
    {
        await StartOperatorAsync();
        Player.SucceedAll(content);
        await CreateAsync("mix");
        await ReadyAsync("mix");
    }

    private Task<V1Pod> WaitAsync(string name, string? group, string? dataVersion = null) =>
        Client.CreateAsync(KnownResources.Pods, WaitingPods.Pod(Plane, Namespace, name, "mix", group, dataVersion), CancellationToken.None);

    private Task<V1Pod> PodAsync(string name) => Client.GetAsync(KnownResources.Pods, new ObjectKey(Namespace, name), CancellationToken.None);

    private async Task DeletePodAsync(string name)
    {
        await Client.DeleteAsync(KnownResources.Pods, new ObjectKey(Namespace, name), CancellationToken.None, gracePeriodSeconds: 0);
        await UntilAsync($"{name} to be gone", async () => await Client.FindAsync(KnownResources.Pods, new ObjectKey(Namespace, name), CancellationToken.None) is null);
    }

    private async Task OpenedAsync(string name, string version) =>
        Assert.Equal(version, (await Wait.For($"{name} to be opened", async () => await PodAsync(name) is { } pod && pod.VersionOf() is not null ? pod : null, Soon)).VersionOf());

    private async Task ToldAsync(string name, string reason, bool isEvent)
    {
        await UntilAsync($"{name} to be told {reason}", async () => (await PodAsync(name)).Told()?.Reason == reason);
        if (isEvent)
        {
            await UntilAsync($"an event {reason} on {name}", () => Told(name).Any(told => told.Reason == reason));
        }
        else
        {
            Assert.DoesNotContain(Told(name), told => told.Reason == reason);
        }
    }
}
