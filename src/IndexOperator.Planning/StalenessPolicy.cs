using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>What follows when the data of the current version is not what it was built from: <c>refresh.onChange</c>.</summary>
public static class StalenessPolicy
{
    /// <summary>That nobody has looked at the data since the version was published, for a person.</summary>
    public const string AtPublication = "The data had the fingerprint of the current version when that was published.";

    /// <summary>That the data is as it was, for a person.</summary>
    public const string IsUnchanged = "The data is what the current version was built from.";

    // One pod that was evicted says nothing about the data.
    private const int FailuresToTell = 3;

    /// <summary>
    /// What becomes of a version that is published and wanted. <c>Rebuild</c> never comes here with changed data: the version that is
    /// wanted is another then.
    /// </summary>
    public static Situation Judge(ObservedState observed, WantedBuild wanted, Situation published)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(wanted);
        ArgumentNullException.ThrowIfNull(published);
        if (published.Delivered is not null)
        {
            return published;
        }

        var policy = observed.Index.Spec.Refresh.OnChange;
        if (DataLost(observed) is { } lost && policy != ChangePolicy.Report)
        {
            return published with { Standing = Standing.Stuck, Reason = lost.Reason!, Message = lost.Message! };
        }

        if (MustBeLookedAt(observed.Index))
        {
            return observed.Index.Spec.Suspend
                ? published with { Standing = Standing.Suspended, Reason = Reasons.Suspended, Message = "spec.suspend is true: what is published on a claim that had been missing is not looked at. Set it to false to continue." }
                : published with { Standing = Standing.Working, Reason = Reasons.Checking, Message = $"Version {observed.Index.Status!.Current!.Version} is looked at before it is used: a claim of it had been missing." };
        }

        if (Change(observed.Index, wanted) is { } change)
        {
            return policy == ChangePolicy.Hold
                ? published with { Standing = Standing.Stuck, Reason = Reasons.DataChanged, Message = $"The data changed in place: {Clip.Sentence(change.Message ?? "no details")} {Consequence(policy)}" }
                : published with { Message = $"{published.Message} Its data changed since: {Clip.Sentence(change.Message ?? "no details")} {Consequence(policy)}" };
        }

        return Unreadable(observed.Index) is { } failure && policy != ChangePolicy.Report
            ? published with { Standing = Standing.Stuck, Reason = failure.Reason!, Message = CannotBeRead(observed.Index.Status!.Current!, failure) }
            : published;
    }

    /// <summary>Why the data of what is published cannot be mounted; null when it can, or when nobody is to look at it.</summary>
    public static FailureStatus? DataLost(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        return observed.Index.Spec.Refresh.Interval.Value > TimeSpan.Zero ? ClaimPolicy.DataLost(observed) : null;
    }

    /// <summary>True when nobody knows what became of a version while its claim was missing: whoever made the claim again made it empty, maybe.</summary>
    public static bool MustBeLookedAt(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return index.Status is { Current: not null, Data: { CheckedAt: null } };
    }

    /// <summary>That the data of a version cannot be read, as a sentence.</summary>
    public static string CannotBeRead(VersionStatus version, FailureStatus failure)
    {
        ArgumentNullException.ThrowIfNull(version);
        ArgumentNullException.ThrowIfNull(failure);
        return $"The data of version {version.Version} cannot be read any more: {Clip.Sentence(failure.Message ?? "no details")} It is looked at again by itself.";
    }

    /// <summary>What the policy does, as a sentence.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="when">From when on something is built; empty for at once.</param>
    public static string Consequence(ChangePolicy policy, string when = "") => policy switch
    {
        ChangePolicy.Hold => "spec.refresh.onChange is Hold: nothing is built until you change spec.dataVersion, spec.refresh.onChange or the annotation indexoperator.io/rebuild.",
        ChangePolicy.Report => "spec.refresh.onChange is Report: the version stays Ready.",
        _ => $"A new version is built{when}.",
    };

    /// <summary>Sets DataCurrent for a version that is current and whose data was looked at.</summary>
    public static void SetDataCurrent(ConditionSet set, ObservedState observed, WantedBuild wanted)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(observed);
        var data = observed.Index.Status?.Data;
        if (Change(observed.Index, wanted) is { } change)
        {
            set.Set(ConditionTypes.DataCurrent, false, Reasons.DataChanged, change.Message ?? "The data changed in place.");
        }
        else if (DataLost(observed) is { } lost)
        {
            set.Set(ConditionTypes.DataCurrent, null, lost.Reason!, lost.Message!);
        }
        else if (MustBeLookedAt(observed.Index))
        {
            set.Set(ConditionTypes.DataCurrent, null, Reasons.Checking, "Nobody has looked at the data since a claim was missing.");
        }
        else if (data is { Failures: > 0, LastFailure: { } failure } && IsOfData(failure))
        {
            set.Set(ConditionTypes.DataCurrent, false, failure.Reason!, failure.Message ?? "The data cannot be read.");
        }
        else if (data is { Failures: >= FailuresToTell, LastFailure: { Reason: { Length: > 0 } } unknown })
        {
            set.Set(ConditionTypes.DataCurrent, null, unknown.Reason, unknown.Message ?? "The data could not be looked at.");
        }
        else if (data is { Failures: null or 0, State: BuildReport.BeingWritten })
        {
            set.Set(ConditionTypes.DataCurrent, null, Reasons.DataBeingWritten, "Somebody is writing to the data. It is looked at again soon.");
        }
        else if (data is { Failures: null or 0, State: BuildReport.Unchanged })
        {
            set.Set(ConditionTypes.DataCurrent, true, Reasons.Unchanged, IsUnchanged);
        }
        else if (!set.Keep(ConditionTypes.DataCurrent))
        {
            // Somebody took it out of the status.
            set.Set(ConditionTypes.DataCurrent, true, Reasons.Published, AtPublication);
        }
    }

    /// <summary>Why the data of the current version cannot be read; null when it can, when nobody knows, or when nobody is to look.</summary>
    public static FailureStatus? Unreadable(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return index.Status?.Data is { Failures: > 0, LastFailure: { } failure } && IsOfData(failure) && index.Spec.Refresh.Interval.Value > TimeSpan.Zero ? failure : null;
    }

    /// <summary>True for a failure that says something about the data, and not only about the look.</summary>
    public static bool IsOfData(FailureStatus failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return failure.Reason is Reasons.DataMissing or Reasons.DataCorrupt or Reasons.PermissionDenied;
    }

    private static ChangeStatus? Change(PretrainIndex index, WantedBuild wanted) =>
        index.Status?.Change is { Reason: Reasons.DataChanged } change && change.SpecKey == wanted.SpecKey ? change : null;
}
