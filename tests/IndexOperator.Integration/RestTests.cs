using System.Collections.Concurrent;
using System.Diagnostics;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>Where nothing is to be done, nothing is written, however often it is looked at.</summary>
public sealed class RestTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    private const int Count = 20;

    [Fact]
    public async Task At_rest_passes_write_nothing()
    {
        var passes = new ConcurrentQueue<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == RuntimeMetrics.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.GetTagItem("k8s.object") is string key && key.StartsWith(Namespace + "/", StringComparison.Ordinal))
                {
                    passes.Enqueue(key);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        var (_, line) = await StartProxiedOperatorAsync();
        Player.SucceedAll();
        var names = Enumerable.Range(0, Count).Select(i => $"mix-{i}").ToList();
        await Task.WhenAll(names.Select(name => CreateAsync(name)));
        foreach (var name in names)
        {
            await ReadyAsync(name);
            await IndexAsync(name, "without finalizer", index => index.Metadata.Finalizers is not { Count: > 0 });
            await ToldAsync(name, Reasons.Published);
        }

        // What each resource's own last write asks for is done when a pass has begun after it; three rounds are more than enough.
        await LookAgainAsync(passes, "settle");
        var writes = line.Sent.Count(request => request.IsWrite);
        var versions = await VersionsAsync();
        await LookAgainAsync(passes, "once");
        await LookAgainAsync(passes, "twice");

        Assert.Equal(versions, await VersionsAsync());
        Assert.Equal([], line.Sent.Where(request => request.IsWrite).Skip(writes).Select(request => $"{request.Method} {request.Path}"));
    }

    // A changed claim asks for a pass of every resource that names it.
    private async Task LookAgainAsync(ConcurrentQueue<string> passes, string token)
    {
        passes.Clear();
        await Plane.KubectlAsync("annotate", "pvc", Specs.CacheClaim, $"touched={token}", "--overwrite", "-n", Namespace);
        await UntilAsync("a pass over each resource", () => passes.Distinct().Count() == Count);
    }

    private async Task<Dictionary<string, string>> VersionsAsync() =>
        (await Client.ListAsync(Operator.Resources.PretrainIndexes, new ListQuery { Namespace = Namespace }, TestContext.Current.CancellationToken))
            .ToDictionary(index => index.Metadata.Name, index => index.Metadata.ResourceVersion);
}
