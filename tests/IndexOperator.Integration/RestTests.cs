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
        var passes = Keep(new Passes(Namespace));
        var (_, line) = await StartProxiedOperatorAsync();
        Player.SucceedAll();
        var names = Enumerable.Range(0, Count).Select(i => $"mix-{i}").ToList();
        await Task.WhenAll(names.Select((name, i) => CreateAsync(name, spec => Specs.Seeded(spec, i))));
        foreach (var name in names)
        {
            await ReadyAsync(name);
            await ToldAsync(name, Reasons.Published);
        }

        // What the last write of each resource asked for is done in this round.
        await LookAgainAsync(passes, "settle", names);
        var writes = line.Sent.Count(request => request.IsWrite);
        var versions = await VersionsAsync();
        await LookAgainAsync(passes, "once", names);
        await LookAgainAsync(passes, "twice", names);

        Assert.Equal(versions, await VersionsAsync());
        Assert.Equal([], line.Sent.Where(request => request.IsWrite).Skip(writes).Select(request => $"{request.Method} {request.Path}"));
    }

    private async Task<Dictionary<string, string>> VersionsAsync() =>
        (await Client.ListAsync(Operator.Resources.PretrainIndexes, new ListQuery { Namespace = Namespace }, TestContext.Current.CancellationToken))
            .ToDictionary(index => index.Metadata.Name, index => index.Metadata.ResourceVersion);
}
