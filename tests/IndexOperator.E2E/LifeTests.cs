using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.E2E;

/// <summary>The life of an index: data that changes in place, a spec that goes back, a history that is cut, and training pods meanwhile.</summary>
public sealed class LifeTests(Cluster cluster) : ScenarioTests(cluster, "life")
{
    private const string Refresh = "{interval: 3s}";

    [Fact]
    public async Task Data_that_changes_in_place_is_found_and_built_while_a_training_pod_reads_what_it_has()
    {
        var corpus = Here.Volume("corpus");
        var idx = Path.Combine(corpus, "text.idx");
        Scenario.Age(corpus, "text");
        await Here.ApplyAsync(Scenario.Manifest("text", refresh: Refresh));
        var before = await Here.ReadyAsync("text");
        await Here.StartPodAsync("trainer", "text", before);
        using var watch = new ConditionWatch(Here, "text");

        // Touched, but the same bytes: the look reads them, and nothing follows.
        var looks = Looks(await Here.UntilAsync("text", "a look at the data", status => Looks(status) > 0));
        File.SetLastWriteTimeUtc(idx, DateTime.UtcNow.AddMinutes(-1));
        var touched = await Here.UntilAsync(
            "text",
            "two more looks, of which the second knows the new time",
            status => Looks(status) >= looks + 2 && (string?)status["current"]!["dataStamp"] != (string?)before["current"]!["dataStamp"]);
        Assert.Equal("Unchanged", (string?)touched["data"]!["state"]);
        Assert.True(Scenario.Is(touched, "DataCurrent", "True", "Unchanged"), touched.ToJsonString());
        Assert.True(Scenario.Is(touched, "Ready", "True", "Published"), touched.ToJsonString());
        Assert.Single(await Here.ToldAsync("text", "BuildStarted"));

        // Other data, which somebody goes on writing: waited for, not indexed.
        Scenario.WriteText(corpus, "text", 700);
        var written = await Here.UntilAsync("text", "data that is being written to", status =>
        {
            File.SetLastWriteTimeUtc(idx, DateTime.UtcNow);
            return (string?)status["data"]?["state"] == "BeingWritten";
        });
        Assert.True(Scenario.Is(written, "DataCurrent", "Unknown", "DataBeingWritten"), written.ToJsonString());
        Assert.True(Scenario.Is(written, "Ready", "True"), written.ToJsonString());
        Assert.Single(await Here.ToldAsync("text", "BuildStarted"));

        // Now it stands still.
        var after = await Here.UntilAsync("text", "another version to be Ready", status => IsReadyWithout(status, before));
        Assert.Equal("Built", (string?)after["current"]!["outcome"]);
        Assert.Equal("1", (string?)after["current"]!["dataVersion"]);
        Assert.Equal((string?)before["current"]!["version"], (string?)after["previous"]![0]!["version"]);
        Assert.True(Scenario.Is(after, "DataCurrent", "True"), after.ToJsonString());
        await Cluster.BuilderAsync("verify", Here.VersionFolder(after));
        var told = Assert.Single(await Here.ToldAsync("text", "DataChanged"));
        Assert.Contains("trainer", told, StringComparison.Ordinal);
        Assert.Contains("/data/text.idx has", told, StringComparison.Ordinal);

        var seen = await watch.StopAsync();
        Assert.All(seen, conditions => Assert.Contains("Available=True", conditions, StringComparison.Ordinal));
        Assert.Contains(seen, conditions => conditions.Contains("Ready=False/Building", StringComparison.Ordinal) && conditions.Contains("DataCurrent=False/DataChanged", StringComparison.Ordinal));
        await Here.ReadsAsync("trainer", before);
        Assert.Equal((1, (string?)before["current"]!["version"]), ((int?)after["consumers"]!["running"], (string?)Assert.Single(after["consumers"]!["versionsInUse"]!.AsArray())));
    }

    [Fact]
    public async Task Going_back_takes_the_kept_version_and_a_shorter_history_keeps_only_what_a_pod_reads()
    {
        Scenario.Age(Here.Volume("corpus"), "text");
        var first = await PublishAsync(64);
        var second = await PublishAsync(48);
        await Here.StartPodAsync("trainer", "text", second);
        var third = await PublishAsync(32);
        Assert.Equal(Sorted(first, second, third), Here.Versions());

        // Back to the first spec: its version is there, and no build is needed.
        using var watch = new ConditionWatch(Here, "text");
        await Here.ApplyAsync(Scenario.Manifest("text", sequenceLength: 64));
        var back = await Here.ReadyAsync("text");
        Assert.Equal((VersionOf(first), "Reused"), (VersionOf(back), (string?)back["current"]!["outcome"]));
        Assert.Equal([VersionOf(third), VersionOf(second)], back["previous"]!.AsArray().Select(version => (string)version!["version"]!));
        Assert.Equal(3, (await Here.ToldAsync("text", "BuildStarted")).Count);
        Assert.Contains(await watch.StopAsync(), conditions => conditions.Contains("Ready=False/Checking", StringComparison.Ordinal));
        Assert.Empty(Here.Staging());

        // Nothing of the past is to be kept: what nobody reads goes, what the pod reads stays.
        await Here.ApplyAsync(Scenario.Manifest("text", sequenceLength: 64, historyLimit: 0));
        var pruned = await Here.UntilAsync("text", "the third version to be out of the history", status => status["previous"] is JsonArray { Count: 1 });
        Assert.Equal(VersionOf(second), (string?)pruned["previous"]![0]!["version"]);
        Assert.Equal(Sorted(first, second), Here.Versions());
        Assert.Contains(VersionOf(third), Assert.Single(await Here.ToldAsync("text", "Pruned")), StringComparison.Ordinal);
        await Here.ReadsAsync("trainer", second);

        await Here.EndPodAsync("trainer");
        await Wait.Until("the second version to leave the volume", () => !Here.Versions().Contains(VersionOf(second)), Cluster.Patience);
        var last = await Here.UntilAsync("text", "an empty history", status => status["previous"] is null);
        Assert.Equal(Sorted(first), Here.Versions());
        Assert.True(Scenario.Is(last, "Ready", "True"), last.ToJsonString());
        Assert.Empty(Here.Staging());
        await Cluster.BuilderAsync("verify", Here.VersionFolder(last));
    }

    private async Task<JsonNode> PublishAsync(int sequenceLength)
    {
        await Here.ApplyAsync(Scenario.Manifest("text", sequenceLength: sequenceLength));
        return await Here.ReadyAsync("text");
    }

    private static int Looks(JsonNode status) => (int?)status["data"]?["looks"] ?? 0;

    private static string VersionOf(JsonNode status) => (string)status["current"]!["version"]!;

    private static bool IsReadyWithout(JsonNode status, JsonNode before) => Scenario.Is(status, "Ready", "True") && VersionOf(status) != VersionOf(before);

    private static List<string> Sorted(params JsonNode[] statuses) => [.. statuses.Select(VersionOf).Order(StringComparer.Ordinal)];
}
