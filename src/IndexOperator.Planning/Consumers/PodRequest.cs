using System.Text.Json.Nodes;
using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>What a pod asks for, by its label and annotations.</summary>
/// <param name="IndexName">The PretrainIndex.</param>
/// <param name="Containers">The containers that get it; null for all main containers.</param>
/// <param name="Version">The version that it is pinned to already; null for the current one.</param>
/// <param name="IsStaged">Whether the version is copied to a RAM disk.</param>
/// <param name="StagingBytes">The size of the RAM disk; null to take it from the version.</param>
internal sealed record PodRequest(string IndexName, IReadOnlyList<string>? Containers, string? Version, bool IsStaged, long? StagingBytes)
{
    private const string Memory = "Memory";

    /// <summary>Whether the pod asks for an index at all.</summary>
    public static bool IsMade(JsonObject pod) => ((pod["metadata"] as JsonObject)?["labels"] as JsonObject)?.ContainsKey(Labels.Index) == true;

    /// <summary>Reads the request; the refusal where it makes no sense, whatever the index is.</summary>
    public static InjectionResult.Refused? Read(JsonObject pod, out PodRequest request)
    {
        var label = PodJson.Label(pod, Labels.Index) ?? "";
        var (staging, size) = (PodJson.Annotation(pod, Annotations.Staging), PodJson.Annotation(pod, Annotations.StagingSize));
        var bytes = size is null ? null : Quantity.Bytes(size);
        request = new(label, Names(PodJson.Annotation(pod, Annotations.Containers)), PodJson.Annotation(pod, Annotations.Version), staging is not null, bytes);
        return label.Contains('/', StringComparison.Ordinal)
                ? new($"Label {Labels.Index} is {PodJson.Quote(label)}. An index and its claims are of the pod's own namespace: write the name alone, and create the PretrainIndex in the pod's namespace.")
            : !DnsName.IsOne(label)
                ? new($"Label {Labels.Index} is {PodJson.Quote(label)}, which no PretrainIndex can be called. Write its name as kubectl get pti prints it.")
            : request.Containers is { Count: 0 }
                ? new($"Annotation {Annotations.Containers} names no container. Write their names, separated by commas, or remove it: all main containers then get the index.")
            : request.Version is { } version && !BuildAttempt.IsVersion(version)
                ? new($"Annotation {Annotations.Version} is {PodJson.Quote(version)}, and a version is 20 hex digits. Remove it to get the current version, or copy one from the status of PretrainIndex {label}.")
            : staging is not (null or Memory)
                ? new($"Annotation {Annotations.Staging} is {PodJson.Quote(staging)}. \"{Memory}\" is the only value; remove the annotation to read the index from its volume.")
            : size is not null && bytes is not > 0
                ? new($"Annotation {Annotations.StagingSize} is {PodJson.Quote(size)}, which is no size. Write for example 2Gi.")
            : null;
    }

    private static List<string>? Names(string? annotation) =>
        annotation?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct().ToList();
}

/// <summary>Names of objects and claims.</summary>
internal static class DnsName
{
    /// <summary>Whether a text is a DNS subdomain as Kubernetes understands it.</summary>
    public static bool IsOne(string? text) => text is { Length: > 0 and <= 253 } && text.Split('.').All(IsLabel);

    private static bool IsLabel(string part) =>
        part.Length > 0 && part[0] != '-' && part[^1] != '-' && part.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character == '-');
}
