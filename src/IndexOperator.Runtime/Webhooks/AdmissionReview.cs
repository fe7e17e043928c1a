using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace IndexOperator.Runtime;

/// <summary>Reads and writes <c>AdmissionReview</c> of <c>admission.k8s.io/v1</c>. Whoever reaches the port may send one: it is hostile until read.</summary>
public static class AdmissionReview
{
    private const string ApiVersion = "admission.k8s.io/v1";
    private const string Kind = "AdmissionReview";
    private const int UidLimit = 128;

    // The longest name or namespace that Kubernetes knows; what is longer would only fill logs.
    private const int NameLimit = 253;

    /// <summary>Reads a question.</summary>
    /// <param name="body">The body of the request.</param>
    /// <param name="request">The question.</param>
    /// <param name="problem">What is wrong with it.</param>
    public static bool TryRead(
        ReadOnlySpan<byte> body, [NotNullWhen(true)] out AdmissionRequest? request, [NotNullWhen(false)] out string? problem)
    {
        request = null;
        AdmissionReviewBody? review;
        try
        {
            review = JsonSerializer.Deserialize(body, AdmissionJsonContext.Default.AdmissionReviewBody);
        }
        catch (Exception error) when (error is JsonException or ArgumentException or InvalidOperationException)
        {
            // Besides what the reader says of malformed JSON: a name that is there twice is an ArgumentException inside of an object.
            problem = $"the body is no {Kind}: {error.Message}";
            return false;
        }

        problem = review is null ? $"the body is no {Kind}: it is null"
            : review.Kind != Kind || review.ApiVersion != ApiVersion ? $"expected {Kind} of {ApiVersion}"
            : review.Request is not { } asked ? $"the {Kind} has no request"
            : asked.Uid is not { Length: > 0 and <= UidLimit } ? "request.uid is missing or too long"
            : asked.Kind is not { Kind.Length: > 0 and <= NameLimit } || asked.Operation is not { Length: > 0 and <= NameLimit } ? "request.kind or request.operation is missing or too long"
            : asked.Name?.Length > NameLimit || asked.Namespace?.Length > NameLimit ? "request.name or request.namespace is too long"
            : asked.Object is not (null or JsonObject) ? "request.object is no object"
            : null;
        if (problem is not null)
        {
            return false;
        }

        var read = review!.Request!;
        request = new AdmissionRequest
        {
            Uid = read.Uid!,
            Group = read.Kind!.Group ?? "",
            Kind = read.Kind.Kind!,
            SubResource = read.SubResource ?? "",
            Name = read.Name ?? "",
            Namespace = read.Namespace ?? "",
            Operation = read.Operation!,
            DryRun = read.DryRun ?? false,
            Entity = read.Object as JsonObject,
        };
        return true;
    }

    /// <summary>Writes the answer to a question.</summary>
    public static byte[] Write(string uid, AdmissionAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var response = new AdmissionResponseBody { Uid = uid, Allowed = answer.IsAllowed, Warnings = answer.Warnings.Count == 0 ? null : answer.Warnings };
        if (answer is { IsAllowed: true, Patch: { } patch })
        {
            response.PatchType = "JSONPatch";
            response.Patch = JsonSerializer.SerializeToUtf8Bytes(patch, AdmissionJsonContext.Default.JsonArray);
        }
        else if (!answer.IsAllowed)
        {
            response.Status = new StatusObject { Status = "Failure", Code = answer.Code, Reason = answer.Reason, Message = answer.Message };
        }

        return JsonSerializer.SerializeToUtf8Bytes(
            new AdmissionReviewBody { ApiVersion = ApiVersion, Kind = Kind, Response = response }, AdmissionJsonContext.Default.AdmissionReviewBody);
    }
}

/// <summary>Bodies of reviews. A name that is there twice is refused: two readers could take either.</summary>
[JsonSourceGenerationOptions(
    AllowDuplicateProperties = false,
    MaxDepth = 128,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AdmissionReviewBody))]
[JsonSerializable(typeof(JsonArray))]
internal sealed partial class AdmissionJsonContext : JsonSerializerContext;

internal sealed class AdmissionReviewBody
{
    public string? ApiVersion { get; set; }

    public string? Kind { get; set; }

    public AdmissionRequestBody? Request { get; set; }

    public AdmissionResponseBody? Response { get; set; }
}

internal sealed class AdmissionRequestBody
{
    public string? Uid { get; set; }

    public AdmissionKind? Kind { get; set; }

    public string? SubResource { get; set; }

    public string? Name { get; set; }

    public string? Namespace { get; set; }

    public string? Operation { get; set; }

    public bool? DryRun { get; set; }

    public JsonNode? Object { get; set; }
}

internal sealed class AdmissionKind
{
    public string? Group { get; set; }

    public string? Version { get; set; }

    public string? Kind { get; set; }
}

internal sealed class AdmissionResponseBody
{
    public string? Uid { get; set; }

    public bool Allowed { get; set; }

    public string? PatchType { get; set; }

    public byte[]? Patch { get; set; }

    public StatusObject? Status { get; set; }

    public IReadOnlyList<string>? Warnings { get; set; }
}
