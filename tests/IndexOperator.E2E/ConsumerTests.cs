using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.E2E;

/// <summary>Training pods that say with one label which index they need: held back, pinned, staged, and refused where nobody could serve them.</summary>
public sealed class ConsumerTests(Cluster cluster) : ScenarioTests(cluster, "consumers")
{
    private const string Training = $"    args: {Cluster.SleepArguments}\n    # args:";

    private bool _stopped;

    [Fact]
    public async Task A_Job_made_before_its_index_starts_with_it_and_keeps_its_version_when_another_becomes_current()
    {
        await Here.ApplyAsync(Job("first"));
        var refused = await Wait.For(
            "the Job to be told that there is no index",
            async () => await Here.ToldAsync("first", "FailedCreate") is [var told, ..] ? told : null,
            Cluster.Patience);
        Assert.Contains("PretrainIndex", refused, StringComparison.Ordinal);
        Assert.Contains("text", refused, StringComparison.Ordinal);
        Assert.Empty(await PodsOfAsync("first"));

        // Suspended, so that it is not Ready before the test has looked at who waits for it.
        await Here.ApplyAsync(Scenario.Manifest("text") + "\n  suspend: true");
        var waiting = await PodOfAsync("first", _ => true);
        await HeldBackAsync(waiting);
        var waited = await Here.UntilAsync("text", "to know who waits", status => (int?)status["consumers"]?["waiting"] == 1);
        Assert.False(Scenario.Is(waited, "Ready", "True"));

        await Here.ApplyAsync(Scenario.Manifest("text"));
        var before = await Here.ReadyAsync("text");
        var ready = Stopwatch.GetTimestamp();
        var pod = await RunningAsync("first");
        Cluster.Say($"from Ready to a running container: {Stopwatch.GetElapsedTime(ready).TotalSeconds:0.0} s");
        Assert.True(StartOf(pod) >= ReadySince(before), $"the container began at {StartOf(pod):O}, and the index was Ready from {ReadySince(before):O} only");
        await Here.ReadsAsync(NameOf(pod), before);
        await UsesAsync(NameOf(pod), before);

        // Another version becomes current: who trains keeps theirs, whoever comes gets the new one.
        await Here.ApplyAsync(Scenario.Manifest("text", dataVersion: "2", sequenceLength: 32));
        var after = await Here.UntilAsync("text", "the second version to be Ready", status => Scenario.Is(status, "Ready", "True") && VersionOf(status) != VersionOf(before));
        await Here.ApplyAsync(Job("second"));
        await Here.ReadsAsync(NameOf(await RunningAsync("second")), after);
        await Here.ReadsAsync(NameOf(pod), before);

        // A pod that is made again belongs to the same training.
        await Here.KubectlAsync("delete", "pod", NameOf(pod), "--grace-period=1", "--wait=false");
        var again = await PodOfAsync("first", found => NameOf(found) != NameOf(pod) && IsRunning(found));
        await Here.ReadsAsync(NameOf(again), before);
        var used = await Here.UntilAsync("text", "both trainings to be counted", status => (int?)status["consumers"]?["running"] == 2);
        Assert.Equal(
            new[] { VersionOf(before), VersionOf(after) }.Order(StringComparer.Ordinal),
            used["consumers"]!["versionsInUse"]!.AsArray().Select(version => (string)version!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_version_is_staged_in_memory_and_whole_there()
    {
        await Here.ApplyAsync(Scenario.Manifest("text"));
        var status = await Here.ReadyAsync("text");
        await Here.ApplyAsync(Job("staged", "\n      annotations: {indexoperator.io/staging: Memory}"));
        var pod = NameOf(await RunningAsync("staged"));
        var described = await Here.GetAsync("pod", pod);
        Assert.Equal("tmpfs", TrainingProcess.Of(described).FileSystemAt("/npy_index"));
        await Here.ReadsAsync(pod, status);
        await UsesAsync(pod, status);
        Restricted.Check(described);
    }

    [Fact]
    public async Task While_the_operator_is_down_labelled_pods_are_refused_with_a_message_and_all_others_are_untouched()
    {
        await Here.ApplyAsync(Scenario.Manifest("text"));
        await Here.ReadyAsync("text");
        _stopped = true;
        await Here.Cluster.KubectlAsync("-n", Cluster.OperatorNamespace, "scale", Cluster.Deployment, "--replicas=0");
        await Here.Cluster.OperatorsGoneAsync(Cluster.OperatorNamespace);

        var labelled = await Here.Cluster.TryKubectlAsync(["-n", Here.Namespace, "apply", "-f", "-"], Scenario.LabelledPod("labelled", "indexoperator.io/index: text"));
        Assert.NotEqual(0, labelled.ExitCode);
        Assert.Contains("failed calling webhook \"pods.indexoperator.io\"", labelled.ToString(), StringComparison.Ordinal);
        await Here.ApplyAsync(Scenario.LabelledPod("other", "app: other"));
        await Here.KubectlAsync("wait", "--for=condition=Ready", "pod/other", Cluster.Timeout);

        await StartAgainAsync();
        await Here.ApplyAsync(Scenario.LabelledPod("labelled", "indexoperator.io/index: text"));
        await Here.KubectlAsync("wait", "--for=condition=Ready", "pod/labelled", Cluster.Timeout);
    }

    protected override async Task PutBackAsync()
    {
        if (_stopped)
        {
            await StartAgainAsync();
        }
    }

    private async Task StartAgainAsync()
    {
        await Here.Cluster.KubectlAsync("-n", Cluster.OperatorNamespace, "scale", Cluster.Deployment, "--replicas=1");
        await Here.Cluster.RolloutAsync();
        _stopped = false;
    }

    /// <summary>The sample of a Job under another name, which sleeps so that it can be asked things.</summary>
    private static string Job(string name, string annotations = "") => RepositoryRoot.ReadText("config/samples/consumers/job.yaml")
        .Replace("  name: web-mix-train\n", $"  name: {name}\n", StringComparison.Ordinal)
        .Replace("indexoperator.io/index: web-mix\n", $"indexoperator.io/index: text{annotations}\n", StringComparison.Ordinal)
        .Replace("    args: [inspect", $"{Training} [inspect", StringComparison.Ordinal);

    // What holds a pod back depends on the cluster: a gate, with which it has no node; or an init container, while nothing of its own runs.
    private async Task HeldBackAsync(JsonNode pod)
    {
        if (await Here.Cluster.MinorAsync() >= 30)
        {
            Assert.Equal("indexoperator.io/index-ready", (string?)pod["spec"]!["schedulingGates"]![0]!["name"]);
            Assert.Null(pod["spec"]!["nodeName"]);
            return;
        }

        var seen = await PodOfAsync("first", found => found["status"]?["initContainerStatuses"]?[0]?["state"]?["running"] is not null);
        Assert.Equal("indexoperator-wait", (string?)seen["spec"]!["initContainers"]![0]!["name"]);
        Assert.All(seen["status"]!["containerStatuses"]!.AsArray(), status => Assert.NotNull(status!["state"]!["waiting"]));
    }

    // What the training sees: where the index is, by every name; and that it can write neither there nor to the data.
    private async Task UsesAsync(string pod, JsonNode status)
    {
        var process = TrainingProcess.Of(await Here.GetAsync("pod", pod));
        foreach (var (variable, value) in new[]
        {
            ("PRETRAIN_INDEX_VERSION", VersionOf(status)), ("PRETRAIN_INDEX_DIR", "/npy_index"), ("NEMO_INDEX_MAPPING_DIR", "/npy_index"),
        })
        {
            Assert.Equal(value, process.Variable(variable));
        }

        Assert.StartsWith("--data-cache-path /npy_index", process.Variable("MEGATRON_DATA_CACHE_ARGS"), StringComparison.Ordinal);
        foreach (var folder in new[] { "/npy_index", "/data" })
        {
            process.CannotWrite($"{folder}/x");
        }
    }

    private Task<IReadOnlyList<JsonNode>> PodsOfAsync(string job) => Here.ListAsync("pods", "-l", $"job-name={job}");

    private Task<JsonNode> PodOfAsync(string job, Func<JsonNode, bool> holds) => Wait.For(
        $"a pod of Job {job}",
        async () => (await PodsOfAsync(job)).FirstOrDefault(pod => pod["metadata"]!["deletionTimestamp"] is null && holds(pod)),
        Cluster.Patience);

    private Task<JsonNode> RunningAsync(string job) => PodOfAsync(job, IsRunning);

    private static bool IsRunning(JsonNode pod) => (string?)pod["status"]?["phase"] == "Running"
        && pod["status"]!["conditions"]!.AsArray().Any(condition => (string?)condition!["type"] == "Ready" && (string?)condition["status"] == "True");

    private static DateTimeOffset StartOf(JsonNode pod) => Time(pod["status"]!["containerStatuses"]![0]!["state"]!["running"]!["startedAt"]!);

    private static DateTimeOffset ReadySince(JsonNode status) => Time(Scenario.Condition(status, "Ready")!["lastTransitionTime"]!);

    private static DateTimeOffset Time(JsonNode text) => DateTimeOffset.Parse((string)text!, CultureInfo.InvariantCulture);

    private static string NameOf(JsonNode pod) => (string)pod["metadata"]!["name"]!;

    private static string VersionOf(JsonNode status) => (string)status["current"]!["version"]!;
}
