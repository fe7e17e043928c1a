using IndexOperator.Runtime;
using k8s;
using k8s.Models;

namespace IndexOperator.Operator;

/// <summary>What the operator may do with one resource, and what for.</summary>
/// <param name="Group">The API group; empty for the core group.</param>
/// <param name="Resource">The plural, with a subresource as in <c>pods/log</c>.</param>
/// <param name="Verbs">What it does.</param>
/// <param name="Why">What for, for whoever reads the role.</param>
public sealed record AccessRule(string Group, string Resource, IReadOnlyList<string> Verbs, string Why)
{
    /// <summary>The one object that this is about; null for all.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// The admission plugin of API servers that asks whether the operator may do this; null where a request of the operator asks for it.
    /// No request with such a verb is ever sent, so no audit log shows it.
    /// </summary>
    public string? AskedBy { get; init; }

    /// <summary>A permission for a resource, or for one of its subresources.</summary>
    public static AccessRule For<T>(ResourceType<T> type, string? subresource, string why, params string[] verbs)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(type);
        return new AccessRule(type.Group, subresource is null ? type.Plural : $"{type.Plural}/{subresource}", verbs, why);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{string.Join(',', Verbs)} {Resource}{(Group.Length == 0 ? "" : "." + Group)}{(Name is null ? "" : $" {Name}")}";
}
