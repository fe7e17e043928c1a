using System.Text.Json;
using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.Runtime.Tests;
using IndexOperator.TestSupport;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace IndexOperator.Operator.Tests;

/// <summary>The webhook and its nudges against the fake API server, with a stand-in for what decides about pods.</summary>
public sealed class PodWebhookTests : IAsyncLifetime, IPodMutator
{
    private const string Indexes = "apis/indexoperator.io/v1alpha1/pretrainindexes";
    private const string Jobs = "apis/batch/v1/jobs";

    private readonly CancellationTokenSource _stop = new();
    private readonly RefusedJobs _refused = new();
    private readonly List<PretrainIndex?> _asked = [];
    private FaultyApiServer _server = null!;
    private ApiClient _client = null!;
    private Informer<PretrainIndex> _informer = null!;
    private JobNudges _nudges = null!;
    private PodWebhook _webhook = null!;
    private Task _run = Task.CompletedTask;
    private bool _waitForReady;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await FaultyApiServer.StartAsync();
        _client = _server.Client();
        _informer = new Informer<PretrainIndex>(_client, Resources.PretrainIndexes, new InformerOptions<PretrainIndex> { BackoffBase = TimeSpan.FromMilliseconds(10) });
        _nudges = new JobNudges(_informer, _refused, _client, TimeProvider.System, NullLogger<JobNudges>.Instance);
        _webhook = new PodWebhook(this, _informer.Store, _client, _refused, _nudges, new OperatorOptions());
        await _nudges.StartAsync(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _nudges.StopAsync(CancellationToken.None);
        await _stop.CancelAsync();
        await _run;
        _nudges.Dispose();
        _client.Dispose();
        await _server.DisposeAsync();
        _stop.Dispose();
    }

    public InjectionResult Mutate(JsonObject pod, string ns, PretrainIndex? index)
    {
        pod = pod.DeepClone().AsObject();
        _asked.Add(index);
        if (index is null)
        {
            return new InjectionResult.Refused($"no PretrainIndex in {ns}", UntilIndexExists: true, UntilIndexReady: false);
        }

        if (_waitForReady && index.Status?.Conditions is null)
        {
            return new InjectionResult.Refused("not Ready", UntilIndexExists: false, UntilIndexReady: true);
        }

        if (pod["metadata"]!["annotations"]?["refuse"] is not null)
        {
            return new InjectionResult.Refused("an annotation is wrong", UntilIndexExists: false, UntilIndexReady: false);
        }

        pod["metadata"]!["annotations"] = new JsonObject { [Annotations.Injected] = "Gate" };
        return new InjectionResult.Patched(pod);
    }

    [Fact]
    public async Task A_pod_gets_what_its_index_gives_known_or_asked_for_live()
    {
        Put("mix");
        var live = await ReviewAsync(Pod("mix"));
        Assert.Equal("""[{"op":"add","path":"/metadata/annotations","value":{"indexoperator.io/injected":"Gate"}}]""", live.Patch!.ToJsonString());
        Assert.Single(Reads());
        await WatchAsync();
        Assert.NotNull((await ReviewAsync(Pod("mix"))).Patch);
        Assert.Single(Reads());
    }

    [Theory]
    [InlineData("UPDATE", "Pod", "", "mix")]
    [InlineData("CREATE", "Job", "", "mix")]
    [InlineData("CREATE", "Pod", "ephemeralcontainers", "mix")]
    [InlineData("CREATE", "Pod", "", "")]
    [InlineData("CREATE", "Pod", "", null)]
    public async Task Whatever_is_no_new_pod_with_an_index_is_let_through_without_a_look(string operation, string kind, string subresource, string? label)
    {
        var answer = await _webhook.ReviewAsync(Request(Pod(label)) with { Operation = operation, Kind = kind, SubResource = subresource }, Cancel);
        Assert.True(answer is { IsAllowed: true, Patch: null });
        Assert.Empty(_server.Requests);
    }

    [Theory]
    [InlineData("""{"metadata":null}""")]
    [InlineData("""{"metadata":[]}""")]
    [InlineData("""{"metadata":{"labels":"x"}}""")]
    [InlineData("""{"metadata":{"labels":{"indexoperator.io/index":7}}}""")]
    [InlineData("{}")]
    public async Task What_only_looks_like_a_pod_is_let_through_to_be_refused_by_the_server(string pod)
    {
        Assert.True((await _webhook.ReviewAsync(Request(JsonNode.Parse(pod)!.AsObject()), Cancel)).IsAllowed);
    }

    [Theory]
    [InlineData("..", "shop")]
    [InlineData("a/../../../secrets", "shop")]
    [InlineData("Upper_case", "shop")]
    [InlineData("mix", "../..")]
    public async Task A_name_that_no_index_can_have_is_refused_without_a_look(string label, string ns)
    {
        var answer = await _webhook.ReviewAsync(Request(Pod(label)) with { Namespace = ns }, Cancel);
        Assert.Equal((false, 422), (answer.IsAllowed, answer.Code));
        Assert.Empty(_server.Requests);
    }

    [Fact]
    public async Task A_namespace_that_the_operator_does_not_look_at_is_left_alone_with_a_warning()
    {
        var webhook = new PodWebhook(this, _informer.Store, _client, _refused, _nudges, new OperatorOptions { Namespaces = ["other"] });
        var answer = await webhook.ReviewAsync(Request(Pod("mix")), Cancel);
        Assert.True(answer.IsAllowed);
        Assert.Contains("namespace shop", Assert.Single(answer.Warnings), StringComparison.Ordinal);
        Assert.Empty(_asked);
    }

    [Fact]
    public async Task Before_it_refuses_it_looks_live_at_what_informers_have()
    {
        Put("mix");
        await WatchAsync();
        _waitForReady = true;
        _server.Fault(request => request.Path.Value!.EndsWith("/mix", StringComparison.Ordinal), context =>
            context.Response.WriteAsync(Index("mix", ready: true).ToJsonString(), Cancel));
        Assert.True((await ReviewAsync(Pod("mix"))).IsAllowed);
        Assert.Equal(2, _asked.Count);
    }

    [Fact]
    public async Task A_pod_that_can_never_be_is_refused_as_invalid_and_nothing_is_remembered()
    {
        Put("mix");
        var pod = Pod("mix", Job("train"));
        pod["metadata"]!["annotations"] = new JsonObject { ["refuse"] = "yes" };
        var answer = await ReviewAsync(pod);
        Assert.Equal((422, "an annotation is wrong", 0), (answer.Code, answer.Message, _refused.Count));
    }

    [Fact]
    public async Task The_Job_of_a_refused_pod_is_told_as_soon_as_its_index_is_there()
    {
        await WatchAsync();
        var job = Job("train");
        var answer = await ReviewAsync(Pod("mix", job));
        Assert.Equal((403, "no PretrainIndex in shop", 1), (answer.Code, answer.Message, _refused.Count));
        await ReviewAsync(Pod("other", Job("patient")));
        Put("mix");
        await UntilAsync("the Job to be told", () => Seen("train") is not null);
        Assert.Equal((string?)_server.Find(Indexes, "shop", "mix")!["metadata"]!["resourceVersion"], Seen("train"));
        Assert.Contains($"\"uid\":\"{(string?)job["metadata"]!["uid"]}\"", Assert.Single(Patches()).Body, StringComparison.Ordinal);
        Assert.Null(Seen("patient"));
        Assert.Equal(1, _refused.Count);
    }

    [Fact]
    public async Task An_index_that_came_between_the_look_and_the_refusal_is_not_missed()
    {
        await WatchAsync();
        _server.Fault(request => request.Path.Value!.EndsWith("/mix", StringComparison.Ordinal), async context =>
        {
            Put("mix");
            await UntilAsync("the informer to know", () => _informer.Store.Count == 1);
            await FaultyApiServer.StatusAsync(context, 404, "NotFound");
        });
        Assert.False((await ReviewAsync(Pod("mix", Job("train")))).IsAllowed);
        await UntilAsync("the Job to be told", () => Seen("train") is not null);
    }

    [Fact]
    public async Task A_Job_whose_pod_needs_the_index_Ready_is_told_then_and_not_before()
    {
        _waitForReady = true;
        Put("mix");
        await WatchAsync();
        Assert.Equal(403, (await ReviewAsync(Pod("mix", Job("staged")))).Code);
        await ReviewAsync(Pod("later", Job("train")));
        Put("later");
        await UntilAsync("the other Job to be told", () => Seen("train") is not null);
        Assert.Null(Seen("staged"));
        _server.Put(Indexes, "shop", "mix", Index("mix", ready: true));
        await UntilAsync("the Job to be told", () => Seen("staged") is not null);
        Assert.Equal(0, _refused.Count);
    }

    [Fact]
    public async Task A_dry_run_is_refused_too_and_leaves_no_trace()
    {
        var answer = await _webhook.ReviewAsync(Request(Pod("mix", Job("train"))) with { DryRun = true }, Cancel);
        Assert.Equal((403, 0), (answer.Code, _refused.Count));
    }

    [Theory]
    [InlineData("ReplicaSet", "apps/v1", true)]
    [InlineData("Job", "batch.example.com/v1", true)]
    [InlineData("Job", "batch/v1", false)]
    public async Task Only_Jobs_that_control_the_pod_are_remembered(string kind, string version, bool controls)
    {
        var pod = Pod("mix", Job("train"));
        var owner = pod["metadata"]!["ownerReferences"]![0]!;
        (owner["kind"], owner["apiVersion"], owner["controller"]) = (kind, version, controls);
        Assert.Equal(403, (await ReviewAsync(pod)).Code);
        Assert.Equal(0, _refused.Count);
    }

    [Fact]
    public async Task A_nudge_that_failed_is_tried_again_and_one_for_a_Job_that_is_gone_is_not()
    {
        await WatchAsync();
        await ReviewAsync(Pod("mix", Job("train")));
        var gone = Job("gone");
        await ReviewAsync(Pod("mix", gone));
        _server.Remove(Jobs, "shop", "gone");
        _server.Fault(request => request.Method == "PATCH" && request.Path.Value!.EndsWith("/train", StringComparison.Ordinal), context => FaultyApiServer.StatusAsync(context, 500, "InternalError"));
        Put("mix");
        await UntilAsync("the Job to be told", () => Seen("train") is not null);
        Assert.Equal((2, 1, 0), (Patches().Count(patch => patch.Path.EndsWith("/train", StringComparison.Ordinal)), Patches().Count(patch => patch.Path.EndsWith("/gone", StringComparison.Ordinal)), _refused.Count));
    }

    private static JsonObject Index(string name, bool ready = false)
    {
        var index = JsonSerializer.SerializeToNode(Samples.Index(), ApiJsonContext.Default.PretrainIndex)!.AsObject();
        index["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "shop" };
        if (ready)
        {
            index["status"] = new JsonObject { ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True", ["reason"] = "Published", ["message"] = "" }) };
        }

        return index;
    }

    private static AdmissionRequest Request(JsonObject pod) => new() { Uid = "1", Kind = "Pod", Operation = "CREATE", Namespace = "shop", Entity = pod };

    private static JsonObject Pod(string? index, JsonObject? job = null)
    {
        var metadata = new JsonObject { ["generateName"] = "trainer-" };
        if (index is not null)
        {
            metadata["labels"] = new JsonObject { [Labels.Index] = index };
        }

        if (job is not null)
        {
            metadata["ownerReferences"] = new JsonArray(new JsonObject
            {
                ["apiVersion"] = "batch/v1",
                ["kind"] = "Job",
                ["name"] = job["metadata"]!["name"]!.DeepClone(),
                ["uid"] = job["metadata"]!["uid"]!.DeepClone(),
                ["controller"] = true,
            });
        }

        return new JsonObject { ["metadata"] = metadata };
    }

    private static Task UntilAsync(string what, Func<bool> holds) => Wait.Until(what, holds, TimeSpan.FromSeconds(15));

    private Task<AdmissionAnswer> ReviewAsync(JsonObject pod) => _webhook.ReviewAsync(Request(pod), Cancel);

    private JsonObject Job(string name) => _server.Put(Jobs, "shop", name);

    private void Put(string name) => _server.Put(Indexes, "shop", name, Index(name));

    private string? Seen(string job) => (string?)_server.Find(Jobs, "shop", job)?["metadata"]?["annotations"]?[Annotations.IndexSeen];

    private IEnumerable<SeenRequest> Patches() => _server.Requests.Where(request => request.Method == "PATCH");

    private IEnumerable<SeenRequest> Reads() => _server.Requests.Where(request => request.Path.EndsWith("/mix", StringComparison.Ordinal));

    private async Task WatchAsync()
    {
        _run = _informer.RunAsync(_stop.Token);
        await _informer.WaitForSyncAsync(Cancel);
    }
}
