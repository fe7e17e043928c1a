using k8s;
using k8s.Models;

namespace IndexOperator.Runtime;

/// <summary>Settings of the whole operator.</summary>
public sealed class OperatorSettings
{
    /// <summary>Namespaces to look at; empty means all.</summary>
    public IList<string> Namespaces { get; } = [];

    /// <summary>Passes at a time, for each controller.</summary>
    public int MaxParallelReconciliations { get; set; } = Math.Max(2, 2 * Environment.ProcessorCount);

    /// <summary>How long one pass may take before it is cancelled and counted as failed.</summary>
    public TimeSpan PassDeadline { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How long passes may go on after the process was asked to stop.</summary>
    public TimeSpan ShutdownGracePeriod { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Look at every entity this often although nothing changed; null means never.</summary>
    public TimeSpan? Resync { get; set; }

    /// <summary>Put a controller's finalizers on its entities before their first pass.</summary>
    public bool AutoAttachFinalizers { get; set; } = true;

    /// <summary>Leader election.</summary>
    public LeaderElectionSettings LeaderElection { get; } = new();

    /// <summary>The client; its <see cref="ApiClientOptions.FieldManager"/> names this operator on what it writes.</summary>
    public ApiClientOptions Client { get; } = new();

    /// <summary>Events.</summary>
    public EventRecorderOptions Events { get; } = new();

    /// <summary>Where the API server is; null means in-cluster or kubeconfig.</summary>
    public ApiConnection? Connection { get; set; }
}

/// <summary>Settings of one controller; what is null comes from <see cref="OperatorSettings"/>.</summary>
/// <typeparam name="TEntity">The type of entity.</typeparam>
public sealed class ControllerOptions<TEntity>
    where TEntity : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>Name in logs and metrics; the resource's kind in lower case unless set.</summary>
    public string? Name { get; set; }

    /// <summary>Passes at a time.</summary>
    public int? MaxParallelReconciliations { get; set; }

    /// <summary>How long one pass may take.</summary>
    public TimeSpan? PassDeadline { get; set; }

    /// <summary>Put finalizers on before the first pass; false leaves it to the controller (see <see cref="Finalizers"/>).</summary>
    public bool? AutoAttachFinalizers { get; set; }

    /// <summary>Which changes of an entity ask for a pass; all unless set.</summary>
    public Func<StoreChange<TEntity>, bool>? Predicate { get; set; }

    /// <summary>
    /// Which entities tell by themselves that nothing is left to do for them. When everything is looked at, at the start of a term and at
    /// each resync, they come after the others: what changed while nobody ran must not wait behind thousands that did not. None unless set.
    /// </summary>
    public Func<TEntity, bool>? IsSettled { get; set; }

    /// <summary>
    /// Called for a key under which there is no entity (any more): another object that is watched has named it, or it is gone. Nothing is
    /// called unless set.
    /// </summary>
    public Func<IServiceProvider, ObjectKey, CancellationToken, Task>? Missing { get; set; }

    /// <summary>The keys that other objects name, whether there are entities or not; asked for where everything is looked at. None unless set.</summary>
    public Func<IServiceProvider, IEnumerable<ObjectKey>>? Named { get; set; }

    /// <summary>Pauses after failures.</summary>
    public WorkQueueOptions Queue { get; set; } = new();

    /// <summary>What is kept of entities.</summary>
    public InformerOptions<TEntity> Informer { get; set; } = new();
}

/// <summary>Predicates for <see cref="ControllerOptions{TEntity}.Predicate"/>.</summary>
public static class ChangePredicates
{
    /// <summary>
    /// Leaves out changes of nothing but status and bookkeeping: passes when the generation, labels, annotations,
    /// finalizers or the deletion mark changed.
    /// </summary>
    public static bool GenerationOrMetadataChanged<TEntity>(StoreChange<TEntity> change)
        where TEntity : class, IKubernetesObject<V1ObjectMeta>
    {
        ArgumentNullException.ThrowIfNull(change);
        if (change.Kind != ChangeKind.Updated || change.Old?.Metadata is not { } old || change.New.Metadata is not { } now)
        {
            return true;
        }

        return old.Generation != now.Generation
            || old.DeletionTimestamp != now.DeletionTimestamp
            || !Same(old.Labels, now.Labels)
            || !Same(old.Annotations, now.Annotations)
            || !(old.Finalizers ?? []).SequenceEqual(now.Finalizers ?? []);
    }

    private static bool Same(IDictionary<string, string>? a, IDictionary<string, string>? b) =>
        (a?.Count ?? 0) == (b?.Count ?? 0) && (a is null || b is null || a.All(pair => b.TryGetValue(pair.Key, out var value) && value == pair.Value));
}
