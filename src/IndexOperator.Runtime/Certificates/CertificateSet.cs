using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using k8s.Models;

namespace IndexOperator.Runtime;

/// <summary>
/// What the Secret holds: the authorities to trust, the newest first, the key of the newest, and the server's certificate, which an older
/// one of them may have signed.
/// </summary>
internal sealed record CertificateSet
{
    /// <summary>More than ever overlap; what is beyond is not ours.</summary>
    public const int MostAuthorities = 8;

    private const string AuthorityCertificates = "ca.crt";
    private const string AuthorityKey = "ca.key";
    private const string LeafCertificate = "tls.crt";
    private const string LeafKey = "tls.key";
    private const string TlsType = "kubernetes.io/tls";
    private const int LongestPart = 256 * 1024;

    private CertificateSet(IReadOnlyList<X509Certificate2> authorities, X509Certificate2 leaf, X509Certificate2 issuer)
    {
        Authorities = authorities;
        Leaf = leaf;
        Issuer = issuer;
    }

    /// <summary>The authorities, newest first; the first has its key.</summary>
    public IReadOnlyList<X509Certificate2> Authorities { get; }

    /// <summary>The authority that signs from now on.</summary>
    public X509Certificate2 Signer => Authorities[0];

    /// <summary>The server's certificate, with its key.</summary>
    public X509Certificate2 Leaf { get; }

    /// <summary>Which of the authorities signed <see cref="Leaf"/>.</summary>
    public X509Certificate2 Issuer { get; }

    /// <summary>The authorities as a configuration's <c>caBundle</c>.</summary>
    public byte[] Bundle => Pem(Authorities);

    /// <summary>A set of an authority and a certificate of it, both new.</summary>
    /// <param name="settings">Names and lifetimes.</param>
    /// <param name="earlier">Authorities that are trusted so far; replicas may serve certificates of theirs.</param>
    /// <param name="now">The time.</param>
    public static CertificateSet Create(CertificateSettings settings, IEnumerable<X509Certificate2> earlier, DateTimeOffset now)
    {
        var authority = Issuing.Authority(settings, now);
        var kept = earlier.Where(certificate => Issuing.End(certificate) > now).Take(MostAuthorities - 1);
        return new CertificateSet([authority, .. kept], Issuing.Leaf(settings, authority, now), authority);
    }

    /// <summary>The same with a new authority before the others. The certificate stays: nobody trusts the new one yet.</summary>
    public CertificateSet WithNewAuthority(CertificateSettings settings, DateTimeOffset now)
    {
        List<X509Certificate2> all = [Issuing.Authority(settings, now), .. Authorities];
        while (all.Count > MostAuthorities)
        {
            all.RemoveAt(all.FindLastIndex(certificate => certificate.Thumbprint != Issuer.Thumbprint));
        }

        return new CertificateSet(all, Leaf, Issuer);
    }

    /// <summary>The same with a new certificate by the newest authority.</summary>
    public CertificateSet WithNewLeaf(CertificateSettings settings, DateTimeOffset now) =>
        new(Authorities, Issuing.Leaf(settings, Signer, now), Signer);

    /// <summary>The same without authorities that nobody needs any more.</summary>
    public CertificateSet Without(IReadOnlyCollection<X509Certificate2> retired) =>
        new([.. Authorities.Where(authority => !retired.Contains(authority))], Leaf, Issuer);

    /// <summary>Reads a Secret; null when it is not whole, with the reason.</summary>
    public static CertificateSet? Read(V1Secret secret, out string problem)
    {
        try
        {
            var authorities = Certificates(Text(secret, AuthorityCertificates));
            if (authorities.Count is 0 or > MostAuthorities)
            {
                problem = $"{AuthorityCertificates} holds {authorities.Count} certificates";
                return null;
            }

            var signer = X509Certificate2.CreateFromPem(authorities[0].ExportCertificatePem(), Text(secret, AuthorityKey));
            var leaf = X509Certificate2.CreateFromPem(Text(secret, LeafCertificate), Text(secret, LeafKey));
            RequireKey(signer);
            RequireKey(leaf);
            List<X509Certificate2> all = [signer, .. authorities.Skip(1)];
            var issuer = all.Find(authority => Issuing.IsSignedBy(leaf, authority));
            problem = issuer is null ? $"{LeafCertificate} was signed by none of {AuthorityCertificates}" : "";
            return issuer is null ? null : new CertificateSet(all, leaf, issuer);
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException or FormatException)
        {
            problem = error.Message;
            return null;
        }
    }

    /// <summary>Authorities of a PEM text; empty when it cannot be read.</summary>
    public static IReadOnlyList<X509Certificate2> AuthoritiesOf(byte[]? pem)
    {
        try
        {
            return pem is null or { Length: > LongestPart } ? [] : Certificates(Encoding.UTF8.GetString(pem));
        }
        catch (CryptographicException)
        {
            return [];
        }
    }

    /// <summary>The set as a Secret; the metadata of an existing one is kept, since its version is the precondition of the write.</summary>
    public V1Secret ToSecret(ObjectKey key, V1Secret? existing) => new()
    {
        Metadata = existing?.Metadata ?? new V1ObjectMeta { Name = key.Name, NamespaceProperty = key.Namespace },
        Type = existing?.Type ?? TlsType,
        Data = new Dictionary<string, byte[]>
        {
            [AuthorityCertificates] = Bundle,
            [AuthorityKey] = KeyOf(Signer),
            [LeafCertificate] = Pem([Leaf]),
            [LeafKey] = KeyOf(Leaf),
        },
    };

    private static List<X509Certificate2> Certificates(string pem)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPem(pem);
        return [.. all];
    }

    private static string Text(V1Secret secret, string name) =>
        secret.Data?.TryGetValue(name, out var value) != true || value is null ? throw new FormatException($"{name} is missing")
        : value.Length > LongestPart ? throw new FormatException($"{name} is too long")
        : Encoding.UTF8.GetString(value);

    private static byte[] Pem(IEnumerable<X509Certificate2> certificates) =>
        Encoding.UTF8.GetBytes(string.Concat(certificates.Select(certificate => certificate.ExportCertificatePem() + "\n")));

    private static byte[] KeyOf(X509Certificate2 certificate)
    {
        using var key = Key(certificate);
        return Encoding.UTF8.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    private static void RequireKey(X509Certificate2 certificate) => Key(certificate).Dispose();

    private static ECDsa Key(X509Certificate2 certificate) =>
        certificate.GetECDsaPrivateKey() ?? throw new CryptographicException($"{certificate.Subject} has no ECDSA key");
}
