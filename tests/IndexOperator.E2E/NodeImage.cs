using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.E2E;

/// <summary>One of the images as the node has it: its files, and what is told of it.</summary>
internal sealed class NodeImage : IAsyncDisposable
{
    private readonly Cluster _cluster;
    private readonly string _name;
    private readonly string _folder = Directory.CreateTempSubdirectory("indexoperator-image-").FullName;

    private NodeImage(Cluster cluster, string target)
    {
        _cluster = cluster;
        _name = $"docker.io/indexoperator/{target}:dev";
    }

    /// <summary>Mounts an image, read-only, until it is disposed of.</summary>
    public static async Task<NodeImage> MountAsync(Cluster cluster, string target)
    {
        var image = new NodeImage(cluster, target);
        await image.CtrAsync("images", "mount", image._name, image._folder);
        return image;
    }

    /// <summary>Where a file of the image is meanwhile.</summary>
    /// <param name="path">Its path in the image.</param>
    public string PathOf(string path) => _folder + path;

    /// <summary>The labels in its configuration.</summary>
    public async Task<IReadOnlyDictionary<string, string>> LabelsAsync()
    {
        var line = (await CtrAsync("images", "list", $"name=={_name}")).Split('\n').Single(line => line.StartsWith(_name + " ", StringComparison.Ordinal));
        var manifest = await ContentAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries).First(word => word.StartsWith("sha256:", StringComparison.Ordinal)));
        var configuration = await ContentAsync((string)manifest["config"]!["digest"]!);
        return configuration["config"]!["Labels"]!.AsObject().ToDictionary(label => label.Key, label => (string)label.Value!);
    }

    public async ValueTask DisposeAsync()
    {
        // By --rm also the snapshot, which is named after the folder.
        await CtrAsync("images", "unmount", "--rm", _folder);
        Directory.Delete(_folder);
    }

    private async Task<JsonNode> ContentAsync(string digest) => JsonNode.Parse(await CtrAsync("content", "get", digest))!;

    private async Task<string> CtrAsync(params string[] arguments)
    {
        var answer = await Command.RunAsync("ctr", ["--address", Path.Combine(_cluster.Folder, "containerd/containerd.sock"), "-n", "k8s.io", .. arguments]);
        Assert.True(answer.ExitCode == 0, answer.ToString());
        return answer.Output;
    }
}
