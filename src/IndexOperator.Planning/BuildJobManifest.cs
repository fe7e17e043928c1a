using System.Globalization;
using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>The Job of a build attempt: the spec as a file, the data read-only, the report in the termination message.</summary>
public static class BuildJobManifest
{
    /// <summary>Where the pod finds the spec.</summary>
    public const string SpecDirectory = "/index-operator/spec";

    /// <summary>Where the pod finds the data; <c>--map</c> keeps the declared prefixes in the keys, whatever path they name.</summary>
    public const string DataDirectory = "/index-operator/data";

    /// <summary>Where the pod finds the cache claim.</summary>
    public const string CacheDirectory = "/index-operator/cache";

    /// <summary>A longer spec, in bytes, is not carried by the Job and its pod but by a ConfigMap: annotations may have 256 KiB in all, the user's among them.</summary>
    public const int LongestSpecInJob = 16 * 1024;

    /// <summary>For how long data must have stood still before it is read.</summary>
    public const string Quiet = "5s";

    private const string PodName = "POD_NAME";

    /// <summary>The Job of a build attempt, and the ConfigMap it reads where the spec is too long for the Job.</summary>
    /// <param name="observed">What is observed.</param>
    /// <param name="wanted">What is to be built.</param>
    /// <param name="attempt">Which attempt, from 1.</param>
    /// <param name="memoryBytes">Memory to give it in place of what the spec says; null for what the spec says.</param>
    public static CreateJob Build(ObservedState observed, WantedBuild wanted, int attempt, long? memoryBytes = null)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(wanted);
        var index = observed.Index;
        var name = wanted.JobName(index, attempt);
        var resources = PlacementPolicy.Resources(index.Spec.Build, observed.Settings, withGpus: true, memoryBytes);
        var job = JobParts.Job(observed, name, BuildAttempt.BuildTask, index.Spec.Build.Timeout.Value, [
            "build",
            .. JobParts.SpecArguments(index),
            "--cache-root", JobParts.CacheRoot(index),
            // Its pod's own: Kubernetes may make a second pod of the Job while the first, on a node that is lost, still writes.
            "--build-id", $"{StagingPrefix(index)}$({PodName})",
            "--discard-staging", StagingPrefix(index),
            "--quiet", Quiet,
            "--repair",
        ], resources);
        job.Spec.Template.Spec.Containers[0].Env = [new V1EnvVar { Name = PodName, ValueFrom = new V1EnvVarSource { FieldRef = new V1ObjectFieldSelector { FieldPath = "metadata.name" } } }];
        job.Metadata.Annotations = new Dictionary<string, string>
        {
            [Annotations.ContentKey] = wanted.ContentKey,
            [Annotations.BuildKey] = wanted.BuildKey,
            [Annotations.JobKey] = wanted.JobKey,
            [Annotations.Attempt] = attempt.ToString(CultureInfo.InvariantCulture),
            [Annotations.Generation] = (index.Metadata.Generation ?? 0).ToString(CultureInfo.InvariantCulture),
        };
        if (memoryBytes is { } bytes)
        {
            job.Metadata.Annotations[Annotations.Memory] = bytes.ToString(CultureInfo.InvariantCulture);
        }

        var configMap = JobParts.MountSpec(job, index);
        JobParts.MountData(job, index);
        return new CreateJob(job, configMap);
    }

    /// <summary>With what the names of all staging folders of a resource begin.</summary>
    public static string StagingPrefix(PretrainIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return $"{index.Metadata.Uid}.";
    }

    /// <summary>A resource's name as a label value: at most 63 characters, and different for different names.</summary>
    public static string LabelValue(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length <= 63 ? name : WantedBuild.Shorten(name, "", name);
    }
}
