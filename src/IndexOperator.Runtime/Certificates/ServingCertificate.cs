using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace IndexOperator.Runtime;

/// <summary>
/// The certificate that new connections get. Connections under way keep theirs, which is why none is ever disposed of: a handshake may
/// have just taken it.
/// </summary>
/// <param name="time">The clock.</param>
public sealed class ServingCertificate(TimeProvider time) : IReadinessCheck
{
    private volatile Served? _current;
    private volatile string _problem = "not looked for yet";

    /// <summary>The certificate; null while there is none.</summary>
    public X509Certificate2? Current => _current?.Leaf;

    /// <inheritdoc/>
    public IEnumerable<string> Problems() =>
        Current is not { } leaf ? [$"the webhook has no certificate that is trusted: {_problem}"]
        : Issuing.End(leaf) <= time.GetUtcNow() ? [$"the webhook's certificate has expired and there is no other: {_problem}"]
        : [];

    /// <summary>Gives the certificate to new connections.</summary>
    /// <param name="leaf">The certificate, with its key.</param>
    /// <param name="intermediates">Sent with it.</param>
    internal void Use(X509Certificate2 leaf, X509Certificate2Collection? intermediates = null)
    {
        _problem = "";
        _current = new Served(leaf, SslStreamCertificateContext.Create(leaf, intermediates, offline: true));
    }

    /// <summary>Says why there is no certificate, or no newer one.</summary>
    internal void Explain(string problem) => _problem = problem;

    /// <summary>What a handshake is to use.</summary>
    internal SslServerAuthenticationOptions ForHandshake() =>
        new() { ServerCertificateContext = _current?.Context ?? throw new AuthenticationException($"no certificate yet: {_problem}") };

    private sealed record Served(X509Certificate2 Leaf, SslStreamCertificateContext Context);
}
