using System.Diagnostics;
using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.Runtime.Tests;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Operator.Tests;

/// <summary>Plans are carried out so that repeating any of it is harmless.</summary>
public sealed class ApplyTests : IAsyncLifetime
{
    private const string Indexes = "apis/indexoperator.io/v1alpha1/pretrainindexes";
    private const string Jobs = "apis/batch/v1/jobs";
    private const string ConfigMaps = "api/v1/configmaps";
    private const string Claims = "api/v1/persistentvolumeclaims";

    private readonly OwnWrites _writes = new(TimeProvider.System);
    private readonly FakeTimeProvider _time = new();
    private FaultyApiServer _server = null!;
    private ApiClient _client = null!;
    private PlanApplier _applier = null!;
    private StatusWriter _status = null!;
    private PretrainIndex _index = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IEnumerable<string> Verbs => _server.Requests.Select(request => $"{request.Method} {request.Path.Split('/')[^1]}");

    public async ValueTask InitializeAsync()
    {
        _server = await FaultyApiServer.StartAsync();
        _client = _server.Client();
        _applier = new PlanApplier(_client, _writes, new BindingWriter(_client, _writes, _time, NullLogger<BindingWriter>.Instance), _time, NullLogger<PlanApplier>.Instance);
        _status = new StatusWriter(_client, _writes);
        var stored = _server.Put(Indexes, "a", "mix");
        _index = Samples.Index((string)stored["metadata"]!["resourceVersion"]!, (string)stored["metadata"]!["uid"]!);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_build_begins_with_the_finalizer_then_the_Job()
    {
        await _applier.ApplyAsync(_index, [new AttachFinalizer(Api.Finalizers.Cleanup), Samples.BuildJob(_index)], Cancel);
        Assert.Equal(["PATCH mix", "POST jobs"], Verbs);
        Assert.Contains(Api.Finalizers.Cleanup, _writes.Newest(_index).Metadata.Finalizers);
        Assert.Single(_writes.Merge(ObjectKey.Of(_index), []));
    }

    [Fact]
    public async Task Carrying_out_a_plan_twice_makes_nothing_twice()
    {
        await _applier.ApplyAsync(_index, [Samples.WideJob(_index)], Cancel);
        await _applier.ApplyAsync(_index, [Samples.WideJob(_index)], Cancel);
        Assert.Single(_server.All(Jobs));
        Assert.Single(_server.All(ConfigMaps));
        Assert.Single(_writes.Merge(ObjectKey.Of(_index), []));
    }

    [Fact]
    public async Task A_stranger_under_the_Jobs_name_is_not_taken_for_ours()
    {
        var create = Samples.BuildJob(_index);
        _server.Put(Jobs, "a", create.Job.Metadata.Name);
        var refused = await Assert.ThrowsAsync<ApiException>(() => _applier.ApplyAsync(_index, [create], Cancel));
        Assert.Contains(create.Job.Metadata.Name, refused.Message, StringComparison.Ordinal);
        Assert.Empty(_writes.Merge(ObjectKey.Of(_index), []));
    }

    [Fact]
    public async Task A_Job_is_deleted_with_its_ConfigMap_and_only_if_it_is_still_the_same_one()
    {
        await _applier.ApplyAsync(_index, [Samples.WideJob(_index)], Cancel);
        Assert.Equal(["GET mix", "POST configmaps", "POST jobs"], Verbs);
        var job = _writes.Merge(ObjectKey.Of(_index), [])[0];
        await _applier.ApplyAsync(_index, [new DeleteJob(job.Metadata.Name, job.Metadata.Uid, "test", HasSpec: true)], Cancel);
        Assert.Empty(_server.All(Jobs));
        Assert.Empty(_server.All(ConfigMaps));
        var delete = JsonNode.Parse(_server.Requests.First(request => request.Method == "DELETE").Body)!;
        Assert.Equal(job.Metadata.Uid, (string?)delete["preconditions"]!["uid"]);
        Assert.Equal("Background", (string?)delete["propagationPolicy"]);

        // Gone already: nothing to complain about.
        await _applier.ApplyAsync(_index, [new DeleteJob(job.Metadata.Name, job.Metadata.Uid, "test", HasSpec: true)], Cancel);
    }

    [Fact]
    public async Task A_claim_that_exists_is_left_as_it_is()
    {
        _server.Put(Claims, "a", "cache");
        var claim = new k8s.Models.V1PersistentVolumeClaim { Metadata = new k8s.Models.V1ObjectMeta { Name = "cache", NamespaceProperty = "a" } };
        await _applier.ApplyAsync(_index, [new CreateClaim(claim)], Cancel);
        Assert.Equal(["POST persistentvolumeclaims"], Verbs);
    }

    [Fact]
    public async Task The_first_refusal_ends_the_plan()
    {
        _server.Fault(request => request.Method == "POST", context => FaultyApiServer.StatusAsync(context, 403, "Forbidden", "exceeded quota"), 1);
        await Assert.ThrowsAsync<ApiException>(() => _applier.ApplyAsync(_index, [Samples.BuildJob(_index), new AttachFinalizer("x/y")], Cancel));
        Assert.Equal(["GET mix", "POST jobs"], Verbs);
    }

    [Theory]
    [InlineData("a status or a spec that the informer has not seen")]
    [InlineData("another resource of the name")]
    [InlineData("no resource any more")]
    public async Task A_build_that_was_planned_for_what_is_no_more_is_not_begun(string now)
    {
        var seen = now switch
        {
            "another resource of the name" => Samples.Index(_index.Metadata.ResourceVersion, "uid-before"),
            "no resource any more" => new PretrainIndex { Metadata = new k8s.Models.V1ObjectMeta { Name = "gone", NamespaceProperty = "a", Uid = "u", ResourceVersion = "1" }, Spec = _index.Spec },
            _ => Samples.Index("1", _index.Metadata.Uid),
        };
        var refused = await Assert.ThrowsAsync<ApiException>(() => _applier.ApplyAsync(seen, [Samples.BuildJob(seen)], Cancel));
        Assert.True(refused.IsConflict, refused.Message);
        Assert.Contains("it is planned again", refused.Message, StringComparison.Ordinal);
        Assert.Empty(_server.All(Jobs));
    }

    [Fact]
    public async Task A_claim_that_cannot_grow_holds_nothing_up_and_is_asked_again_after_a_pause()
    {
        _server.Put(Claims, "a", "cache");
        _server.Fault(request => request.Method == "PATCH", context => FaultyApiServer.StatusAsync(context, 403, "Forbidden", "only dynamically provisioned pvc can be resized"), 1);
        PlannedAction[] actions = [new ExpandClaim("cache", new k8s.Models.ResourceQuantity("2Gi")), Samples.BuildJob(_index)];
        var refused = await _applier.ApplyAsync(_index, actions, Cancel);
        Assert.Contains("only dynamically provisioned", refused.Expansion!.Message, StringComparison.Ordinal);
        Assert.Equal(["PATCH cache", "GET mix", "POST jobs"], Verbs);

        Assert.True((await _applier.ApplyAsync(_index, [actions[0]], Cancel)).IsNothing);
        Assert.Equal(3, Verbs.Count());

        _time.Advance(ClaimPolicy.ExpansionPause);
        Assert.True((await _applier.ApplyAsync(_index, [actions[0]], Cancel)).IsNothing);
        Assert.Equal("2Gi", (string?)_server.All(Claims)[0]["spec"]!["resources"]!["requests"]!["storage"]);
    }

    [Fact]
    public async Task A_larger_size_is_asked_for_at_once_whatever_became_of_the_last()
    {
        _server.Put(Claims, "a", "cache");
        _server.Fault(request => request.Method == "PATCH", context => FaultyApiServer.StatusAsync(context, 403, "Forbidden", "exceeded quota"), 1);
        Assert.NotNull((await _applier.ApplyAsync(_index, [new ExpandClaim("cache", new k8s.Models.ResourceQuantity("9Gi"))], Cancel)).Expansion);
        Assert.True((await _applier.ApplyAsync(_index, [new ExpandClaim("cache", new k8s.Models.ResourceQuantity("2Gi"))], Cancel)).IsNothing);
        Assert.Equal(["PATCH cache", "PATCH cache"], Verbs);
    }

    [Fact]
    public async Task A_binding_is_created_then_patched_and_believed_before_the_informer_shows_it()
    {
        var binding = Samples.Binding(_index, '1');
        Assert.True((await _applier.ApplyAsync(_index, [new ApplyBinding(binding)], Cancel)).IsNothing);
        var written = _writes.Binding(ObjectKey.Of(_index), null)!;
        Assert.Equal(binding.Data, written.Data);

        var next = Samples.Binding(_index, '2', written.Metadata.Uid);
        Assert.True((await _applier.ApplyAsync(_index, [new ApplyBinding(next)], Cancel)).IsNothing);
        Assert.Equal(["POST configmaps", "PATCH mix-binding"], Verbs);
        Assert.Equal(next.Data, _writes.Binding(ObjectKey.Of(_index), written)!.Data);
    }

    [Fact]
    public async Task A_binding_that_lost_its_labels_or_is_gone_again_is_found_and_made()
    {
        var written = Samples.Binding(_index, '1');
        await _applier.ApplyAsync(_index, [new ApplyBinding(written)], Cancel);
        Assert.True((await _applier.ApplyAsync(_index, [new ApplyBinding(Samples.Binding(_index, '2'))], Cancel)).IsNothing);
        Assert.Equal(["POST configmaps", "POST configmaps", "GET mix-binding", "PATCH mix-binding"], Verbs);

        var elsewhere = Samples.Binding(_index, '3', "uid-of-one-that-is-gone");
        elsewhere.Metadata.Name = "other-binding";
        Assert.True((await _applier.ApplyAsync(_index, [new ApplyBinding(elsewhere)], Cancel)).IsNothing);
        Assert.Equal(["PATCH other-binding", "POST configmaps"], Verbs.Skip(4));
    }

    [Fact]
    public async Task Somebodys_own_ConfigMap_of_the_bindings_name_is_left_alone_holds_nothing_up_and_is_asked_about_after_a_pause()
    {
        _server.Put(ConfigMaps, "a", "mix-binding");
        PlannedAction[] actions = [new ApplyBinding(Samples.Binding(_index, '1')), Samples.BuildJob(_index)];
        var notDone = await _applier.ApplyAsync(_index, actions, Cancel);
        Assert.Contains("left alone", notDone.Binding!.Message, StringComparison.Ordinal);
        Assert.Equal(["POST configmaps", "GET mix-binding", "GET mix", "POST jobs"], Verbs);
        Assert.Null(_writes.Binding(ObjectKey.Of(_index), null));

        Assert.NotNull((await _applier.ApplyAsync(_index, [actions[0]], Cancel)).Binding);
        Assert.Equal(4, Verbs.Count());

        _time.Advance(BindingPolicy.Pause);
        Assert.NotNull((await _applier.ApplyAsync(_index, [actions[0]], Cancel)).Binding);
        Assert.Equal(["POST configmaps", "GET mix-binding"], Verbs.Skip(4));
        Assert.Null(_server.All(ConfigMaps)[0]["data"]);
    }

    [Fact]
    public async Task The_Job_carries_the_trace_of_its_pass()
    {
        using var activity = new Activity("pass").SetIdFormat(ActivityIdFormat.W3C).Start();
        await _applier.ApplyAsync(_index, [Samples.BuildJob(_index)], Cancel);
        var job = _server.All(Jobs)[0];
        Assert.Equal(activity.Id, (string?)job["metadata"]!["annotations"]![Annotations.TraceParent]);
        Assert.Contains(activity.Id!, job["spec"]!["template"]!["spec"]!["containers"]![0]!["env"]!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_status_is_applied_by_the_server_with_the_uid_and_only_when_it_says_something_new()
    {
        var status = new PretrainIndexStatus { ObservedGeneration = 1, ClaimName = "cache" };
        Assert.True(await _status.WriteAsync(_index, status, Cancel));
        var sent = Assert.Single(_server.Requests);
        Assert.Equal(("PATCH", "application/apply-patch+yaml"), (sent.Method, sent.ContentType));
        Assert.EndsWith("/pretrainindexes/mix/status", sent.Path, StringComparison.Ordinal);
        Assert.Contains("force=true", sent.Query, StringComparison.Ordinal);
        var body = JsonNode.Parse(sent.Body)!;
        Assert.Equal(_index.Metadata.Uid, (string?)body["metadata"]!["uid"]);
        Assert.Null(body["spec"]);

        Assert.False(await _status.WriteAsync(_writes.Newest(_index), status with { }, Cancel));
        Assert.Single(_server.Requests);
    }
}
