using System.Net;

namespace IndexOperator.Runtime;

/// <summary>Certificates that a webhook makes for itself.</summary>
public sealed record CertificateSettings
{
    /// <summary>The Secret that all replicas share.</summary>
    public ObjectKey Secret { get; init; } = new("default", "webhook-certificate");

    /// <summary>Names of the MutatingWebhookConfigurations that are to trust the authority; all webhooks in them are ours.</summary>
    public IReadOnlyList<string> Configurations { get; init; } = [];

    /// <summary>Names by which the server is called: DNS names and IP addresses.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Put into subjects, for people who look at a certificate.</summary>
    public string CommonName { get; init; } = "webhook";

    /// <summary>How long an authority lasts.</summary>
    public TimeSpan AuthorityLifetime { get; init; } = TimeSpan.FromDays(3650);

    /// <summary>How long a certificate lasts.</summary>
    public TimeSpan LeafLifetime { get; init; } = TimeSpan.FromDays(365);

    /// <summary>Certificates count from so long before they were made: clocks differ.</summary>
    public TimeSpan Backdate { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How often Secret and configurations are looked at.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long after a change of the configuration every API server is taken to know of it.</summary>
    public TimeSpan Propagation { get; init; } = TimeSpan.FromSeconds(10);

    internal void Validate()
    {
        if (LeafLifetime <= TimeSpan.Zero || AuthorityLifetime <= LeafLifetime)
        {
            throw new ArgumentException("an authority must last longer than the certificates that it signs");
        }

        if (Names.Count == 0 || Names.Any(name => string.IsNullOrWhiteSpace(name)))
        {
            throw new ArgumentException("a certificate needs at least one name, and none that is empty");
        }
    }

    internal static bool IsAddress(string name, out IPAddress? address) => IPAddress.TryParse(name, out address);
}
