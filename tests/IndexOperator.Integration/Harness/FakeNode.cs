using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using IndexOperator.Runtime;
using k8s.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace IndexOperator.Integration.Harness;

/// <summary>A node whose kubelet does nothing but show logs, so that progress travels as it does in a cluster.</summary>
public sealed class FakeNode : IAsyncDisposable
{
    /// <summary>Its name.</summary>
    public const string Name = "fake-gpu-node";

    private readonly WebApplication _host;

    private FakeNode(WebApplication host)
    {
        _host = host;
    }

    /// <summary>What each pod has logged, by name.</summary>
    public static ConcurrentDictionary<string, string> Logs { get; } = new();

    /// <summary>Registers the node and serves its logs.</summary>
    public static async Task<FakeNode> StartAsync(ApiClient client)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={Name}", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
        var host = builder.Build();
        host.MapGet("/containerLogs/{ns}/{pod}/{container}", (string pod) => Results.Text(Logs.GetValueOrDefault(pod, "")));
        await host.StartAsync();

        var node = new V1Node
        {
            Metadata = new V1ObjectMeta { Name = Name, Labels = new Dictionary<string, string> { ["nvidia.com/gpu.present"] = "true" } },
            Spec = new V1NodeSpec(),
        };
        await client.CreateAsync(KnownResources.Nodes, node, CancellationToken.None);
        var status = new JsonObject
        {
            ["addresses"] = new JsonArray(new JsonObject { ["type"] = "InternalIP", ["address"] = "127.0.0.1" }),
            ["daemonEndpoints"] = new JsonObject { ["kubeletEndpoint"] = new JsonObject { ["Port"] = new Uri(host.Urls.First()).Port } },
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True" }),
        };
        await client.MergePatchAsync(KnownResources.Nodes, new ObjectKey("", Name), new JsonObject { ["status"] = status }, null, CancellationToken.None, "status");
        return new FakeNode(host);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _host.DisposeAsync();
}
