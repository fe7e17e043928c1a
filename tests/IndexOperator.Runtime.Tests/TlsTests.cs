using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Runtime.Tests;

public sealed class TlsTests : IDisposable
{
    private static readonly ObjectKey Key = new("a", "one");

    private readonly string _caFile = Path.GetTempFileName();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => File.Delete(_caFile);

    [Fact]
    public async Task The_right_authority_and_the_right_name_are_trusted()
    {
        using var ca = Authority("ca");
        await using var server = await ServeAsync(Certificate(ca, san => san.AddIpAddress(IPAddress.Loopback)));
        await File.WriteAllTextAsync(_caFile, ca.ExportCertificatePem(), Cancel);
        using var client = new ApiClient(new ApiConnection(server.Address) { CaFile = _caFile });
        Assert.Equal("one", (await client.GetAsync(KnownResources.ConfigMaps, Key, Cancel)).Metadata.Name);
    }

    [Fact]
    public async Task The_right_authority_with_the_wrong_name_is_refused()
    {
        using var ca = Authority("ca");
        await using var server = await ServeAsync(Certificate(ca, san => san.AddDnsName("elsewhere.example")));
        using var client = new ApiClient(new ApiConnection(server.Address) { CaPem = ca.ExportCertificatePem() });
        var refusal = await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(KnownResources.ConfigMaps, Key, Cancel));
        Assert.IsType<AuthenticationException>(refusal.InnerException);
    }

    [Fact]
    public async Task The_name_to_expect_can_be_another_than_the_hosts()
    {
        using var ca = Authority("ca");
        await using var server = await ServeAsync(Certificate(ca, san => san.AddDnsName("kubernetes.default")));
        using var client = new ApiClient(new ApiConnection(server.Address) { CaPem = ca.ExportCertificatePem(), TlsServerName = "kubernetes.default" });
        Assert.Equal("one", (await client.GetAsync(KnownResources.ConfigMaps, Key, Cancel)).Metadata.Name);
    }

    [Fact]
    public async Task A_new_authority_on_disk_is_taken_up_without_a_restart()
    {
        using var old = Authority("old");
        using var fresh = Authority("fresh");
        var time = new FakeTimeProvider();
        await using var server = await ServeAsync(Certificate(fresh, san => san.AddIpAddress(IPAddress.Loopback)));
        await File.WriteAllTextAsync(_caFile, old.ExportCertificatePem(), Cancel);
        using var client = new ApiClient(new ApiConnection(server.Address) { CaFile = _caFile }, time: time);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(KnownResources.ConfigMaps, Key, Cancel));
        await File.WriteAllTextAsync(_caFile, fresh.ExportCertificatePem(), Cancel);
        Assert.Equal("one", (await client.GetAsync(KnownResources.ConfigMaps, Key, Cancel)).Metadata.Name);

        // Half a file, as a reader may meet it, changes nothing.
        await File.WriteAllTextAsync(_caFile, "-----BEGIN", Cancel);
        time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal("one", (await client.GetAsync(KnownResources.ConfigMaps, Key, Cancel)).Metadata.Name);
    }

    [Fact]
    public async Task A_watch_goes_on_when_the_certificates_it_was_opened_with_are_replaced()
    {
        using var old = Authority("old");
        using var fresh = Authority("fresh");
        var time = new FakeTimeProvider();
        await using var server = await ServeAsync(Certificate(old, san => san.AddIpAddress(IPAddress.Loopback)));
        await File.WriteAllTextAsync(_caFile, old.ExportCertificatePem(), Cancel);
        using var client = new ApiClient(new ApiConnection(server.Address) { CaFile = _caFile }, time: time);
        await using var events = client.WatchAsync(KnownResources.ConfigMaps, new ListQuery(), "100", TimeSpan.FromMinutes(5), Cancel).GetAsyncEnumerator(Cancel);
        Assert.True(await events.MoveNextAsync());

        // The next request finds other authorities, and goes out with them; the watch is not touched.
        await File.WriteAllTextAsync(_caFile, fresh.ExportCertificatePem(), Cancel);
        time.Advance(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(KnownResources.ConfigMaps, Key, Cancel));
        server.Put("api/v1/configmaps", "a", "two");
        Assert.True(await events.MoveNextAsync());
        Assert.Equal("two", events.Current.Entity!.Metadata.Name);
    }

    private static async Task<FaultyApiServer> ServeAsync(X509Certificate2 certificate)
    {
        var server = await FaultyApiServer.StartAsync(certificate);
        server.Put("api/v1/configmaps", "a", "one");
        return server;
    }

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private static X509Certificate2 Certificate(X509Certificate2 ca, Action<SubjectAlternativeNameBuilder> names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256);
        var san = new SubjectAlternativeNameBuilder();
        names(san);
        request.CertificateExtensions.Add(san.Build());
        using var signed = request.Create(ca, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), RandomNumberGenerator.GetBytes(8));
        using var withKey = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }
}
