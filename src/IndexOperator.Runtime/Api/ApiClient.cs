using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace IndexOperator.Runtime;

/// <summary>
/// A thin client of the Kubernetes API. It takes configuration, credentials and models from KubernetesClient and keeps
/// the wire to itself: every body is read asynchronously under a time-out, every refusal becomes an
/// <see cref="ApiException"/>, a request that ran out of time becomes a <see cref="TimeoutException"/>.
/// </summary>
public sealed partial class ApiClient : IDisposable
{
    private readonly ApiConnection _connection;
    private readonly ApiClientOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RuntimeMetrics? _metrics;
    private readonly TokenBucket _limiter;
    private readonly BearerTokenFile? _token;
    private readonly HttpMessageInvoker _http;
    private readonly HttpMessageInvoker _writes;
    private readonly IWriteFence? _fence;

    /// <summary>Makes a client; it connects at the first request.</summary>
    /// <param name="connection">Where the server is and who calls.</param>
    /// <param name="options">How it behaves.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told of pauses that the server asks for.</param>
    /// <param name="metrics">Counts requests.</param>
    /// <param name="fence">Asked before each write, whose User-Agent then carries the term; null lets all through.</param>
    public ApiClient(
        ApiConnection connection,
        ApiClientOptions? options = null,
        TimeProvider? time = null,
        ILogger<ApiClient>? logger = null,
        RuntimeMetrics? metrics = null,
        IWriteFence? fence = null)
    {
        ArgumentNullException.ThrowIfNull(connection);
        _connection = connection;
        _options = options ?? new ApiClientOptions();
        _time = time ?? TimeProvider.System;
        _logger = logger ?? NullLogger<ApiClient>.Instance;
        _metrics = metrics;
        _fence = fence;
        _limiter = new TokenBucket(_options.RequestsPerSecond, _options.RequestBurst, _time);
        _token = connection.TokenFile is { } file ? new BearerTokenFile(file, _time) : null;
        _http = new HttpMessageInvoker(new ConnectionHandler(connection, _time, _logger));

        // Connections of their own: those that read go on when a term ends.
        _writes = fence is null ? _http : new HttpMessageInvoker(new ConnectionHandler(connection, _time, _logger, fence));
    }

    /// <summary>Who writes.</summary>
    public string FieldManager => _options.FieldManager;

    /// <summary>The namespace this process belongs to, if known.</summary>
    public string? Namespace => _connection.Namespace;

    /// <summary>Closes connections.</summary>
    public void Dispose()
    {
        _http.Dispose();
        _writes.Dispose();
    }

    private static ByteArrayContent Json<TBody>(TBody body, JsonTypeInfo<TBody> info, string mediaType = "application/json")
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, info));
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        return content;
    }

    private static ByteArrayContent ApplyContent<TBody>(TBody body, JsonTypeInfo<TBody> info)
    {
        var content = new ByteArrayContent(YamlText.FromJson(JsonSerializer.SerializeToUtf8Bytes(body, info)));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/apply-patch+yaml");
        return content;
    }

    private static ByteArrayContent Json(string body, string mediaType)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        return content;
    }

    private async Task<TResult> ExecuteAsync<TResult>(
        HttpMethod method,
        string path,
        Func<HttpContent>? body,
        Func<HttpResponseMessage, CancellationToken, Task<TResult>> read,
        TimeSpan timeout,
        CancellationToken cancellationToken)
    {
        for (var tries = 0; ; tries++)
        {
            await _limiter.WaitAsync(cancellationToken);
            using var deadline = new CancellationTokenSource(timeout, _time);
            WriteTerm? term = method == HttpMethod.Get ? null : _fence?.Enter();
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token, term?.Token ?? CancellationToken.None);
            ApiException refusal;
            try
            {
                using var response = await SendOnceAsync(method, path, body, linked.Token);
                if (response.IsSuccessStatusCode)
                {
                    return await read(response, linked.Token);
                }

                refusal = await ApiException.FromResponseAsync(response, $"{method} {path}", _time, linked.Token);
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException(string.Create(CultureInfo.InvariantCulture, $"{method} {path} took longer than {timeout.TotalSeconds} s"));
            }
            catch (OperationCanceledException e) when (term?.Token.IsCancellationRequested == true && !cancellationToken.IsCancellationRequested)
            {
                throw new LeadershipLostException($"{method} {path} was cut short: the term is over", e);
            }

            catch (HttpRequestException e) when (term is not null && IsFenced(e))
            {
                throw new LeadershipLostException($"{method} {path} was stopped at the connection: the term is over", e);
            }

            await BeforeRetryAsync(refusal, tries, cancellationToken);
        }
    }

    private static bool IsFenced(Exception? error) => error is LeadershipLostException || (error is not null && IsFenced(error.InnerException));

    /// <summary>Waits as long as the server asked to, or throws the refusal when repeating cannot help.</summary>
    private async Task BeforeRetryAsync(ApiException refusal, int tries, CancellationToken cancellationToken)
    {
        if (refusal.Code == 401 && tries == 0 && _token is not null)
        {
            _token.Invalidate();
            return;
        }

        var mayRetry = refusal.Code == 429 || (refusal.Code >= 500 && refusal.RetryAfter is not null);
        if (!mayRetry || tries >= _options.MaxRetries)
        {
            throw refusal;
        }

        var wait = refusal.RetryAfter ?? TimeSpan.FromSeconds(1);
        wait = wait > _options.MaxRetryAfter ? _options.MaxRetryAfter : wait;
        _logger.LogDebug("The server asks to wait {Wait} ({Code})", wait, refusal.Code);
        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, _time, cancellationToken);
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpMethod method, string path, Func<HttpContent>? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(_connection.Server, path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
            Content = body?.Invoke(),
        };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (_token is not null)
        {
            request.Headers.Authorization = await _token.GetAsync(cancellationToken);
        }
        else if (_connection.Credentials is { } credentials)
        {
            await credentials.ProcessHttpRequestAsync(request, cancellationToken);
        }

        // Nothing that can wait comes after this; what may still hold the request up on its way, the connection's own fence catches.
        var agent = _options.UserAgent;
        if (method != HttpMethod.Get && _fence?.Enter() is { } term)
        {
            agent = string.Create(CultureInfo.InvariantCulture, $"{agent} ({term.Identity}; term {term.Number})");
        }

        request.Headers.TryAddWithoutValidation("User-Agent", agent);
        try
        {
            var response = await (method == HttpMethod.Get ? _http : _writes).SendAsync(request, cancellationToken);
            _metrics?.RestRequest(((int)response.StatusCode).ToString(CultureInfo.InvariantCulture), method.Method);
            return response;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _metrics?.RestRequest("<error>", method.Method);
            throw;
        }
    }

    private static string WithQuery(string path, params ReadOnlySpan<(string Name, string? Value)> query)
    {
        var text = new StringBuilder(path);
        var separator = '?';
        foreach (var (name, value) in query)
        {
            if (!string.IsNullOrEmpty(value))
            {
                text.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
                separator = '&';
            }
        }

        return text.ToString();
    }

    private static Func<HttpResponseMessage, CancellationToken, Task<TResult>> ReadAs<TResult>(JsonTypeInfo<TResult> info) =>
        async (response, token) =>
        {
            using var stream = await response.Content.ReadAsStreamAsync(token);
            return await JsonSerializer.DeserializeAsync(stream, info, token) ?? throw new JsonException("the server answered with null");
        };
}
