using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using IndexOperator.Runtime;
using k8s;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IndexOperator.Integration.Harness;

/// <summary>A request that an operator sent.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">The path with its query.</param>
/// <param name="Body">What it carries; empty where nothing.</param>
public sealed record SentRequest(string Method, string Path, string Body)
{
    /// <summary>True when it changes something.</summary>
    public bool IsWrite => Method != "GET";
}

/// <summary>
/// Stands between one operator and the API server: keeps what was sent, and can cut the line at an exact request, so that "killed
/// right after the Job was created" is not a matter of luck. The operator's own credentials pass through.
/// </summary>
public sealed class ApiProxy : IAsyncDisposable
{
    private readonly WebApplication _host;
    private readonly HttpMessageInvoker _server;
    private readonly Uri _target;
    private readonly ConcurrentQueue<SentRequest> _sent = new();
    private readonly TaskCompletionSource _wasCut = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _cut = new();

    private ApiProxy(WebApplication host, HttpMessageInvoker server, Uri target)
    {
        _host = host;
        _server = server;
        _target = target;
    }

    /// <summary>Where it listens.</summary>
    public Uri Address => new(_host.Urls.First());

    /// <summary>Everything that was sent, in order.</summary>
    public IReadOnlyCollection<SentRequest> Sent => _sent;

    /// <summary>Completes when the line was cut.</summary>
    public Task WasCut => _wasCut.Task;

    /// <summary>Cuts the line after the server has carried out the first such request, before its answer arrives; null for never.</summary>
    public Func<SentRequest, bool>? CutAfter { get; set; }

    /// <summary>Cuts the line instead of passing on the first such request; null for never.</summary>
    public Func<SentRequest, bool>? CutBefore { get; set; }

    /// <summary>Starts a proxy before the API server of a kubeconfig.</summary>
    public static async Task<ApiProxy> StartAsync(string kubeconfig)
    {
        var config = KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig);
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false };

        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(config.SslCaCerts);
        handler.SslOptions.CertificateChainPolicy = policy;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        var proxy = new ApiProxy(builder.Build(), new HttpMessageInvoker(handler), ApiConnection.From(config).Server);
        proxy._host.Run(proxy.ForwardAsync);
        await proxy._host.StartAsync();
        return proxy;
    }

    /// <summary>Cuts the line now: nothing goes out any more, and watches break.</summary>
    public void Cut()
    {
        _cut.Cancel();
        _wasCut.TrySetResult();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Cut();
        try
        {
            await _host.StopAsync(new CancellationToken(canceled: true));
        }
        catch (OperationCanceledException)
        {
        }

        await _host.DisposeAsync();
        _server.Dispose();
    }

    private async Task ForwardAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var sent = new SentRequest(context.Request.Method, context.Request.Path + context.Request.QueryString, await reader.ReadToEndAsync());
        if (CutBefore?.Invoke(sent) == true)
        {
            Cut();
        }

        if (_cut.IsCancellationRequested)
        {
            context.Abort();
            return;
        }

        _sent.Enqueue(sent);
        try
        {
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _cut.Token);
            await ForwardAsync(context, sent, linked.Token);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or HttpRequestException)
        {
            context.Abort();
        }
    }

    private async Task ForwardAsync(HttpContext context, SentRequest sent, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(new HttpMethod(sent.Method), new Uri(_target, sent.Path.TrimStart('/')));
        if (sent.IsWrite)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(sent.Body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", context.Request.ContentType);
        }

        request.Headers.TryAddWithoutValidation("Authorization", (string?)context.Request.Headers.Authorization);
        request.Headers.TryAddWithoutValidation("Accept", (string?)context.Request.Headers.Accept);
        using var answer = await _server.SendAsync(request, cancellation);
        if (CutAfter?.Invoke(sent) == true)
        {
            Cut();
        }

        cancellation.ThrowIfCancellationRequested();
        context.Response.StatusCode = (int)answer.StatusCode;
        context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
        await context.Response.StartAsync(cancellation);
        using var stream = await answer.Content.ReadAsStreamAsync(cancellation);
        var buffer = new byte[16 * 1024];
        while (await stream.ReadAsync(buffer, cancellation) is > 0 and var count)
        {
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, count), cancellation);
            await context.Response.Body.FlushAsync(cancellation);
        }
    }
}
