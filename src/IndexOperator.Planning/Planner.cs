using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>
/// Decides what one pass does: a pure function from what is observed to a plan. Each question has a policy of its own, asked in this
/// order; the first that has an answer settles where the wanted version stands:
/// <code>
/// deletion -> spec -> suspension -> claims -> build (published? superseded? under way? failed? to be started?)
///                                                |
///                        situation -> current and previous -> conditions -> events
/// </code>
/// </summary>
public static class Planner
{
    /// <summary>The plan for what is observed. Applying it and planning again never asks for the same action twice; what was stopped may be followed by a start.</summary>
    public static Plan Plan(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        if (observed.Index.Metadata.DeletionTimestamp is not null)
        {
            return DeletionPolicy.Plan(observed);
        }

        var wanted = WantedBuild.Of(observed.Index);
        var situation = SpecPolicy.Decide(observed, wanted)
            ?? SuspensionPolicy.Decide(observed, wanted)
            ?? BuildPolicy.Published(observed, wanted)
            ?? RefusalPolicy.Decide(observed)
            ?? ClaimsDecide(observed, wanted)
            ?? BuildPolicy.Decide(observed, wanted);
        return Report.Of(observed, wanted, situation);
    }

    /// <summary>
    /// Whether the resource by itself tells that nothing is left to do: its newest spec is reported on and no build is awaited. Only a hint
    /// of what to look at first: a Job, a pod or a claim may know better.
    /// </summary>
    public static bool IsSettled(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return index.Metadata.DeletionTimestamp is null && index.Status is { Build: null } status && status.ObservedGeneration == index.Metadata.Generation;
    }

    private static Situation? ClaimsDecide(ObservedState observed, WantedBuild wanted) =>
        // A build that runs holds its claims: it goes on, whatever becomes of them later.
        !BuildPolicy.IsRunning(observed, wanted) && ClaimPolicy.Trouble(observed) is { } trouble
            ? new Situation(Standing.Stuck, trouble.Reason!, trouble.Message!)
            {
                Build = observed.Index.Status?.Build is { } known && known.JobKey == wanted.JobKey ? known : Leftover.Halted(observed),
                Actions = BuildPolicy.StopSuperseded(observed, wanted),
            }
            : null;
}
