using IndexOperator.Planning;

namespace IndexOperator.Operator;

/// <summary>How the operator was started; see <see cref="OperatorCommand"/> for the flags.</summary>
public sealed record OperatorOptions
{
    /// <summary>What decisions depend on.</summary>
    public PlannerSettings Planner { get; init; } = new();

    /// <summary>Namespaces to look at; empty means all.</summary>
    public IReadOnlyList<string> Namespaces { get; init; } = [];

    /// <summary>A kubeconfig; null means the pod's own service account, or the usual kubeconfig outside a cluster.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Port of health and metrics, 0 for any free one.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>Whether replicas agree on one that works.</summary>
    public bool LeaderElection { get; init; } = true;

    /// <summary>Namespace of the Lease.</summary>
    public string LeaderElectionNamespace { get; init; } = "default";

    /// <summary>How long other replicas wait for a leader that does not renew.</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the leader tries to renew before it stops working; shorter than <see cref="LeaseDuration"/>.</summary>
    public TimeSpan RenewDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Pause between attempts on the lease.</summary>
    public TimeSpan RetryPeriod { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>Passes at a time.</summary>
    public int MaxParallelReconciliations { get; init; } = 16;

    /// <summary>Requests a second to the API server, on average; the server's own fairness is the finer limit.</summary>
    public double RequestsPerSecond { get; init; } = 1000;

    /// <summary>Requests that may be sent at once after a pause.</summary>
    public int RequestBurst { get; init; } = 2000;

    /// <summary>The webhook that gives pods their index.</summary>
    public PodWebhookOptions Webhook { get; init; } = new();

    /// <summary>Whether to take our gate off jobs that Kueue holds.</summary>
    public KueueMode Kueue { get; init; }

    /// <summary>The version of Kueue's Workloads that was found; null for none.</summary>
    public string? KueueVersion { get; init; }

    /// <summary>Lines of JSON instead of text.</summary>
    public bool JsonLogs { get; init; }

    /// <summary>The least level that is logged.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;
}
