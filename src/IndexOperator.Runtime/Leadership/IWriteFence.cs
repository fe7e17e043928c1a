namespace IndexOperator.Runtime;

/// <summary>Lets writes through only while this replica leads.</summary>
public interface IWriteFence
{
    /// <summary>
    /// Names the term that a write belongs to. Asked right before each write is sent, because a process that was frozen
    /// goes on where it stood, before any timer has told it that its term is over.
    /// </summary>
    /// <exception cref="LeadershipLostException">There is no term, or its time is over.</exception>
    WriteTerm Enter();
}

/// <summary>A term of leadership.</summary>
/// <param name="Identity">The replica.</param>
/// <param name="Number">The lease's count of transitions: it grows with every new leader.</param>
/// <param name="Token">Cancelled at the end of the term.</param>
public readonly record struct WriteTerm(string Identity, int Number, CancellationToken Token);

/// <summary>A write was not sent, or cut short, because this replica does not lead any longer.</summary>
public sealed class LeadershipLostException : Exception
{
    /// <summary>With a standard message.</summary>
    public LeadershipLostException()
        : this("this replica does not lead, so it may not write")
    {
    }

    /// <summary>With a message.</summary>
    public LeadershipLostException(string message)
        : base(message)
    {
    }

    /// <summary>With a message and what was going on.</summary>
    public LeadershipLostException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
