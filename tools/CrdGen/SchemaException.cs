namespace CrdGen;

/// <summary>A type or property that a structural schema cannot express; the message names it.</summary>
public sealed class SchemaException : Exception
{
    /// <summary>Creates the error.</summary>
    public SchemaException()
    {
    }

    /// <summary>Creates the error.</summary>
    public SchemaException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the error.</summary>
    public SchemaException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
