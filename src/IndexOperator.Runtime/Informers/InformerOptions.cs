using k8s;
using k8s.Models;

namespace IndexOperator.Runtime;

/// <summary>What an informer keeps, and how patient it is.</summary>
public sealed record InformerOptions<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>
    /// Tells informers of the same type apart (pods that build, pods that consume). A named one is found in dependency
    /// injection as a keyed service.
    /// </summary>
    public string Name { get; init; } = "";

    /// <summary>Namespaces to look at; empty means all, null means those of the operator's settings.</summary>
    public IReadOnlyList<string>? Namespaces { get; init; }

    /// <summary>A label selector in kubectl's syntax.</summary>
    public string? LabelSelector { get; init; }

    /// <summary>A field selector in kubectl's syntax.</summary>
    public string? FieldSelector { get; init; }

    /// <summary>Objects a page.</summary>
    public int PageSize { get; init; } = 500;

    /// <summary>Applied to each object before it is stored: keep only what is needed.</summary>
    public Func<T, T>? Transform { get; init; }

    /// <summary>Indexes to keep, by name.</summary>
    public IReadOnlyDictionary<string, Func<T, IEnumerable<string>>> Indexes { get; init; } = new Dictionary<string, Func<T, IEnumerable<string>>>();

    /// <summary>Whether to keep the index behind <see cref="Store{T}.OwnedBy"/>.</summary>
    public bool IndexOwners { get; init; } = true;

    /// <summary>The server is asked to end a watch after between one and two times this long.</summary>
    public TimeSpan WatchTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How much later this side ends a watch that the server did not.</summary>
    public TimeSpan IdleGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Pause after the first failure in a row.</summary>
    public TimeSpan BackoffBase { get; init; } = TimeSpan.FromMilliseconds(800);

    /// <summary>The longest pause between attempts.</summary>
    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>What happened to an object in a store.</summary>
public enum ChangeKind
{
    /// <summary>It is new to the store.</summary>
    Added,

    /// <summary>It changed.</summary>
    Updated,

    /// <summary>It is gone; perhaps it went while nobody watched.</summary>
    Deleted,
}

/// <summary>A change of a store.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Key">To which object.</param>
/// <param name="Old">How it was; null when Added.</param>
/// <param name="New">How it is; when Deleted, its last known state.</param>
public sealed record StoreChange<T>(ChangeKind Kind, ObjectKey Key, T? Old, T New)
    where T : class, IKubernetesObject<V1ObjectMeta>;
