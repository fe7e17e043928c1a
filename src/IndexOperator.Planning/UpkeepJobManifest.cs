using System.Globalization;
using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>What a look at a version reads.</summary>
/// <param name="Data">Whether the data is looked at.</param>
/// <param name="Content">Whether the data's content is read even where sizes and times did not move.</param>
/// <param name="Checksums">Whether the version's files are read.</param>
public sealed record Look(bool Data, bool Content, bool Checksums);

/// <summary>The Jobs that look at what is published, remove old versions, and clean up after a deleted resource. They need no GPU.</summary>
public static class UpkeepJobManifest
{
    /// <summary>How long removing versions may take.</summary>
    public static readonly TimeSpan PruneTimeout = TimeSpan.FromMinutes(10);

    /// <summary>The Job that looks at a version and its data. It can write to neither.</summary>
    /// <param name="observed">What is observed.</param>
    /// <param name="version">The version.</param>
    /// <param name="look">What to read.</param>
    /// <param name="number">Tells looks at the same version apart.</param>
    public static CreateJob Check(ObservedState observed, VersionStatus version, Look look, long number)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(version);
        ArgumentNullException.ThrowIfNull(look);
        var index = observed.Index;
        string[] data = look switch
        {
            { Data: false } => ["--skip-data"],
            { Content: true } => ["--content", "--quiet", BuildJobManifest.Quiet],
            _ when version.DataStamp is { } stamp => ["--stamp", stamp, "--quiet", BuildJobManifest.Quiet],
            _ => ["--quiet", BuildJobManifest.Quiet],
        };
        var name = WantedBuild.NameOf(index, BuildAttempt.CheckTask, index.Metadata.Uid, version.Version, number.ToString(CultureInfo.InvariantCulture));
        var create = Job(observed, name, BuildAttempt.CheckTask, index.Spec.Build.Timeout.Value, [version.Version!], [
            "check",
            .. JobParts.SpecArguments(index),
            "--cache-root", JobParts.CacheRoot(index),
            "--version-name", version.Version!,
            .. data,
            .. look.Checksums ? (string[])["--checksums"] : [],
        ]);
        create.Job.Spec.Template.Spec.Containers[0].VolumeMounts[0].ReadOnlyProperty = true;
        var configMap = JobParts.MountSpec(create.Job, index);
        if (look.Data)
        {
            JobParts.MountData(create.Job, index);
        }

        return create with { Spec = configMap };
    }

    /// <summary>The Job that removes versions that nobody refers to.</summary>
    public static CreateJob Prune(ObservedState observed, IReadOnlyList<string> versions)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(versions);
        var index = observed.Index;
        var name = WantedBuild.NameOf(index, BuildAttempt.PruneTask, [index.Metadata.Uid, .. versions]);
        return Job(observed, name, BuildAttempt.PruneTask, PruneTimeout, versions, ["prune", "--cache-root", JobParts.CacheRoot(index), .. Remove(versions)]);
    }

    /// <summary>The Job that removes the staging folders of a resource whose builds have all ended, and with <c>deletionPolicy: Delete</c> its versions.</summary>
    public static CreateJob Cleanup(ObservedState observed, IReadOnlyList<string> versions)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(versions);
        var index = observed.Index;
        var name = WantedBuild.NameOf(index, BuildAttempt.CleanupTask, index.Metadata.Uid);
        return Job(observed, name, BuildAttempt.CleanupTask, PruneTimeout, versions, [
            "prune", "--cache-root", JobParts.CacheRoot(index), "--discard-staging", BuildJobManifest.StagingPrefix(index), .. Remove(versions),
        ]);
    }

    private static IEnumerable<string> Remove(IEnumerable<string> versions) => versions.SelectMany(version => (string[])["--remove", version]);

    private static CreateJob Job(ObservedState observed, string name, string task, TimeSpan timeout, IReadOnlyList<string> versions, string[] arguments)
    {
        var job = JobParts.Job(observed, name, task, timeout, arguments, PlacementPolicy.Resources(observed.Index.Spec.Build, observed.Settings, withGpus: false));
        job.Metadata.Annotations = new Dictionary<string, string> { [Annotations.Cache] = WantedBuild.CacheOf(observed.Index) };
        if (versions.Count > 0)
        {
            job.Metadata.Annotations[Annotations.Versions] = string.Join(',', versions);
        }

        return new CreateJob(job, null);
    }
}
