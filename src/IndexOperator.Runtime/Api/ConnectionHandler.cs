using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging;

namespace IndexOperator.Runtime;

/// <summary>
/// The transport: a SocketsHttpHandler that is replaced when the trusted authorities or the client certificate change
/// on disk. Authorities are given as a chain policy, not as a validation callback, so the platform still checks the
/// host name (KubernetesClient's callback accepts any name with a private authority).
/// </summary>
internal sealed class ConnectionHandler : HttpMessageHandler
{
    private static readonly TimeSpan RecheckInterval = TimeSpan.FromSeconds(10);

    private readonly ApiConnection _connection;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IWriteFence? _fence;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private volatile Transport? _transport;
    private long _checkedAt;

    /// <param name="connection">Where the server is and who calls.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told of certificates that were read again.</param>
    /// <param name="fence">Asked before bytes are sent; null lets all through.</param>
    public ConnectionHandler(ApiConnection connection, TimeProvider time, ILogger logger, IWriteFence? fence = null)
    {
        _fence = fence;
        _connection = connection;
        _time = time;
        _logger = logger;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var transport = await CurrentAsync(cancellationToken);
        if (_connection.TlsServerName is { } name)
        {
            request.Headers.Host = name;
        }

        try
        {
            return await transport.Invoker.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException e) when (e.InnerException is AuthenticationException)
        {
            // Perhaps the authority was just replaced: look at the files at the next request, not in ten seconds.
            Volatile.Write(ref _checkedAt, 0);
            throw;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _transport?.Invoker.Dispose();
            _gate.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<Transport> CurrentAsync(CancellationToken cancellationToken)
    {
        if (_transport is { } fresh && !IsDue())
        {
            return fresh;
        }

        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_transport is { } current)
            {
                if (IsDue())
                {
                    await ReloadAsync(current, cancellationToken);
                }
            }
            else
            {
                var first = await MaterialAsync(cancellationToken);
                _transport = new Transport(new HttpMessageInvoker(CreateHandler(first)), first.Hash);
                Volatile.Write(ref _checkedAt, _time.GetTimestamp());
            }

            return _transport;
        }
        finally
        {
            _gate.Release();
        }
    }

    // A time stamp of zero means "check now".
    private bool IsDue()
    {
        var at = Volatile.Read(ref _checkedAt);
        return (_connection.CaFile is not null || _connection.ClientCertificateFile is not null)
            && (at == 0 || _time.GetElapsedTime(at) >= RecheckInterval);
    }

    private async Task ReloadAsync(Transport current, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _checkedAt, Math.Max(1, _time.GetTimestamp()));
        try
        {
            var material = await MaterialAsync(cancellationToken);
            if (material.Hash != current.Hash)
            {
                // The old transport is left to its running watches; its idle connections time out by themselves.
                _transport = new Transport(new HttpMessageInvoker(CreateHandler(material)), material.Hash);
                _logger.LogInformation("The certificates for {Server} changed on disk and were read again", _connection.Server);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            _logger.LogWarning(e, "The certificates for {Server} could not be read again; the previous ones stay in use", _connection.Server);
        }
    }

    private async Task<Material> MaterialAsync(CancellationToken cancellationToken)
    {
        var ca = _connection.CaFile is { } caFile ? await File.ReadAllTextAsync(caFile, cancellationToken) : _connection.CaPem;
        var cert = _connection.ClientCertificateFile is { } certFile
            ? await File.ReadAllTextAsync(certFile, cancellationToken)
            : _connection.ClientCertificatePem;
        var key = _connection.ClientKeyFile is { } keyFile ? await File.ReadAllTextAsync(keyFile, cancellationToken) : _connection.ClientKeyPem;
        var hash = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{ca}\0{cert}\0{key}")));
        return new Material(ca, cert, key, hash);
    }

    private SocketsHttpHandler CreateHandler(Material material)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(10),
            KeepAlivePingDelay = TimeSpan.FromSeconds(20),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            EnableMultipleHttp2Connections = true,
            AllowAutoRedirect = false,
            UseCookies = false,

            // Inside a cluster the network is cheaper than the server's time to compress a list of 250 MB.
            AutomaticDecompression = DecompressionMethods.None,
        };

        if (_fence is { } fence)
        {
            handler.ConnectCallback = async (context, cancellationToken) => new FencedStream(await ConnectAsync(context.DnsEndPoint, cancellationToken), fence);
        }

        if (_connection.SkipTlsVerify)
        {
#pragma warning disable CA5359 // the user asked for exactly this in the kubeconfig
            handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else if (material.Ca is { } pem)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPem(pem);
            if (policy.CustomTrustStore.Count == 0)
            {
                throw new CryptographicException("the CA bundle holds no certificate");
            }

            handler.SslOptions.CertificateChainPolicy = policy;
        }

        if (material.Certificate is { } certificate && material.Key is { } key)
        {
            var client = X509Certificate2.CreateFromPem(certificate, key);
            handler.SslOptions.ClientCertificates = [client];
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => client;
        }

        return handler;
    }

    private static async Task<NetworkStream> ConnectAsync(DnsEndPoint server, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private sealed record Material(string? Ca, string? Certificate, string? Key, string Hash);

    private sealed record Transport(HttpMessageInvoker Invoker, string Hash);
}
