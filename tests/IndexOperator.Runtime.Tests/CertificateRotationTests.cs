using System.Globalization;
using System.Security.Cryptography.X509Certificates;

namespace IndexOperator.Runtime.Tests;

/// <summary>The order of rotations, by trying many.</summary>
public sealed class CertificateRotationTests : CertificateKeeperTest
{
    /// <summary>
    /// Three replicas look at times of their own, over several authorities' lives. After every step: what each of them serves is valid,
    /// and trusted by the configuration as it is and as it was for the time that an API server may need to learn of a change.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Through_all_rotations_whatever_a_replica_serves_is_trusted_also_by_a_server_that_is_behind(int seed)
    {
#pragma warning disable CA5394 // an example, and the same one each time
        var random = new Random(seed);
        var replicas = Enumerable.Range(0, 3).Select(_ => Replica()).ToArray();
        foreach (var replica in replicas)
        {
            await replica.LookAsync();
        }

        var bundles = new List<(DateTimeOffset Until, IReadOnlyList<X509Certificate2> Trusted)>();
        var signed = new Dictionary<(string, string), bool>();
        var served = new HashSet<string>();
        var issuers = new HashSet<string>();
        for (var step = 0; step < 500; step++)
        {
            bundles.Add((Time.GetUtcNow(), Trusted()));
            Time.Advance(TimeSpan.FromSeconds(random.Next(1, 8)));
            if (step % replicas.Length == 0)
            {
                random.Shuffle(replicas);
            }

            await replicas[step % replicas.Length].LookAsync();
            var now = Time.GetUtcNow();
            bundles.RemoveAll(bundle => bundle.Until < now - Settings.Propagation);
            foreach (var leaf in replicas.Select(replica => replica.Serving.Current!))
            {
                served.Add(leaf.Thumbprint);
                issuers.Add(leaf.Issuer);
                Assert.InRange(now, Issuing.Begin(leaf), Issuing.End(leaf));
                Assert.All(bundles.Select(bundle => bundle.Trusted).Append(Trusted()), trusted =>
                    Assert.Contains(trusted, authority => IsSigned(leaf, authority) && Issuing.End(authority) > now));
            }

            Assert.InRange(Trusted().Count, 1, 3);
        }
#pragma warning restore CA5394
        Assert.True(served.Count >= 10 && issuers.Count >= 4, string.Create(CultureInfo.InvariantCulture, $"{served.Count} certificates of {issuers.Count} authorities"));

        bool IsSigned(X509Certificate2 leaf, X509Certificate2 authority) =>
            signed.TryGetValue((leaf.Thumbprint, authority.Thumbprint), out var known) ? known
            : signed[(leaf.Thumbprint, authority.Thumbprint)] = Issuing.IsSignedBy(leaf, authority);
    }
}
