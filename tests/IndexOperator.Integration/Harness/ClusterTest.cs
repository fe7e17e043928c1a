using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Operator;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s;
using k8s.Models;

namespace IndexOperator.Integration.Harness;

/// <summary>A test with a namespace of its own, the data and cache claims in it, a player for its pods and the history of everything.</summary>
public abstract class ClusterTest(ControlPlaneFixture cluster) : IAsyncLifetime
{
    /// <summary>How long anything that happens at once may take on a busy machine.</summary>
    protected static readonly TimeSpan Soon = TimeSpan.FromSeconds(25);

    /// <summary>How long the garbage collector may take: it learns of a new kind of resource within half a minute.</summary>
    protected static readonly TimeSpan Collected = TimeSpan.FromSeconds(60);

    private static readonly ConditionalWeakTable<ControlPlane, Lazy<Task<FakeNode>>> Nodes = [];

    private readonly List<IAsyncDisposable> _disposables = [];

    protected ControlPlane Plane { get; } = cluster.Plane;

    protected string Namespace { get; } = $"test-{Guid.NewGuid().ToString("N")[..8]}";

    /// <summary>The administrator's client.</summary>
    protected ApiClient Client { get; private set; } = null!;

    protected JobPlayer Player { get; private set; } = null!;

    protected History<PretrainIndex> Indexes { get; private set; } = null!;

    protected History<V1Job> Jobs { get; private set; } = null!;

    protected History<V1Pod> Pods { get; private set; } = null!;

    protected History<V1ConfigMap> ConfigMaps { get; private set; } = null!;

    protected History<Eventsv1Event> Events { get; private set; } = null!;

    public virtual async ValueTask InitializeAsync()
    {
        var connection = ApiConnection.From(KubernetesClientConfiguration.BuildConfigFromConfigFile(Plane.KubeConfig));
        Client = Keep(new Owned<ApiClient>(new ApiClient(connection, new ApiClientOptions { RequestsPerSecond = 0 }))).Value;
        await Nodes.GetValue(Plane, _ => new Lazy<Task<FakeNode>>(() => FakeNode.StartAsync(Client))).Value;
        await Client.CreateAsync(KnownResources.Namespaces, new V1Namespace { Metadata = new V1ObjectMeta { Name = Namespace } }, CancellationToken.None);
        Indexes = Keep(new History<PretrainIndex>(Client, Resources.PretrainIndexes, Namespace));
        Jobs = Keep(new History<V1Job>(Client, KnownResources.Jobs, Namespace));
        Pods = Keep(new History<V1Pod>(Client, KnownResources.Pods, Namespace));
        ConfigMaps = Keep(new History<V1ConfigMap>(Client, KnownResources.ConfigMaps, Namespace));
        Events = Keep(new History<Eventsv1Event>(Client, KnownResources.Events, Namespace));
        Player = new JobPlayer(Client, Pods) { IsWhole = IsWhole };
        await CreateClaimAsync(Specs.DataClaim);
        await CreateClaimAsync(Specs.CacheClaim);
        await Task.WhenAll(Indexes.WaitForSyncAsync(), Jobs.WaitForSyncAsync(), Pods.WaitForSyncAsync(), ConfigMaps.WaitForSyncAsync(), Events.WaitForSyncAsync());

        // Without it the Job controller cannot create pods yet, and would pause ten seconds.
        await Wait.Until(
            $"the default service account of {Namespace}",
            async () => (await Plane.TryKubectlAsync(["get", "serviceaccount", "default", "-n", Namespace])).ExitCode == 0,
            Soon);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var disposable in Enumerable.Reverse(_disposables))
        {
            await disposable.DisposeAsync();
        }
    }

    protected T Keep<T>(T disposable)
        where T : IAsyncDisposable
    {
        _disposables.Add(disposable);
        return disposable;
    }

    /// <summary>Starts an operator with the ServiceAccount's credentials, straight at the API server.</summary>
    protected async Task<OperatorUnderTest> StartOperatorAsync(Func<OperatorOptions, OperatorOptions>? change = null) =>
        Keep(await OperatorUnderTest.StartAsync(await OperatorAccess.KubeConfigAsync(Plane), Namespace, change));

    /// <summary>Starts an operator behind a proxy that can be cut and counts.</summary>
    protected async Task<(OperatorUnderTest Operator, ApiProxy Proxy)> StartProxiedOperatorAsync(Action<ApiProxy>? prepare = null)
    {
        var proxy = Keep(await ApiProxy.StartAsync(await OperatorAccess.KubeConfigAsync(Plane)));
        prepare?.Invoke(proxy);
        return (Keep(await OperatorUnderTest.StartAsync(await OperatorAccess.KubeConfigAsync(Plane, proxy.Address), Namespace)), proxy);
    }

    protected Task<PretrainIndex> CreateAsync(string name, Func<PretrainIndexSpec, PretrainIndexSpec>? change = null) =>
        CreateAsync(Specs.Index(Namespace, name, change));

    protected Task<PretrainIndex> CreateAsync(PretrainIndex index) => Client.CreateAsync(Resources.PretrainIndexes, index, CancellationToken.None);

    protected Task CreateClaimAsync(string name) => Client.CreateAsync(KnownResources.PersistentVolumeClaims, Specs.Claim(Namespace, name), CancellationToken.None);

    protected Task<PretrainIndex> GetAsync(string name) => Client.GetAsync(Resources.PretrainIndexes, new ObjectKey(Namespace, name), CancellationToken.None);

    protected Task<PretrainIndex> PatchAsync(string name, JsonObject patch) =>
        Client.MergePatchAsync(Resources.PretrainIndexes, new ObjectKey(Namespace, name), patch, null, CancellationToken.None);

    protected Task<PretrainIndex> PatchSpecAsync(string name, JsonObject spec) => PatchAsync(name, new JsonObject { ["spec"] = spec });

    /// <summary>Somebody writes into the status by hand.</summary>
    protected Task<PretrainIndex> PatchStatusAsync(string name, JsonObject status) =>
        Client.MergePatchAsync(Resources.PretrainIndexes, new ObjectKey(Namespace, name), new JsonObject { ["status"] = status }, null, CancellationToken.None, "status");

    /// <summary>A pod that uses an index, running.</summary>
    protected async Task<V1Pod> RunConsumerAsync(V1Pod pod)
    {
        var created = await Client.CreateAsync(KnownResources.Pods, pod, CancellationToken.None);
        await Player.RunAsync(created);
        return created;
    }

    protected Task DeleteAsync(string name) => Client.DeleteAsync(Resources.PretrainIndexes, new ObjectKey(Namespace, name), CancellationToken.None);

    /// <summary>Waits until the resource reads so.</summary>
    protected async Task<PretrainIndex> IndexAsync(string name, string what, Func<PretrainIndex, bool> holds, TimeSpan? deadline = null)
    {
        PretrainIndex? last = null;
        try
        {
            return await Wait.For(
                $"{name} to be {what}",
                async () => (last = await GetAsync(name)) is { Status: not null } found && holds(found) ? found : null,
                deadline ?? Soon);
        }
        catch (TimeoutException error)
        {
            var status = System.Text.Json.JsonSerializer.Serialize(last?.Status, ApiJsonContext.Default.PretrainIndexStatus);
            throw new TimeoutException($"{error.Message}; its status: {status}; Jobs {JobsEver(name).Count}, pods {Pods.Now.Count}; {string.Join(' ', Player.Faults)}", error);
        }
    }

    /// <summary>Waits until the resource is Ready for its newest generation.</summary>
    protected Task<PretrainIndex> ReadyAsync(string name) =>
        IndexAsync(name, "Ready", index => index.Is(ConditionTypes.Ready, "True") && index.Status!.ObservedGeneration == index.Metadata.Generation);

    /// <summary>Waits until the resource is not Ready for a reason, within the 30 s that bad input may take.</summary>
    protected Task<PretrainIndex> NotReadyAsync(string name, string reason) =>
        IndexAsync(name, $"not Ready because of {reason}", index => index.Is(ConditionTypes.Ready, "False", reason), TimeSpan.FromSeconds(30));

    /// <summary>Waits until something holds.</summary>
    protected static Task UntilAsync(string what, Func<bool> holds, TimeSpan? deadline = null) => Wait.Until(what, holds, deadline ?? Soon);

    /// <inheritdoc cref="UntilAsync(string, Func{bool}, TimeSpan?)"/>
    protected static Task UntilAsync(string what, Func<Task<bool>> holds, TimeSpan? deadline = null) => Wait.Until(what, holds, deadline ?? Soon);

    /// <summary>Makes the operator look at resources again: a changed claim asks for a pass of every resource that names it.</summary>
    protected async Task LookAgainAsync(Passes passes, string token, IReadOnlyCollection<string> names)
    {
        passes.Clear();
        await Plane.KubectlAsync("annotate", "pvc", Specs.CacheClaim, $"touched={token}", "--overwrite", "-n", Namespace);
        await UntilAsync("a pass over each resource", () => names.All(name => passes.Ended.Any(pass => pass.GetTagItem("k8s.object") is string key && key == $"{Namespace}/{name}")));
    }

    protected Task GoneAsync(string name, TimeSpan? deadline = null) => Wait.Until(
        $"{name} to be gone",
        async () => await Client.FindAsync(Resources.PretrainIndexes, new ObjectKey(Namespace, name), CancellationToken.None) is null,
        deadline ?? Soon);

    /// <summary>The Jobs of a task that a resource ever had.</summary>
    protected IReadOnlyList<V1Job> JobsEver(string index, string task = Planning.BuildAttempt.BuildTask) => [.. Jobs.Ever.Where(job =>
        job.Metadata.Labels?.GetValueOrDefaultOf(Labels.OwnerName) == index && job.Metadata.Labels.GetValueOrDefaultOf(Labels.Task) == task)];

    /// <summary>What a Job's container is told to do.</summary>
    protected static IReadOnlyList<string> ArgumentsOf(V1Job job) => [.. job.Spec.Template.Spec.Containers[0].Args];

    /// <summary>The events about a resource, each with how often it was told.</summary>
    protected IReadOnlyList<(string Reason, string Note, int Times)> Told(string index) =>
        [.. Events.Now.Where(told => told.Regarding?.Name == index).Select(told => (told.Reason, told.Note, told.Series?.Count ?? 1))];

    protected Task ToldAsync(string index, string reason) =>
        Wait.Until($"an event {reason} on {index}", () => Told(index).Any(told => told.Reason == reason), Soon);

    /// <summary>The name of the volume of a claim that <see cref="BindAsync"/> has bound.</summary>
    protected string VolumeOf(string claim) => $"{Namespace}-{claim}";

    /// <summary>An administrator makes a volume for a claim.</summary>
    protected async Task BindAsync(string claim, string? storageClass = null)
    {
        var volume = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "PersistentVolume",
            ["metadata"] = new JsonObject { ["name"] = VolumeOf(claim) },
            ["spec"] = new JsonObject
            {
                ["capacity"] = new JsonObject { ["storage"] = "1Gi" },
                ["accessModes"] = new JsonArray("ReadWriteMany"),
                ["storageClassName"] = storageClass ?? "",
                ["claimRef"] = new JsonObject { ["namespace"] = Namespace, ["name"] = claim },
                ["hostPath"] = new JsonObject { ["path"] = "/nowhere" },
            },
        };
        await Plane.KubectlWithInputAsync(volume.ToJsonString(), "create", "-f", "-");
        await UntilAsync($"claim {claim} to be bound", async () => (string?)(await Plane.GetJsonAsync("pvc", claim, "-n", Namespace))["status"]!["phase"] == "Bound");
    }

    private sealed class Owned<T>(T value) : IAsyncDisposable
        where T : IDisposable
    {
        public T Value { get; } = value;

        public ValueTask DisposeAsync()
        {
            Value.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private bool IsWhole(V1Pod pod) =>
        pod.Metadata.OwnerReferences?.All(owner => Jobs.Ever.Any(job => job.Metadata.Uid == owner.Uid)) != false
        && pod.Spec.Volumes?.All(volume => volume.ConfigMap is not { } map || ConfigMaps.Ever.Any(found => found.Metadata.Name == map.Name)) != false;
}

/// <summary>Shorthands.</summary>
public static class ReadingExtensions
{
    /// <summary>A condition of the resource.</summary>
    public static Condition? ConditionOf(this PretrainIndex index, string type) => index.Status?.Conditions?.FirstOrDefault(condition => condition.Type == type);

    /// <summary>Whether a condition reads so.</summary>
    public static bool Is(this PretrainIndex index, string type, string status, string? reason = null) =>
        index.ConditionOf(type) is { } condition && condition.Status == status && (reason is null || condition.Reason == reason);

    /// <summary>The value, null where there is none.</summary>
    public static string? GetValueOrDefaultOf(this IDictionary<string, string> map, string key) => map.TryGetValue(key, out var value) ? value : null;
}
