using System.Text.Json;
using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.Runtime.Tests;
using k8s;
using k8s.Models;

namespace IndexOperator.Operator.Tests;

/// <summary>Which other objects a pass is shown: all that may matter, and of thousands no others.</summary>
public sealed class PeerFinderTests : IAsyncLifetime
{
    private const string Version = "5f0c1d2e3a4b5c6d7e8f";
    private const string Other = "77aa1d2e3a4b5c6d7e8f";

    private readonly CancellationTokenSource _stop = new();
    private FaultyApiServer _server = null!;
    private ApiClient _client = null!;
    private Task _running = Task.CompletedTask;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await FaultyApiServer.StartAsync();
        _client = _server.Client();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _client.Dispose();
        await _server.DisposeAsync();
        _stop.Dispose();
    }

    [Fact]
    public async Task Those_that_want_the_same_content_on_the_same_cache_are_found_while_one_may_start()
    {
        Put(Named("same"));
        Put(Named("elsewhere", spec => spec with { Cache = new CacheSpec { ClaimName = "another" } }));
        Put(Named("different", spec => spec with { Dataset = spec.Dataset with { SequenceLength = 16 } }));
        Put(Named("ready", status: index => Ready(index, Version)));
        var finder = await FinderAsync();

        Assert.Equal(["same"], finder.Of(Named("mix"), []).Select(peer => peer.Metadata.Name));
        Assert.Empty(finder.Of(Named("mix", status: index => Ready(index, Version)), []));
    }

    [Fact]
    public async Task An_index_of_another_namespace_is_nobodys_peer_whatever_it_names()
    {
        // Claims of one name in two namespaces are two claims.
        var other = Named("same");
        other.Metadata.NamespaceProperty = "b";
        Put("apis/indexoperator.io/v1alpha1/pretrainindexes", "b", other.Metadata.Name, JsonSerializer.SerializeToNode(other, ApiJsonContext.Default.PretrainIndex)!);
        var finder = await FinderAsync();

        Assert.Empty(finder.Of(Named("mix"), []));
        var mine = Named("mix", status: index => Ready(index, Version));
        Assert.Empty(finder.Of(mine, []));
    }

    [Fact]
    public async Task A_look_under_way_may_tell_that_a_build_is_wanted()
    {
        Put(Named("same"));
        var finder = await FinderAsync();
        var ready = Named("mix", status: index => Ready(index, Version));
        var look = UpkeepJobManifest.Check(new ObservedState { Index = ready }, ready.Status!.Current!, new Look(true, false, false), 0).Job;

        Assert.Equal(["same"], finder.Of(ready, [look]).Select(peer => peer.Metadata.Name));
    }

    [Fact]
    public async Task Before_a_version_is_removed_those_that_refer_to_it_and_those_that_build_on_the_cache_are_found()
    {
        Put(Named("has-it", status: index => Ready(index, Other)));
        Put(Named("a-workload-of-it-has-it", status: index => Ready(index, Version) with { Consumers = new ConsumersStatus { Waiting = 0, Running = 0, Groups = [new GroupStatus { Group = "group/llm", Version = Other }] } }));
        Put(Named("has-another", status: index => Ready(index, "aaaa1d2e3a4b5c6d7e8f")));
        Put(Named("builds", spec => spec with { Dataset = spec.Dataset with { SequenceLength = 16 } }));
        Put(Named("other-cache", spec => spec with { Cache = new CacheSpec { ClaimName = "another" } }, status: index => Ready(index, Other)));
        var finder = await FinderAsync();
        var mix = Named("mix", spec => spec with { Cache = spec.Cache with { HistoryLimit = 0 } }, index => Ready(index, Version) with { Previous = [new VersionStatus { Version = Other, BuildKey = "b" }] });

        Assert.Equal(["a-workload-of-it-has-it", "builds", "has-it"], finder.Of(mix, []).Select(peer => peer.Metadata.Name));
    }

    [Fact]
    public async Task Jobs_that_build_the_content_or_remove_from_the_cache_are_found_until_they_end()
    {
        var (mine, peer) = (Named("mix"), Named("peer"));
        Put(Job(peer, "builds", BuildJobManifest.Build(new ObservedState { Index = peer }, WantedBuild.Of(peer), 1).Job));
        Put(Job(peer, "prunes", UpkeepJobManifest.Prune(new ObservedState { Index = peer }, [Other]).Job));
        Put(Job(peer, "sweeps", UpkeepJobManifest.Cleanup(new ObservedState { Index = peer }, []).Job));
        Put(Job(peer, "has-ended", UpkeepJobManifest.Prune(new ObservedState { Index = peer }, [Version]).Job, "Complete"));
        Put(Job(mine, "is-mine", BuildJobManifest.Build(new ObservedState { Index = mine }, WantedBuild.Of(mine), 1).Job));
        var finder = await FinderAsync();

        Assert.Equal(["builds", "prunes"], finder.JobsBeside(mine, []).Select(job => job.Metadata.Name).Order());
        Assert.Empty(finder.JobsBeside(Named("mix", status: index => Ready(index, Version)), []));
    }

    [Fact]
    public async Task Versions_that_live_pods_are_pinned_to_are_found_whatever_resource_they_name()
    {
        Put(Consumer("lives", Other, "Running"));
        Put(Consumer("ended", Version, "Succeeded"));
        var finder = await FinderAsync();
        var going = Named("mix", status: index => Ready(index, Version) with { Previous = [new VersionStatus { Version = Other, BuildKey = "b" }] });
        going.Metadata.DeletionTimestamp = DateTime.UnixEpoch;

        Assert.Equal([Other], finder.PinnedElsewhere(going, DateTimeOffset.UnixEpoch));
    }

    [Fact]
    public void What_cannot_be_read_is_nobodys_peer()
    {
        var broken = Named("mix");
        broken.Unreadable = "spec: no";
        Assert.Empty(PeerFinder.ContentKeys(broken).Concat(PeerFinder.VersionKeys(broken)).Concat(PeerFinder.BuildingCacheKeys(broken)));
        Assert.Empty(PeerFinder.WorkKeys(new V1Job { Metadata = new V1ObjectMeta { Name = "foreign" } }));
    }

    private static PretrainIndex Named(string name, Func<PretrainIndexSpec, PretrainIndexSpec>? spec = null, Func<PretrainIndex, PretrainIndexStatus>? status = null)
    {
        var index = Samples.Index(uid: $"uid-of-{name}");
        index.Metadata.Name = name;
        index.Spec = (spec ?? (same => same))(index.Spec);
        index.Status = status?.Invoke(index);
        return index;
    }

    private static PretrainIndexStatus Ready(PretrainIndex index, string version) =>
        new() { ObservedGeneration = 1, Current = new VersionStatus { Version = version, BuildKey = WantedBuild.Of(index).BuildKey } };

    private static V1Job Job(PretrainIndex owner, string name, V1Job job, string? end = null)
    {
        job.Metadata.Name = name;
        job.Metadata.OwnerReferences[0].Uid = owner.Metadata.Uid;
        job.Status = end is null ? null : new V1JobStatus { Conditions = [new V1JobCondition { Type = end, Status = "True" }] };
        return job;
    }

    private static V1Pod Consumer(string name, string version, string phase) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = name,
            NamespaceProperty = "a",
            Labels = new Dictionary<string, string> { [Labels.Index] = "another" },
            Annotations = new Dictionary<string, string> { [Annotations.Version] = version },
        },
        Status = new V1PodStatus { Phase = phase },
    };

    private void Put(PretrainIndex index) =>
        Put("apis/indexoperator.io/v1alpha1/pretrainindexes", index.Metadata.Name, JsonSerializer.SerializeToNode(index, ApiJsonContext.Default.PretrainIndex)!);

    private void Put(V1Job job) => Put("apis/batch/v1/jobs", job.Metadata.Name, JsonNode.Parse(KubernetesJson.Serialize(job))!);

    private void Put(V1Pod pod) => Put("api/v1/pods", pod.Metadata.Name, JsonNode.Parse(KubernetesJson.Serialize(pod))!);

    private void Put(string collection, string name, JsonNode entity) => Put(collection, "a", name, entity);

    private void Put(string collection, string ns, string name, JsonNode entity) => _server.Put(collection, ns, name, entity.AsObject());

    private async Task<PeerFinder> FinderAsync()
    {
        var indexes = new Informer<PretrainIndex>(_client, Resources.PretrainIndexes, new InformerOptions<PretrainIndex>
        {
            Indexes = new Dictionary<string, Func<PretrainIndex, IEnumerable<string>>>
            {
                [PeerFinder.ByContent] = PeerFinder.ContentKeys,
                [PeerFinder.ByVersion] = PeerFinder.VersionKeys,
                [PeerFinder.ByBuildingCache] = PeerFinder.BuildingCacheKeys,
            },
        });
        var jobs = new Informer<V1Job>(_client, KnownResources.Jobs, new InformerOptions<V1Job>
        {
            Transform = SlimForms.Of,
            Indexes = new Dictionary<string, Func<V1Job, IEnumerable<string>>> { [PeerFinder.ByWork] = PeerFinder.WorkKeys },
        });
        var consumers = new Informer<V1Pod>(_client, KnownResources.Pods, new InformerOptions<V1Pod>
        {
            Transform = SlimForms.OfConsumer,
            Indexes = new Dictionary<string, Func<V1Pod, IEnumerable<string>>> { [PeerFinder.ByPinned] = PeerFinder.PinnedKeys },
        });
        _running = Task.WhenAll(indexes.RunAsync(_stop.Token), jobs.RunAsync(_stop.Token), consumers.RunAsync(_stop.Token));
        await Task.WhenAll(indexes.WaitForSyncAsync(Cancel), jobs.WaitForSyncAsync(Cancel), consumers.WaitForSyncAsync(Cancel));
        return new PeerFinder(indexes.Store, jobs, consumers);
    }
}
