using IndexOperator.Api;
using IndexOperator.Runtime;

namespace IndexOperator.Operator;

/// <summary>
/// Every access that the operator needs, and nothing else. The roles in <c>config/</c> and in the chart are generated from this
/// (<c>make manifests</c>); <c>RbacAuditTests</c> runs the operator with them and holds an API server's audit log against it, both ways: no
/// call may be denied, and no verb may be left unused.
/// </summary>
public static class AccessRules
{
    /// <summary>The definition of PretrainIndexes.</summary>
    public const string DefinitionName = PretrainIndex.Plural + "." + PretrainIndex.GroupName;

    /// <summary>In the namespaces of the indexes.</summary>
    public static IReadOnlyList<AccessRule> InNamespaces { get; } =
    [
        AccessRule.For(
            Resources.PretrainIndexes, null, "The resource itself. Spec and finalizers are changed by patch; the status has its own permission.", "get", "list", "watch", "patch"),
        AccessRule.For(Resources.PretrainIndexes, "status", "", "patch"),
        AccessRule.For(Resources.PretrainIndexes, "finalizers", "Lets owner references with blockOwnerDeletion pass the admission plugin OwnerReferencesPermissionEnforcement.", "update")
            with { AskedBy = "OwnerReferencesPermissionEnforcement" },
        AccessRule.For(
            KnownResources.Jobs,
            null,
            "Builds and cleanups. Patched are Jobs whose pods were refused for want of an index: an annotation makes their controller look again.",
            "get", "list", "watch", "create", "patch", "delete"),
        AccessRule.For(
            KnownResources.Pods,
            null,
            "Results (termination messages), reasons of failures, and consumers. Patched are pods that wait for an index: the version is written into an annotation and the scheduling gate removed.",
            "list", "watch", "patch"),
        AccessRule.For(KnownResources.Pods, "status", "The condition indexoperator.io/IndexReady, which tells why a pod waits.", "patch"),
        AccessRule.For(KnownResources.Pods, "log", "Progress.", "get"),
        AccessRule.For(
            KnownResources.ConfigMaps, null, "The spec that a build reads, and the binding that training jobs read.", "get", "list", "watch", "create", "patch", "delete"),
        AccessRule.For(
            KnownResources.PersistentVolumeClaims,
            null,
            "Claims made from spec.cache.claimTemplate, and their requests for more room; never deleted by the operator.",
            "list", "watch", "create", "patch"),
        AccessRule.For(
            KnownResources.Namespaces,
            null,
            "Whether a deleted resource goes because its namespace goes: such a resource does not wait for the pods that use it. Read one at a time while such a deletion waits, never listed. In a Role this is the Role's own namespace, and no other.",
            "get"),
        AccessRule.For(KnownResources.Events, null, "What happened, for people.", "create", "patch"),
    ];

    /// <summary>Of the definitions of kinds, its own.</summary>
    public static IReadOnlyList<AccessRule> OfDefinition { get; } =
    [
        AccessRule.For(Resources.Definitions, null, "Whether the definition of its kind goes, in the same way.", "get") with { Name = DefinitionName },
    ];

    /// <summary>What jobs that Kueue holds need.</summary>
    public static IReadOnlyList<AccessRule> ForKueue { get; } =
    [
        AccessRule.For(KueueResources.Workloads(KueueResources.Versions[0]), null, "Which jobs are held by our gate, and what their pods ask for.", "list", "watch"),
        .. KueueResources.JobKinds
            .Where(job => job.Group != KnownResources.Jobs.Group)
            .Select((job, i) => new AccessRule(
                job.Group,
                job.Plural,
                ["get", "patch"],
                i == 0 ? "The annotation is on the job: Kueue copies it to the Workload. Kinds that the cluster has not do no harm. Jobs of Kubernetes itself are in the operator's role." : "")),
    ];

    /// <summary>In the operator's own namespace, where replicas agree on one that works.</summary>
    public static IReadOnlyList<AccessRule> ForLeaderElection { get; } =
    [
        AccessRule.For(KnownResources.Leases, null, "", "get", "create", "update"),
    ];

    /// <summary>Of the configurations of webhooks, its own.</summary>
    /// <param name="configuration">Name of the MutatingWebhookConfiguration.</param>
    public static IReadOnlyList<AccessRule> OfWebhook(string configuration) =>
    [
        AccessRule.For(KnownResources.MutatingWebhookConfigurations, null, "Whom API servers trust when they call the webhook.", "get", "patch") with { Name = configuration },
    ];

    /// <summary>In the operator's own namespace, where it keeps the webhook's certificates.</summary>
    /// <param name="secret">Name of the Secret.</param>
    public static IReadOnlyList<AccessRule> OfCertificates(string secret) =>
    [
        AccessRule.For(KnownResources.Secrets, null, "", "create"),
        AccessRule.For(KnownResources.Secrets, null, "", "get", "update") with { Name = secret },
    ];
}
