using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>Which version is current and which came before.</summary>
public static class PublishPolicy
{
    // The most that the schema takes; only pinned versions of a long history come so far.
    private const int MostKept = 100;

    /// <summary>What becomes of a version that is wanted and published: it may be out of reach, or not what its data is any more. Null when it is not published.</summary>
    public static Situation? Decide(ObservedState observed, WantedBuild wanted) =>
        BuildPolicy.Published(observed, wanted) is not { } published ? null
            : ClaimPolicy.CacheLost(observed) is { } lost ? published with { Standing = Standing.Stuck, Reason = lost.Reason!, Message = lost.Message! }
            : StalenessPolicy.Judge(observed, wanted, published);

    /// <summary>That a version is published, for a person.</summary>
    public static string Message(ObservedState observed, VersionStatus version)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(version);
        return $"Version {version.Version} is published on claim {ClaimPolicy.CacheClaimName(observed.Index)} at {version.Path}.";
    }

    /// <summary>What the status says of the version that an attempt delivered.</summary>
    public static VersionStatus VersionOf(ObservedState observed, WantedBuild wanted, BuildAttempt attempt)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(wanted);
        ArgumentNullException.ThrowIfNull(attempt);
        var report = attempt.Report!;
        var known = (observed.Index.Status?.Previous ?? []).Prepend(observed.Index.Status?.Current).FirstOrDefault(version => version?.Version == report.Version);
        return new VersionStatus
        {
            Version = report.Version,
            DataVersion = observed.Index.Spec.DataVersion,
            Fingerprint = report.Fingerprint,
            Path = $"versions/{report.Version}",
            SizeBytes = report.SizeBytes,
            Size = report.SizeBytes is { } bytes ? ProgressText.Size(bytes) : null,
            Files = report.Files,
            Samples = report.Samples,
            BuiltAt = report.Outcome == BuildReport.Built ? attempt.EndedAt : known?.BuiltAt ?? attempt.EndedAt,
            BuildSeconds = report.Seconds,
            VerifiedAt = attempt.EndedAt,
            BuildKey = wanted.BuildKey,
            SpecKey = wanted.SpecKey == wanted.BuildKey ? null : wanted.SpecKey,
            DataStamp = report.Stamp,
            Outcome = report.Outcome,
        };
    }

    /// <summary>
    /// Current and previous after a delivery. The same version under a new data version is only relabelled and keeps its place; an
    /// earlier version that is delivered again moves from previous to current. What is beyond the history's limit stays until it is removed
    /// from the volume.
    /// </summary>
    public static (VersionStatus? Current, IReadOnlyList<VersionStatus>? Previous) After(ObservedState observed, VersionStatus? delivered)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var status = observed.Index.Status;
        if (delivered is null || status?.Current is null)
        {
            return (delivered ?? status?.Current, status?.Previous);
        }

        // Nobody goes back to what is known to be damaged.
        var before = status.Change is { Reason: Reasons.VersionCorrupt } damage && damage.SpecKey == WantedBuild.SpecKeyOf(status.Current) ? status.Current with { BuildKey = null, SpecKey = null } : status.Current;
        var earlier = (status.Previous ?? []).Where(version => version.Version != delivered.Version);
        var previous = (status.Current.Version == delivered.Version ? earlier : earlier.Prepend(before))
            .Take(MostKept)
            .ToList();
        return (delivered, previous.Count == 0 ? null : previous);
    }
}
