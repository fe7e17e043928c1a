using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Operator.Telemetry;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.Runtime.Tests;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Operator.Tests;

/// <summary>Pods are opened and told: many at once, each by itself.</summary>
public sealed class PodActionsTests : IAsyncLifetime
{
    private const string Pods = "api/v1/pods";
    private const string Version = "5f0c1d2e3a4b5c6d7e8f";
    private static readonly ObjectKey Index = new("a", "mix");

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 20, 8, 0, 0, TimeSpan.Zero));
    private FaultyApiServer _server = null!;
    private ApiClient _client = null!;
    private PodWrites _writes = null!;
    private EventRecorder _events = null!;
    private PodActions _actions = null!;
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private OperatorMetrics _metrics = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await FaultyApiServer.StartAsync();
        _client = _server.Client();
        _writes = new PodWrites(_time);
        _events = new EventRecorder(_client);
        _metrics = new OperatorMetrics(_services.GetRequiredService<IMeterFactory>());
        _actions = new PodActions(_client, _writes, _events, _metrics, _time, NullLogger<PodActions>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _metrics.Dispose();
        await _services.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_pod_gets_its_version_and_loses_its_gate_in_one_patch()
    {
        var pod = Put("p", gates: ["kueue.x-k8s.io/admission", SchedulingGates.IndexReady]);

        Assert.Equal(0, await ApplyAsync([pod], new OpenGate("p", pod.Metadata.Uid, Version, 1, null)));

        var stored = _server.Find(Pods, "a", "p")!;
        Assert.Equal(Version, (string?)stored["metadata"]!["annotations"]![Annotations.Version]);
        Assert.Equal("kueue.x-k8s.io/admission", (string?)Assert.Single(stored["spec"]!["schedulingGates"]!.AsArray())!["name"]);
        Assert.Equal("PATCH", Assert.Single(_server.Requests).Method);
        Assert.False(ConsumerPod.IsWaiting(Assert.Single(_writes.Merge([pod]))));
    }

    [Fact]
    public async Task A_pod_without_annotations_gets_its_first()
    {
        var pod = Put("p", annotated: false, gates: SchedulingGates.IndexReady);
        await ApplyAsync([pod], new OpenGate("p", pod.Metadata.Uid, Version, 0, pod.Metadata.ResourceVersion));
        Assert.Equal(Version, (string?)_server.Find(Pods, "a", "p")!["metadata"]!["annotations"]![Annotations.Version]);
        var sent = JsonNode.Parse(_server.Requests.Single().Body)!.AsArray();
        Assert.Equal(("/metadata/resourceVersion", pod.Metadata.ResourceVersion), ((string?)sent[0]!["path"], (string?)sent[0]!["value"]));
    }

    [Theory]
    [InlineData("another-uid", 0)]
    [InlineData(null, 1)]
    public async Task A_pod_that_is_another_or_whose_gate_is_gone_is_not_touched(string? uid, int gate)
    {
        var pod = Put("p", gates: SchedulingGates.IndexReady);
        Assert.Equal(1, await ApplyAsync([pod], new OpenGate("p", uid ?? pod.Metadata.Uid, Version, gate, null)));
        Assert.Null(_server.Find(Pods, "a", "p")!["metadata"]!["annotations"]![Annotations.Version]);
        Assert.Equal(0, _writes.Count);
    }

    [Fact]
    public async Task One_that_went_or_is_refused_holds_up_no_other()
    {
        var pods = Enumerable.Range(0, 100).Select(i => Put($"p{i}", gates: SchedulingGates.IndexReady)).ToList();
        _server.Remove(Pods, "a", "p7");
        _server.Fault(request => request.Path.Value!.EndsWith("/p9", StringComparison.Ordinal), context => FaultyApiServer.StatusAsync(context, 403, "Forbidden", "no"), 1);

        var refused = await Assert.ThrowsAsync<ApiException>(() => ApplyAsync(pods, [.. pods.Select(pod => new OpenGate(pod.Metadata.Name, pod.Metadata.Uid, Version, 0, null))]));

        Assert.True(refused.IsForbidden);
        Assert.Equal(98, _server.All(Pods).Count(pod => pod["metadata"]!["annotations"]![Annotations.Version] is not null));
    }

    [Fact]
    public async Task A_pod_is_told_by_a_condition_of_its_own_and_by_an_event()
    {
        var pod = Put("p", gates: SchedulingGates.IndexReady);
        using var stop = new CancellationTokenSource();

        await ApplyAsync([pod], new TellPod("p", pod.Metadata.Uid, false, PodReasons.IndexStalled, "It is stalled.", Event: true));

        var sent = Assert.Single(_server.Requests);
        Assert.Equal(("PATCH", "application/apply-patch+yaml"), (sent.Method, sent.ContentType));
        Assert.EndsWith("/pods/p/status", sent.Path, StringComparison.Ordinal);
        var body = JsonNode.Parse(sent.Body)!;
        Assert.Equal(pod.Metadata.Uid, (string?)body["metadata"]!["uid"]);
        var condition = Assert.Single(body["status"]!["conditions"]!.AsArray())!;
        Assert.Equal(
            (PodConditionTypes.IndexReady, "False", PodReasons.IndexStalled, "It is stalled.", "2026-11-20T08:00:00Z"),
            ((string?)condition["type"], (string?)condition["status"], (string?)condition["reason"], (string?)condition["message"], (string?)condition["lastTransitionTime"]));
        Assert.Equal(PodReasons.IndexStalled, ConsumerPod.ToldTo(Assert.Single(_writes.Merge([pod])))!.Reason);

        await stop.CancelAsync();
        await _events.RunAsync(stop.Token);
        var told = Assert.Single(_server.All("apis/events.k8s.io/v1/events"));
        Assert.Equal(("Warning", PodReasons.IndexStalled, "p"), ((string?)told["type"], (string?)told["reason"], (string?)told["regarding"]!["name"]));
    }

    [Fact]
    public void What_was_written_is_believed_until_the_informer_shows_it_but_not_for_ever()
    {
        var seen = Pod("p", "5", null);
        _writes.Wrote(Pod("p", "9", Version));
        Assert.Equal(Version, ConsumerPolicy.VersionOf(Assert.Single(_writes.Merge([seen]))));
        Assert.Equal("other", Assert.Single(_writes.Merge([Pod("other", "1", null)])).Metadata.Name);

        var newer = Pod("p", "10", null);
        Assert.Same(newer, Assert.Single(_writes.Merge([newer])));
        Assert.Equal(0, _writes.Count);

        _writes.Wrote(Pod("p", "20", Version));
        _writes.Wrote(Pod("gone", "20", Version));
        _time.Advance(OwnWrites.Patience + TimeSpan.FromSeconds(1));
        Assert.Same(seen, Assert.Single(_writes.Merge([seen])));
        Assert.Equal(0, _writes.Count);
    }

    private Task<int> ApplyAsync(IReadOnlyList<V1Pod> pods, params PlannedAction[] actions) => _actions.ApplyAsync(Index, pods, actions, Cancel);

    private V1Pod Put(string name, bool annotated = true, params string[] gates)
    {
        var rest = new JsonObject
        {
            ["metadata"] = new JsonObject(),
            ["spec"] = new JsonObject { ["schedulingGates"] = new JsonArray([.. gates.Select(gate => (JsonNode)new JsonObject { ["name"] = gate })]) },
        };
        if (annotated)
        {
            rest["metadata"]!["annotations"] = new JsonObject { [Annotations.Injected] = "Gate" };
        }

        var stored = _server.Put(Pods, "a", name, rest);
        var pod = Pod(name, (string)stored["metadata"]!["resourceVersion"]!, null);
        pod.Metadata.Uid = (string)stored["metadata"]!["uid"]!;
        pod.Spec = new V1PodSpec { Containers = [], SchedulingGates = [.. gates.Select(gate => new V1PodSchedulingGate { Name = gate })] };
        return pod;
    }

    private static V1Pod Pod(string name, string resourceVersion, string? version) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = name,
            NamespaceProperty = "a",
            Uid = $"uid-of-{name}",
            ResourceVersion = resourceVersion,
            Labels = new Dictionary<string, string> { [Labels.Index] = "mix" },
            Annotations = version is null ? new Dictionary<string, string>() : new Dictionary<string, string> { [Annotations.Version] = version },
        },
        Status = new V1PodStatus { Phase = "Pending" },
    };
}
