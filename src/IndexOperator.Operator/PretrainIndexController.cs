using IndexOperator.Api;
using IndexOperator.Operator.Telemetry;
using IndexOperator.Planning;
using IndexOperator.Runtime;

namespace IndexOperator.Operator;

/// <summary>One pass over a PretrainIndex: gather, plan, apply, report. Every decision is the planner's.</summary>
public sealed class PretrainIndexController(
    Gatherer gatherer,
    PlanApplier applier,
    PodActions pods,
    StatusWriter statusWriter,
    CountPace pace,
    EventRecorder events,
    OwnWrites ownWrites,
    OperatorMetrics metrics,
    ILogger<PretrainIndexController> logger) : IEntityController<PretrainIndex>
{
    // What a pod refused because it changed meanwhile comes back by its change; this is for one that the watch does not show.
    private static readonly TimeSpan AfterMissedPods = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public async Task<ReconciliationResult<PretrainIndex>> ReconcileAsync(PretrainIndex entity, CancellationToken cancellationToken)
    {
        var observed = await gatherer.GatherAsync(entity, cancellationToken);
        var plan = Planner.Plan(observed);
        if (GroupPolicy.Pinned(observed.Index.Status, plan.Status))
        {
            // Which version a workload gets must not be decided by an old state: an earlier leader may have decided it.
            if (await gatherer.LiveAsync(observed.Index, cancellationToken) is not { } live)
            {
                return ReconciliationResult<PretrainIndex>.Success(observed.Index);
            }

            observed = observed with { Index = live };
            plan = Planner.Plan(observed);
        }

        try
        {
            if (await applier.ApplyAsync(observed.Index, plan.Actions, cancellationToken) is { IsNothing: false } notDone)
            {
                observed = observed with
                {
                    ExpansionRefusal = notDone.Expansion is { } expansion ? new FailureStatus { Reason = Reasons.ClaimExpansionFailed, Message = expansion.Message } : null,
                    BindingRefusal = notDone.Binding is { } binding ? new FailureStatus { Reason = Reasons.BindingFailed, Message = binding.Message } : null,
                };
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

        return ReconciliationResult<PretrainIndex>.Success(observed.Index, Sooner(plan.LookAgainAfter, await ReportAsync(observed, plan, cancellationToken)));
    }

    /// <inheritdoc/>
    public Task<ReconciliationResult<PretrainIndex>> DeletedAsync(PretrainIndex entity, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(entity);
        ownWrites.Forget(key);
        pace.Forget(key);
        metrics.Forget(key);
        logger.LogInformation("{Index}: gone", key);
        return Task.FromResult(ReconciliationResult<PretrainIndex>.Success(entity));
    }

    // Status, events, pods. What is to become of pods counts on the status: where that cannot be written, nothing does.
    private async Task<TimeSpan?> ReportAsync(ObservedState observed, Plan plan, CancellationToken cancellationToken)
    {
        var (index, key) = (observed.Index, ObjectKey.Of(observed.Index));
        var held = default(TimeSpan?);
        try
        {
            var newest = ownWrites.Newest(index);
            held = pace.Wait(key, newest.Status, plan.Status);
            if (held is null && await WriteAsync(newest, plan.Status, cancellationToken))
            {
                pace.Wrote(key);
            }
        }
        catch (ApiException error) when (error.IsNotFound && index.Metadata.DeletionTimestamp is not null)
        {
            // The last finalizer was just detached: there is nothing left to write a status on.
            return null;
        }

        metrics.Observe(key, index.Status, plan.Status);
        foreach (var told in plan.Events)
        {
            logger.Log(told.Type == "Warning" ? LogLevel.Warning : LogLevel.Information, "{Index}: {Reason}: {Note}", key, told.Reason, told.Note);
            events.Record(Resources.PretrainIndexes, index, told.Type == "Warning" ? EventKind.Warning : EventKind.Normal, told.Reason, told.Action, told.Note);
        }

        return plan.Pods is { } actions && await pods.ApplyAsync(key, observed.Consumers, actions, cancellationToken) > 0 ? Sooner(held, AfterMissedPods) : held;
    }

    // A change of the resource that says nothing of workloads does not make the status wrong: it is planned again anyway.
    private async Task<bool> WriteAsync(PretrainIndex newest, PretrainIndexStatus status, CancellationToken cancellationToken)
    {
        try
        {
            return await statusWriter.WriteAsync(newest, status, cancellationToken);
        }
        catch (ApiException error) when (error.IsConflict)
        {
            if (await gatherer.LiveAsync(newest, cancellationToken) is { } live && !GroupPolicy.Pinned(newest.Status, live.Status ?? new PretrainIndexStatus()))
            {
                return await statusWriter.WriteAsync(live, status, cancellationToken);
            }

            throw;
        }
    }

    private static TimeSpan? Sooner(TimeSpan? a, TimeSpan? b) => a is null || b < a ? b : a;
}
