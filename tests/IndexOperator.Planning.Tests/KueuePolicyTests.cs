using System.Text.Json.Nodes;
using IndexOperator.Api;

namespace IndexOperator.Planning.Tests;

/// <summary>Our name among those who gate a job's admission by Kueue.</summary>
public sealed class KueuePolicyTests
{
    private static readonly string One = Given.Digits('1');
    private static readonly string Two = Given.Digits('2');

    [Theory]
    [InlineData("indexoperator.io/index-ready", null)]
    [InlineData("example.com/a,indexoperator.io/index-ready", "example.com/a")]
    [InlineData("indexoperator.io/index-ready, example.com/a ,example.com/b", "example.com/a,example.com/b")]
    [InlineData("indexoperator.io/index-ready-too", "indexoperator.io/index-ready-too")]
    [InlineData("", null)]
    public void Only_our_name_is_taken_out(string list, string? left) => Assert.Equal(left, KueuePolicy.Without(list));

    [Theory]
    [InlineData("example.com/a, indexoperator.io/index-ready", true)]
    [InlineData("indexoperator.io/index-ready-too", false)]
    [InlineData(null, false)]
    public void Gated_is_what_has_our_name(string? list, bool gated) =>
        Assert.Equal(gated, KueuePolicy.IsGated(list is null ? null : new Dictionary<string, string> { [KueuePolicy.GatedBy] = list }));

    [Theory]
    [InlineData(null, null, true)]
    [InlineData("a", null, true)]
    [InlineData("old", null, true)]
    [InlineData("never", null, false)]
    [InlineData(null, "1", true)]
    [InlineData(null, "2", true)]
    [InlineData(null, "3", false)]
    public void A_job_is_let_go_when_its_pods_would_be_opened(string? dataVersion, string? version, bool served) =>
        Assert.Equal(served, KueuePolicy.IsServed(Index(), new IndexAsk("web-mix", dataVersion, version is null ? null : Given.Digits(version[0]))));

    [Fact]
    public void An_index_that_is_not_Ready_for_its_spec_or_is_going_serves_nobody_new()
    {
        var changed = Index();
        changed.Metadata.Generation = 2;
        Assert.False(KueuePolicy.IsServed(changed, new IndexAsk("web-mix", null, null)));
        var going = Index();
        going.Metadata.DeletionTimestamp = Given.Now.UtcDateTime;
        Assert.False(KueuePolicy.IsServed(going, new IndexAsk("web-mix", null, One)));
        Assert.False(KueuePolicy.IsServed(Given.Index(), new IndexAsk("web-mix", null, null)));
    }

    [Fact]
    public void A_job_in_a_queue_that_uses_an_index_is_gated_when_it_is_created()
    {
        var job = JsonNode.Parse("""{"kind":"Job","metadata":{"name":"a","labels":{"kueue.x-k8s.io/queue-name":"q","indexoperator.io/index":"web-mix"}},"spec":{"x":1}}""")!.AsObject();
        var before = job.ToJsonString();

        var injected = WorkloadInjection.Inject(job)!;

        Assert.Equal(KueuePolicy.Gate, (string?)injected["metadata"]!["annotations"]![KueuePolicy.GatedBy]);
        Assert.Equal(1, (int)injected["spec"]!["x"]!);
        Assert.Equal(before, job.ToJsonString());
        Assert.Null(WorkloadInjection.Inject(injected));
    }

    [Fact]
    public void Gates_of_others_stay_in_the_list()
    {
        var job = JsonNode.Parse("""{"metadata":{"annotations":{"kueue.x-k8s.io/admission-gated-by":"example.com/a"},"labels":{"kueue.x-k8s.io/queue-name":"q","indexoperator.io/index":"web-mix"}}}""")!.AsObject();
        Assert.Equal("example.com/a,indexoperator.io/index-ready", (string?)WorkloadInjection.Inject(job)!["metadata"]!["annotations"]![KueuePolicy.GatedBy]);
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"metadata":[]}""")]
    [InlineData("""{"metadata":{"labels":{"indexoperator.io/index":"web-mix"}}}""")]
    [InlineData("""{"metadata":{"labels":{"kueue.x-k8s.io/queue-name":"q"}}}""")]
    [InlineData("""{"metadata":{"labels":{"kueue.x-k8s.io/queue-name":"q","indexoperator.io/index":7}}}""")]
    [InlineData("""{"metadata":{"labels":{"kueue.x-k8s.io/queue-name":"q","indexoperator.io/index":""}}}""")]
    [InlineData("""{"metadata":{"annotations":"x","labels":{"kueue.x-k8s.io/queue-name":"q","indexoperator.io/index":"web-mix"}}}""")]
    public void What_asks_for_nothing_or_cannot_be_read_is_left_alone(string job) => Assert.Null(WorkloadInjection.Inject(JsonNode.Parse(job)!.AsObject()));

    private static PretrainIndex Index()
    {
        var index = Given.Published(Given.Index(), status => status with { Previous = [Given.Version(Two) with { DataVersion = "old" }] });
        index.Status = Planner.Plan(Given.Observed(index)).Status;
        return index;
    }
}
