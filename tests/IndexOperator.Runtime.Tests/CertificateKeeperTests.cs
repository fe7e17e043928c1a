using System.Text;
using k8s.Models;

namespace IndexOperator.Runtime.Tests;

public sealed class CertificateKeeperTests : CertificateKeeperTest
{
    [Fact]
    public async Task The_first_look_makes_certificates_has_them_trusted_and_serves_them()
    {
        var replica = Replica();
        Assert.Equal(Settings.Interval, await replica.LookAsync());
        Assert.Empty(replica.Serving.Problems());
        var secret = Server.Find(Secrets, "own", "certificate")!;
        Assert.Equal("kubernetes.io/tls", (string?)secret["type"]);
        Assert.Equal(["ca.crt", "ca.key", "tls.crt", "tls.key"], secret["data"]!.AsObject().Select(member => member.Key).Order(StringComparer.Ordinal));
        var authority = Assert.Single(Trusted());
        var leaf = replica.Serving.Current!;
        Assert.True(Issuing.IsSignedBy(leaf, authority));
        Assert.True(leaf.HasPrivateKey);
        Assert.True(Issuing.Covers(leaf, Settings.Names));
        Assert.False(Issuing.Covers(leaf, ["other.own.svc"]));
        Assert.Equal((Time.GetUtcNow() - Settings.Backdate, Time.GetUtcNow() + Settings.LeafLifetime), (Issuing.Begin(leaf), Issuing.End(leaf)));
        Assert.Equal(Time.GetUtcNow() + Settings.AuthorityLifetime, Issuing.End(authority));
        Assert.Equal("Zm9yZWlnbg==", (string?)Server.Find(Configurations, "", "others")!["webhooks"]![0]!["clientConfig"]!["caBundle"]);
    }

    [Fact]
    public async Task At_rest_nothing_is_written()
    {
        var replica = Replica();
        await replica.LookAsync();
        var writes = Writes();
        for (var i = 0; i < 10; i++)
        {
            Time.Advance(Settings.Interval);
            Assert.Equal(Settings.Interval, await replica.LookAsync());
        }

        Assert.Equal(writes, Writes());
    }

    [Fact]
    public async Task Replicas_that_start_together_agree_on_the_certificates_of_one_of_them()
    {
        for (var round = 0; round < 20; round++)
        {
            var settings = Settings with { Secret = new ObjectKey("own", $"round-{round}"), Configurations = [$"round-{round}"] };
            Configure($"round-{round}");
            var replicas = Enumerable.Range(0, 4).Select(_ => Replica(settings)).ToList();
            await Task.WhenAll(replicas.Select(replica => replica.LookAsync()));
            Assert.Single(replicas.Select(replica => replica.Serving.Current!.Thumbprint).Distinct());
            Assert.True(Issuing.IsSignedBy(replicas[0].Serving.Current!, Assert.Single(Trusted($"round-{round}"))));
        }
    }

    [Fact]
    public async Task A_new_authority_is_trusted_before_it_signs_and_the_old_one_stays_until_its_certificates_are_over()
    {
        var replica = Replica();
        await replica.LookAsync();
        var old = replica.Serving.Current!;
        var authority = Assert.Single(Trusted());

        // Two thirds of the authority's life; a certificate that is due too waits for the new authority.
        Time.Advance(TimeSpan.FromSeconds(600));
        await replica.LookAsync();
        Assert.Equal([false, true], Trusted().Select(trusted => trusted.Thumbprint == authority.Thumbprint));
        Assert.Equal(old.Thumbprint, replica.Serving.Current!.Thumbprint);
        Time.Advance(Settings.Propagation);
        Assert.Equal(Settings.Interval, await replica.LookAsync());
        Assert.True(Issuing.IsSignedBy(replica.Serving.Current!, Trusted()[0]));
        Time.Advance(Settings.LeafLifetime - Settings.Propagation - TimeSpan.FromSeconds(1));
        await replica.LookAsync();
        Assert.Equal(2, Trusted().Count);
        Time.Advance(TimeSpan.FromSeconds(1));
        await replica.LookAsync();
        Assert.DoesNotContain(Trusted(), trusted => trusted.Thumbprint == authority.Thumbprint);
    }

    [Fact]
    public async Task A_bundle_that_somebody_overwrote_is_written_again()
    {
        var replica = Replica();
        await replica.LookAsync();
        var bundle = Bundle();
        Configure("ours", "Zm9yZWlnbg==");
        await replica.LookAsync();
        Assert.Equal(bundle, Bundle());
        Assert.Equal("hook.example", (string?)Server.Find(Configurations, "", "ours")!["webhooks"]![0]!["name"]);
    }

    [Fact]
    public async Task A_slow_replica_cannot_take_back_what_another_has_written_since_it_looked()
    {
        var other = Replica();
        await other.LookAsync();
        var stale = Convert.FromBase64String(Bundle());
        Configure("ours", "Zm9yZWlnbg==");
        var trust = new TrustStore(Client(), Settings, Time);
        await trust.ReadAsync(Cancel);
        Time.Advance(TimeSpan.FromSeconds(600));
        await other.LookAsync();
        var written = Bundle();
        Assert.False(await trust.EnsureAsync(stale, Cancel));
        Assert.Equal(written, Bundle());
    }

    [Fact]
    public async Task A_Secret_that_is_deleted_is_made_anew_without_a_moment_in_which_what_is_served_is_not_trusted()
    {
        var replica = Replica();
        await replica.LookAsync();
        var old = replica.Serving.Current!;
        Server.Remove(Secrets, "own", "certificate");
        await Replica().LookAsync();
        Assert.Equal(2, Trusted().Count);
        Assert.Contains(Trusted(), authority => Issuing.IsSignedBy(old, authority));
        await replica.LookAsync();
        Assert.Equal(old.Thumbprint, replica.Serving.Current!.Thumbprint);
        Time.Advance(Settings.Propagation);
        await replica.LookAsync();
        Assert.NotEqual(old.Thumbprint, replica.Serving.Current!.Thumbprint);
    }

    [Theory]
    [InlineData("ca.crt", "")]
    [InlineData("ca.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    [InlineData("ca.key", "nonsense")]
    [InlineData("tls.crt", null)]
    [InlineData("tls.key", null)]
    public async Task A_Secret_that_cannot_be_used_is_written_anew(string part, string? content)
    {
        await Replica().LookAsync();
        var secret = Server.Find(Secrets, "own", "certificate")!;
        secret["data"]![part] = content is null ? null : Convert.ToBase64String(Encoding.UTF8.GetBytes(content));
        Server.Put(Secrets, "own", "certificate", secret);
        var replica = Replica();
        await replica.LookAsync();
        Assert.Empty(replica.Serving.Problems());
        Assert.True(Issuing.IsSignedBy(replica.Serving.Current!, Trusted()[0]));
    }

    [Fact]
    public async Task A_key_of_another_certificate_is_noticed()
    {
        await Replica().LookAsync();
        var secret = Server.Find(Secrets, "own", "certificate")!;
        secret["data"]!["tls.key"] = secret["data"]!["ca.key"]!.DeepClone();
        Assert.Null(CertificateSet.Read(System.Text.Json.JsonSerializer.Deserialize(secret, RuntimeJson.TypeInfo<V1Secret>())!, out var problem));
        Assert.NotEmpty(problem);
    }

    [Fact]
    public async Task A_new_name_needs_a_new_certificate_and_no_new_authority()
    {
        await Replica().LookAsync();
        var renamed = Replica(Settings with { Names = ["new.own.svc"] });
        await renamed.LookAsync();
        Time.Advance(Settings.Propagation);
        await renamed.LookAsync();
        Assert.True(Issuing.Covers(renamed.Serving.Current!, ["new.own.svc"]));
        Assert.Single(Trusted());
    }

    [Fact]
    public async Task Without_a_configuration_it_is_not_ready_and_says_what_is_missing()
    {
        Server.Remove(Configurations, "", "ours");
        var replica = Replica();
        await replica.LookAsync();
        Assert.Contains("there is no MutatingWebhookConfiguration ours", Assert.Single(replica.Serving.Problems()), StringComparison.Ordinal);
        Configure("ours");
        await replica.LookAsync();
        Assert.Empty(replica.Serving.Problems());

        // What is served stays served: readiness does not come and go with a configuration that is being replaced.
        Server.Remove(Configurations, "", "ours");
        await replica.LookAsync();
        Assert.Empty(replica.Serving.Problems());
    }

    [Fact]
    public async Task An_APIServer_that_is_away_leaves_what_is_served_until_it_expires()
    {
        var replica = Replica();
        await replica.LookAsync();
        Server.Fault(_ => true, context => FaultyApiServer.StatusAsync(context, 500, "InternalError"), int.MaxValue);
        var requests = Server.Requests.Count;
        await replica.Keeper.StartAsync(Cancel);
        await Eventually.TrueAsync("an attempt", () => Server.Requests.Count > requests);
        Assert.Empty(replica.Serving.Problems());
        Time.Advance(Settings.LeafLifetime);
        Assert.Contains("expired", Assert.Single(replica.Serving.Problems()), StringComparison.Ordinal);
        await replica.Keeper.StopAsync(Cancel);
    }

    [Fact]
    public void An_authority_must_outlast_what_it_signs()
    {
        Assert.Throws<ArgumentException>(() => Replica(Settings with { LeafLifetime = Settings.AuthorityLifetime }));
        Assert.Throws<ArgumentException>(() => Replica(Settings with { Names = [] }));
    }
}
