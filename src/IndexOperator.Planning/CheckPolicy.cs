using System.Globalization;
using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>
/// When the current version and its data are looked at, and what a look reads: <c>refresh.interval</c> for the data (sizes and times; the
/// content on every tenth look), <c>verify.interval</c> for the checksums. One Job does what is due.
/// </summary>
public static class CheckPolicy
{
    /// <summary>Of so many looks one reads the content of the data.</summary>
    public const int ContentEvery = 10;

    // Data that somebody writes to is looked at again soon: it is about to be another.
    private static readonly TimeSpan SoonAfterWriting = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    // Indexes that were made together are not looked at together.
    private const double Spread = 0.1;

    /// <summary>What is due now; null when nothing is.</summary>
    public static Look? Due(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var (refresh, verify) = Next(observed);
        var (isRefresh, isVerify) = (refresh <= observed.Now, verify <= observed.Now);
        var looks = observed.Index.Status?.Data?.Looks ?? 0;
        return isRefresh || isVerify || StalenessPolicy.MustBeLookedAt(observed.Index) ? new Look(Data: isRefresh, Content: isRefresh && looks % ContentEvery == ContentEvery - 1, Checksums: isVerify) : null;
    }

    /// <summary>When the next look is due; null when there is none.</summary>
    public static DateTimeOffset? NextAt(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        if (StalenessPolicy.MustBeLookedAt(observed.Index))
        {
            return observed.Now;
        }

        var (refresh, verify) = Next(observed);
        return refresh is null ? verify : verify is null || refresh < verify ? refresh : verify;
    }

    private static (DateTimeOffset? Refresh, DateTimeOffset? Verify) Next(ObservedState observed)
    {
        var (index, now) = (observed.Index, observed.Now);
        if (index.Status is not { Current: { } current } status)
        {
            return default;
        }

        var (refresh, verify) = (index.Spec.Refresh.Interval.Value, index.Spec.Verify.Interval.Value);
        var data = status.Data;
        // A look that could not tell is repeated with a pause of its own.
        var retry = data is { Failures: > 0 and var failures, CheckedAt: { } failed } ? Sane(failed + Doubled(failures), now) : default(DateTimeOffset?);
        var known = data is null ? Later(current.BuiltAt, current.VerifiedAt) : data.CheckedAt;
        return (
            refresh <= TimeSpan.Zero ? null : retry ?? After(known, data?.State == BuildReport.BeingWritten && refresh > SoonAfterWriting ? SoonAfterWriting : refresh),
            verify <= TimeSpan.Zero ? null : Later(retry, After(current.VerifiedAt, verify)));

        // A time that lies far ahead was written by a clock that has been set back since: nobody knows how long ago it is.
        DateTimeOffset After(DateTimeOffset? last, TimeSpan interval) =>
            last is { } at && at <= now + interval ? at + (interval * (1 + (Spread * Jitter(index, current)))) : now;
    }

    private static DateTimeOffset Sane(DateTimeOffset at, DateTimeOffset now) => at > now + LongestPause ? now : at;

    private static DateTimeOffset? Later(DateTimeOffset? a, DateTimeOffset? b) => a is null || b > a ? b : a;

    private static TimeSpan Doubled(int failures)
    {
        var pause = FirstPause * Math.Pow(2, Math.Clamp(failures - 1, 0, 20));
        return pause < LongestPause ? pause : LongestPause;
    }

    // From -1 to 1, the same each time it is asked for.
    private static double Jitter(PretrainIndex index, VersionStatus current) =>
        (uint.Parse(WantedBuild.Hash(index.Metadata.Uid, current.Version)[..8], NumberStyles.HexNumber, CultureInfo.InvariantCulture) / (double)uint.MaxValue * 2) - 1;
}
