using System.Diagnostics;
using System.Globalization;
using System.Text;
using IndexOperator.TestSupport;

namespace IndexOperator.E2E;

/// <summary>The demo on a cluster that is there, ended in the middle.</summary>
public sealed class DemoTests(Cluster cluster) : ScenarioTests(cluster, "demo")
{
    private const string DemoNamespace = "training";
    private const string Mark = "INDEXOPERATOR_E2E_MARK";

    [Fact]
    public async Task A_demo_that_is_stopped_says_where_the_logs_are_and_leaves_no_process()
    {
        // Here nothing is pulled, and the builder's image has no tar to copy data with.
        await Cluster.RunAsync(RepositoryRoot.PathOf("hack/images.sh"), "load-loader", Here.Cluster.Folder);
        await AddVolumeForDemoAsync("corpus");
        await AddVolumeForDemoAsync("npy-index");
        var start = new ProcessStartInfo(RepositoryRoot.PathOf("hack/demo.sh"))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList = { "up", "--kubeconfig", Here.Cluster.Kubeconfig, "--operator-image", "indexoperator/operator:dev", "--builder-image", "indexoperator/builder:dev" },
        };
        var mark = Guid.NewGuid().ToString("N");
        start.Environment[Mark] = mark;
        start.Environment["DEMO_STORAGE_CLASS"] = "index-operator-local";
        start.Environment["DEMO_LOADER_IMAGE"] = "indexoperator/loader:dev";
        using var demo = Process.Start(start)!;
        var said = new StringBuilder();
        demo.OutputDataReceived += (_, line) => Note(line.Data);
        demo.ErrorDataReceived += (_, line) => Note(line.Data);
        demo.BeginOutputReadLine();
        demo.BeginErrorReadLine();
        try
        {
            // While it watches the build: a kubectl waits in the background then.
            await Wait.Until("the demo to watch its build", () => demo.HasExited || Said().Contains("web-mix  Building", StringComparison.Ordinal), Cluster.Patience);
            Assert.False(demo.HasExited, Said());
            await Cluster.RunAsync("kill", "-TERM", demo.Id.ToString(CultureInfo.InvariantCulture));
            await Wait.Until("the demo to end", () => demo.HasExited, Cluster.Patience);
            await demo.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(143, demo.ExitCode);
            Assert.Contains("the demo did not finish", Said(), StringComparison.Ordinal);
            Assert.Contains("logs: /", Said(), StringComparison.Ordinal);
            Assert.Contains("look around: KUBECONFIG=", Said(), StringComparison.Ordinal);
            Assert.Empty(Marked(mark));
        }
        catch
        {
            Console.WriteLine(Said());
            throw;
        }
        finally
        {
            if (!demo.HasExited)
            {
                demo.Kill(entireProcessTree: true);
            }
        }

        void Note(string? line)
        {
            lock (said)
            {
                said.AppendLine(line);
            }
        }

        string Said()
        {
            lock (said)
            {
                return said.ToString();
            }
        }
    }

    protected override Task PrepareAsync() => Task.CompletedTask;

    protected override async Task PutBackAsync()
    {
        await Here.Cluster.TryKubectlAsync(["-n", DemoNamespace, "delete", "pods,pretrainindexes", "--all", "--grace-period=1", "--timeout=30s"]);
        await Here.Cluster.TryKubectlAsync(["delete", "namespace", DemoNamespace, "--wait=false", "--ignore-not-found"]);
        await Here.Cluster.TryKubectlAsync(["delete", "persistentvolume", "--wait=false", "demo-corpus", "demo-npy-index"]);
    }

    // On a cluster of one's own the demo asks for claims only; here a volume waits for each.
    private async Task AddVolumeForDemoAsync(string claim)
    {
        var folder = Directory.CreateDirectory(Here.Volume(claim)).FullName;
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_111);
        await Here.Cluster.ApplyAsync($$"""
            apiVersion: v1
            kind: PersistentVolume
            metadata:
              name: demo-{{claim}}
            spec:
              capacity:
                storage: 1Gi
              accessModes: [ReadWriteOnce]
              storageClassName: index-operator-local
              claimRef:
                namespace: {{DemoNamespace}}
                name: {{claim}}
              hostPath:
                path: {{folder}}
            """);
    }

    private static List<string> Marked(string mark) => Directory.EnumerateDirectories("/proc")
        .Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0]))
        .Select(path =>
        {
            try
            {
                return File.ReadAllText($"{path}/environ").Contains($"{Mark}={mark}", StringComparison.Ordinal) ? File.ReadAllText($"{path}/cmdline").Replace('\0', ' ') : "";
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return ""; // It ended meanwhile.
            }
        })
        .Where(line => line.Length > 0)
        .ToList();
}
