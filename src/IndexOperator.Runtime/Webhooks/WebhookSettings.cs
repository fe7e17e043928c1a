namespace IndexOperator.Runtime;

/// <summary>Settings of an admission webhook.</summary>
public sealed record WebhookSettings
{
    /// <summary>Path of its only endpoint.</summary>
    public string Path { get; init; } = "/mutate";

    /// <summary>
    /// How long an answer may take. Below the <c>timeoutSeconds</c> of the configuration, so that a refusal that says why arrives before the
    /// server gives up; where the server tells a shorter time, four fifths of that count.
    /// </summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>The largest body. A request to the API server is 3 MiB at most; a review carries the object and a little around it.</summary>
    public int MaxBodyBytes { get; init; } = 4 << 20;

    /// <summary>Reviews at a time; more wait within their deadline. With the size above this bounds memory.</summary>
    public int MaxConcurrent { get; init; } = 64;

    /// <summary>
    /// How long the process goes on answering after it was told to stop. It is taken out of its Service at the same moment, but the nodes
    /// learn of that a little later, and a refused connection is a refused pod.
    /// </summary>
    public TimeSpan ShutdownDelay { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>A folder with <c>tls.crt</c> and <c>tls.key</c> that somebody else keeps; null for certificates of its own.</summary>
    public string? CertificateDirectory { get; init; }

    /// <summary>Certificates of its own.</summary>
    public CertificateSettings Certificates { get; init; } = new();
}
