using IndexOperator.Planning;
using IndexOperator.Runtime;

namespace IndexOperator.Operator;

/// <summary>Tells pods that wait for an index that is not there: no pass over a resource would.</summary>
public sealed class MissingIndexes(Gatherer gatherer, ApiClient client, PodActions pods)
{
    /// <summary>Looks at the pods that name an index of which the informer knows nothing.</summary>
    public async Task LookAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var consumers = gatherer.ConsumersOf(key);
        var actions = Planner.PlanMissing(key.Name, consumers);

        // It may have been created a moment ago: pods must not be told what is not so.
        if (actions.Count > 0 && await client.FindAsync(Resources.PretrainIndexes, key, cancellationToken) is null)
        {
            await pods.ApplyAsync(key, consumers, actions, cancellationToken);
        }
    }
}
