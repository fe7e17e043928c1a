using System.Globalization;
using System.Text;
using System.Text.Json;
using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>
/// The Jobs that build and clean up: one container of the builder image, restricted Pod Security Standard, no service-account token, the
/// spec as a file, the data read-only, the report in the termination message. Retries are the planner's, so each Job tries once.
/// </summary>
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

    private const string SpecFile = "index.yaml";
    private const long BuilderGroup = 65532;

    /// <summary>The Job of a build attempt, and the ConfigMap it reads where the spec is too long for the Job.</summary>
    public static CreateJob Build(ObservedState observed, WantedBuild wanted, int attempt)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(wanted);
        var index = observed.Index;
        var name = wanted.JobName(index, attempt);
        var job = Job(observed, name, BuildAttempt.BuildTask, index.Spec.Build.Timeout.Value, [
            "build",
            "--file", $"{SpecDirectory}/{SpecFile}",
            "--cache-root", CacheRoot(index),
            "--map", $"{index.Spec.Data.MountPath}={DataDirectory}",
            "--build-id", StagingPrefix(index) + name,
            "--discard-staging", StagingPrefix(index),
        ]);
        job.Metadata.Annotations = new Dictionary<string, string>
        {
            [Annotations.BuildKey] = wanted.BuildKey,
            [Annotations.JobKey] = wanted.JobKey,
            [Annotations.Attempt] = attempt.ToString(CultureInfo.InvariantCulture),
            [Annotations.Generation] = (index.Metadata.Generation ?? 0).ToString(CultureInfo.InvariantCulture),
        };
        var spec = SpecText(index);
        var volume = new V1Volume { Name = "spec" };
        var configMap = default(V1ConfigMap);
        if (Encoding.UTF8.GetByteCount(spec) <= LongestSpecInJob)
        {
            job.Spec.Template.Metadata.Annotations = new Dictionary<string, string>(index.Spec.Build.PodAnnotations ?? new Dictionary<string, string>()) { [Annotations.Spec] = spec };
            volume.DownwardAPI = new V1DownwardAPIVolumeSource
            {
                Items = [new V1DownwardAPIVolumeFile { Path = SpecFile, FieldRef = new V1ObjectFieldSelector { FieldPath = $"metadata.annotations['{Annotations.Spec}']" } }],
            };
        }
        else
        {
            job.Metadata.Annotations[Annotations.SpecConfigMap] = name;
            volume.ConfigMap = new V1ConfigMapVolumeSource { Name = name };
            configMap = SpecConfigMap(index, name, spec);
        }

        var pod = job.Spec.Template.Spec;
        pod.Volumes.Add(volume);
        pod.Volumes.Add(new V1Volume { Name = "data", PersistentVolumeClaim = new V1PersistentVolumeClaimVolumeSource { ClaimName = index.Spec.Data.ClaimName, ReadOnlyProperty = true } });
        pod.Containers[0].VolumeMounts.Add(new V1VolumeMount { Name = "spec", MountPath = SpecDirectory, ReadOnlyProperty = true });
        pod.Containers[0].VolumeMounts.Add(new V1VolumeMount
        {
            Name = "data",
            MountPath = DataDirectory,
            SubPath = string.IsNullOrEmpty(index.Spec.Data.SubPath) ? null : index.Spec.Data.SubPath,
            ReadOnlyProperty = true,
        });
        return new CreateJob(job, configMap);
    }

    /// <summary>The Job that removes the staging folders of a resource whose builds have all ended.</summary>
    public static CreateJob Cleanup(ObservedState observed)
    {
        ArgumentNullException.ThrowIfNull(observed);
        var index = observed.Index;
        var job = Job(observed, WantedBuild.NameOf(index, BuildAttempt.CleanupTask, index.Metadata.Uid), BuildAttempt.CleanupTask, TimeSpan.FromMinutes(5), [
            "prune", "--cache-root", CacheRoot(index), "--discard-staging", StagingPrefix(index),
        ]);
        return new CreateJob(job, null);
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

    private static string CacheRoot(PretrainIndex index) =>
        string.IsNullOrEmpty(index.Spec.Cache.SubPath) ? CacheDirectory : $"{CacheDirectory}/{index.Spec.Cache.SubPath}";

    private static string SpecText(PretrainIndex index) => JsonSerializer.Serialize(
        new PretrainIndex
        {
            Metadata = new V1ObjectMeta { Name = index.Name(), NamespaceProperty = index.Namespace() },
            Spec = index.Spec,
        },
        PlanningJsonContext.Default.PretrainIndex);

    private static V1ConfigMap SpecConfigMap(PretrainIndex index, string name, string spec) => new()
    {
        ApiVersion = "v1",
        Kind = "ConfigMap",
        Metadata = Meta(index, name, BuildAttempt.BuildTask),
        Immutable = true,
        Data = new Dictionary<string, string> { [SpecFile] = spec },
    };

    private static V1ObjectMeta Meta(PretrainIndex index, string name, string task) => new()
    {
        Name = name,
        NamespaceProperty = index.Namespace(),
        Labels = OwnLabels(index, task),
        OwnerReferences =
        [
            new V1OwnerReference
            {
                ApiVersion = PretrainIndex.GroupVersion,
                Kind = PretrainIndex.KindName,
                Name = index.Name(),
                Uid = index.Metadata.Uid,
                Controller = true,
                BlockOwnerDeletion = true,
            },
        ],
    };

    private static Dictionary<string, string> OwnLabels(PretrainIndex index, string task) => new()
    {
        [Labels.ManagedBy] = Labels.ManagedByValue,
        [Labels.OwnerName] = LabelValue(index.Name()),
        [Labels.Task] = task,
    };

    private static V1Job Job(ObservedState observed, string name, string task, TimeSpan timeout, string[] arguments)
    {
        var index = observed.Index;
        var build = index.Spec.Build;
        var labels = new Dictionary<string, string>(build.PodLabels ?? new Dictionary<string, string>());
        foreach (var (key, value) in OwnLabels(index, task))
        {
            labels[key] = value;
        }

        return new V1Job
        {
            ApiVersion = "batch/v1",
            Kind = "Job",
            Metadata = Meta(index, name, task),
            Spec = new V1JobSpec
            {
                BackoffLimit = 0,
                Completions = 1,
                Parallelism = 1,
                ActiveDeadlineSeconds = Math.Max(1, (long)timeout.TotalSeconds),
                Template = new V1PodTemplateSpec
                {
                    Metadata = new V1ObjectMeta { Labels = labels, Annotations = build.PodAnnotations },
                    Spec = Pod(observed, task, arguments),
                },
            },
        };
    }

    private static V1PodSpec Pod(ObservedState observed, string task, string[] arguments)
    {
        var build = observed.Index.Spec.Build;
        var settings = observed.Settings;
        return new V1PodSpec
        {
            RestartPolicy = "Never",
            AutomountServiceAccountToken = false,
            EnableServiceLinks = false,
            TerminationGracePeriodSeconds = 10,
            NodeSelector = build.NodeSelector,
            Affinity = PlacementPolicy.Affinity(build, settings),
            Tolerations = PlacementPolicy.Tolerations(build, settings),
            PriorityClassName = Text(build.PriorityClassName),
            RuntimeClassName = Text(build.RuntimeClassName),
            SchedulerName = Text(build.SchedulerName),
            ImagePullSecrets = build.ImagePullSecrets?.ToList(),
            SecurityContext = new V1PodSecurityContext
            {
                RunAsNonRoot = true,
                RunAsUser = build.PodSecurityContext?.RunAsUser,
                RunAsGroup = build.PodSecurityContext?.RunAsGroup,
                FsGroup = build.PodSecurityContext?.FsGroup ?? BuilderGroup,
                FsGroupChangePolicy = "OnRootMismatch",
                SupplementalGroups = build.PodSecurityContext?.SupplementalGroups?.Select(group => (long?)group).ToList(),
                SeccompProfile = new V1SeccompProfile { Type = "RuntimeDefault" },
            },
            Volumes = [new V1Volume { Name = "cache", PersistentVolumeClaim = new V1PersistentVolumeClaimVolumeSource { ClaimName = ClaimPolicy.CacheClaimName(observed.Index) } }],
            Containers =
            [
                new V1Container
                {
                    Name = BuildAttempt.ContainerName,
                    Image = settings.BuilderImage,
                    ImagePullPolicy = "IfNotPresent",
                    Args = arguments,
                    Resources = PlacementPolicy.Resources(build, settings, withGpus: task == BuildAttempt.BuildTask),
                    TerminationMessagePolicy = "FallbackToLogsOnError",
                    SecurityContext = new V1SecurityContext
                    {
                        AllowPrivilegeEscalation = false,
                        ReadOnlyRootFilesystem = true,
                        Capabilities = new V1Capabilities { Drop = ["ALL"] },
                    },
                    VolumeMounts = [new V1VolumeMount { Name = "cache", MountPath = CacheDirectory }],
                },
            ],
        };
    }

    private static string? Text(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
