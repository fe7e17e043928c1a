using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using k8s;
using k8s.Models;

namespace IndexOperator.Runtime;

/// <summary>
/// Everything the runtime must know of a resource: where it lives on the API server and how it reads. Nothing is found
/// by reflection, so slim types of the caller's own (only the fields it needs) work as well as KubernetesClient's.
/// </summary>
/// <typeparam name="T">The type that objects of the resource are read as.</typeparam>
public sealed class ResourceType<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>Describes a resource.</summary>
    /// <param name="group">The API group; empty for the core group.</param>
    /// <param name="version">The API version, like <c>v1</c>.</param>
    /// <param name="kind">The kind, like <c>Pod</c>.</param>
    /// <param name="plural">The plural used in URLs, like <c>pods</c>.</param>
    /// <param name="item">The source-generated contract of one object; managedFields are dropped from it on reads.</param>
    /// <param name="namespaced">Whether objects live in namespaces.</param>
    /// <param name="unreadable">
    /// Makes an object of JSON that the contract cannot read and of the reason; it should keep the metadata, so that somebody can say so on
    /// the object. Without it, one unreadable object keeps the informer listing again and again.
    /// </param>
    public ResourceType(
        string group,
        string version,
        string kind,
        string plural,
        JsonTypeInfo<T> item,
        bool namespaced = true,
        Func<JsonElement, string, T>? unreadable = null)
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentException.ThrowIfNullOrEmpty(version);
        ArgumentException.ThrowIfNullOrEmpty(kind);
        ArgumentException.ThrowIfNullOrEmpty(plural);
        Group = group;
        Version = version;
        Kind = kind;
        Plural = plural;
        Namespaced = namespaced;
        var options = new JsonSerializerOptions { TypeInfoResolver = JsonTypeInfoResolver.Combine() };
        var contract = RuntimeJson.WithoutManagedFields(item);
        Item = unreadable is null ? contract : JsonMetadataServices.CreateValueInfo<T>(options, new TolerantConverter<T>(contract, unreadable));

        // The two envelopes get contracts of their own, built from the item's: callers need not declare them.
        WatchEvent = JsonMetadataServices.CreateValueInfo<WatchEvent<T>>(options, new WatchEventConverter<T>(Item));
        Page = JsonMetadataServices.CreateValueInfo<ListPage<T>>(options, new ListPageConverter<T>(Item));
    }

    /// <summary>The API group; empty for the core group.</summary>
    public string Group { get; }

    /// <summary>The API version.</summary>
    public string Version { get; }

    /// <summary>The kind.</summary>
    public string Kind { get; }

    /// <summary>The plural used in URLs.</summary>
    public string Plural { get; }

    /// <summary>Whether objects live in namespaces.</summary>
    public bool Namespaced { get; }

    /// <summary>The contract of one object, without managedFields.</summary>
    public JsonTypeInfo<T> Item { get; }

    /// <summary><c>group/version</c>, or just the version in the core group.</summary>
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    internal JsonTypeInfo<WatchEvent<T>> WatchEvent { get; }

    internal JsonTypeInfo<ListPage<T>> Page { get; }

    /// <summary>Path of the collection, in one namespace or (null or empty) in all.</summary>
    public string CollectionPath(string? ns)
    {
        var path = new StringBuilder(Group.Length == 0 ? "api/" : "apis/");
        if (Group.Length > 0)
        {
            path.Append(Group).Append('/');
        }

        path.Append(Version).Append('/');
        if (Namespaced && !string.IsNullOrEmpty(ns))
        {
            path.Append("namespaces/").Append(Uri.EscapeDataString(ns)).Append('/');
        }

        return path.Append(Plural).ToString();
    }

    /// <summary>Path of one object, or of one of its subresources.</summary>
    public string ObjectPath(ObjectKey key, string? subresource = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(key.Name);
        if (Namespaced && string.IsNullOrEmpty(key.Namespace))
        {
            throw new ArgumentException($"{Kind} {key.Name} needs a namespace", nameof(key));
        }

        var path = $"{CollectionPath(key.Namespace)}/{Uri.EscapeDataString(key.Name)}";
        return string.IsNullOrEmpty(subresource) ? path : $"{path}/{subresource}";
    }

    /// <inheritdoc/>
    public override string ToString() => Group.Length == 0 ? Plural : $"{Plural}.{Group}";
}
