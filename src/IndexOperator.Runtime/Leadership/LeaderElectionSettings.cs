namespace IndexOperator.Runtime;

/// <summary>How replicas agree on one that works.</summary>
public sealed class LeaderElectionSettings
{
    /// <summary>By how much, at most, a pause is longer than <see cref="RetryPeriod"/>, so that replicas do not ask in step.</summary>
    public const double JitterFactor = 1.2;

    /// <summary>Off means: this process always works. Only right where there is one replica at most.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Namespace of the Lease; null means this process's own.</summary>
    public string? Namespace { get; set; }

    /// <summary>Name of the Lease.</summary>
    public string Name { get; set; } = "index-operator";

    /// <summary>What this replica calls itself; must be unique, also over restarts.</summary>
    public string Identity { get; set; } = $"{Environment.MachineName}_{Guid.NewGuid():N}";

    /// <summary>How long others wait for a leader that does not renew.</summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the leader tries to renew before it stops working. Must be shorter than <see cref="LeaseDuration"/>.</summary>
    public TimeSpan RenewDeadline { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Pause between attempts; with its jitter it is also how long the next leader needs to notice a lease given back.</summary>
    public TimeSpan RetryPeriod { get; set; } = TimeSpan.FromSeconds(1.5);
}
