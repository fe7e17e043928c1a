namespace IndexOperator.Runtime;

/// <summary>How the client behaves towards the API server.</summary>
public sealed class ApiClientOptions
{
    /// <summary>Who writes: the field manager of server-side apply and of patches.</summary>
    public string FieldManager { get; set; } = "index-operator";

    /// <summary>Sent as User-Agent.</summary>
    public string UserAgent { get; set; } = "index-operator";

    /// <summary>How long one request may take, its body included. Watches have their own limit.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one page of a list may take.</summary>
    public TimeSpan ListTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Requests a second, on average; 0 means no limit. Watches count as one request.</summary>
    public double RequestsPerSecond { get; set; } = 50;

    /// <summary>Requests that may be sent at once after a pause.</summary>
    public int RequestBurst { get; set; } = 100;

    /// <summary>How often a request is sent again when the server says when to (Retry-After on 429 and 5xx).</summary>
    public int MaxRetries { get; set; } = 5;

    /// <summary>The longest pause between such attempts.</summary>
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromSeconds(30);
}
