using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace IndexOperator.Runtime;

/// <summary>Makes keys and certificates: ECDSA P-256, SHA-256.</summary>
internal static class Issuing
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>A new authority, with its key.</summary>
    public static X509Certificate2 Authority(CertificateSettings settings, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        // A name of its own: a reader that looks for the issuer by name alone must not take another for it.
        var request = new CertificateRequest(Subject($"{Clip(settings.CommonName)} authority {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request.CreateSelfSigned(now - settings.Backdate, now + settings.AuthorityLifetime);
    }

    /// <summary>A new server certificate, with its key.</summary>
    /// <param name="settings">Names and lifetime.</param>
    /// <param name="authority">Who signs, with its key.</param>
    /// <param name="now">The time.</param>
    public static X509Certificate2 Leaf(CertificateSettings settings, X509Certificate2 authority, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Subject(Clip(settings.CommonName)), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in settings.Names)
        {
            if (CertificateSettings.IsAddress(name, out var address))
            {
                names.AddIpAddress(address!);
            }
            else
            {
                names.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));

        // Not beyond its issuer: a chain is only as good as its shortest part.
        var begin = Later(now - settings.Backdate, Begin(authority));
        var end = Earlier(now + settings.LeafLifetime, End(authority));
        using var signed = request.Create(authority, begin, end, Serial());
        return signed.CopyWithPrivateKey(key);
    }

    /// <summary>When a certificate begins to count.</summary>
    public static DateTimeOffset Begin(X509Certificate2 certificate) => new(certificate.NotBefore.ToUniversalTime(), TimeSpan.Zero);

    /// <summary>When a certificate ends.</summary>
    public static DateTimeOffset End(X509Certificate2 certificate) => new(certificate.NotAfter.ToUniversalTime(), TimeSpan.Zero);

    /// <summary>Whether one certificate was signed by another, whatever the time.</summary>
    public static bool IsSignedBy(X509Certificate2 leaf, X509Certificate2 authority)
    {
        if (!leaf.IssuerName.RawData.AsSpan().SequenceEqual(authority.SubjectName.RawData))
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        return chain.Build(leaf);
    }

    /// <summary>Whether a certificate carries every name.</summary>
    public static bool Covers(X509Certificate2 leaf, IEnumerable<string> names)
    {
        var own = leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().ToList();
        var dns = own.SelectMany(extension => extension.EnumerateDnsNames()).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var addresses = own.SelectMany(extension => extension.EnumerateIPAddresses()).ToHashSet();
        return names.All(name => CertificateSettings.IsAddress(name, out var address) ? addresses.Contains(address!) : dns.Contains(name));
    }

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private static X500DistinguishedName Subject(string commonName)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(commonName);
        return builder.Build();
    }

    // A common name has 64 characters at most, and the authority's has a few more.
    private static string Clip(string name) => name.Length > 40 ? name[..40] : name;

    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);

        // Positive, and of full length.
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        return serial;
    }
}
