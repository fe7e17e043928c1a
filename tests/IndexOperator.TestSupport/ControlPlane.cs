using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Xunit;

namespace IndexOperator.TestSupport;

/// <summary>
/// A real etcd, kube-apiserver and kube-controller-manager of one's own, started by <c>hack/control-plane.sh</c> and stopped with the
/// tests, also when the test process is ended in the middle.
/// </summary>
public sealed class ControlPlane : IAsyncDisposable
{
    private const string Script = "hack/control-plane.sh";

    private readonly string _folder;
    private int _disposed;

    private ControlPlane(string folder, string kubeConfig)
    {
        _folder = folder;
        KubeConfig = kubeConfig;
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
    }

    /// <summary>Path of the administrator's kubeconfig.</summary>
    public string KubeConfig { get; }

    /// <summary>The audit log of a control plane that was started with <c>--audit</c>.</summary>
    public string AuditLog => Path.Combine(_folder, "logs", "audit.log");

    /// <summary>The process id of <c>etcd</c>, <c>kube-apiserver</c> or <c>kube-controller-manager</c>.</summary>
    public int ProcessId(string program) => int.Parse(File.ReadAllText(Path.Combine(_folder, "run", $"{program}.pid")).Split(' ')[0], CultureInfo.InvariantCulture);

    /// <summary>The version of the API server, major and minor.</summary>
    public Version ServerVersion { get; private set; } = new();

    /// <summary>Starts a control plane in a folder of its own.</summary>
    /// <param name="options">Options of <c>hack/control-plane.sh up</c>, for example <c>--audit</c>.</param>
    public static async Task<ControlPlane> StartAsync(params string[] options)
    {
        var folder = Directory.CreateTempSubdirectory("indexoperator-").FullName;
        if (KeptAuditLogs.Folder is not null && !options.Contains("--audit"))
        {
            options = [.. options, "--audit"];
        }

        var up = await Command.RunAsync(RepositoryRoot.PathOf(Script), ["up", folder, .. options], cancellation: TestContext.Current.CancellationToken);
        var plane = new ControlPlane(folder, Path.Combine(folder, "admin.kubeconfig"));
        if (up.ExitCode != 0)
        {
            await plane.DisposeAsync();
            throw new InvalidOperationException($"The control plane did not start. On a fresh machine, run first: hack/provision.sh control-plane\n{up}");
        }

        var version = JsonNode.Parse(await plane.KubectlAsync("get", "--raw", "/version"))!;
        plane.ServerVersion = new Version(Number(version["major"]), Number(version["minor"]));
        return plane;

        // Some distributions write "33+".
        static int Number(JsonNode? text) => int.Parse(((string)text!).TrimEnd('+'), CultureInfo.InvariantCulture);
    }

    /// <summary>Skips the test on an API server older than the feature that it is about.</summary>
    public void SkipBefore(Version needed, string feature)
    {
        if (ServerVersion < needed)
        {
            Assert.Skip($"needs Kubernetes {needed} or later ({feature}); this API server is {ServerVersion}. Point KUBEBUILDER_ASSETS at a newer release to run it.");
        }
    }

    /// <summary>Runs kubectl (or the program that <c>KUBECTL</c> names) and gives its answer, whatever it is.</summary>
    public Task<CommandResult> TryKubectlAsync(IEnumerable<string> arguments, string input = "") =>
        Command.RunAsync(
            Kustomize.Kubectl,
            arguments,
            input,
            new Dictionary<string, string> { ["KUBECONFIG"] = KubeConfig, ["HOME"] = _folder },
            cancellation: TestContext.Current.CancellationToken);

    /// <summary>Runs kubectl, asserts that it succeeds and gives its standard output.</summary>
    public Task<string> KubectlAsync(params string[] arguments) => KubectlWithInputAsync("", arguments);

    /// <summary>As <see cref="KubectlAsync"/>, with text on its standard input.</summary>
    public async Task<string> KubectlWithInputAsync(string input, params string[] arguments)
    {
        var result = await TryKubectlAsync(arguments, input);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    /// <summary>Runs kubectl, asserts that it fails and gives its standard error.</summary>
    public async Task<string> KubectlFailsAsync(string input, params string[] arguments)
    {
        var result = await TryKubectlAsync(arguments, input);
        Assert.True(result.ExitCode != 0, $"kubectl should have failed.\n{result}");
        return result.Error;
    }

    /// <summary>Runs <c>kubectl get ... -o json</c>.</summary>
    public async Task<JsonObject> GetJsonAsync(params string[] arguments) =>
        JsonNode.Parse(await KubectlAsync(["get", .. arguments, "-o", "json"]))!.AsObject();

    /// <summary>Creates a namespace with a name of its own, so that tests do not meet.</summary>
    public async Task<string> CreateNamespaceAsync(string prefix = "test")
    {
        var name = $"{prefix}-{Guid.NewGuid().ToString("N")[..8]}";
        await KubectlAsync("create", "namespace", name);
        return name;
    }

    /// <summary>Applies the CRD and waits until it is served.</summary>
    public async Task ApplyCrdAsync()
    {
        // Without client-side validation: kubectl takes it from the server's schema, and before 1.25 that knows no validation rules.
        await KubectlAsync("apply", "--validate=false", "-f", "config/crd/indexoperator.io_pretrainindexes.yaml");
        await Wait.Until("the API server to list pretrainindexes", async () => (await TryKubectlAsync(["get", "pretrainindexes", "-A"])).ExitCode == 0, TimeSpan.FromSeconds(30));
    }

    /// <summary>Stops the API server alone: an outage.</summary>
    public Task StopApiServerAsync() => RunScriptAsync("stop-apiserver");

    /// <summary>Starts the API server after an outage, at the same address.</summary>
    public async Task StartApiServerAsync()
    {
        var from = DateTimeOffset.UtcNow;
        await RunScriptAsync("start-apiserver");

        // One that has just started denies what roles allow, until it has read them all.
        await KeptAuditLogs.NoteWithdrawalAsync(Path.GetFileName(_folder), "index-operator-system", "index-operator", from, DateTimeOffset.UtcNow + TimeSpan.FromSeconds(5));
    }

    /// <summary>Freezes the API server: connections stay open and nobody answers.</summary>
    public Task FreezeApiServerAsync() => RunScriptAsync("freeze-apiserver");

    /// <summary>Lets it go on.</summary>
    public Task ThawApiServerAsync() => RunScriptAsync("thaw-apiserver");

    /// <summary>Makes etcd forget every revision but the newest.</summary>
    public Task CompactAsync() => RunScriptAsync("compact");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            await TellIfDeadAsync();
            KeepAuditLog();
            await RunScriptAsync("down", "--purge");
        }
    }

    private void KeepAuditLog()
    {
        if (KeptAuditLogs.Folder is { } folder && File.Exists(AuditLog))
        {
            Directory.CreateDirectory(folder);
            File.Copy(AuditLog, Path.Combine(folder, $"{Path.GetFileName(_folder)}.log"));
        }
    }

    // The folder goes, and with it the reason why every test after a certain moment found nobody to talk to.
    private async Task TellIfDeadAsync()
    {
        var status = await Command.RunAsync(RepositoryRoot.PathOf(Script), ["status", _folder]);
        if (status.ExitCode == 0)
        {
            return;
        }

        await Console.Error.WriteLineAsync($"The control plane did not live until the end of the tests:\n{status.Output}");
        foreach (var log in Directory.Exists(Path.Combine(_folder, "logs")) ? Directory.GetFiles(Path.Combine(_folder, "logs")) : [])
        {
            var last = (await File.ReadAllLinesAsync(log)).TakeLast(20);
            await Console.Error.WriteLineAsync($"the end of {Path.GetFileName(log)}:\n{string.Join('\n', last)}");
        }
    }

    private async Task RunScriptAsync(string verb, params string[] options)
    {
        var result = await Command.RunAsync(RepositoryRoot.PathOf(Script), [verb, _folder, .. options]);
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException(result.ToString());
        }
    }

    private void OnProcessExit(object? sender, EventArgs arguments)
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            using var down = Process.Start(RepositoryRoot.PathOf(Script), ["down", _folder, "--purge"]);
            down.WaitForExit(TimeSpan.FromSeconds(20));
        }
    }
}

/// <summary>One control plane with the CRD for all tests of an assembly: <c>[assembly: AssemblyFixture(typeof(ControlPlaneFixture))]</c>.</summary>
public class ControlPlaneFixture : IAsyncLifetime
{
    private ControlPlane? _plane;

    /// <summary>Options of <c>hack/control-plane.sh up</c>.</summary>
    protected virtual string[] Options => [];

    /// <summary>The control plane.</summary>
    public ControlPlane Plane => _plane ?? throw new InvalidOperationException("The control plane has not been started.");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _plane = await ControlPlane.StartAsync(Options);
        try
        {
            await _plane.ApplyCrdAsync();
        }
        catch
        {
            await _plane.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_plane is not null)
        {
            await _plane.DisposeAsync();
        }
    }
}
