namespace IndexOperator.Runtime;

/// <summary>Whether this process may work.</summary>
public interface ILeadership
{
    /// <summary>Whether it may now.</summary>
    bool IsLeader { get; }

    /// <summary>Cancelled as soon as the present term is over; already cancelled where there is none. Link it into every write.</summary>
    CancellationToken LeadershipToken { get; }

    /// <summary>Waits for a term.</summary>
    /// <returns>The token of that term.</returns>
    Task<CancellationToken> WaitAsync(CancellationToken cancellationToken);
}

/// <summary>Leadership without an election: one term that never ends.</summary>
public sealed class SoleReplica : ILeadership
{
    /// <inheritdoc/>
    public bool IsLeader => true;

    /// <inheritdoc/>
    public CancellationToken LeadershipToken => CancellationToken.None;

    /// <inheritdoc/>
    public Task<CancellationToken> WaitAsync(CancellationToken cancellationToken) => Task.FromResult(CancellationToken.None);
}
