using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>Turns a situation into the whole status and the events that follow from how it differs from the status before.</summary>
public static class Report
{
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
        var data = DataOf(observed, situation);
        var status = new PretrainIndexStatus
        {
            ObservedGeneration = index.Metadata.Generation,
            Current = current,
            Previous = previous,
            Build = situation.Build,
            Data = data,
            Change = situation.Delivered is null && before is { Change: { Reason: Reasons.DataChanged or Reasons.VersionCorrupt } change, Current: { } wrong } && change.SpecKey == WantedBuild.SpecKeyOf(wrong) ? change : null,
            Consumers = ConsumerPolicy.StatusOf(observed),
            ClaimName = situation.Reason != Reasons.InvalidSpec ? ClaimPolicy.CacheClaimName(index) : before?.ClaimName,
            RebuildToken = current?.BuildKey == wanted.BuildKey ? wanted.RebuildToken : before?.RebuildToken,
            Conditions = Conditions(before is null ? observed : observed with { Index = index.With(before with { Data = data }) }, wanted, situation, current),
        };
        return new Plan
        {
            Actions = situation.Actions,
            Status = status,
            Events = situation.Events.Concat(EventsOf(before, status, situation)).Select(told => told with { Note = Clip.Bytes(Clip.Plain(told.Note), MaxNoteBytes) }).ToList(),
            LookAgainAfter = observed.ExpansionRefusal is not null && !(situation.LookAgainAfter < ClaimPolicy.ExpansionPause) ? ClaimPolicy.ExpansionPause : situation.LookAgainAfter,
        };
    }

    // What is on a claim that was missing is looked at as soon as there is one.
    private static DataStatus? DataOf(ObservedState observed, Situation situation) =>
        situation.Delivered is not null ? situation.DeliveredData
            : observed.Index.Status is { Current: not null } status && IsAway(observed, situation) ? (status.Data ?? new DataStatus()) with { CheckedAt = null, Failures = null, LastFailure = null }
            : observed.Index.Status?.Data;

    private static bool IsAway(ObservedState observed, Situation situation) =>
        situation is { Standing: Standing.Stuck, Reason: Reasons.ClaimMissing } || (situation.Reason != Reasons.InvalidSpec && ClaimPolicy.CacheLost(observed) is not null);

    private static IReadOnlyList<Condition> Conditions(ObservedState observed, WantedBuild wanted, Situation situation, VersionStatus? current)
    {
        var index = observed.Index;
        var set = new ConditionSet(index.Status?.Conditions, index.Metadata.Generation, observed.Now);
        set.Set(ConditionTypes.Ready, situation.Standing == Standing.Published, situation.Reason, situation.Message);
        SetAvailable(set, observed, situation, current);

        var working = situation.Standing == Standing.Working;
        set.Set(ConditionTypes.Reconciling, working, working ? situation.Reason : Reasons.Idle, working ? situation.Message : "Nothing is under way.");
        var stuck = situation.Standing == Standing.Stuck;
        set.Set(ConditionTypes.Stalled, stuck, stuck ? situation.Reason : Reasons.Idle, stuck ? situation.Message : "Nothing waits for a person.");
        if (situation.DeliveredData is not null)
        {
            set.Set(ConditionTypes.DataCurrent, true, Reasons.Unchanged, StalenessPolicy.IsUnchanged);
        }
        else if (situation.Delivered is not null)
        {
            set.Set(ConditionTypes.DataCurrent, true, Reasons.Published, StalenessPolicy.AtPublication);
        }
        else if (current is not null)
        {
            StalenessPolicy.SetDataCurrent(set, observed, wanted);
        }

        if (current is not null)
        {
            SetVerified(set, situation.Delivered is null ? Damage(observed) : null, current);
        }

        return set.ToList();
    }

    private static void SetAvailable(ConditionSet set, ObservedState observed, Situation situation, VersionStatus? current)
    {
        if (current is null)
        {
            set.Set(ConditionTypes.Available, false, Reasons.NotBuilt, "No version is published yet.");
        }
        else if (situation.Delivered is null && Damage(observed) is { } damage)
        {
            set.Set(ConditionTypes.Available, false, Reasons.VersionCorrupt, $"Version {current.Version} is damaged: {damage.Message}");
        }
        else if (situation.Reason != Reasons.InvalidSpec && ClaimPolicy.CacheLost(observed) is { } lost)
        {
            set.Set(ConditionTypes.Available, false, lost.Reason!, lost.Message!);
        }
        else if (situation.Delivered is null && StalenessPolicy.MustBeLookedAt(observed.Index)
            && observed.Index.Status!.Conditions?.Any(condition => condition is { Type: ConditionTypes.Available, Status: "True" }) != true)
        {
            set.Set(ConditionTypes.Available, null, Reasons.Checking, $"Nobody has looked at version {current.Version} since its claim was missing.");
        }
        else
        {
            set.Set(ConditionTypes.Available, true, Reasons.Published, $"Version {current.Version} can be mounted from claim {observed.Index.Status?.ClaimName ?? ClaimPolicy.CacheClaimName(observed.Index)} at {current.Path}.");
        }
    }

    private static void SetVerified(ConditionSet set, ChangeStatus? damage, VersionStatus current)
    {
        if (damage is not null)
        {
            set.Set(ConditionTypes.Verified, false, Reasons.VersionCorrupt, damage.Message ?? "The published files are not what they were.");
        }
        else if (current.VerifiedAt > current.BuiltAt)
        {
            set.Set(ConditionTypes.Verified, true, Reasons.ChecksumsMatch, "The files had the checksums of their manifest when they were last read.");
        }
        else
        {
            set.Set(ConditionTypes.Verified, true, Reasons.Published, "The files had the checksums of their manifest when the version was published.");
        }
    }

    private static ChangeStatus? Damage(ObservedState observed) =>
        observed.Index.Status is { Change: { Reason: Reasons.VersionCorrupt } change, Current: { } current } && change.SpecKey == WantedBuild.SpecKeyOf(current) ? change : null;

    private static IEnumerable<PlannedEvent> EventsOf(PretrainIndexStatus? before, PretrainIndexStatus after, Situation situation)
    {
        if (situation.Delivered is { } delivered && before?.Current?.BuildKey != delivered.BuildKey)
        {
            var verb = situation.DeliveredData is not null ? "kept on the volume, looked at and made current again"
                : delivered.Outcome == BuildReport.Reused ? "found on the volume, verified and reused" : "built, verified and published";
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
