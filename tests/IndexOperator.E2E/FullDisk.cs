using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.E2E;

/// <summary>
/// An index whose cache lies on a full disk, which is freed as soon as the build has failed. The operator only looks after five minutes
/// whether a person has done that, so it is begun with the first test, goes on beside the others, and is looked at by one of the last.
/// </summary>
public sealed class FullDisk : IAsyncDisposable
{
    private const string Claim = "small";

    public FullDisk(Cluster cluster)
    {
        Scenario = new Scenario(cluster, "full");
        Begun = Task.Run(BeginAsync);
    }

    /// <summary>Where it is.</summary>
    public Scenario Scenario { get; }

    /// <summary>Ends when the build has failed and the disk is free again; gives the status as it was when the disk was full.</summary>
    public Task<JsonNode> Begun { get; }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAny(Begun);
        await Command.RunAsync("umount", ["--lazy", Scenario.Volume(Claim)]);
        await Scenario.DisposeAsync();
    }

    private async Task<JsonNode> BeginAsync()
    {
        await Scenario.StartAsync();
        var disk = Directory.CreateDirectory(Scenario.Volume(Claim)).FullName;
        await Cluster.RunAsync("mount", "-t", "tmpfs", "-o", "size=4m", "indexoperator-e2e", disk);
        await Scenario.AddVolumeAsync(Claim);
        Scenario.WriteText(await Scenario.AddVolumeAsync("corpus"), "text", 500);
        var other = Path.Combine(disk, "somebody-elses-file");
        File.WriteAllBytes(other, new byte[3_500_000]);
        await Scenario.ApplyAsync(Scenario.Manifest("full", cacheClaim: Claim));
        var status = await Scenario.UntilAsync("full", "a build that failed for want of space", found => Scenario.Is(found, "Stalled", "True", "OutOfSpace"));
        File.Delete(other);
        return status;
    }
}
