using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace IndexOperator.Runtime;

/// <summary>The API server refused a request: its Status, parsed once.</summary>
public sealed class ApiException : Exception
{
    private const int BodyLimit = 64 * 1024;

    /// <summary>Makes an exception from the parts of a Status.</summary>
    public ApiException(int code, string reason, string message, TimeSpan? retryAfter = null)
        : base(message)
    {
        Code = code;
        Reason = reason;
        RetryAfter = retryAfter;
    }

    /// <summary>The HTTP status code.</summary>
    public int Code { get; }

    /// <summary>The machine-readable reason, like <c>NotFound</c>; may be empty.</summary>
    public string Reason { get; }

    /// <summary>How long the server asks to wait, if it said.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>There is no such object, or no such resource on this server.</summary>
    public bool IsNotFound => Code == 404;

    /// <summary>The object changed in between, or a field belongs to another manager.</summary>
    public bool IsConflict => Code == 409 && Reason != "AlreadyExists";

    /// <summary>An object of this name exists.</summary>
    public bool IsAlreadyExists => Code == 409 && Reason == "AlreadyExists";

    /// <summary>The resource version or continue token is too old.</summary>
    public bool IsGone => Code == 410 || Reason is "Expired" or "Gone";

    /// <summary>Not allowed.</summary>
    public bool IsForbidden => Code == 403;

    /// <summary>The object does not pass validation.</summary>
    public bool IsInvalid => Code == 422 || Reason == "Invalid";

    /// <summary>The server is too busy.</summary>
    public bool IsTooManyRequests => Code == 429;

    internal static ApiException FromStatus(StatusObject? status, string what) => new(
        status?.Code ?? 0,
        status?.Reason ?? "",
        string.IsNullOrEmpty(status?.Message) ? $"{what} failed: {status?.Reason ?? "no reason given"}" : status.Message,
        status?.Details?.RetryAfterSeconds is > 0 and var seconds ? TimeSpan.FromSeconds(seconds) : null);

    internal static async Task<ApiException> FromResponseAsync(HttpResponseMessage response, string what, TimeProvider time, CancellationToken cancellationToken)
    {
        var body = await ReadBoundedAsync(response.Content, cancellationToken);
        var status = default(StatusObject);
        try
        {
            status = JsonSerializer.Deserialize(body.Span, RuntimeJsonContext.Default.StatusObject);
        }
        catch (JsonException)
        {
            // A proxy in front of the server answers in its own words: they become the message below.
        }

        var text = status?.Message;
        if (string.IsNullOrEmpty(text))
        {
            text = Encoding.UTF8.GetString(body.Span[..Math.Min(body.Length, 1024)]).Trim();
        }

        var code = (int)response.StatusCode;
        var retryAfter = RetryAfterOf(response, time)
            ?? (status?.Details?.RetryAfterSeconds is > 0 and var seconds ? TimeSpan.FromSeconds(seconds) : null);
        var reason = status?.Reason ?? DefaultReason(response.StatusCode);
        var number = code.ToString(CultureInfo.InvariantCulture);
        return new ApiException(code, reason, $"{what}: {number} {reason}: {text}", retryAfter);
    }

    internal static TimeSpan? RetryAfterOf(HttpResponseMessage response, TimeProvider time)
    {
        var header = response.Headers.RetryAfter;
        var wait = header?.Delta ?? (header?.Date is { } date ? date - time.GetUtcNow() : null);
        return wait is { } given && given < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    private static string DefaultReason(HttpStatusCode code) => code switch
    {
        HttpStatusCode.NotFound => "NotFound",
        HttpStatusCode.Forbidden => "Forbidden",
        HttpStatusCode.Unauthorized => "Unauthorized",
        HttpStatusCode.Conflict => "Conflict",
        HttpStatusCode.Gone => "Gone",
        _ => "",
    };

    private static async Task<ReadOnlyMemory<byte>> ReadBoundedAsync(HttpContent content, CancellationToken cancellationToken)
    {
        using var stream = await content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[4096];
        var length = 0;
        while (length < BodyLimit)
        {
            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }

            var read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken);
            if (read == 0)
            {
                break;
            }

            length += read;
        }

        return buffer.AsMemory(0, length);
    }
}
