using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.E2E;

/// <summary>
/// The cluster that <c>make e2e</c> brought up, with the operator installed from <c>config/default</c> as the demo does it. Without one
/// nothing is started and every test is skipped.
/// </summary>
public sealed class Cluster : IAsyncLifetime
{
    public const string OperatorNamespace = "index-operator-system";
    public const string Deployment = "deployment/index-operator";
    public const string GpuLabel = "nvidia.com/gpu.present";

    /// <summary>Arguments with which the builder's image, which has no shell and no <c>sleep</c>, runs until it is stopped.</summary>
    public const string SleepArguments = "[wait, --annotations, /nowhere]";

    /// <summary>
    /// The deadline of all that is waited for: when it passes something is broken, however busy the machine. A kubelet alone may take more than
    /// a minute to let a deleted pod go: it collects a dead container that it overlooked once a minute.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    /// <summary>The same as an option of kubectl and helm.</summary>
    public const string Timeout = "--timeout=240s";

    private const string Asking = """
        apiVersion: v1
        kind: Pod
        metadata: {name: asks, namespace: default, labels: {indexoperator.io/index: none}}
        spec: {containers: [{name: asks, image: asks}]}
        """;

    private static readonly long Started = Stopwatch.GetTimestamp();

    private readonly string? _kubeconfig = Environment.GetEnvironmentVariable("INDEXOPERATOR_E2E_KUBECONFIG");
    private readonly string? _folder = Environment.GetEnvironmentVariable("INDEXOPERATOR_E2E_CLUSTER");

    private readonly List<Task> _cleanups = [];

    private FullDisk? _fullDisk;

    /// <summary>Whether there is a cluster to test on.</summary>
    public bool IsThere => !string.IsNullOrEmpty(_kubeconfig) && !string.IsNullOrEmpty(_folder);

    /// <summary>The cluster's state folder.</summary>
    public string Folder => _folder!;

    /// <summary>The administrator's kubeconfig.</summary>
    public string Kubeconfig => _kubeconfig!;

    /// <summary>Skips the test when there is no cluster.</summary>
    public void SkipUnlessThere()
    {
        if (!IsThere)
        {
            Assert.Skip("needs a real node: run `make e2e`, which brings one up and sets INDEXOPERATOR_E2E_KUBECONFIG and INDEXOPERATOR_E2E_CLUSTER.");
        }
    }

    /// <summary>Says on the console how far the tests are, and beside the test's result.</summary>
    public static void Say(string text)
    {
        var line = string.Create(CultureInfo.InvariantCulture, $"[{Stopwatch.GetElapsedTime(Started).TotalSeconds,5:0.0}] {text}");
        Console.WriteLine(line);
        TestContext.Current.TestOutputHelper?.WriteLine(line);
    }

    public async ValueTask InitializeAsync()
    {
        if (!IsThere)
        {
            return;
        }

        Say("installing the operator from config/default");
        await InstallAsync();
        _fullDisk = new FullDisk(this);
    }

    /// <summary>Waits for what was left to be cleaned up.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_fullDisk is not null)
        {
            await _fullDisk.DisposeAsync();
        }

        await CleanedUpAsync();
    }

    /// <summary>What is begun before the first test and ends after minutes.</summary>
    public FullDisk FullDisk => _fullDisk!;

    /// <summary>Puts the operator on the cluster.</summary>
    public async Task InstallAsync()
    {
        // Without client-side validation, as in the demo: kubectl before 1.25 does not know the CRD's rules.
        await KubectlAsync("apply", "--validate=false", "-k", RepositoryRoot.PathOf("config/default"));
        await KubectlAsync("wait", "--for=condition=Established", "crd/pretrainindexes.indexoperator.io", Timeout);
        await RolloutAsync();
    }

    /// <summary>Takes off what <see cref="InstallAsync"/> put on, the definition and all resources first, while the operator can still let them go.</summary>
    public async Task UninstallAsync()
    {
        await UninstallDefinitionAsync();
        await UninstallOperatorAsync();
    }

    /// <summary>Takes the definition off the cluster, and with it every resource.</summary>
    public Task UninstallDefinitionAsync() => KubectlAsync("delete", "crd", "pretrainindexes.indexoperator.io", Timeout);

    /// <summary>Takes the operator of <c>config/default</c> off the cluster.</summary>
    public Task UninstallOperatorAsync() => RemoveOperatorAsync(
        OperatorNamespace, "index-operator", () => KubectlAsync("delete", "-k", RepositoryRoot.PathOf("config/default"), "--ignore-not-found", Timeout));

    /// <summary>
    /// Takes an operator off the cluster, its rights with it: what it is denied until it is gone is noted for those who judge the audit log.
    /// </summary>
    /// <param name="home">The operator's namespace.</param>
    /// <param name="account">Its service account.</param>
    /// <param name="remove">Removes it.</param>
    public async Task RemoveOperatorAsync(string home, string account, Func<Task> remove)
    {
        var from = DateTimeOffset.UtcNow;
        await remove();
        await OperatorsGoneAsync(home);
        await KeptAuditLogs.NoteWithdrawalAsync("e2e", home, account, from, DateTimeOffset.UtcNow);
    }

    /// <summary>Waits until no pod of the operator is left; where that fails, tells what is.</summary>
    /// <param name="home">The operator's namespace.</param>
    public async Task OperatorsGoneAsync(string home)
    {
        string[] pods = ["-n", home, "pods", "-l", "app.kubernetes.io/name=index-operator"];
        try
        {
            await Wait.Until("the operator's pods to be gone", async () => (await ListAsync(pods)).Count == 0, Patience);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}; there are\n{await TryKubectlAsync(["describe", .. pods])}", late);
        }
    }

    /// <summary>Waits until the scenarios that ended are cleaned up.</summary>
    public Task CleanedUpAsync() => Task.WhenAll(_cleanups);

    /// <summary>Goes on with a scenario's clean-up while the next one begins.</summary>
    public void CleanUpLater(Func<Task> cleanup) => _cleanups.Add(Task.Run(cleanup));

    /// <summary>Waits until the operator's pods are those of its Deployment and ready, and its webhook answers.</summary>
    public async Task RolloutAsync()
    {
        await KubectlAsync("-n", OperatorNamespace, "rollout", "status", Deployment, Timeout);

        // The nodes learn of a pod behind a Service a moment after it is ready. There is no such index, so the webhook says so.
        CommandResult? last = null;
        try
        {
            await Wait.Until(
                "the webhook to answer",
                async () => (last = await TryKubectlAsync(["apply", "--dry-run=server", "-f", "-"], Asking)).ToString().Contains("does not exist in namespace default", StringComparison.Ordinal),
                Patience);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}; the last answer was {last}", late);
        }
    }

    /// <summary>The minor version of the API server.</summary>
    public async Task<int> MinorAsync() =>
        int.Parse(((string)JsonNode.Parse(await KubectlAsync("get", "--raw", "/version"))!["minor"]!).TrimEnd('+'), CultureInfo.InvariantCulture);

    /// <summary>Runs kubectl and gives its answer, whatever it is.</summary>
    public Task<CommandResult> TryKubectlAsync(IEnumerable<string> arguments, string input = "") =>
        Command.RunAsync("kubectl", arguments, input, new Dictionary<string, string> { ["KUBECONFIG"] = Kubeconfig, ["HOME"] = Folder });

    /// <summary>Runs kubectl, asserts that it succeeds and gives its standard output.</summary>
    public async Task<string> KubectlAsync(params string[] arguments)
    {
        var result = await TryKubectlAsync(arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    /// <summary>Applies a manifest.</summary>
    public async Task ApplyAsync(string manifest, params string[] arguments)
    {
        var result = await TryKubectlAsync(["apply", "-f", "-", .. arguments], manifest);
        Assert.True(result.ExitCode == 0, $"{result}\n{manifest}");
    }

    /// <summary><c>kubectl get ... -o json</c>.</summary>
    public async Task<JsonNode> GetAsync(params string[] arguments) => JsonNode.Parse(await KubectlAsync(["get", .. arguments, "-o", "json"]))!;

    /// <summary>The items of <c>kubectl get ... -o json</c>.</summary>
    public async Task<IReadOnlyList<JsonNode>> ListAsync(params string[] arguments) => [.. (await GetAsync(arguments))["items"]!.AsArray().Select(item => item!)];

    /// <summary>The operator's pod that is ready.</summary>
    public Task<JsonNode> OperatorPodAsync() => Wait.For(
        "a ready operator pod",
        async () => (await ListAsync("-n", OperatorNamespace, "pods", "-l", "app.kubernetes.io/name=index-operator")).SingleOrDefault(pod =>
            pod["metadata"]!["deletionTimestamp"] is null
            && pod["status"]!["conditions"]!.AsArray().Any(condition => (string?)condition!["type"] == "Ready" && (string?)condition["status"] == "True")),
        Patience);

    /// <summary>What the operator's pod serves at /metrics.</summary>
    public async Task<string> MetricsAsync()
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        return await http.GetStringAsync(new Uri($"http://{(await OperatorPodAsync())["status"]!["podIP"]}:8080/metrics"));
    }

    /// <summary>Runs the <c>index-builder</c> of this checkout on this machine, as on a laptop.</summary>
    public static Task<string> BuilderAsync(params string[] arguments) =>
        RunAsync("dotnet", [Path.Combine(AppContext.BaseDirectory, "index-builder.dll"), .. arguments]);

    /// <summary>Runs a program, asserts that it succeeds and gives its standard output.</summary>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var result = await Command.RunAsync(program, arguments, cancellation: TestContext.Current.CancellationToken);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    /// <summary>The processes on the node that belong to a pod and whose command line has a word.</summary>
    public static IReadOnlyList<int> ProcessesOf(JsonNode pod, string word)
    {
        var uid = (string)pod["metadata"]!["uid"]!;
        return Directory.EnumerateDirectories("/proc")
            .Select(path => int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id > 0 && Read(id, "cgroup").Contains(uid, StringComparison.Ordinal) && Read(id, "cmdline").Contains(word, StringComparison.Ordinal))
            .ToList();

        static string Read(int id, string file)
        {
            try
            {
                return File.ReadAllText($"/proc/{id}/{file}");
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return ""; // It ended meanwhile.
            }
        }
    }

    /// <summary>Lets the pod's processes stand still, or go on.</summary>
    public static async Task FreezeAsync(JsonNode pod, string word, bool frozen)
    {
        var processes = ProcessesOf(pod, word);
        Assert.NotEmpty(processes);
        await RunAsync("bash", ["-c", "kill -s \"$@\"", "kill", frozen ? "STOP" : "CONT", .. processes.Select(id => id.ToString(CultureInfo.InvariantCulture))]);
    }

    /// <summary>Kills the pod's processes as a node's out-of-memory killer would.</summary>
    public static void Kill(JsonNode pod, string word)
    {
        var processes = ProcessesOf(pod, word);
        Assert.NotEmpty(processes);
        foreach (var id in processes)
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }
    }
}
