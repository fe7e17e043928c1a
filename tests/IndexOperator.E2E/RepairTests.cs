using System.Text.Json.Nodes;

namespace IndexOperator.E2E;

/// <summary>Published files that do not stay what they were: found by themselves, kept for a person, built again.</summary>
public sealed class RepairTests(Cluster cluster) : ScenarioTests(cluster, "repair")
{
    private static readonly string[] Good = ["Ready=True", "Available=True", "Reconciling=False", "Stalled=False", "DataCurrent=True", "Verified=True"];

    [Fact]
    public async Task A_flipped_byte_is_found_by_its_checksum_and_the_version_is_put_aside_and_built_again()
    {
        Scenario.Age(Here.Volume("corpus"), "text");
        await Here.ApplyAsync(Scenario.Manifest("text", verify: "{interval: 4s}"));
        var before = await Here.ReadyAsync("text");
        var verified = (DateTimeOffset)before["current"]!["verifiedAt"]!;
        var whole = await Here.UntilAsync("text", "a look that read every file", status => (DateTimeOffset)status["current"]!["verifiedAt"]! > verified);
        Assert.True(Scenario.Is(whole, "Verified", "True", "ChecksumsMatch"), whole.ToJsonString());
        await Here.StartPodAsync("trainer", "text", before);
        using var watch = new ConditionWatch(Here, "text");

        var file = Directory.EnumerateFiles(Here.VersionFolder(before), "*shuffle_index.npy").Single();
        var damaged = Flip(file);
        var after = await RebuiltAsync(before);
        var seen = await watch.StopAsync();
        Assert.Contains(seen, conditions => conditions.Contains("Verified=False/VersionCorrupt", StringComparison.Ordinal)
            && conditions.Contains("Available=False/VersionCorrupt", StringComparison.Ordinal)
            && conditions.Contains("Ready=False/Building", StringComparison.Ordinal));
        Assert.All(Good, condition => Assert.Contains(condition, seen[^1], StringComparison.Ordinal));

        var aside = Assert.Single(Here.Quarantine());
        Assert.StartsWith((string)before["current"]!["version"]!, Path.GetFileName(aside), StringComparison.Ordinal);
        Assert.Equal(damaged, File.ReadAllBytes(Path.Combine(aside, Path.GetFileName(file))));
        await Cluster.BuilderAsync("verify", Here.VersionFolder(after));
        var told = Assert.Single(await Here.ToldAsync("text", "VersionCorrupt"));
        Assert.Contains(Path.GetFileName(file), told, StringComparison.Ordinal);
        Assert.Contains("trainer", told, StringComparison.Ordinal);
        Assert.Contains(Path.GetFileName(aside), Assert.Single(await Here.ToldAsync("text", "Quarantined")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_version_removed_by_hand_is_missed_by_the_next_look_and_built_again()
    {
        Scenario.Age(Here.Volume("corpus"), "text");
        await Here.ApplyAsync(Scenario.Manifest("text", refresh: "{interval: 3s}"));
        var before = await Here.ReadyAsync("text");
        Directory.Delete(Here.VersionFolder(before), recursive: true);
        var after = await RebuiltAsync(before);
        Assert.Empty(Here.Quarantine());
        Assert.Empty(Here.Staging());
        await Cluster.BuilderAsync("verify", Here.VersionFolder(after));
        Assert.Contains("No pod is running with it.", Assert.Single(await Here.ToldAsync("text", "VersionCorrupt")), StringComparison.Ordinal);
    }

    private async Task<JsonNode> RebuiltAsync(JsonNode before)
    {
        var builtAt = (string?)before["current"]!["builtAt"];
        var after = await Here.UntilAsync("text", "to be built again", status => Scenario.Is(status, "Ready", "True") && (string?)status["current"]!["builtAt"] != builtAt);
        Assert.Equal(((string?)before["current"]!["version"], "Built"), ((string?)after["current"]!["version"], (string?)after["current"]!["outcome"]));
        Assert.Null(after["change"]);
        return after;
    }

    /// <summary>Turns one bit of the file's last byte, and gives what the file then holds.</summary>
    private static byte[] Flip(string file)
    {
        var content = File.ReadAllBytes(file);
        content[^1] ^= 1;
        using (var open = File.OpenWrite(file))
        {
            open.Seek(-1, SeekOrigin.End);
            open.WriteByte(content[^1]);
        }

        return content;
    }
}
