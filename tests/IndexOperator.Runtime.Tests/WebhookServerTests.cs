using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Runtime.Tests;

public sealed class WebhookServerTests : IAsyncLifetime, IAdmissionHandler
{
    private const string Review = """{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"x","kind":{"kind":"Pod"},"operation":"CREATE"}}""";

    private readonly string _folder = Directory.CreateTempSubdirectory("webhook-").FullName;
    private readonly CertificateSettings _settings = new() { Names = ["127.0.0.1"], CommonName = "hook" };
    private Func<Task> _before = () => Task.CompletedTask;
    private WebApplication? _host;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    public async Task<AdmissionAnswer> ReviewAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        await _before();
        return AdmissionAnswer.Allow();
    }

    [Fact]
    public async Task A_new_certificate_is_for_new_connections_and_those_under_way_go_on()
    {
        using var authority = Issuing.Authority(_settings, DateTimeOffset.UtcNow);
        var first = Issuing.Leaf(_settings, authority, DateTimeOffset.UtcNow);
        var second = Issuing.Leaf(_settings, authority, DateTimeOffset.UtcNow);
        await StartAsync();
        var serving = _host!.Services.GetRequiredService<ServingCertificate>();
        using var early = Caller(authority, out _);
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(early));
        serving.Use(first);
        using var caller = Caller(authority, out var seen);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(caller));
        serving.Use(second);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(caller));
        using var later = Caller(authority, out var seenLater);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(later));
        Assert.Equal([first.SerialNumber], seen);
        Assert.Equal([second.SerialNumber], seenLater);
    }

    [Fact]
    public async Task Each_port_has_what_is_its_own()
    {
        using var authority = Issuing.Authority(_settings, DateTimeOffset.UtcNow);
        await StartAsync();
        _host!.Services.GetRequiredService<ServingCertificate>().Use(Issuing.Leaf(_settings, authority, DateTimeOffset.UtcNow));
        using var caller = Caller(authority, out _);
        Assert.Equal(HttpStatusCode.NotFound, (await caller.GetAsync(new Uri(Address("https"), "healthz"), Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await caller.GetAsync(new Uri(Address("http"), "healthz"), Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync(caller, "http"));
    }

    [Fact]
    public async Task On_the_way_down_it_still_answers_for_a_while_and_lets_reviews_end()
    {
        using var authority = Issuing.Authority(_settings, DateTimeOffset.UtcNow);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await StartAsync(time);
        _host!.Services.GetRequiredService<ServingCertificate>().Use(Issuing.Leaf(_settings, authority, DateTimeOffset.UtcNow));
        var stopping = _host.StopAsync(Cancel);
        using var caller = Caller(authority, out _);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(caller));
        var asked = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        _before = () =>
        {
            asked.TrySetResult();
            return go.Task;
        };
        var late = AskAsync(caller);
        await asked.Task.WaitAsync(Cancel);
        time.Advance(TimeSpan.FromSeconds(3));
        await Eventually.TrueAsync("the port to be closed", () =>
        {
            try
            {
                using var probe = new System.Net.Sockets.TcpClient();
                probe.Connect(IPAddress.Loopback, Address("https").Port);
                return false;
            }
            catch (System.Net.Sockets.SocketException)
            {
                return true;
            }
        });
        Assert.False(stopping.IsCompleted);
        go.SetResult();
        Assert.Equal(HttpStatusCode.OK, await late);
        await stopping;
    }

    [Fact]
    public void Files_are_read_again_when_they_change_and_half_a_pair_changes_nothing()
    {
        var serving = new ServingCertificate(TimeProvider.System);
        using var files = new CertificateFiles(_folder, serving, TimeProvider.System, NullLogger<CertificateFiles>.Instance);
        files.Look();
        Assert.Contains("tls.crt", Assert.Single(serving.Problems()), StringComparison.Ordinal);
        using var authority = Issuing.Authority(_settings, DateTimeOffset.UtcNow);
        var first = Write(authority);
        files.Look();
        Assert.Empty(serving.Problems());
        var served = serving.Current;
        Assert.Equal(first.SerialNumber, served!.SerialNumber);
        files.Look();
        Assert.Same(served, serving.Current);
        var second = Issuing.Leaf(_settings, authority, DateTimeOffset.UtcNow);
        File.WriteAllText(Path.Combine(_folder, "tls.crt"), second.ExportCertificatePem());
        files.Look();
        Assert.Same(served, serving.Current);
        File.WriteAllText(Path.Combine(_folder, "tls.key"), Key(second));
        files.Look();
        Assert.Equal(second.SerialNumber, serving.Current!.SerialNumber);
        File.Delete(Path.Combine(_folder, "tls.key"));
        files.Look();
        Assert.Empty(serving.Problems());
    }

    private X509Certificate2 Write(X509Certificate2 authority)
    {
        var leaf = Issuing.Leaf(_settings, authority, DateTimeOffset.UtcNow);
        File.WriteAllText(Path.Combine(_folder, "tls.crt"), leaf.ExportCertificatePem() + "\n" + authority.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, "tls.key"), Key(leaf));
        return leaf;
    }

    private static string Key(X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPrivateKey();
        return key!.ExportPkcs8PrivateKeyPem();
    }

    private async Task StartAsync(TimeProvider? time = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddKubernetesOperator(settings =>
        {
            settings.Connection = new ApiConnection(new Uri("http://127.0.0.1:1"));
            settings.LeaderElection.Enabled = false;
        }).AddWebhook(new WebhookSettings { CertificateDirectory = _folder }, _ => this);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.ListenForWebhook(0);
        });
        _host = builder.Build();
        _host.UseWebhook();
        _host.MapGet("/healthz", () => "ok");
        await _host.StartAsync(Cancel);
    }

    private Uri Address(string scheme)
    {
        var address = _host!.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single(address => address.StartsWith(scheme + ":", StringComparison.Ordinal));
        return new Uri($"{scheme}://127.0.0.1:{new Uri(address.Replace("[::]", "localhost", StringComparison.Ordinal)).Port}/");
    }

    private async Task<HttpStatusCode> AskAsync(HttpClient caller, string scheme = "https")
    {
        using var content = new StringContent(Review, Encoding.UTF8, "application/json");
        using var answer = await caller.PostAsync(new Uri(Address(scheme), "mutate"), content, Cancel);
        return answer.StatusCode;
    }

    private static HttpClient Caller(X509Certificate2 authority, out List<string> serials)
    {
        var seen = new List<string>();
        serials = seen;
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(authority);
#pragma warning disable CA5359 // the chain is built here, to see the certificate
        return new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = policy,
                RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                {
                    seen.Add(((X509Certificate2)certificate!).SerialNumber);
                    return errors == SslPolicyErrors.None;
                },
            },
        });
#pragma warning restore CA5359
    }
}
