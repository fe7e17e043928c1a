using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>
/// Going back to an earlier spec: a kept version that was built for it is looked at by a Job (is it whole, is its data as it was?) and
/// made current in seconds, without a build. Where the look does not say yes, it is built.
/// </summary>
public static class AdoptPolicy
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    /// <summary>The situation while a kept version is looked at, or once it is found fit; null when there is none to look at.</summary>
    public static Situation? Decide(ObservedState observed, WantedBuild wanted)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(wanted);
        var index = observed.Index;
        if (CandidateOf(index, wanted) is not { } version)
        {
            return null;
        }

        var looks = BuildAttempt.AllOf(observed, BuildAttempt.CheckTask).Where(attempt => attempt.Versions is [var only] && only == version.Version).ToList();
        if (looks.LastOrDefault(attempt => !attempt.IsGoing && attempt.IsOver(observed.Now) && IsFit(attempt)) is { } fit)
        {
            var adopted = version with
            {
                DataVersion = index.Spec.DataVersion,
                BuildKey = wanted.BuildKey,
                SpecKey = null,
                DataStamp = fit.Report!.Stamp,
                Outcome = BuildReport.Reused,
            };
            return new Situation(Standing.Published, Reasons.Reused, PublishPolicy.Message(observed, adopted))
            {
                Delivered = adopted,
                DeliveredData = new DataStatus { CheckedAt = fit.EndedAt, State = BuildReport.Unchanged, Looks = 1 },
                Build = Leftover.AfterPublishing(observed, [], null, delivered: false),
                Actions = [fit.Delete(Findings.IsRead)],
            };
        }

        if (looks.Any(attempt => PodTrouble.Of(attempt.NewestPod) is not null) || observed.Refusal is not null)
        {
            // A build meets the same trouble, and tells of it.
            return null;
        }

        var create = UpkeepJobManifest.Check(observed, version, new Look(Data: true, Content: false, Checksums: false), observed.Index.Metadata.Generation ?? 0);
        return new Situation(Standing.Working, Reasons.Checking, $"Version {version.Version} was built for this spec before; Job {create.Job.Metadata.Name} looks whether it is whole and its data unchanged.")
        {
            Actions = observed.Jobs.Any(job => job.Metadata.Name == create.Job.Metadata.Name) || looks.Count > 0 ? [] : [.. FinalizerPolicy.AttachIfMissing(index), create],
            LookAgainAfter = Interval,
        };
    }

    /// <summary>True when the spec asks for the kept version.</summary>
    public static bool IsCandidate(PretrainIndex index, string version) => CandidateOf(index, WantedBuild.Of(index))?.Version == version;

    /// <summary>True when a look found the version whole and its data as it was.</summary>
    public static bool IsFit(BuildAttempt attempt)
    {
        ArgumentNullException.ThrowIfNull(attempt);
        return attempt is { State: JobState.Complete, Report: { Outcome: BuildReport.Checked, Data: BuildReport.Unchanged, Integrity: not BuildReport.Damaged } report }
            && attempt.Versions is [var version] && report.Version == version;
    }

    // A change that is built for has a key of its own: no kept version was built for that. And none is wanted beside one that is current.
    private static VersionStatus? CandidateOf(PretrainIndex index, WantedBuild wanted) =>
        wanted.BuildKey == wanted.SpecKey && index.Status?.Current?.BuildKey != wanted.BuildKey
            ? index.Status?.Previous?.FirstOrDefault(version => WantedBuild.SpecKeyOf(version) == wanted.SpecKey && BuildAttempt.IsVersion(version.Version))
            : null;
}
