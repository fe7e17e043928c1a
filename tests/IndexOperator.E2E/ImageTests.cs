using System.Globalization;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using IndexOperator.TestSupport;

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

    [Theory]
    [InlineData("operator")]
    [InlineData("builder")]
    public async Task An_image_brings_the_bill_of_materials_of_its_source(string target)
    {
        await using var image = await NodeImage.MountAsync(Here.Cluster, target);
        var architecture = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";

        var bill = await File.ReadAllTextAsync(image.PathOf((await image.LabelsAsync())["io.indexoperator.sbom"]), TestContext.Current.CancellationToken);

        Assert.Equal(RepositoryRoot.ReadText($"sbom/{target}-{architecture}.cdx.json"), bill);
    }

    [Fact]
    public async Task The_bill_of_materials_names_what_is_beside_the_operators_program()
    {
        await using var image = await NodeImage.MountAsync(Here.Cluster, "operator");
        var bill = JsonNode.Parse(await File.ReadAllTextAsync(image.PathOf("/usr/share/sbom/index-operator.cdx.json"), TestContext.Current.CancellationToken))!;

        var loaded = JsonNode.Parse(await File.ReadAllTextAsync(image.PathOf("/app/index-operator.deps.json"), TestContext.Current.CancellationToken))!["libraries"]!.AsObject()
            .Where(library => (string?)library.Value!["type"] == "package").Select(library => $"pkg:nuget/{library.Key.Replace('/', '@')}");

        Assert.Equal(loaded.Order(StringComparer.Ordinal), bill["components"]!.AsArray().Where(one => (string?)one!["type"] == "library").Select(one => (string)one!["purl"]!).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("operator", "ASPNET")]
    [InlineData("builder", "RUNTIME_DEPS")]
    public async Task Labels_tell_program_version_revision_licence_and_base(string target, string baseImage)
    {
        await using var image = await NodeImage.MountAsync(Here.Cluster, target);
        var labels = await image.LabelsAsync();

        string Label(string name) => labels["org.opencontainers.image." + name];
        string Argument(string name) => RepositoryRoot.ReadText("Dockerfile").Split('\n').Single(line => line.StartsWith($"ARG {name}=", StringComparison.Ordinal)).Split('=')[1];
        Assert.Equal($"index-{target}", Label("title"));
        Assert.Equal(XDocument.Load(RepositoryRoot.PathOf("Directory.Build.props")).Descendants("Version").Single().Value, Label("version"));
        Assert.Equal("Apache-2.0", Label("licenses"));
        Assert.Equal(Argument(baseImage + "_NAME"), Label("base.name"));
        // A stand-in for the base image is of no digest that anybody could look up.
        Assert.Contains(Label("base.digest"), new List<string> { "", Argument(baseImage + "_DIGEST") });
        if (!Path.Exists(RepositoryRoot.PathOf(".git")))
        {
            Assert.Equal("unknown", Label("revision"));
            return;
        }

        Assert.Matches("^[0-9a-f]{40}(-dirty)?$", Label("revision"));
        var ancestor = await Command.RunAsync("git", ["-c", "safe.directory=*", "merge-base", "--is-ancestor", Label("revision")[..40], "HEAD"], cancellation: TestContext.Current.CancellationToken);
        Assert.True(ancestor.ExitCode == 0, $"The image says that it is of a commit which is not in this checkout's history: {ancestor}");
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
