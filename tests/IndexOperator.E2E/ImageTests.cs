using System.Globalization;

namespace IndexOperator.E2E;

/// <summary>What the images bring to a cluster: little, and nothing to work with for whoever gets in.</summary>
public sealed class ImageTests(Cluster cluster) : ScenarioTests(cluster, "images")
{
    private const long Mebibyte = 1 << 20;

    [Theory]
    [InlineData("operator", 200)]
    [InlineData("builder", 48)]
    public async Task An_image_is_no_larger_than_is_told(string target, int mebibytes)
    {
        var node = Assert.Single(await Here.Cluster.ListAsync("nodes"));
        var image = node["status"]!["images"]!.AsArray().Single(image => image!["names"]!.AsArray().Any(name => (string?)name == $"docker.io/indexoperator/{target}:dev"));
        var size = (long)image!["sizeBytes"]!;
        Cluster.Say(string.Create(CultureInfo.InvariantCulture, $"image {target}: {size / (double)Mebibyte:0.0} MiB"));
        Assert.InRange(size, 1, mebibytes * Mebibyte);
    }

    [Fact]
    public async Task There_is_no_shell_in_the_operators_image_nor_in_the_builders()
    {
        await Here.ApplyAsync(Scenario.Manifest("text"));
        await Here.StartPodAsync("trainer", "text", await Here.ReadyAsync("text"));
        foreach (var pod in new[] { await Here.GetAsync("pod", "trainer"), await Here.Cluster.OperatorPodAsync() })
        {
            foreach (var program in new[] { "sh", "bash", "/bin/sh", "ls", "apt-get", "perl", "openssl" })
            {
                var answer = await Here.Cluster.TryKubectlAsync(["-n", (string)pod["metadata"]!["namespace"]!, "exec", (string)pod["metadata"]!["name"]!, "--", program]);
                Assert.NotEqual(0, answer.ExitCode);
                Assert.Matches("executable file not found|no such file or directory", answer.ToString());
            }
        }
    }
}
