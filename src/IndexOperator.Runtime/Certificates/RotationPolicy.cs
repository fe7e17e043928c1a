using System.Security.Cryptography.X509Certificates;

namespace IndexOperator.Runtime;

/// <summary>What is to be done with the certificates next.</summary>
internal enum RotationStep
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>There are none that can be used: make all anew.</summary>
    Create,

    /// <summary>The authority has lived two thirds of its life: put a new one before it. Certificates of it follow when it is trusted.</summary>
    NewAuthority,

    /// <summary>The certificate is by an older authority, has lived two thirds of its life, or lacks a name.</summary>
    NewLeaf,

    /// <summary>No certificate of an older authority can be in use any more.</summary>
    DropAuthorities,
}

/// <summary>
/// The order of a rotation: the new authority is written, then trusted by the configuration, then signs, and only when whatever the old one
/// has signed is over is the old one dropped. So there is no moment at which a replica, however late, serves what is not trusted.
/// </summary>
internal static class RotationPolicy
{
    /// <summary>The next step.</summary>
    /// <param name="set">What there is.</param>
    /// <param name="signerIsTrusted">Whether every API server trusts the newest authority by now.</param>
    /// <param name="settings">Names and lifetimes.</param>
    /// <param name="now">The time.</param>
    public static RotationStep Next(CertificateSet? set, bool signerIsTrusted, CertificateSettings settings, DateTimeOffset now) =>
        set is null ? RotationStep.Create
        : now >= RenewAt(set.Signer, settings) ? RotationStep.NewAuthority
        : signerIsTrusted && IsLeafDue(set, settings, now) ? RotationStep.NewLeaf
        : Retired(set, settings, now).Count > 0 ? RotationStep.DropAuthorities
        : RotationStep.None;

    /// <summary>Whether a new certificate is wanted.</summary>
    public static bool IsLeafDue(CertificateSet set, CertificateSettings settings, DateTimeOffset now) =>
        set.Issuer.Thumbprint != set.Signer.Thumbprint || now >= RenewAt(set.Leaf, settings) || !Issuing.Covers(set.Leaf, settings.Names);

    /// <summary>Older authorities of which no certificate can count any more: since the next one came, the life of a certificate has passed.</summary>
    public static IReadOnlyCollection<X509Certificate2> Retired(CertificateSet set, CertificateSettings settings, DateTimeOffset now) =>
        [.. set.Authorities.Skip(1).Where((authority, i) =>
            authority.Thumbprint != set.Issuer.Thumbprint
            && (now >= Issuing.End(authority) || now >= Issuing.Begin(set.Authorities[i]) + settings.Backdate + settings.LeafLifetime))];

    /// <summary>After two thirds of its life.</summary>
    public static DateTimeOffset RenewAt(X509Certificate2 certificate, CertificateSettings settings)
    {
        var end = Issuing.End(certificate);
        return end - ((end - Issuing.Begin(certificate) - settings.Backdate) / 3);
    }
}
