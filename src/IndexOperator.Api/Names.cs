namespace IndexOperator.Api;

/// <summary>Labels that the operator writes on what it creates, or reads on pods.</summary>
public static class Labels
{
    /// <summary>On a pod (template): the PretrainIndex that it needs. The value is the resource's name.</summary>
    public const string Index = "indexoperator.io/index";

    /// <summary>On a pod (template): the workload that it belongs to, where the owner does not tell; all pods of a group get one version.</summary>
    public const string Group = "indexoperator.io/group";

    /// <summary>On Jobs, pods and ConfigMaps of the operator: the PretrainIndex they work for.</summary>
    public const string OwnerName = "indexoperator.io/pretrainindex";

    /// <summary>On Jobs and pods of the operator: what they do (<c>build</c>, <c>check</c>, <c>prune</c>, <c>cleanup</c>); on ConfigMaps also <c>binding</c>.</summary>
    public const string Task = "indexoperator.io/task";

    /// <summary>The recommended label that says who manages an object.</summary>
    public const string ManagedBy = "app.kubernetes.io/managed-by";

    /// <summary>The value of <see cref="ManagedBy"/> on everything that the operator creates.</summary>
    public const string ManagedByValue = "index-operator";
}

/// <summary>Annotations that the operator reads or writes.</summary>
public static class Annotations
{
    /// <summary>Any new value asks for a new build of the same spec; echoed in <c>status.rebuildToken</c>.</summary>
    public const string Rebuild = "indexoperator.io/rebuild";

    /// <summary>On Jobs: the key of the build that the Job carries out (see <c>BuildKey</c>).</summary>
    public const string BuildKey = "indexoperator.io/build-key";

    /// <summary>On build Jobs: the key of the content that the Job builds, whoever asked for it (see <c>ContentKey</c>).</summary>
    public const string ContentKey = "indexoperator.io/content-key";

    /// <summary>On Jobs: the key of everything that the Job carries out, <c>spec.build</c> included.</summary>
    public const string JobKey = "indexoperator.io/job-key";

    /// <summary>On Jobs: which attempt this is, counted from 1.</summary>
    public const string Attempt = "indexoperator.io/attempt";

    /// <summary>On Jobs: the <c>metadata.generation</c> of the spec that the Job was made from.</summary>
    public const string Generation = "indexoperator.io/generation";

    /// <summary>On build pods: the resource as JSON, which the builder reads as a file; absent where it is too long for an annotation.</summary>
    public const string Spec = "indexoperator.io/spec";

    /// <summary>On Jobs: the ConfigMap that holds the resource instead.</summary>
    public const string SpecConfigMap = "indexoperator.io/spec-config-map";

    /// <summary>On Jobs: the bytes of memory that it was given in place of what the spec says.</summary>
    public const string Memory = "indexoperator.io/memory";

    /// <summary>On pods that use an index: the version that they are pinned to.</summary>
    public const string Version = "indexoperator.io/version";

    /// <summary>On a pod (template): the containers that get the index, by name, separated by commas; all main containers when absent.</summary>
    public const string Containers = "indexoperator.io/containers";

    /// <summary>On a pod (template): the <c>spec.dataVersion</c> that the pod insists on.</summary>
    public const string DataVersion = "indexoperator.io/data-version";

    /// <summary>On a pod (template): <c>Memory</c> copies the version to a RAM disk before the containers start.</summary>
    public const string Staging = "indexoperator.io/staging";

    /// <summary>On a pod (template): the size of the RAM disk, a quantity; the size of the current version with some room when absent.</summary>
    public const string StagingSize = "indexoperator.io/staging-size";

    /// <summary>On pods: the webhook has given the pod what it needs; the value tells what holds it back (<c>Gate</c> or <c>InitContainer</c>).</summary>
    public const string Injected = "indexoperator.io/injected";

    /// <summary>On Jobs whose pods were refused for want of an index: that it is there now. Only the change counts: it makes the Job controller look again at once.</summary>
    public const string IndexSeen = "indexoperator.io/index-seen";

    /// <summary>On Jobs that check or remove versions: which, separated by commas.</summary>
    public const string Versions = "indexoperator.io/versions";

    /// <summary>On Jobs that remove versions: the claim and the folder on it, separated by a slash.</summary>
    public const string Cache = "indexoperator.io/cache";

    /// <summary>On Jobs: the W3C trace context of the pass that created the Job.</summary>
    public const string TraceParent = "indexoperator.io/traceparent";
}

/// <summary>Scheduling gates of pods that use an index (Kubernetes 1.30).</summary>
public static class SchedulingGates
{
    /// <summary>Holds a pod back until its index is Ready.</summary>
    public const string IndexReady = "indexoperator.io/index-ready";
}

/// <summary>What the webhook adds to a pod that uses an index, by name.</summary>
public static class InjectedNames
{
    /// <summary>Volume of the data claim.</summary>
    public const string DataVolume = "indexoperator-data";

    /// <summary>Volume of the cache claim.</summary>
    public const string CacheVolume = "indexoperator-cache";

    /// <summary>Volume that shows the pod's annotations to the init container that waits.</summary>
    public const string AnnotationsVolume = "indexoperator-annotations";

    /// <summary>Volume of the RAM disk.</summary>
    public const string StagingVolume = "indexoperator-staging";

    /// <summary>Init container that waits for the version where there are no scheduling gates (Kubernetes before 1.30).</summary>
    public const string WaitContainer = "indexoperator-wait";

    /// <summary>Init container that copies the version to the RAM disk.</summary>
    public const string StageContainer = "indexoperator-stage";

    /// <summary>Environment: the version, 20 hex digits, from the annotation <see cref="Annotations.Version"/>.</summary>
    public const string VersionVariable = "PRETRAIN_INDEX_VERSION";

    /// <summary>Environment: where the version is mounted.</summary>
    public const string DirectoryVariable = "PRETRAIN_INDEX_DIR";

    /// <summary>Environment: the same, under the name that NeMo scripts read.</summary>
    public const string NeMoVariable = "NEMO_INDEX_MAPPING_DIR";

    /// <summary>Environment: the arguments for a Megatron-LM command line.</summary>
    public const string MegatronVariable = "MEGATRON_DATA_CACHE_ARGS";
}

/// <summary>Conditions that the operator writes on pods that use an index.</summary>
public static class PodConditionTypes
{
    /// <summary>The pod has its version, or why it waits.</summary>
    public const string IndexReady = "indexoperator.io/IndexReady";
}

/// <summary>Finalizers of the operator.</summary>
public static class Finalizers
{
    /// <summary>Held from before the first build until the resource is deleted, no pod uses it any more and the volume is cleaned up.</summary>
    public const string Cleanup = "indexoperator.io/cleanup";
}

/// <summary>The types of <c>status.conditions</c>.</summary>
public static class ConditionTypes
{
    /// <summary>The version that this generation asks for is published, verified and current.</summary>
    public const string Ready = "Ready";

    /// <summary>Some version is published and can be mounted.</summary>
    public const string Available = "Available";

    /// <summary>Work is under way (kstatus: abnormal-true).</summary>
    public const string Reconciling = "Reconciling";

    /// <summary>It will not get better without a change by a person (kstatus: abnormal-true).</summary>
    public const string Stalled = "Stalled";

    /// <summary>The data on disk still has the fingerprint that current was built from.</summary>
    public const string DataCurrent = "DataCurrent";

    /// <summary>The published files still have the checksums in their manifest.</summary>
    public const string Verified = "Verified";

    /// <summary>All of them, in the order in which they are shown.</summary>
    public static IReadOnlyList<string> All { get; } = [Ready, Available, Reconciling, Stalled, DataCurrent, Verified];
}

/// <summary>Reasons of conditions, failures and events. A reason never changes its meaning once released.</summary>
public static class Reasons
{
    /// <summary>The wanted version is current.</summary>
    public const string Published = "Published";

    /// <summary>The wanted version was already on disk and was verified.</summary>
    public const string Reused = "Reused";

    /// <summary>A build Job is under way.</summary>
    public const string Building = "Building";

    /// <summary><c>spec.suspend</c> is true: no builds and no checks.</summary>
    public const string Suspended = "Suspended";

    /// <summary>The resource is being deleted.</summary>
    public const string Deleting = "Deleting";

    /// <summary>Nothing has been published yet.</summary>
    public const string NotBuilt = "NotBuilt";

    /// <summary>Nothing is under way.</summary>
    public const string Idle = "Idle";

    /// <summary>The spec cannot be carried out; the message names the field and what to write instead.</summary>
    public const string InvalidSpec = "InvalidSpec";

    /// <summary>A <c>.bin</c> or <c>.idx</c> file is not there.</summary>
    public const string DataMissing = "DataMissing";

    /// <summary>A <c>.bin</c> or <c>.idx</c> file is not what its format demands, or changed while it was read.</summary>
    public const string DataCorrupt = "DataCorrupt";

    /// <summary>A split has no document for a dataset that must give samples.</summary>
    public const string EmptySplit = "EmptySplit";

    /// <summary>The blend wants more samples of a dataset than were built.</summary>
    public const string OversampledBlend = "OversampledBlend";

    /// <summary>The cache volume has no room.</summary>
    public const string OutOfSpace = "OutOfSpace";

    /// <summary>The cache volume is mounted read-only.</summary>
    public const string ReadOnlyCache = "ReadOnlyCache";

    /// <summary>The storage answered with an error that another attempt may not meet.</summary>
    public const string StorageError = "StorageError";

    /// <summary>The build pod's user may not read the data or write the cache.</summary>
    public const string PermissionDenied = "PermissionDenied";

    /// <summary>The build pod was killed for using more memory than its limit.</summary>
    public const string OutOfMemory = "OutOfMemory";

    /// <summary>The build pod was evicted, preempted or lost with its node.</summary>
    public const string Evicted = "Evicted";

    /// <summary>No node fits the build pod.</summary>
    public const string Unschedulable = "Unschedulable";

    /// <summary>The builder image cannot be pulled.</summary>
    public const string ImagePull = "ImagePull";

    /// <summary>The build did not end within <c>spec.build.timeout</c>.</summary>
    public const string Timeout = "Timeout";

    /// <summary>A PersistentVolumeClaim that the spec names is not there or not usable.</summary>
    public const string ClaimMissing = "ClaimMissing";

    /// <summary>A published version no longer has the checksums of its manifest.</summary>
    public const string VersionCorrupt = "VersionCorrupt";

    /// <summary>The build pod ended without a report.</summary>
    public const string BuilderCrashed = "BuilderCrashed";

    /// <summary>The build pod was stopped before it ended, for example by a drain of its node.</summary>
    public const string Interrupted = "Interrupted";

    /// <summary>The kubelet cannot start the build container.</summary>
    public const string ContainerStart = "ContainerStart";

    /// <summary>The API server refused an object that the operator wanted to create.</summary>
    public const string CreateFailed = "CreateFailed";

    /// <summary>A kept version is looked at, because the spec asks for it again.</summary>
    public const string Checking = "Checking";

    /// <summary>Another PretrainIndex of the namespace builds the same content on the same claim; it is waited for.</summary>
    public const string SharedBuild = "SharedBuild";

    /// <summary>The data was looked at and is what the current version was built from.</summary>
    public const string Unchanged = "Unchanged";

    /// <summary>The data changed in place since the current version was built.</summary>
    public const string DataChanged = "DataChanged";

    /// <summary>Somebody is writing to the data; it is looked at again soon.</summary>
    public const string DataBeingWritten = "DataBeingWritten";

    /// <summary>The published files were read and have the checksums of their manifest.</summary>
    public const string ChecksumsMatch = "ChecksumsMatch";

    /// <summary>A PersistentVolumeClaim is not bound to a volume.</summary>
    public const string ClaimPending = "ClaimPending";

    /// <summary>The cache claim's access modes do not allow what the spec asks for.</summary>
    public const string ClaimAccessMode = "ClaimAccessMode";

    /// <summary>The cache claim could not be made larger.</summary>
    public const string ClaimExpansionFailed = "ClaimExpansionFailed";

    /// <summary>The resource is deleted and pods still use it.</summary>
    public const string InUse = "InUse";

    /// <summary>Versions beyond <c>cache.historyLimit</c> were removed from the volume.</summary>
    public const string Pruned = "Pruned";

    /// <summary>A damaged version that was in a build's way was moved aside.</summary>
    public const string Quarantined = "Quarantined";

    /// <summary>Old versions could not be removed; it is tried again.</summary>
    public const string PruneFailed = "PruneFailed";

    /// <summary>The cleanup of a deleted resource did not end; what it may have left is named.</summary>
    public const string CleanupGivenUp = "CleanupGivenUp";

    /// <summary>The ConfigMap that tells what to mount could not be written.</summary>
    public const string BindingFailed = "BindingFailed";

    /// <summary>A build Job was created.</summary>
    public const string BuildStarted = "BuildStarted";
}
