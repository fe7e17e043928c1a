namespace IndexOperator.Runtime;

/// <summary>Which objects to list or watch.</summary>
public sealed record ListQuery
{
    /// <summary>Everything.</summary>
    public static ListQuery All { get; } = new();

    /// <summary>The namespace; null means all.</summary>
    public string? Namespace { get; init; }

    /// <summary>A label selector in kubectl's syntax.</summary>
    public string? LabelSelector { get; init; }

    /// <summary>A field selector in kubectl's syntax.</summary>
    public string? FieldSelector { get; init; }

    /// <summary>Objects a page; 0 asks for all at once.</summary>
    public int Limit { get; init; } = 500;
}

/// <summary>How a deletion treats what depends on the object.</summary>
public enum PropagationPolicy
{
    /// <summary>The object goes at once, dependents are collected later.</summary>
    Background,

    /// <summary>Dependents go first.</summary>
    Foreground,

    /// <summary>Dependents stay.</summary>
    Orphan,
}
