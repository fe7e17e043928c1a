using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>Which version is current and which came before.</summary>
public static class PublishPolicy
{
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
            BuiltAt = known?.BuiltAt ?? attempt.EndedAt,
            BuildSeconds = report.Seconds,
            VerifiedAt = attempt.EndedAt,
            BuildKey = wanted.BuildKey,
            Outcome = report.Outcome,
        };
    }

    /// <summary>
    /// Current and previous after a delivery. The same version under a new data version is only relabelled and keeps its place; an
    /// earlier version that is delivered again moves from previous to current.
    /// </summary>
    public static (VersionStatus? Current, IReadOnlyList<VersionStatus>? Previous) After(ObservedState observed, VersionStatus? delivered)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var status = observed.Index.Status;
        if (delivered is null || status?.Current is null)
        {
            return (delivered ?? status?.Current, status?.Previous);
        }

        var earlier = (status.Previous ?? []).Where(version => version.Version != delivered.Version);
        var previous = (status.Current.Version == delivered.Version ? earlier : earlier.Prepend(status.Current))
            .Take(observed.Index.Spec.Cache.HistoryLimit)
            .ToList();
        return (delivered, previous.Count == 0 ? null : previous);
    }
}
