using System.Globalization;
using System.Text.Json.Nodes;

namespace IndexOperator.E2E;

/// <summary>What nodes do to a build: memory that runs out, a drain.</summary>
public sealed class FaultTests(Cluster cluster) : ScenarioTests(cluster, "fault")
{
    private const string Memory = "indexoperator.io/memory";

    [Fact]
    public async Task A_build_that_the_kernel_killed_for_its_memory_is_told_from_others_and_goes_on_with_more()
    {
        // The process fits into its limit; what it writes does not, since this cache is memory too, and counted as its own.
        var folder = Directory.CreateDirectory(Path.Combine("/dev/shm", Here.Namespace)).FullName;
        try
        {
            await Here.AddVolumeAsync("memory", folder);
            Scenario.Age(Here.Volume("corpus"), "text");
            await Here.ApplyAsync(Big("killed", "160Mi", "memory"));
            var failed = await Here.UntilAsync("killed", "a failure", status => status["build"]?["lastFailure"] is not null);
            Assert.Equal("OutOfMemory", (string?)failed["build"]!["lastFailure"]!["reason"]);
            Assert.Contains((await Here.PodsAsync("killed")).Select(Terminated), terminated => (string?)terminated["reason"] == "OOMKilled");

            await Here.ApplyAsync(Big("killed", "1Gi", "memory"));
            Assert.Equal("Built", (string?)(await Here.ReadyAsync("killed"))["current"]!["outcome"]);
            Assert.Empty(Here.Staging("memory"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_build_that_does_not_fit_into_its_limit_says_so_at_once_and_is_given_what_it_needs()
    {
        Scenario.Age(Here.Volume("corpus"), "text");
        await Here.ApplyAsync(Big("big", "64Mi", "npy-index"));
        var failed = await Here.UntilAsync("big", "a failure and the time of the next attempt", status => status["build"]?["lastFailure"] is not null && status["build"]!["nextRetryAt"] is not null);
        Assert.Equal("OutOfMemory", (string?)failed["build"]!["lastFailure"]!["reason"]);
        Assert.Contains("its limit is 64 MiB", (string?)failed["build"]!["lastFailure"]!["message"], StringComparison.Ordinal);
        var killed = Terminated(Assert.Single(await Here.PodsAsync("big")));
        Assert.Equal("Error", (string?)killed["reason"]);
        var predicted = (long)JsonNode.Parse((string)killed["message"]!)!["predictedMemoryBytes"]!;
        var given = (long)failed["build"]!["memoryBytes"]!;
        Assert.Equal((long)(predicted * 1.25), given);

        var status = await Here.ReadyAsync("big");
        Assert.Equal("Built", (string?)status["current"]!["outcome"]);
        var job = (await Here.JobsAsync("big")).Single(one => (string?)one["metadata"]!["annotations"]!["indexoperator.io/attempt"] == "2");
        Assert.Equal(given.ToString(CultureInfo.InvariantCulture), (string?)job["metadata"]!["annotations"]![Memory]);
        var resources = job["spec"]!["template"]!["spec"]!["containers"]![0]!["resources"]!;
        Assert.Equal((given, given), (Bytes(resources["limits"]!), Bytes(resources["requests"]!)));
        var pod = (await Here.PodsAsync("big")).Single(one => (string?)one["metadata"]!["labels"]!["job-name"] == (string?)job["metadata"]!["name"]);
        Assert.InRange((long)JsonNode.Parse((string)Terminated(pod)["message"]!)!["peakMemoryBytes"]!, 64L << 20, given);
        Assert.Contains("tried once more with", Assert.Single(await Here.ToldAsync("big", "OutOfMemory")), StringComparison.Ordinal);
        Assert.Empty(Here.Staging());
    }

    [Fact]
    public async Task A_build_whose_node_is_drained_ends_Ready_when_there_is_a_node_again()
    {
        await Here.ApplyAsync(Scenario.SlowManifest("slow"));
        var pod = await Here.BuildingAsync("slow");
        var node = (string)pod["spec"]!["nodeName"]!;
        try
        {
            // Through the eviction API, as an autoscaler or an upgrade of the node does it; only the build, on the one node that there is.
            await Here.KubectlAsync("drain", node, "--pod-selector=indexoperator.io/pretrainindex=slow", "--ignore-daemonsets", Cluster.Timeout);
            Assert.DoesNotContain(await Here.PodsAsync("slow"), other => (string?)other["metadata"]!["uid"] == (string?)pod["metadata"]!["uid"]);
        }
        finally
        {
            await Here.KubectlAsync("uncordon", node);
        }

        await Here.EndsWellAsync("slow");
    }

    // 80 MB of memory for the process, and files of 240 MB.
    private static string Big(string name, string limit, string cache) =>
        Scenario.Manifest(name, sequenceLength: 16, samples: 20_000_000, cacheClaim: cache, build: $"{{resources: {{limits: {{memory: {limit}}}}}}}");

    private static JsonNode Terminated(JsonNode pod) => pod["status"]!["containerStatuses"]![0]!["state"]!["terminated"]!;

    // The API server writes a quantity in its shortest form: plain bytes, or so many Ki, Mi or Gi.
    private static long Bytes(JsonNode resources)
    {
        var text = (string)resources["memory"]!;
        var unit = text.IndexOfAny(['K', 'M', 'G']);
        return unit < 0
            ? long.Parse(text, CultureInfo.InvariantCulture)
            : long.Parse(text[..unit], CultureInfo.InvariantCulture) << (10 * ("KMG".IndexOf(text[unit], StringComparison.Ordinal) + 1));
    }
}
