using System.Text.Json.Serialization;
using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>What one pass is to do. Carried out in order: actions, then the status (also when an action failed), then the events, then what becomes of pods.</summary>
public sealed record Plan
{
    /// <summary>What to change in the cluster, in this order; the first failure ends the actions.</summary>
    public IReadOnlyList<PlannedAction> Actions { get; init; } = [];

    /// <summary>The whole new status.</summary>
    public PretrainIndexStatus Status { get; init; } = new();

    /// <summary>What to do with the pods that use the index, once the status is written; null when nothing is.</summary>
    public IReadOnlyList<PlannedAction>? Pods { get; init; }

    /// <summary>What to tell people, once the status is written.</summary>
    public IReadOnlyList<PlannedEvent> Events { get; init; } = [];

    /// <summary>When to look again if nothing happens before; null = only when something happens.</summary>
    public TimeSpan? LookAgainAfter { get; init; }
}

/// <summary>One change in the cluster. Repeating one is harmless: names derive from what the objects are for.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "action")]
[JsonDerivedType(typeof(AttachFinalizer), "AttachFinalizer")]
[JsonDerivedType(typeof(DetachFinalizer), "DetachFinalizer")]
[JsonDerivedType(typeof(CreateClaim), "CreateClaim")]
[JsonDerivedType(typeof(ExpandClaim), "ExpandClaim")]
[JsonDerivedType(typeof(CreateJob), "CreateJob")]
[JsonDerivedType(typeof(DeleteJob), "DeleteJob")]
[JsonDerivedType(typeof(ApplyBinding), "ApplyBinding")]
[JsonDerivedType(typeof(OpenGate), "OpenGate")]
[JsonDerivedType(typeof(TellPod), "TellPod")]
public abstract record PlannedAction;

/// <summary>Hold the resource until its builds are cleaned up.</summary>
/// <param name="Name">The finalizer.</param>
public sealed record AttachFinalizer(string Name) : PlannedAction;

/// <summary>Let the resource go.</summary>
/// <param name="Name">The finalizer.</param>
public sealed record DetachFinalizer(string Name) : PlannedAction;

/// <summary>Create the claim of <c>spec.cache.claimTemplate</c>. It has no owner: deleting the resource never deletes data with it.</summary>
/// <param name="Claim">The claim.</param>
public sealed record CreateClaim(V1PersistentVolumeClaim Claim) : PlannedAction;

/// <summary>Ask for a larger volume behind a claim of <c>spec.cache.claimTemplate</c>.</summary>
/// <param name="Name">The claim's name.</param>
/// <param name="Size">The size to request.</param>
public sealed record ExpandClaim(string Name, ResourceQuantity Size) : PlannedAction;

/// <summary>Create a Job and, before it, the ConfigMap that its pod reads the spec from where the Job cannot carry it.</summary>
/// <param name="Job">The Job.</param>
/// <param name="Spec">The ConfigMap; null when the Job needs none.</param>
public sealed record CreateJob(V1Job Job, V1ConfigMap? Spec) : PlannedAction;

/// <summary>Delete a Job with its pods.</summary>
/// <param name="Name">The Job's name.</param>
/// <param name="Uid">The Job's uid: a Job that was created again under the name is left alone.</param>
/// <param name="Because">Why, for the log.</param>
/// <param name="HasSpec">Whether a ConfigMap of the same name goes with it.</param>
public sealed record DeleteJob(string Name, string Uid, string Because, bool HasSpec) : PlannedAction;

/// <summary>Write the ConfigMap that tells what to mount. A ConfigMap of that name that is not this resource's is left alone.</summary>
/// <param name="Binding">The ConfigMap, with the uid of the one to change; without where none has been seen.</param>
public sealed record ApplyBinding(V1ConfigMap Binding) : PlannedAction;

/// <summary>Let a pod go that waits: its version is written on it and its gate removed, in one patch.</summary>
/// <param name="Pod">The pod's name.</param>
/// <param name="Uid">The pod's uid: one that was created again under the name is left alone.</param>
/// <param name="Version">The version.</param>
/// <param name="Gate">Where the gate is in <c>spec.schedulingGates</c>; null where an init container waits for the annotation.</param>
/// <param name="Bare">The resource version of a pod without any annotation, of which none may have come since; null where it has some.</param>
public sealed record OpenGate(string Pod, string Uid, string Version, int? Gate, string? Bare) : PlannedAction;

/// <summary>Tell a pod by its condition <see cref="PodConditionTypes.IndexReady"/> why it waits, or that it does not any more.</summary>
/// <param name="Pod">The pod's name.</param>
/// <param name="Uid">The pod's uid.</param>
/// <param name="IsReady">The condition's status.</param>
/// <param name="Reason">One of <see cref="PodReasons"/>.</param>
/// <param name="Message">For a person.</param>
/// <param name="Event">Whether an event says the same.</param>
public sealed record TellPod(string Pod, string Uid, bool IsReady, string Reason, string Message, bool Event) : PlannedAction;

/// <summary>An event on the resource.</summary>
/// <param name="Type"><c>Normal</c> or <c>Warning</c>.</param>
/// <param name="Reason">One CamelCase word.</param>
/// <param name="Action">What the operator did, one CamelCase word.</param>
/// <param name="Note">For a person; at most 1 kB.</param>
public sealed record PlannedEvent(string Type, string Reason, string Action, string Note);
