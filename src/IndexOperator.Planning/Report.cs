using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>Turns a situation into the whole status and the events that follow from how it differs from the status before.</summary>
public static class Report
{
    private const int MaxMessage = 8192;

    // events.k8s.io refuses a longer note.
    private const int MaxNoteBytes = 1024;

    /// <summary>The plan of a resource that is not being deleted.</summary>
    public static Plan Of(ObservedState observed, WantedBuild wanted, Situation situation)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(wanted);
        ArgumentNullException.ThrowIfNull(situation);
        var index = observed.Index;
        var before = index.Status;
        var (current, previous) = PublishPolicy.After(observed, situation.Delivered);
        var status = new PretrainIndexStatus
        {
            ObservedGeneration = index.Metadata.Generation,
            Current = current,
            Previous = previous,
            Build = situation.Build,
            Consumers = before?.Consumers,
            ClaimName = situation.Reason != Reasons.InvalidSpec ? ClaimPolicy.CacheClaimName(index) : before?.ClaimName,
            RebuildToken = situation.Standing == Standing.Published ? wanted.RebuildToken : before?.RebuildToken,
            Conditions = Conditions(observed, situation, current),
        };
        return new Plan
        {
            Actions = situation.Actions,
            Status = status,
            Events = situation.Events.Concat(EventsOf(before, status, situation)).Select(told => told with { Note = Clip.Bytes(told.Note, MaxNoteBytes) }).ToList(),
            LookAgainAfter = situation.LookAgainAfter,
        };
    }

    private static IReadOnlyList<Condition> Conditions(ObservedState observed, Situation situation, VersionStatus? current)
    {
        var index = observed.Index;
        var set = new ConditionSet(index.Status?.Conditions, index.Metadata.Generation, observed.Now);
        var message = Clip.Characters(situation.Message, MaxMessage);
        set.Set(ConditionTypes.Ready, situation.Standing == Standing.Published, situation.Reason, message);
        if (current is null)
        {
            set.Set(ConditionTypes.Available, false, Reasons.NotBuilt, "No version is published yet.");
        }
        else
        {
            set.Set(ConditionTypes.Available, true, Reasons.Published, $"Version {current.Version} can be mounted from claim {index.Status?.ClaimName ?? ClaimPolicy.CacheClaimName(index)} at {current.Path}.");
        }

        var working = situation.Standing == Standing.Working;
        set.Set(ConditionTypes.Reconciling, working, working ? situation.Reason : Reasons.Idle, working ? message : "Nothing is under way.");
        var stuck = situation.Standing == Standing.Stuck;
        set.Set(ConditionTypes.Stalled, stuck, stuck ? situation.Reason : Reasons.Idle, stuck ? message : "Nothing waits for a person.");
        if (situation.Delivered is not null)
        {
            set.Set(ConditionTypes.DataCurrent, true, Reasons.Published, "The data had the fingerprint of the current version when that was published.");
            set.Set(ConditionTypes.Verified, true, Reasons.Published, "The files had the checksums of their manifest when the version was published.");
        }
        else if (current is not null)
        {
            set.Keep(ConditionTypes.DataCurrent);
            set.Keep(ConditionTypes.Verified);
        }

        return set.ToList();
    }

    private static IEnumerable<PlannedEvent> EventsOf(PretrainIndexStatus? before, PretrainIndexStatus after, Situation situation)
    {
        if (situation.Delivered is { } delivered && before?.Current?.BuildKey != delivered.BuildKey)
        {
            var verb = delivered.Outcome == BuildReport.Reused ? "found on the volume, verified and reused" : "built, verified and published";
            yield return new PlannedEvent("Normal", situation.Reason, "Publish", $"Version {delivered.Version} ({delivered.Size}, {delivered.Files} files) was {verb} for data version \"{delivered.DataVersion ?? "(unnamed)"}\".");
        }

        var stalled = after.Conditions!.First(condition => condition.Type == ConditionTypes.Stalled);
        var earlier = before?.Conditions?.FirstOrDefault(condition => condition.Type == ConditionTypes.Stalled);
        if (stalled.Status == "True" && (earlier?.Status != "True" || earlier.Reason != stalled.Reason) && situation.Events.All(told => told.Reason != stalled.Reason))
        {
            yield return new PlannedEvent("Warning", stalled.Reason!, "Stall", stalled.Message!);
        }
    }
}
