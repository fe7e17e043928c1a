using IndexOperator.Runtime;

namespace IndexOperator.Operator;

/// <summary>Settings of the webhook for pods. The defaults are the names in <c>config/webhook</c>.</summary>
public sealed record PodWebhookOptions
{
    /// <summary>Path of the endpoint, as the configuration names it.</summary>
    public const string Path = "/mutate";

    /// <summary>Whether there is a webhook.</summary>
    public bool Enabled { get; init; }

    /// <summary>Its port, 0 for any free one.</summary>
    public int Port { get; init; } = 9443;

    /// <summary>Folder of <c>tls.crt</c> and <c>tls.key</c> that somebody else keeps; null for certificates of its own.</summary>
    public string? CertificateDirectory { get; init; }

    /// <summary>Name of the Service that API servers call.</summary>
    public string Service { get; init; } = "index-operator-webhook";

    /// <summary>Name of the MutatingWebhookConfiguration.</summary>
    public string Configuration { get; init; } = "index-operator";

    /// <summary>Name of the Secret that the replicas share.</summary>
    public string CertificateSecret { get; init; } = "index-operator-webhook-certificate";

    /// <summary>Namespace of the Service and the Secret: the operator's own.</summary>
    public string Namespace { get; init; } = "default";

    /// <summary>Further names in the certificate, for a configuration with a URL in place of a Service.</summary>
    public IReadOnlyList<string> ExtraNames { get; init; } = [];

    /// <summary>Lifetimes and pauses; names and Secret come from the above.</summary>
    public CertificateSettings Certificates { get; init; } = new();

    /// <summary>How long the webhook answers after the process was told to stop.</summary>
    public TimeSpan ShutdownDelay { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>The same as settings of the runtime.</summary>
    public WebhookSettings ToSettings() => new()
    {
        Path = Path,
        ShutdownDelay = ShutdownDelay,
        CertificateDirectory = CertificateDirectory,
        Certificates = Certificates with
        {
            CommonName = Service,
            Secret = new ObjectKey(Namespace, CertificateSecret),
            Configurations = [Configuration],
            Names = [$"{Service}.{Namespace}.svc", $"{Service}.{Namespace}.svc.cluster.local", $"{Service}.{Namespace}", .. ExtraNames],
        },
    };
}
