namespace IndexOperator.E2E;

/// <summary>Data that changes under a running training pod.</summary>
public sealed class ChangeTests(Cluster cluster) : ScenarioTests(cluster, "change")
{
    [Fact]
    public async Task Changed_data_gets_a_new_version_while_the_old_one_stays_mounted()
    {
        await Here.ApplyAsync(Scenario.Manifest("text"));
        var before = await Here.ReadyAsync("text");
        await Here.StartPodAsync("old", "text", before);
        // From now on: it never stops being available.
        using var watch = new ConditionWatch(Here, "text");

        Scenario.WriteText(Here.Volume("corpus"), "text", 800);
        await Here.ApplyAsync(Scenario.Manifest("text", dataVersion: "2"));
        var after = await Here.ReadyAsync("text");
        var seen = await watch.StopAsync();
        Assert.NotEmpty(seen);
        Assert.All(seen, conditions => Assert.Contains("Available=True", conditions, StringComparison.Ordinal));
        Assert.NotEqual((string?)before["current"]!["version"], (string?)after["current"]!["version"]);
        Assert.Equal("2", (string?)after["current"]!["dataVersion"]);
        Assert.Equal("Built", (string?)after["current"]!["outcome"]);
        Assert.Equal((string?)before["current"]!["version"], (string?)after["previous"]![0]!["version"]);

        await Here.StartPodAsync("new", "text", after);
        await Here.ReadsAsync("old", before);
        await Here.ReadsAsync("new", after);
    }
}
