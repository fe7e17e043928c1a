using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>What the resources of a namespace share in memory: the clock, the claims, a data volume and a cache volume.</summary>
internal sealed class Site
{
    public DateTimeOffset Now { get; set; } = Given.Now;

    public HashSet<string> Claims { get; } = ["corpus", "npy-index"];

    /// <summary>What the data is; another word for other content.</summary>
    public string Data { get; set; } = "monday";

    public bool IsDataMissing { get; set; }

    public bool IsDataBeingWritten { get; set; }

    /// <summary>Versions on the cache volume, each with what the data was when it was built.</summary>
    public Dictionary<string, string> Published { get; } = [];

    /// <summary>Published versions whose files somebody has changed.</summary>
    public HashSet<string> Damaged { get; } = [];

    /// <summary>True once somebody removed or changed a version by hand.</summary>
    public bool IsHurt { get; private set; }

    /// <summary>True once a pass acted on what was no longer so.</summary>
    public bool HasSeenStalePass { get; set; }

    public List<World> Worlds { get; } = [];

    /// <summary>The reasons of all conditions and events that passes have told.</summary>
    public HashSet<string> Told { get; } = [];

    /// <summary>The versions that live pods of any resource are pinned to.</summary>
    public IEnumerable<string> Pinned => Worlds.SelectMany(world => world.Consumers).Select(ConsumerPolicy.VersionOf).OfType<string>();

    public static string VersionOf(string contentKey, string data) => Given.VersionOf($"{contentKey} {data}");

    /// <summary>Somebody removes a version, or writes into one.</summary>
    public void Hurt(int which)
    {
        if (Published.Count == 0)
        {
            return;
        }

        IsHurt = true;
        var version = Published.Keys.Order(StringComparer.Ordinal).ElementAt(which % Published.Count);
        if (which % 2 == 0)
        {
            Published.Remove(version);
            Damaged.Remove(version);
        }
        else
        {
            Damaged.Add(version);
        }
    }

    /// <summary>A builder publishes a version; true when it was not there yet or had to be repaired.</summary>
    public bool Publish(string version)
    {
        var isNew = !Published.ContainsKey(version) || Damaged.Remove(version);
        Published[version] = Data;
        return isNew;
    }

    /// <summary>A Job removes versions. Nobody may be pinned to one, or have it for current.</summary>
    public void Remove(IEnumerable<string> versions)
    {
        foreach (var version in versions)
        {
            Assert.True(HasSeenStalePass || !Pinned.Contains(version), $"Version {version} is removed, and a pod is pinned to it.");
            Assert.True(HasSeenStalePass || Worlds.Where(world => world.Exists && world.Index.Metadata.DeletionTimestamp is null).All(world => world.Index.Status?.Current?.Version != version), "What is current is removed.");
            Published.Remove(version);
            Damaged.Remove(version);
        }
    }

    public IReadOnlyList<V1Job> ActiveJobsBeside(World world) =>
        [.. Worlds.Where(other => other != world).SelectMany(other => other.Jobs).Where(job => !World.HasEnded(job))];
}
