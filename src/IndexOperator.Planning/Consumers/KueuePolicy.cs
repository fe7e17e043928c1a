using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>What a template of a workload asks for.</summary>
/// <param name="Index">The name of the index.</param>
/// <param name="DataVersion">The data version that it insists on; null when any will do.</param>
/// <param name="Version">The version that it is pinned to; null when the index decides.</param>
public sealed record IndexAsk(string Index, string? DataVersion, string? Version)
{
    /// <summary>What a pod template asks for; null when it uses no index.</summary>
    public static IndexAsk? Of(IDictionary<string, string>? labels, IDictionary<string, string>? annotations) =>
        Value(labels, Labels.Index) is { } index ? new IndexAsk(index, Value(annotations, Annotations.DataVersion), Value(annotations, Annotations.Version)) : null;

    private static string? Value(IDictionary<string, string>? map, string key) => map?.TryGetValue(key, out var value) == true && value.Length > 0 ? value : null;
}

/// <summary>
/// Kueue's gate before admission (KEP-6915): an annotation on the job, a list of names separated by commas. Whoever gates takes its own name
/// off; Kueue copies the list to the Workload and reserves no quota while there is one.
/// </summary>
public static class KueuePolicy
{
    /// <summary>The annotation.</summary>
    public const string GatedBy = "kueue.x-k8s.io/admission-gated-by";

    /// <summary>The label that puts a job into a queue.</summary>
    public const string QueueName = "kueue.x-k8s.io/queue-name";

    /// <summary>Our name in the list.</summary>
    public const string Gate = SchedulingGates.IndexReady;

    /// <summary>True when the list has our name.</summary>
    public static bool IsGated(IDictionary<string, string>? annotations) => annotations?.TryGetValue(GatedBy, out var list) == true && IsGated(list);

    /// <inheritdoc cref="IsGated(IDictionary{string, string}?)"/>
    public static bool IsGated(string list) => Names(list).Contains(Gate);

    /// <summary>The list without our name; null when nothing is left, and the annotation goes.</summary>
    public static string? Without(string list) => Join(Names(list).Where(name => name != Gate));

    /// <summary>The list with our name.</summary>
    public static string With(string? list) => Join(Names(list ?? "").Append(Gate).Distinct())!;

    /// <summary>True when pods of such a template would be opened at once.</summary>
    public static bool IsServed(PretrainIndex index, IndexAsk ask)
    {
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(ask);
        if (index.Metadata.DeletionTimestamp is not null || index.Status is not { Current: { } current } status)
        {
            return false;
        }

        var versions = (status.Previous ?? []).Prepend(current);
        return ask.Version is { } version ? versions.Any(kept => kept.Version == version)
            : ask.DataVersion is not { } asked || asked == index.Spec.DataVersion ? Shelf.IsReadyIn(index, status)
            : versions.Any(kept => kept.DataVersion == asked);
    }

    private static string[] Names(string list) => list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static string? Join(IEnumerable<string> names) => string.Join(',', names) is { Length: > 0 } list ? list : null;
}
