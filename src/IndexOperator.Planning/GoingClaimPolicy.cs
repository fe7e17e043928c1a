namespace IndexOperator.Planning;

/// <summary>
/// Kubernetes keeps a claim that is being deleted for as long as any pod with a node names it, also one that has ended. Jobs that have told
/// all, and those whose pod has not begun and now never will, are let go of, so that whoever deletes a claim need not look for them.
/// </summary>
public static class GoingClaimPolicy
{
    private static readonly string[] Tasks = [BuildAttempt.BuildTask, BuildAttempt.CheckTask, BuildAttempt.PruneTask];

    /// <summary>The Jobs to delete; none while both claims stay, or in the pass that takes a build's report into the status.</summary>
    public static IReadOnlyList<PlannedAction> LetGo(ObservedState observed, Situation situation)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(situation);
        if (situation.Delivered is not null || observed.Claims.All(claim => claim.Metadata.DeletionTimestamp is null))
        {
            return [];
        }

        var going = situation.Actions.OfType<DeleteJob>().Select(action => action.Uid).ToHashSet();
        return Tasks.SelectMany(task => BuildAttempt.AllOf(observed, task))
            .Where(attempt => !attempt.IsGoing && !going.Contains(attempt.Job.Metadata.Uid) && (attempt.State == JobState.Active ? attempt.RunningSince is null : attempt.IsOver(observed.Now)))
            .Select(attempt => attempt.Delete("a claim that its pod holds is being deleted"))
            .ToList<PlannedAction>();
    }
}
