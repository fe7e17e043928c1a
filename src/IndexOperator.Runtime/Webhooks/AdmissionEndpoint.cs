using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace IndexOperator.Runtime;

/// <summary>
/// The HTTP side of a webhook. Every question that can be read gets an answer within its deadline: an error, or a handler that takes too
/// long, becomes a refusal that says so. What cannot be read gets an HTTP error.
/// </summary>
public sealed class AdmissionEndpoint : IDisposable
{
    private readonly IAdmissionHandler _handler;
    private readonly WebhookSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RuntimeMetrics? _metrics;
    private readonly SemaphoreSlim _slots;

    /// <summary>Makes the endpoint of a handler.</summary>
    public AdmissionEndpoint(
        IAdmissionHandler handler, WebhookSettings settings, TimeProvider? time = null, ILogger<AdmissionEndpoint>? logger = null, RuntimeMetrics? metrics = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _handler = handler;
        _settings = settings;
        _time = time ?? TimeProvider.System;
        _logger = logger ?? NullLogger<AdmissionEndpoint>.Instance;
        _metrics = metrics;
        _slots = new SemaphoreSlim(settings.MaxConcurrent);
    }

    /// <summary>Answers one HTTP request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var started = _time.GetTimestamp();
        await AnswerAsync(context);
        _metrics?.Reviewed(_settings.Path, context.Response.StatusCode.ToString(CultureInfo.InvariantCulture), _time.GetElapsedTime(started).TotalSeconds);
    }

    /// <inheritdoc/>
    public void Dispose() => _slots.Dispose();

    private async Task AnswerAsync(HttpContext context)
    {
        if (context.Request.Path != _settings.Path)
        {
            await RefuseAsync(context, StatusCodes.Status404NotFound, $"only {_settings.Path} is here");
            return;
        }

        if (!HttpMethods.IsPost(context.Request.Method))
        {
            context.Response.Headers.Allow = HttpMethods.Post;
            await RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, "reviews come by POST");
            return;
        }

        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || type.MediaType != "application/json")
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "expected Content-Type application/json");
            return;
        }

        using var deadline = new CancellationTokenSource(DeadlineOf(context.Request), _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, deadline.Token);
        var taken = false;
        try
        {
            await _slots.WaitAsync(linked.Token);
            taken = true;
            await ReviewAsync(context, linked.Token);
        }
        catch (OperationCanceledException)
        {
            // It ran out before the question was read, so there is nobody to name in an answer.
            await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "the review was not read in time");
        }
        catch (Exception error) when (error is IOException or BadHttpRequestException)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "the body could not be read");
        }
        finally
        {
            if (taken)
            {
                _slots.Release();
            }
        }
    }

    private async Task ReviewAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (await ReadAsync(context.Request, cancellationToken) is not { } body)
        {
            await RefuseAsync(context, StatusCodes.Status413PayloadTooLarge, $"a review of more than {_settings.MaxBodyBytes} bytes");
            return;
        }

        if (!AdmissionReview.TryRead(body.Span, out var request, out var problem))
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, problem);
            return;
        }

        var answer = await DecideAsync(request, cancellationToken);
        if (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        _logger.LogDebug("{Request}: {Answer}", request, answer.IsAllowed ? answer.Patch is null ? "allowed" : "allowed with changes" : answer.Message);
        byte[] bytes;
        try
        {
            bytes = AdmissionReview.Write(request.Uid, answer);
        }
#pragma warning disable CA1031 // a patch that cannot be written must not become a bare 500
        catch (Exception error)
#pragma warning restore CA1031
        {
            bytes = AdmissionReview.Write(request.Uid, Failure(request, error));
        }

        context.Response.ContentType = "application/json";
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    private async Task<AdmissionAnswer> DecideAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        Task<AdmissionAnswer>? review = null;
        try
        {
            // Also for a handler that does not look at its token: the answer must not wait for it.
            review = _handler.ReviewAsync(request, cancellationToken);
            return await review.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            _ = review?.ContinueWith(
                late => _logger.LogDebug(late.Exception, "{Request} failed after its deadline", request),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted,
                TaskScheduler.Default);
            _logger.LogWarning("{Request} was refused: no decision within its deadline", request);
            return AdmissionAnswer.Fail(504, "the webhook came to no decision in time, probably because it could not reach the API server; try again");
        }
#pragma warning disable CA1031 // whatever failed, the one who asked must be told
        catch (Exception error)
#pragma warning restore CA1031
        {
            return Failure(request, error);
        }
    }

    private AdmissionAnswer Failure(AdmissionRequest request, Exception error)
    {
        _logger.LogError(error, "{Request} was refused because of an error", request);
        return AdmissionAnswer.Fail(500, $"the webhook failed: {error.Message}; try again, and if it stays so, look into its log");
    }

    // The server appends how long it will wait: ?timeout=10s.
    private TimeSpan DeadlineOf(HttpRequest request)
    {
        var text = request.Query["timeout"].ToString();
        if (!text.EndsWith('s') || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            return _settings.Deadline;
        }

        var told = TimeSpan.FromSeconds(seconds) * 0.8;
        return told < _settings.Deadline ? told : _settings.Deadline;
    }

    private async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > _settings.MaxBodyBytes)
        {
            return null;
        }

        var buffer = new byte[16 * 1024];
        var length = 0;
        while (await request.Body.ReadAsync(buffer.AsMemory(length), cancellationToken) is > 0 and var read)
        {
            length += read;
            if (length > _settings.MaxBodyBytes)
            {
                return null;
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }
        }

        return buffer.AsMemory(0, length);
    }

    private static async Task RefuseAsync(HttpContext context, int code, string why)
    {
        if (context.RequestAborted.IsCancellationRequested || context.Response.HasStarted)
        {
            return;
        }

        Debug.Assert(code >= 400, "an error");
        context.Response.StatusCode = code;
        context.Response.ContentType = "text/plain";
        await context.Response.WriteAsync(why, context.RequestAborted);
    }
}
