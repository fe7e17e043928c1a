using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>What the Jobs that look at versions and remove them have told, taken into the status before anything is decided by it.</summary>
/// <param name="Observed">What is observed, with the status as the Jobs' reports make it.</param>
/// <param name="Actions">The Jobs that have told all are deleted. Should the status not be written after that, the look is done again.</param>
/// <param name="Events">What to tell people.</param>
public sealed record Findings(ObservedState Observed, IReadOnlyList<PlannedAction> Actions, IReadOnlyList<PlannedEvent> Events)
{
    /// <summary>Why a Job that has told all is deleted.</summary>
    public const string IsRead = "its report is in the status";

    private const string IsVain = "what it looked at is not, or no longer, what the spec asks for";
    private const int MaxMessage = 2000;
    private const int MostFailures = 1000;
    private const long MostLooks = 1_000_000_000;

    // A prune that failed stays for a person to look at until it is tried again.
    private static readonly TimeSpan PrunePause = TimeSpan.FromMinutes(10);

    /// <summary>Reads every Job that is over.</summary>
    public static Findings Take(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var found = new Findings(observed, [], []);
        if (observed.Index.Status is null)
        {
            return found;
        }

        foreach (var attempt in BuildAttempt.AllOf(observed, BuildAttempt.CheckTask).Where(attempt => !attempt.IsGoing && attempt.IsOver(observed.Now)))
        {
            found = OfCheck(found, attempt);
        }

        foreach (var attempt in BuildAttempt.AllOf(observed, BuildAttempt.PruneTask).Where(attempt => attempt is { IsGoing: false, EndedAt: not null }))
        {
            found = OfPrune(found, attempt);
        }

        return found.With(status => status with { Previous = PrunePolicy.WithoutForgotten(found.Observed) });
    }

    private static Findings OfCheck(Findings found, BuildAttempt attempt)
    {
        var status = found.Observed.Index.Status!;
        var version = attempt.Versions is [var only] ? only : null;
        if (version is null || status.Current is null || (status.Current.Version != version && !AdoptPolicy.IsCandidate(found.Observed.Index, version)))
        {
            return found.Delete(attempt, IsVain);
        }

        if (status.Current.Version == version)
        {
            return OfCurrent(found, attempt).Delete(attempt, IsRead);
        }

        return AdoptPolicy.IsFit(attempt)
            ? found
            : found.With(old => old with { Previous = [.. old.Previous!.Select(kept => kept.Version == version ? kept with { BuildKey = null, SpecKey = null } : kept)] })
                .Delete(attempt, IsVain);
    }

    private static Findings OfCurrent(Findings found, BuildAttempt attempt)
    {
        var status = found.Observed.Index.Status!;
        var (current, at) = (status.Current!, attempt.EndedAt);
        // A report on another version was asked for by somebody who changed the Job: it says nothing of this one.
        var report = attempt.Report is { Outcome: BuildReport.Checked } told && told.Version != current.Version ? null : attempt.Report;
        switch (report)
        {
            case { Outcome: BuildReport.Checked, Integrity: BuildReport.Damaged, Message: var damage }:
                return found.Changed(attempt, Reasons.VersionCorrupt, WantedBuild.Hash(current.Version, attempt.Job.Metadata.Uid), damage);
            case var _ when status.Data?.CheckedAt == at:
                // Counted by a pass that could not delete the Job.
                return found;
            case { Outcome: BuildReport.Checked }:
                var looked = found.With(old => old with
                {
                    Current = current with
                    {
                        DataStamp = report.Data == BuildReport.Unchanged ? report.Stamp : current.DataStamp,
                        VerifiedAt = report.Integrity == BuildReport.Verified ? at : current.VerifiedAt,
                    },
                    Data = report.Data is null
                        ? (old.Data is { } kept ? kept with { CheckedAt = kept.CheckedAt ?? at, Failures = null, LastFailure = null } : null)
                        : new DataStatus { CheckedAt = at, State = report.Data, Looks = Next(old.Data?.Looks) },
                    Change = report.Data == BuildReport.Unchanged && old.Change?.Reason == Reasons.DataChanged ? null : old.Change,
                });
                return report.Data == BuildReport.Changed ? looked.Changed(attempt, Reasons.DataChanged, report.Fingerprint!["sha256:".Length..][..16], report.Message) : looked;
            default:
                var failure = report is null && attempt.State == JobState.Complete
                    ? new FailureStatus { Reason = Reasons.BuilderCrashed, Message = $"Job {attempt.Name} ended without a report that can be read." }
                    : FailureClassification.Of(attempt, found.Observed.Index);
                // A look that could not tell does not say that the data is there again.
                var known = StalenessPolicy.IsOfData(failure) ? null : StalenessPolicy.Unreadable(found.Observed.Index);
                var failed = found.With(old => old with
                {
                    Data = (old.Data ?? new DataStatus()) with { CheckedAt = at, LastFailure = known ?? failure, Failures = Math.Min(old.Data?.Failures ?? 0, MostFailures) + 1, Looks = Next(old.Data?.Looks) },
                });
                return StalenessPolicy.Unreadable(failed.Observed.Index) is { } unreadable && StalenessPolicy.Unreadable(found.Observed.Index)?.Reason != unreadable.Reason
                    ? failed with { Events = [.. failed.Events, new PlannedEvent("Warning", unreadable.Reason!, "Check", $"{StalenessPolicy.CannotBeRead(current, unreadable)} {ConsumerPolicy.Sentence(found.Observed)}")] }
                    : failed;
        }
    }

    // Counted on from what nobody can have counted to, it would be negative, and no look would read content any more.
    private static long Next(long? looks) => looks is > 0 and < MostLooks ? looks.Value + 1 : 1;

    // Found again, it is the same change: a build for it may be under way.
    private Findings Changed(BuildAttempt attempt, string reason, string token, string? message)
    {
        var status = Observed.Index.Status!;
        var specKey = WantedBuild.SpecKeyOf(status.Current!);
        if (status.Change is { } known && known.SpecKey == specKey && known.Token == token && known.Reason == reason)
        {
            return this;
        }

        var text = Clip.Characters(Clip.Plain(message ?? "The check did not say how."), MaxMessage);
        var spec = Observed.Index.Spec;
        var when = spec.Suspend ? " once spec.suspend is false" : "";
        var told = reason == Reasons.VersionCorrupt
            ? $"Version {status.Current!.Version} is damaged and is built again{when}; what is left of it is kept in .quarantine/. {ConsumerPolicy.Sentence(Observed)} {text}"
            : $"The data of version {status.Current!.Version} changed in place. {StalenessPolicy.Consequence(spec.Refresh.OnChange, when)} {ConsumerPolicy.Sentence(Observed)} {text}";
        return With(old => old with { Change = new ChangeStatus { SpecKey = specKey, Token = token, Reason = reason, Message = text, FoundAt = attempt.EndedAt } })
            with
        { Events = [.. Events, new PlannedEvent("Warning", reason, "Check", told)] };
    }

    private static Findings OfPrune(Findings found, BuildAttempt attempt)
    {
        if (attempt.State == JobState.Complete)
        {
            // None where the Job does not tell, or where an earlier pass took them out and could not delete the Job.
            var removed = (found.Observed.Index.Status!.Previous ?? []).Select(kept => kept.Version).OfType<string>().Distinct().Where(attempt.Versions.Contains).ToList();
            var after = removed.Count == 0 ? found : found.With(old => old with { Previous = PrunePolicy.NullIfEmpty(old.Previous!.Where(kept => !attempt.Versions.Contains(kept.Version!))) })
                with
            { Events = [.. found.Events, new PlannedEvent("Normal", Reasons.Pruned, "Prune", $"Removed {string.Join(", ", removed)}: spec.cache.historyLimit is {found.Observed.Index.Spec.Cache.HistoryLimit}.")] };
            return after.Delete(attempt, "what it removed is out of the status");
        }

        var now = found.Observed.Now;
        return attempt.EndedAt is { } ended && ended + PrunePause > now && !BuildAttempt.IsAhead(ended, now)
            ? found
            : (found with
            {
                Events = [.. found.Events, new PlannedEvent("Warning", Reasons.PruneFailed, "Prune", $"Job {attempt.Name} could not remove {(attempt.Versions.Count == 0 ? "old versions" : string.Join(", ", attempt.Versions))}; it is tried again. {FailureClassification.Of(attempt, found.Observed.Index).Message}")],
            })
                .Delete(attempt, "it failed and is tried again");
    }

    private Findings With(Func<PretrainIndexStatus, PretrainIndexStatus> change) =>
        this with { Observed = Observed with { Index = Observed.Index.With(change(Observed.Index.Status!)) } };

    private Findings Delete(BuildAttempt attempt, string because) => this with
    {
        Observed = Observed with { Jobs = [.. Observed.Jobs.Where(job => job.Metadata.Uid != attempt.Job.Metadata.Uid)] },
        Actions = [.. Actions, attempt.Delete(because)],
    };
}
