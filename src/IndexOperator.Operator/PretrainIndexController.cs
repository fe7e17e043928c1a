using IndexOperator.Api;
using IndexOperator.Operator.Telemetry;
using IndexOperator.Planning;
using IndexOperator.Runtime;

namespace IndexOperator.Operator;

/// <summary>One pass over a PretrainIndex: gather, plan, apply, report. Every decision is the planner's.</summary>
public sealed class PretrainIndexController(
    Gatherer gatherer,
    PlanApplier applier,
    StatusWriter statusWriter,
    EventRecorder events,
    OwnWrites ownWrites,
    OperatorMetrics metrics,
    ILogger<PretrainIndexController> logger) : IEntityController<PretrainIndex>
{
    /// <inheritdoc/>
    public async Task<ReconciliationResult<PretrainIndex>> ReconcileAsync(PretrainIndex entity, CancellationToken cancellationToken)
    {
        var observed = await gatherer.GatherAsync(entity, cancellationToken);
        var plan = Planner.Plan(observed);
        try
        {
            if (await applier.ApplyAsync(observed.Index, plan.Actions, cancellationToken) is { } notExpanded)
            {
                observed = observed with { ExpansionRefusal = new FailureStatus { Reason = Reasons.ClaimExpansionFailed, Message = notExpanded.Message } };
                plan = Planner.Plan(observed);
            }
        }
        catch (ApiException error) when (error is { IsConflict: false } && !(error.IsNotFound && observed.Index.Metadata.DeletionTimestamp is not null))
        {
            // The status is written all the same: a person must see what was refused. The queue tries the action again.
            var refused = observed with { Refusal = new FailureStatus { Reason = Reasons.CreateFailed, Message = $"The API server refused: {error.Message}" } };
            await ReportAsync(refused, Planner.Plan(refused), cancellationToken);
            return ReconciliationResult<PretrainIndex>.Failure(observed.Index, error.Message, error);
        }

        await ReportAsync(observed, plan, cancellationToken);
        return ReconciliationResult<PretrainIndex>.Success(observed.Index, plan.LookAgainAfter);
    }

    /// <inheritdoc/>
    public Task<ReconciliationResult<PretrainIndex>> DeletedAsync(PretrainIndex entity, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(entity);
        ownWrites.Forget(key);
        metrics.Forget(key);
        logger.LogInformation("{Index}: gone", key);
        return Task.FromResult(ReconciliationResult<PretrainIndex>.Success(entity));
    }

    private async Task ReportAsync(ObservedState observed, Plan plan, CancellationToken cancellationToken)
    {
        var index = observed.Index;
        try
        {
            await statusWriter.WriteAsync(ownWrites.Newest(index), plan.Status, cancellationToken);
        }
        catch (ApiException error) when (error.IsNotFound && index.Metadata.DeletionTimestamp is not null)
        {
            // The last finalizer was just detached: there is nothing left to write a status on.
            return;
        }

        metrics.Observe(ObjectKey.Of(index), index.Status, plan.Status);
        foreach (var told in plan.Events)
        {
            logger.Log(told.Type == "Warning" ? LogLevel.Warning : LogLevel.Information, "{Index}: {Reason}: {Note}", ObjectKey.Of(index), told.Reason, told.Note);
            events.Record(Resources.PretrainIndexes, index, told.Type == "Warning" ? EventKind.Warning : EventKind.Normal, told.Reason, told.Action, told.Note);
        }
    }
}
