using System.Text.Json.Nodes;
using IndexOperator.TestSupport;
using TextCorpus;

namespace IndexOperator.E2E;

/// <summary>A namespace of its own, its volumes, and what is done in it; all removed at the end.</summary>
public sealed class Scenario(Cluster cluster, string name) : IAsyncDisposable
{
    private readonly List<string> _volumes = [];

    /// <summary>The namespace.</summary>
    public string Namespace { get; } = $"e2e-{name}-{Guid.NewGuid().ToString("N")[..5]}";

    public Cluster Cluster => cluster;

    /// <summary>The folder on this machine that is the volume behind a claim.</summary>
    public string Volume(string claim) => Path.Combine(cluster.Folder, "volumes", Namespace, claim);

    /// <summary>Makes the namespace.</summary>
    public async Task StartAsync()
    {
        Cluster.Say($"namespace {Namespace}");
        await cluster.ApplyAsync($$"""
            apiVersion: v1
            kind: Namespace
            metadata:
              name: {{Namespace}}
              labels: {pod-security.kubernetes.io/enforce: restricted}
            """);
    }

    /// <summary>Makes a claim on a folder of the node.</summary>
    public async Task<string> AddVolumeAsync(string claim, string? folder = null)
    {
        var result = await Command.RunAsync(
            RepositoryRoot.PathOf("hack/volume.sh"),
            [cluster.Folder, Namespace, claim, "--path", folder ?? Volume(claim)],
            environment: new Dictionary<string, string> { ["KUBECONFIG"] = cluster.Kubeconfig });
        Assert.True(result.ExitCode == 0, result.ToString());
        _volumes.Add($"{Namespace}-{claim}");
        return folder ?? Volume(claim);
    }

    /// <summary>Makes both claims, the data with a small dataset <c>text</c>.</summary>
    public async Task AddSmallDataAsync()
    {
        await AddVolumeAsync("npy-index");
        WriteText(await AddVolumeAsync("corpus"), "text", 500);
    }

    /// <summary>Writes a dataset of short documents.</summary>
    public static void WriteText(string folder, string dataset, int documents) =>
        _ = new Corpus([.. Enumerable.Range(0, documents).Select(i => $"This is document {i} of the dataset {dataset}.")], 1, "").Write(Path.Combine(folder, dataset));

    /// <summary>Makes a dataset as old as one that was copied long ago: nobody waits then for its writer to end.</summary>
    public static void Age(string folder, string dataset)
    {
        foreach (var file in Directory.EnumerateFiles(folder, $"{dataset}.*"))
        {
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours(-1));
        }
    }

    /// <summary>A PretrainIndex over one or more datasets of the claim <c>corpus</c>; the rest is told by options.</summary>
    public static string Manifest(
        string name,
        string dataset = "text",
        string dataVersion = "1",
        int sequenceLength = 64,
        long samples = 500,
        string dataClaim = "corpus",
        string cacheClaim = "npy-index",
        string build = "{}",
        string refresh = "{}",
        string verify = "{}",
        int historyLimit = 2,
        string deletionPolicy = "Retain") => $$"""
        apiVersion: indexoperator.io/v1alpha1
        kind: PretrainIndex
        metadata: {name: {{name}}}
        spec:
          dataVersion: "{{dataVersion}}"
          data: {claimName: {{dataClaim}}, mountPath: /data, blend: [{prefix: /data/{{dataset}}}]}
          dataset:
            sequenceLength: {{sequenceLength}}
            split: "100,0,0"
            samples: {train: {{samples}}}
            tokenizer: {identifiers: '{"class": "ByteTokenizer"}'}
          cache: {claimName: {{cacheClaim}}, mountPath: /npy_index, historyLimit: {{historyLimit}}, deletionPolicy: {{deletionPolicy}}}
          build: {{build}}
          refresh: {{refresh}}
          verify: {{verify}}
        """;

    /// <summary>A PretrainIndex that takes some ten seconds to build: many short samples and little CPU.</summary>
    public static string SlowManifest(string name, string deletionPolicy = "Retain") =>
        Manifest(name, sequenceLength: 16, samples: 30_000_000, build: "{resources: {limits: {cpu: 100m}}}", deletionPolicy: deletionPolicy);

    /// <summary>A pod of the builder's image with a label, which sleeps so that it can be asked things; the rest it is given by the webhook.</summary>
    public static string LabelledPod(string name, string label) => $$"""
        apiVersion: v1
        kind: Pod
        metadata: { name: {{name}}, labels: { {{label}} } }
        spec:
          automountServiceAccountToken: false
          terminationGracePeriodSeconds: 1
          securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault} }
          containers:
          - name: main
            image: indexoperator/builder:dev
            imagePullPolicy: IfNotPresent
            args: {{Cluster.SleepArguments}}
            securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]} }
        """;

    public Task ApplyAsync(string manifest) => cluster.ApplyAsync(manifest, "-n", Namespace);

    public Task<string> KubectlAsync(params string[] arguments) => cluster.KubectlAsync(["-n", Namespace, .. arguments]);

    public Task<CommandResult> TryKubectlAsync(params string[] arguments) => cluster.TryKubectlAsync(["-n", Namespace, .. arguments]);

    public Task<IReadOnlyList<JsonNode>> ListAsync(params string[] arguments) => cluster.ListAsync(["-n", Namespace, .. arguments]);

    public Task<JsonNode> GetAsync(params string[] arguments) => cluster.GetAsync(["-n", Namespace, .. arguments]);

    public Task<JsonNode> IndexAsync(string index) => GetAsync("pretrainindex", index);

    /// <summary>The build Jobs of a resource.</summary>
    public Task<IReadOnlyList<JsonNode>> JobsAsync(string index) => ListAsync("jobs", "-l", $"indexoperator.io/pretrainindex={index},indexoperator.io/task=build");

    /// <summary>What events of a reason say about a resource.</summary>
    public async Task<IReadOnlyList<string>> ToldAsync(string index, string reason) =>
        [.. (await ListAsync("events")).Where(told => (string?)told["involvedObject"]!["name"] == index && (string?)told["reason"] == reason).Select(told => (string)told["message"]!)];

    /// <summary>The pods that build for a resource.</summary>
    public Task<IReadOnlyList<JsonNode>> PodsAsync(string index) => ListAsync("pods", "-l", $"indexoperator.io/pretrainindex={index},indexoperator.io/task=build");

    /// <summary>Waits until the resource is Ready for the spec as it is now, and gives its status.</summary>
    public async Task<JsonNode> ReadyAsync(string index, TimeSpan? patience = null)
    {
        var status = await UntilAsync(index, "Ready", found => Condition(found, "Ready") is { } ready && (string?)ready["status"] == "True", patience);
        Cluster.Say($"{index} is Ready: {status["current"]!["version"]} ({status["current"]!["outcome"]})");
        return status;
    }

    /// <summary>Waits until the status speaks of the spec as it is now and something holds.</summary>
    public async Task<JsonNode> UntilAsync(string index, string what, Func<JsonNode, bool> holds, TimeSpan? patience = null)
    {
        JsonNode? seen = null;
        try
        {
            return await Wait.For(
                $"{index}: {what}",
                async () =>
                {
                    seen = await IndexAsync(index);
                    return seen["status"] is { } status && (long?)status["observedGeneration"] == (long?)seen["metadata"]!["generation"] && holds(status) ? status : null;
                },
                patience ?? Cluster.Patience);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}; it says {seen?["status"]?.ToJsonString()}", late);
        }
    }

    /// <summary>Waits until the resource is not Ready for a reason, and gives the message.</summary>
    public async Task<string> RefusedAsync(string index, string reason)
    {
        var status = await UntilAsync(
            index,
            $"Ready=False because of {reason}",
            found => Condition(found, "Ready") is { } ready && (string?)ready["status"] == "False" && (string?)ready["reason"] == reason);
        var message = (string)Condition(status, "Ready")!["message"]!;
        Cluster.Say($"{index}: {reason}: {message}");
        return message;
    }

    /// <summary>Waits until the builder of a resource is in the middle of its work, and gives its pod.</summary>
    public async Task<JsonNode> BuildingAsync(string index)
    {
        await UntilAsync(index, "progress of the build", status => (int?)status["build"]?["percent"] is > 0 and < 90);
        await Wait.Until("work in staging", () => Staging().Count > 0, Cluster.Patience);
        return (await PodsAsync(index)).Single(pod => (string?)pod["status"]!["phase"] == "Running");
    }

    /// <summary>Waits until a resource is Ready by a build, with one whole version on the volume and nothing beside it.</summary>
    public async Task EndsWellAsync(string index)
    {
        var status = await ReadyAsync(index);
        Assert.Equal("Built", (string?)status["current"]!["outcome"]);
        Assert.Single(Versions());
        Assert.Empty(Staging());
        await Cluster.BuilderAsync("verify", VersionFolder(status));
    }

    /// <summary>Starts a training pod on the version that a status calls current; it sleeps, and can be asked things.</summary>
    public async Task StartPodAsync(string name, string index, JsonNode status)
    {
        await ApplyAsync(WebMix.TrainingPod(name, (string)status["current"]!["version"]!, sleeps: true, index));
        await KubectlAsync("wait", "--for=condition=Ready", $"pod/{name}", Cluster.Timeout);
    }

    /// <summary>Ends a training pod.</summary>
    public Task EndPodAsync(string name) => KubectlAsync("delete", "pod", name, "--grace-period=1", "--wait=false");

    /// <summary>Asserts that a training pod still reads the version that a status called current, whole.</summary>
    public async Task ReadsAsync(string pod, JsonNode status)
    {
        await KubectlAsync("exec", pod, "--", "index-builder", "verify", "/npy_index");
        Assert.Contains($"version {status["current"]!["version"]}", await KubectlAsync("exec", pod, "--", "index-builder", "inspect", "/npy_index"), StringComparison.Ordinal);
    }

    /// <summary>A condition of a status.</summary>
    public static JsonNode? Condition(JsonNode status, string type) =>
        status["conditions"]?.AsArray().FirstOrDefault(condition => (string?)condition!["type"] == type);

    /// <summary>Whether a condition of a status has a value, and a reason where one is given.</summary>
    public static bool Is(JsonNode status, string type, string value, string? reason = null) =>
        Condition(status, type) is { } condition && (string?)condition["status"] == value && (reason is null || (string?)condition["reason"] == reason);

    /// <summary>The version directory on this machine that a status calls current.</summary>
    public string VersionFolder(JsonNode status, string claim = "npy-index") => Path.Combine(Volume(claim), (string)status["current"]!["path"]!);

    /// <summary>What lies in the staging area of a cache.</summary>
    public IReadOnlyList<string> Staging(string claim = "npy-index") => Entries(claim, ".staging");

    /// <summary>The versions that lie in a cache, by name.</summary>
    public IReadOnlyList<string> Versions(string claim = "npy-index") => [.. Entries(claim, "versions").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    /// <summary>Inode, size, mode and time of every file of every version.</summary>
    public Task<string> FilesAsync() => Cluster.RunAsync("find", Path.Combine(Volume("npy-index"), "versions"), "-printf", "%p %i %s %m %T@\n");

    /// <summary>What was put aside in a cache.</summary>
    public IReadOnlyList<string> Quarantine(string claim = "npy-index") => Entries(claim, ".quarantine");

    private string[] Entries(string claim, string folder) =>
        Directory.Exists(Path.Combine(Volume(claim), folder)) ? [.. Directory.EnumerateFileSystemEntries(Path.Combine(Volume(claim), folder))] : [];

    /// <summary>What a person would look at when the test failed.</summary>
    public async Task TellAsync()
    {
        Cluster.Say($"---- {Namespace} after a failure");
        Console.WriteLine((await TryKubectlAsync("describe", "pretrainindexes,jobs,pods")).ToString());
        Console.WriteLine((await TryKubectlAsync("get", "events", "--sort-by=.lastTimestamp")).ToString());
        Console.WriteLine((await cluster.TryKubectlAsync(["-n", Cluster.OperatorNamespace, "get", "pods", "-o", "wide"])).ToString());
        Console.WriteLine((await cluster.TryKubectlAsync(["-n", Cluster.OperatorNamespace, "logs", Cluster.Deployment, "--tail=60"])).ToString());
    }

    public ValueTask DisposeAsync()
    {
        cluster.CleanUpLater(CleanUpAsync);
        return ValueTask.CompletedTask;
    }

    private async Task CleanUpAsync()
    {
        // Resources before their namespace: in a namespace on its way out no cleanup Job could be made.
        await TryKubectlAsync("delete", "pods", "--all", "--grace-period=1", "--wait=false");
        await TryKubectlAsync("delete", "pretrainindexes", "--all", "--timeout=60s");
        await cluster.TryKubectlAsync(["delete", "namespace", Namespace, "--wait=false"]);
        if (_volumes.Count > 0)
        {
            await cluster.TryKubectlAsync(["delete", "persistentvolume", "--wait=false", .. _volumes]);
        }

        var volumes = Path.Combine(cluster.Folder, "volumes", Namespace);
        if (Directory.Exists(volumes))
        {
            Directory.Delete(volumes, recursive: true);
        }
    }
}
