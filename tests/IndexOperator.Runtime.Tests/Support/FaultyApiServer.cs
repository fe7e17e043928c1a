using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IndexOperator.Runtime.Tests;

/// <summary>
/// A small API server in the process: any resource, list with pages, watch with bookmarks, writes with preconditions,
/// finalizers, and faults that a real server cannot be made to have.
/// </summary>
internal sealed class FaultyApiServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly FakeObjects _objects = new();
    private readonly List<Func<HttpContext, Task<bool>>> _faults = [];
    private readonly ConcurrentDictionary<Guid, HttpContext> _watches = new();
    private volatile CancellationTokenSource _closing = new();

    private FaultyApiServer(X509Certificate2? certificate)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = certificate is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }
        }));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.Zero);
        _app = builder.Build();
        _app.Run(HandleAsync);
    }

    public Uri Address => new(_app.Urls.First());

    public ConcurrentQueue<SeenRequest> Requests { get; } = new();

    public int OpenWatches => _watches.Count;

    public static async Task<FaultyApiServer> StartAsync(X509Certificate2? certificate = null)
    {
        var server = new FaultyApiServer(certificate);
        await server._app.StartAsync();
        return server;
    }

    public ApiClient Client(TimeProvider? time = null, ApiClientOptions? options = null, IWriteFence? fence = null) =>
        new(new ApiConnection(Address) { Namespace = "default" }, options ?? new ApiClientOptions { RequestsPerSecond = 0 }, time, fence: fence);

    public JsonObject Put(string collection, string ns, string name, JsonObject? rest = null) => _objects.Put(collection, ns, name, rest);

    public void Remove(string collection, string ns, string name) => _objects.Remove(collection, ns, name);

    public JsonObject? Find(string collection, string ns, string name) => _objects.Find(collection, ns, name);

    public IReadOnlyList<JsonObject> All(string collection) => _objects.List(collection, null).Items;

    public void Bookmark(string collection) => _objects.Bookmark(collection);

    public void Compact() => _objects.Compact();

    public string Version => _objects.Version;

    /// <summary>Ends all watches without a word, as their time-out does.</summary>
    public void CloseWatches() => Interlocked.Exchange(ref _closing, new CancellationTokenSource()).Cancel();

    public void AbortWatches()
    {
        foreach (var context in _watches.Values)
        {
            try
            {
                context.Abort();
            }
            catch (ObjectDisposedException)
            {
                // Its client went away by itself, a moment before.
            }
        }
    }

    /// <summary>The next requests that match are answered by the fault instead.</summary>
    public void Fault(Func<HttpRequest, bool> matches, Func<HttpContext, Task> fault, int times = 1)
    {
        lock (_faults)
        {
            _faults.Add(async context =>
            {
                if (!matches(context.Request) || Interlocked.Decrement(ref times) < 0)
                {
                    return false;
                }

                await fault(context);
                return true;
            });
        }
    }

    public async ValueTask DisposeAsync()
    {
        CloseWatches();
        AbortWatches();
        await _app.DisposeAsync();
    }

    public static Task StatusAsync(HttpContext context, int code, string reason, string message = "made up", int? retryAfter = null)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        if (retryAfter is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        return context.Response.WriteAsync(FakeObjects.Status(code, reason, message).ToJsonString());
    }

    private async Task HandleAsync(HttpContext context)
    {
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        var request = context.Request;
        using var reader = new StreamReader(request.Body);
        var body = await reader.ReadToEndAsync();
        Requests.Enqueue(new SeenRequest(request.Method, request.Path, request.QueryString.Value ?? "", request.ContentType ?? "", body, request.Headers.UserAgent.ToString()));
        Func<HttpContext, Task<bool>>[] faults;
        lock (_faults)
        {
            faults = [.. _faults];
        }

        foreach (var fault in faults)
        {
            if (await fault(context))
            {
                return;
            }
        }

        var target = FakePath.Parse(request.Path);
        if (request.Method == "GET" && request.Query.ContainsKey("watch"))
        {
            await WatchAsync(context, target);
            return;
        }

        var (code, answer) = _objects.Handle(request, target, body);
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(answer.ToJsonString());
    }

    private async Task WatchAsync(HttpContext context, FakePath target)
    {
        var id = Guid.NewGuid();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _closing.Token);
        context.Response.ContentType = "application/json";
        await context.Response.Body.FlushAsync();
        _watches[id] = context;
        try
        {
            var from = long.Parse(context.Request.Query["resourceVersion"].ToString(), CultureInfo.InvariantCulture);
            await foreach (var line in _objects.WatchAsync(target.Collection, target.Namespace, from, ended.Token))
            {
                await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), ended.Token);
                await context.Response.Body.FlushAsync(ended.Token);
            }
        }
        catch (OperationCanceledException)
        {
        }
        finally
        {
            _watches.TryRemove(id, out _);
        }
    }
}

internal sealed record SeenRequest(string Method, string Path, string Query, string ContentType, string Body, string UserAgent);

/// <summary>The parts of a path of the API.</summary>
internal sealed record FakePath(string Collection, string? Namespace, string? Name, string? Subresource)
{
    public static FakePath Parse(string path)
    {
        var parts = path.Trim('/').Split('/').Select(Uri.UnescapeDataString).ToArray();
        var at = parts[0] == "api" ? 2 : 3;
        var prefix = string.Join('/', parts[..at]);
        var ns = default(string);
        if (parts.Length > at + 2 && parts[at] == "namespaces")
        {
            ns = parts[at + 1];
            at += 2;
        }

        return new FakePath($"{prefix}/{parts[at]}", ns, parts.ElementAtOrDefault(at + 1), parts.ElementAtOrDefault(at + 2));
    }
}
