using System.CommandLine;
using IndexOperator.Planning;

namespace IndexOperator.Operator;

/// <summary>The operator's command line.</summary>
public static class OperatorCommand
{
    /// <summary>The root command, which hands the parsed options to <paramref name="run"/>.</summary>
    /// <param name="run">Runs the operator; gives the exit code.</param>
    public static RootCommand Create(Func<OperatorOptions, CancellationToken, Task<int>> run)
    {
        var defaults = new OperatorOptions();
        var builderImage = new Option<string>("--builder-image") { Description = "Image of the build pods.", DefaultValueFactory = _ => defaults.Planner.BuilderImage };
        var namespaces = new Option<string[]>("--namespace") { Description = "Namespace to look at; repeat for several. All when absent.", DefaultValueFactory = _ => [] };
        var kubeconfig = new Option<string?>("--kubeconfig") { Description = "Kubeconfig; the pod's service account or the usual one when absent." };
        var port = new Option<int>("--port") { Description = "Port of /healthz, /readyz and /metrics.", DefaultValueFactory = _ => defaults.Port };
        var leaderElect = new Option<bool>("--leader-elect") { Description = "Agree with other replicas on one that works.", DefaultValueFactory = _ => true };
        var leaseNamespace = new Option<string?>("--leader-elect-namespace") { Description = "Namespace of the Lease; $POD_NAMESPACE when absent." };
        var gpuLabel = new Option<string>("--gpu-node-label") { Description = "Label that GPU nodes carry with the value true.", DefaultValueFactory = _ => defaults.Planner.GpuNodeLabel };
        var gpuResource = new Option<string>("--gpu-resource") { Description = "Extended resource of GPUs and key of their nodes' taint.", DefaultValueFactory = _ => defaults.Planner.GpuResource };
        var cpu = new Option<string>("--build-cpu-request") { Description = "CPU request of builds that set none.", DefaultValueFactory = _ => defaults.Planner.DefaultCpuRequest };
        var memory = new Option<string>("--build-memory-request") { Description = "Memory request of builds that set none.", DefaultValueFactory = _ => defaults.Planner.DefaultMemoryRequest };
        var parallel = new Option<int>("--max-parallel-reconciliations") { Description = "Passes at a time.", DefaultValueFactory = _ => defaults.MaxParallelReconciliations };
        var jsonLogs = new Option<bool>("--json-logs") { Description = "Log lines of JSON." };
        var level = new Option<LogLevel>("--log-level") { Description = "The least level that is logged.", DefaultValueFactory = _ => defaults.LogLevel };
        var root = new RootCommand("Builds, versions and hands out pretraining index caches, as PretrainIndex resources ask for them.")
        {
            builderImage, namespaces, kubeconfig, port, leaderElect, leaseNamespace, gpuLabel, gpuResource, cpu, memory, parallel, jsonLogs, level,
        };
        root.SetAction((parsed, cancellationToken) => run(
            new OperatorOptions
            {
                Planner = new PlannerSettings
                {
                    BuilderImage = parsed.GetRequiredValue(builderImage),
                    GpuNodeLabel = parsed.GetRequiredValue(gpuLabel),
                    GpuResource = parsed.GetRequiredValue(gpuResource),
                    DefaultCpuRequest = parsed.GetRequiredValue(cpu),
                    DefaultMemoryRequest = parsed.GetRequiredValue(memory),
                },
                Namespaces = parsed.GetRequiredValue(namespaces),
                Kubeconfig = parsed.GetValue(kubeconfig),
                Port = parsed.GetRequiredValue(port),
                LeaderElection = parsed.GetRequiredValue(leaderElect),
                LeaderElectionNamespace = parsed.GetValue(leaseNamespace) ?? Environment.GetEnvironmentVariable("POD_NAMESPACE") ?? defaults.LeaderElectionNamespace,
                MaxParallelReconciliations = parsed.GetRequiredValue(parallel),
                JsonLogs = parsed.GetRequiredValue(jsonLogs),
                LogLevel = parsed.GetRequiredValue(level),
            },
            cancellationToken));
        return root;
    }
}
