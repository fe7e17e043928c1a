using k8s;
using k8s.Models;

namespace IndexOperator.Runtime;

/// <summary>Descriptors of resources that Kubernetes itself has, as KubernetesClient's models.</summary>
public static class KnownResources
{
    /// <summary>Pods.</summary>
    public static ResourceType<V1Pod> Pods { get; } = Make<V1Pod>("", "v1", "Pod", "pods");

    /// <summary>ConfigMaps.</summary>
    public static ResourceType<V1ConfigMap> ConfigMaps { get; } = Make<V1ConfigMap>("", "v1", "ConfigMap", "configmaps");

    /// <summary>Secrets.</summary>
    public static ResourceType<V1Secret> Secrets { get; } = Make<V1Secret>("", "v1", "Secret", "secrets");

    /// <summary>PersistentVolumeClaims.</summary>
    public static ResourceType<V1PersistentVolumeClaim> PersistentVolumeClaims { get; } =
        Make<V1PersistentVolumeClaim>("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims");

    /// <summary>Nodes.</summary>
    public static ResourceType<V1Node> Nodes { get; } = Make<V1Node>("", "v1", "Node", "nodes", namespaced: false);

    /// <summary>Namespaces.</summary>
    public static ResourceType<V1Namespace> Namespaces { get; } = Make<V1Namespace>("", "v1", "Namespace", "namespaces", namespaced: false);

    /// <summary>Jobs.</summary>
    public static ResourceType<V1Job> Jobs { get; } = Make<V1Job>("batch", "v1", "Job", "jobs");

    /// <summary>Leases.</summary>
    public static ResourceType<V1Lease> Leases { get; } = Make<V1Lease>("coordination.k8s.io", "v1", "Lease", "leases");

    /// <summary>Events of events.k8s.io.</summary>
    public static ResourceType<Eventsv1Event> Events { get; } = Make<Eventsv1Event>("events.k8s.io", "v1", "Event", "events");

    /// <summary>MutatingWebhookConfigurations.</summary>
    public static ResourceType<V1MutatingWebhookConfiguration> MutatingWebhookConfigurations { get; } = Make<V1MutatingWebhookConfiguration>(
        "admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", namespaced: false);

    /// <summary>Questions of a client what it may do; they are answered and not kept.</summary>
    public static ResourceType<V1SelfSubjectAccessReview> SelfSubjectAccessReviews { get; } = Make<V1SelfSubjectAccessReview>(
        "authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", namespaced: false);

    private static ResourceType<T> Make<T>(string group, string version, string kind, string plural, bool namespaced = true)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        new(group, version, kind, plural, RuntimeJson.TypeInfo<T>(), namespaced);
}
