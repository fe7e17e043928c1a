using System.Text.Json.Nodes;

namespace IndexOperator.Runtime;

/// <summary>What the API server asks: may this object be, and as what?</summary>
public sealed record AdmissionRequest
{
    /// <summary>Names the question; the answer repeats it.</summary>
    public required string Uid { get; init; }

    /// <summary>API group of the object; empty for the core group.</summary>
    public string Group { get; init; } = "";

    /// <summary>Kind of the object, like <c>Pod</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Like <c>status</c>; empty for the object itself.</summary>
    public string SubResource { get; init; } = "";

    /// <summary>Name of the object; empty where the server is yet to generate one.</summary>
    public string Name { get; init; } = "";

    /// <summary>Namespace of the object; empty for a cluster-scoped one. What is inside the object may lack it.</summary>
    public string Namespace { get; init; } = "";

    /// <summary><c>CREATE</c>, <c>UPDATE</c>, <c>DELETE</c> or <c>CONNECT</c>.</summary>
    public required string Operation { get; init; }

    /// <summary>Nothing will be stored: the answer must have no effect either.</summary>
    public bool DryRun { get; init; }

    /// <summary>The object as it was sent; null where there is none (a deletion). Never changed: the patch is the difference to it.</summary>
    public JsonObject? Entity { get; init; }

    /// <summary>What the question is about, for messages.</summary>
    public override string ToString() => $"{Operation} {Kind} {Namespace}/{(Name.Length > 0 ? Name : "<generated>")}";
}

/// <summary>Answers reviews.</summary>
public interface IAdmissionHandler
{
    /// <summary>Decides. What it throws becomes a refusal.</summary>
    /// <param name="request">The question.</param>
    /// <param name="cancellationToken">Cancelled when the answer would come too late.</param>
    Task<AdmissionAnswer> ReviewAsync(AdmissionRequest request, CancellationToken cancellationToken);
}

/// <summary>An answer: allowed, allowed with changes, or refused.</summary>
public sealed record AdmissionAnswer
{
    private AdmissionAnswer()
    {
    }

    /// <summary>Whether the object may be.</summary>
    public bool IsAllowed { get; private init; }

    /// <summary>Changes to the object, as RFC 6902 has them; null for none.</summary>
    public JsonArray? Patch { get; private init; }

    /// <summary>HTTP code of a refusal.</summary>
    public int Code { get; private init; }

    /// <summary>Reason of a refusal, in Kubernetes' words.</summary>
    public string Reason { get; private init; } = "";

    /// <summary>Why it was refused, for people.</summary>
    public string Message { get; private init; } = "";

    /// <summary>Shown by kubectl to whoever sent the object.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The object may be as it is.</summary>
    public static AdmissionAnswer Allow(params IReadOnlyList<string> warnings) => new() { IsAllowed = true, Warnings = warnings };

    /// <summary>The object may be with these changes.</summary>
    /// <param name="before">The object as it was sent.</param>
    /// <param name="after">As it should be.</param>
    /// <param name="warnings">Shown by kubectl.</param>
    public static AdmissionAnswer Change(JsonObject before, JsonObject after, params IReadOnlyList<string> warnings)
    {
        var patch = JsonPatch.Between(before, after);
        return new() { IsAllowed = true, Patch = patch.Count == 0 ? null : patch, Warnings = warnings };
    }

    /// <summary>The object may not be now: what it needs is not there.</summary>
    public static AdmissionAnswer Forbid(string message) => new() { Code = 403, Reason = "Forbidden", Message = message };

    /// <summary>The object may never be: something in it must be changed.</summary>
    public static AdmissionAnswer Invalid(string message) => new() { Code = 422, Reason = "Invalid", Message = message };

    /// <summary>Nothing could be decided.</summary>
    public static AdmissionAnswer Fail(int code, string message) =>
        new() { Code = code, Reason = code == 504 ? "Timeout" : "InternalError", Message = message };
}
