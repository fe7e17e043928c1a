using System.Text.Json.Nodes;

namespace IndexOperator.E2E;

/// <summary>Data that changes under a running training pod.</summary>
public sealed class ChangeTests(Cluster cluster) : ScenarioTests(cluster, "change")
{
    [Fact]
    public async Task Changed_data_gets_a_new_version_while_the_old_one_stays_mounted()
    {
        await Here.ApplyAsync(Scenario.Manifest("text"));
        var before = await Here.ReadyAsync("text");
        await StartPodAsync("old", before);
        // From now on: it never stops being available.
        using var stop = new CancellationTokenSource();
        var watching = WatchAvailableAsync(stop.Token);

        Scenario.WriteText(Here.Volume("corpus"), "text", 800);
        await Here.ApplyAsync(Scenario.Manifest("text", dataVersion: "2"));
        var after = await Here.ReadyAsync("text");
        await stop.CancelAsync();
        var seen = await watching;
        Assert.NotEmpty(seen);
        Assert.All(seen, status => Assert.Equal("True", status));
        Assert.NotEqual((string?)before["current"]!["version"], (string?)after["current"]!["version"]);
        Assert.Equal("2", (string?)after["current"]!["dataVersion"]);
        Assert.Equal("Built", (string?)after["current"]!["outcome"]);
        Assert.Equal((string?)before["current"]!["version"], (string?)after["previous"]![0]!["version"]);

        await StartPodAsync("new", after);
        Assert.Contains($"version {before["current"]!["version"]}", await InspectAsync("old"), StringComparison.Ordinal);
        Assert.Contains($"version {after["current"]!["version"]}", await InspectAsync("new"), StringComparison.Ordinal);
        await Here.KubectlAsync("exec", "old", "--", "index-builder", "verify", "/npy_index");
    }

    private async Task StartPodAsync(string name, JsonNode status)
    {
        await Here.ApplyAsync(WebMix.TrainingPod(name, (string)status["current"]!["version"]!, sleeps: true));
        await Here.KubectlAsync("wait", "--for=condition=Ready", $"pod/{name}", "--timeout=30s");
    }

    private Task<string> InspectAsync(string pod) => Here.KubectlAsync("exec", pod, "--", "index-builder", "inspect", "/npy_index");

    private async Task<IReadOnlyList<string?>> WatchAvailableAsync(CancellationToken stop)
    {
        // Every change of the resource, as the API server tells it.
        using var watch = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(
            "kubectl",
            ["--kubeconfig", Here.Cluster.Kubeconfig, "-n", Here.Namespace, "get", "pretrainindex", "text", "--watch", "-o", "jsonpath={.status.conditions[?(@.type==\"Available\")].status}{\"\\n\"}"])
        { RedirectStandardOutput = true })!;
        await using var end = stop.Register(() => watch.Kill());
        var lines = (await watch.StandardOutput.ReadToEndAsync(CancellationToken.None)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await watch.WaitForExitAsync(CancellationToken.None);
        return lines;
    }
}
