using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>
/// Which workloads <c>status.consumers.groups</c> remembers: those that were given a version, until an hour after their last pod went. So a
/// workload that is created again within that hour goes on with what it had. Where there are more than the list takes, those without pods
/// go first, then those whose running pods tell the version themselves; a workload for which there is still no room waits for some.
/// </summary>
public static class GroupPolicy
{
    /// <summary>How long a workload without pods is remembered.</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromHours(1);

    // Longer than any key of ours.
    private const int MaxKey = 317;

    /// <summary>The version of each workload by the status, without what somebody wrote there that this operator would not have.</summary>
    public static IReadOnlyDictionary<string, string> Pins(PretrainIndexStatus? status)
    {
        var pins = new Dictionary<string, string>();
        foreach (var group in Sound(status))
        {
            pins.TryAdd(group.Group!, group.Version!);
        }

        return pins;
    }

    /// <summary>The versions that workloads hold, also those without pods.</summary>
    public static IEnumerable<string> VersionsOf(PretrainIndexStatus? status) => Sound(status).Select(group => group.Version!);

    /// <summary>True where the new status gives a workload a version that the old one did not: that must not be decided by an old state.</summary>
    public static bool Pinned(PretrainIndexStatus? before, PretrainIndexStatus after)
    {
        var pins = Pins(before);
        return Sound(after).Any(group => !pins.TryGetValue(group.Group!, out var known) || known != group.Version);
    }

    /// <summary>The workloads to remember.</summary>
    /// <param name="observed">What is observed.</param>
    /// <param name="live">The keys of workloads that have live pods.</param>
    /// <param name="running">Those of them whose running pods tell their version.</param>
    /// <param name="pins">The version of each workload that is to be opened in this pass.</param>
    public static IReadOnlyList<GroupStatus> After(ObservedState observed, IReadOnlySet<string> live, IReadOnlySet<string> running, IReadOnlyDictionary<string, string> pins)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(live);
        ArgumentNullException.ThrowIfNull(running);
        ArgumentNullException.ThrowIfNull(pins);
        var groups = Sound(observed.Index.Status).DistinctBy(group => group.Group)
            .Select(group => group with { Version = pins.GetValueOrDefault(group.Group!) ?? group.Version, GoneSince = live.Contains(group.Group!) ? null : GoneSince(group, observed.Now) })
            .Where(group => group.GoneSince is not { } gone || gone + Remembered > observed.Now)
            .ToDictionary(group => group.Group!);
        var added = pins.Where(pin => !groups.ContainsKey(pin.Key)).OrderBy(pin => pin.Key, StringComparer.Ordinal).ToList();
        var room = ConsumersStatus.MostGroups - groups.Count;
        foreach (var group in groups.Values.Where(group => group.GoneSince is not null || running.Contains(group.Group!)).OrderBy(group => group.GoneSince ?? DateTimeOffset.MaxValue).ThenBy(group => group.Group, StringComparer.Ordinal).Take(Math.Max(0, added.Count - room)).ToList())
        {
            groups.Remove(group.Group!);
        }

        foreach (var (key, version) in added.Take(ConsumersStatus.MostGroups - groups.Count))
        {
            groups.Add(key, new GroupStatus { Group = key, Version = version });
        }

        return [.. groups.Values.OrderBy(group => group.Group, StringComparer.Ordinal)];
    }

    /// <summary>When the next workload is forgotten; null when all have pods.</summary>
    public static DateTimeOffset? NextForgotten(IReadOnlyList<GroupStatus> groups) => groups.Min(group => group.GoneSince) + Remembered;

    private static DateTimeOffset GoneSince(GroupStatus group, DateTimeOffset now) =>
        group.GoneSince is { } gone && !BuildAttempt.IsAhead(gone, now) ? gone : now;

    private static IEnumerable<GroupStatus> Sound(PretrainIndexStatus? status) =>
        (status?.Consumers?.Groups ?? []).Where(group => group is { Group.Length: > 0 and <= MaxKey } && BuildAttempt.IsVersion(group.Version)).Take(ConsumersStatus.MostGroups);
}
