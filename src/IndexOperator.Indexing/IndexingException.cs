namespace IndexOperator.Indexing;

/// <summary>A failure with a reason that a program can act on and a message that tells a person the next step.</summary>
public sealed class IndexingException : Exception
{
    /// <summary>Creates the failure.</summary>
    /// <param name="reason">What kind of failure it is.</param>
    /// <param name="message">The thing, the cause and the next step, in that order.</param>
    /// <param name="inner">The underlying failure, if any.</param>
    public IndexingException(FailureReason reason, string message, Exception? inner = null)
        : base(message, inner)
    {
        Reason = reason;
    }

    /// <summary>What kind of failure it is.</summary>
    public FailureReason Reason { get; }
}
