using System.CommandLine;
using System.Globalization;
using IndexOperator.Api;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using k8s.Models;

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
        var leaseDuration = Duration("--leader-elect-lease-duration", "How long other replicas wait for a leader that does not renew.", defaults.LeaseDuration);
        var renewDeadline = Duration("--leader-elect-renew-deadline", "How long the leader tries to renew before it stops working; shorter than the lease.", defaults.RenewDeadline);
        var retryPeriod = Duration("--leader-elect-retry-period", "Pause between attempts on the lease; shorter than the renew deadline.", defaults.RetryPeriod);
        var gpuLabel = new Option<string>("--gpu-node-label") { Description = "Label that GPU nodes carry with the value true.", DefaultValueFactory = _ => defaults.Planner.GpuNodeLabel };
        var gpuResource = new Option<string>("--gpu-resource") { Description = "Extended resource of GPUs and key of their nodes' taint.", DefaultValueFactory = _ => defaults.Planner.GpuResource };
        var cpu = Checked(new Option<string>("--build-cpu-request") { Description = "CPU request of builds that set none.", DefaultValueFactory = _ => defaults.Planner.DefaultCpuRequest });
        var memory = Checked(new Option<string>("--build-memory-request") { Description = "Memory request of builds that set none.", DefaultValueFactory = _ => defaults.Planner.DefaultMemoryRequest });
        var memoryMax = Checked(new Option<string>("--build-memory-max") { Description = "The most memory that a build is given after one was killed for its memory, and the limit of builds that set none.", DefaultValueFactory = _ => defaults.Planner.MaximumBuildMemory });
        var parallel = new Option<int>("--max-parallel-reconciliations") { Description = "Passes at a time.", DefaultValueFactory = _ => defaults.MaxParallelReconciliations };
        var qps = new Option<double>("--kube-api-qps") { Description = "Requests a second to the API server, on average.", DefaultValueFactory = _ => defaults.RequestsPerSecond };
        var burst = new Option<int>("--kube-api-burst") { Description = "Requests that may be sent at once after a pause.", DefaultValueFactory = _ => defaults.RequestBurst };
        var webhook = new Option<bool>("--webhook") { Description = "Answer the API server's questions about new pods: give those that name an index what they need.", DefaultValueFactory = _ => defaults.Webhook.Enabled };
        var webhookPort = new Option<int>("--webhook-port") { Description = "Port of the webhook.", DefaultValueFactory = _ => defaults.Webhook.Port };
        var webhookCertDir = new Option<string?>("--webhook-cert-dir") { Description = "Folder of tls.crt and tls.key that somebody else keeps; the operator keeps certificates of its own when absent." };
        var webhookService = new Option<string>("--webhook-service") { Description = "Service of the webhook, in the operator's namespace.", DefaultValueFactory = _ => defaults.Webhook.Service };
        var webhookConfiguration = new Option<string>("--webhook-configuration") { Description = "MutatingWebhookConfiguration whose caBundle the operator keeps.", DefaultValueFactory = _ => defaults.Webhook.Configuration };
        var webhookSecret = new Option<string>("--webhook-certificate-secret") { Description = "Secret of the webhook's certificates, in the operator's namespace.", DefaultValueFactory = _ => defaults.Webhook.CertificateSecret };
        var kueue = new Option<KueueMode>("--kueue") { Description = "Take the gate indexoperator.io/index-ready off jobs that Kueue holds: where the API server has Workloads (auto), always (on) or never (off).", DefaultValueFactory = _ => defaults.Kueue };
        var jsonLogs = new Option<bool>("--json-logs") { Description = "Log lines of JSON." };
        var level = new Option<LogLevel>("--log-level") { Description = "The least level that is logged.", DefaultValueFactory = _ => defaults.LogLevel };
        var root = new RootCommand("Builds, versions and hands out pretraining index caches, as PretrainIndex resources ask for them.")
        {
            builderImage, namespaces, kubeconfig, port, leaderElect, leaseNamespace, leaseDuration, renewDeadline, retryPeriod, gpuLabel, gpuResource, cpu, memory, memoryMax, parallel, qps, burst, kueue, jsonLogs, level,
            webhook, webhookPort, webhookCertDir, webhookService, webhookConfiguration, webhookSecret,
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
                    MaximumBuildMemory = parsed.GetRequiredValue(memoryMax),
                },
                Namespaces = parsed.GetRequiredValue(namespaces),
                Kubeconfig = parsed.GetValue(kubeconfig),
                Port = parsed.GetRequiredValue(port),
                LeaderElection = parsed.GetRequiredValue(leaderElect),
                LeaderElectionNamespace = parsed.GetValue(leaseNamespace) ?? Environment.GetEnvironmentVariable("POD_NAMESPACE") ?? defaults.LeaderElectionNamespace,
                LeaseDuration = GoDuration.Parse(parsed.GetRequiredValue(leaseDuration)).Value,
                RenewDeadline = GoDuration.Parse(parsed.GetRequiredValue(renewDeadline)).Value,
                RetryPeriod = GoDuration.Parse(parsed.GetRequiredValue(retryPeriod)).Value,
                MaxParallelReconciliations = parsed.GetRequiredValue(parallel),
                RequestsPerSecond = parsed.GetRequiredValue(qps),
                RequestBurst = parsed.GetRequiredValue(burst),
                Webhook = defaults.Webhook with
                {
                    Enabled = parsed.GetRequiredValue(webhook),
                    Port = parsed.GetRequiredValue(webhookPort),
                    CertificateDirectory = parsed.GetValue(webhookCertDir),
                    Service = parsed.GetRequiredValue(webhookService),
                    Configuration = parsed.GetRequiredValue(webhookConfiguration),
                    CertificateSecret = parsed.GetRequiredValue(webhookSecret),
                    Namespace = Environment.GetEnvironmentVariable("POD_NAMESPACE") ?? defaults.Webhook.Namespace,
                },
                Kueue = parsed.GetRequiredValue(kueue),
                JsonLogs = parsed.GetRequiredValue(jsonLogs),
                LogLevel = parsed.GetRequiredValue(level),
            },
            cancellationToken));
        root.Validators.Add(result =>
        {
            var (lease, deadline, retry) = (Value(leaseDuration, defaults.LeaseDuration), Value(renewDeadline, defaults.RenewDeadline), Value(retryPeriod, defaults.RetryPeriod));
            if (lease <= deadline || deadline <= retry * LeaderElectionSettings.JitterFactor)
            {
                result.AddError(
                    $"{leaseDuration.Name} must be longer than {renewDeadline.Name}, and that longer than {LeaderElectionSettings.JitterFactor} times {retryPeriod.Name}.");
            }

            // A validator sees no default values; what is no duration has been told already.
            TimeSpan Value(Option<string> option, TimeSpan otherwise) => GoDuration.TryParse(result.GetValue(option), out var duration) ? duration.Value : otherwise;
        });
        return root;
    }

    // A quantity that cannot be read would only be found when the first build needs it.
    private static Option<string> Checked(Option<string> option)
    {
        option.Validators.Add(result =>
        {
            var text = result.GetValueOrDefault<string>();
            try
            {
                _ = new ResourceQuantity(text).ToDecimal();
            }
            catch (Exception fault) when (fault is FormatException or OverflowException or ArgumentException)
            {
                result.AddError($"{option.Name} {text} is no quantity such as 500m or 64Gi.");
            }
        });
        return option;
    }

    private static Option<string> Duration(string name, string description, TimeSpan otherwise)
    {
        var option = new Option<string>(name) { Description = description, HelpName = "DURATION", DefaultValueFactory = _ => string.Create(CultureInfo.InvariantCulture, $"{otherwise.TotalMilliseconds}ms") };
        option.Validators.Add(result =>
        {
            if (!GoDuration.TryParse(result.GetValueOrDefault<string>(), out var duration) || duration.Value <= TimeSpan.Zero)
            {
                result.AddError($"{name} is no duration such as 15s or 500ms.");
            }
        });
        return option;
    }
}
