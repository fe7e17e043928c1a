using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>Where the wanted version stands.</summary>
public enum Standing
{
    /// <summary>It is current.</summary>
    Published,

    /// <summary>Work is under way, or the next attempt is waited for.</summary>
    Working,

    /// <summary>A person must act.</summary>
    Stuck,

    /// <summary>A person has asked to pause.</summary>
    Suspended,
}

/// <summary>Where the wanted version stands and why; conditions, events and the rest of the status follow from it.</summary>
/// <param name="Standing">Where it stands.</param>
/// <param name="Reason">One of <see cref="Reasons"/>.</param>
/// <param name="Message">What happened, to what, and what to do.</param>
public sealed record Situation(Standing Standing, string Reason, string Message)
{
    /// <summary>The build under way or waited for; null when there is none.</summary>
    public BuildStatus? Build { get; init; }

    /// <summary>The version that a build has just delivered; null when none has.</summary>
    public VersionStatus? Delivered { get; init; }

    /// <summary>What a look has told of the data of what was delivered; null when a build has delivered it.</summary>
    public DataStatus? DeliveredData { get; init; }

    /// <summary>What to change in the cluster.</summary>
    public IReadOnlyList<PlannedAction> Actions { get; init; } = [];

    /// <summary>What to tell people besides what follows from the status.</summary>
    public IReadOnlyList<PlannedEvent> Events { get; init; } = [];

    /// <summary>When to look again; null = when something happens.</summary>
    public TimeSpan? LookAgainAfter { get; init; }
}
