namespace IndexOperator.Runtime;

/// <summary>How a queue paces failures.</summary>
public sealed record WorkQueueOptions
{
    /// <summary>Name in metrics.</summary>
    public string Name { get; init; } = "queue";

    /// <summary>Pause after the first failure of a key.</summary>
    public TimeSpan BackoffBase { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>The longest pause.</summary>
    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Up to this share is added at random, so that keys that failed together do not return together.</summary>
    public double Jitter { get; init; } = 0.1;

    /// <summary>Retries a second over all keys; 0 means no limit.</summary>
    public double RetriesPerSecond { get; init; } = 10;

    /// <summary>Retries that may come at once.</summary>
    public int RetryBurst { get; init; } = 100;
}
