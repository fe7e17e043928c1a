using System.Text;
using System.Text.Json;
using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning;

/// <summary>
/// What all Jobs of the operator have in common: one container of the builder image, restricted Pod Security Standard, no
/// service-account token, the cache claim, and one try each, since retries are the planner's.
/// </summary>
internal static class JobParts
{
    private const string SpecFile = "index.yaml";
    private const long BuilderGroup = 65532;

    /// <summary>Where the pod's cache begins, as an argument.</summary>
    public static string CacheRoot(PretrainIndex index) =>
        string.IsNullOrEmpty(index.Spec.Cache.SubPath) ? BuildJobManifest.CacheDirectory : $"{BuildJobManifest.CacheDirectory}/{PodJson.Literal(index.Spec.Cache.SubPath)}";

    /// <summary>The arguments that tell a builder which spec to read and where the data is. What a person wrote is no reference to a variable.</summary>
    public static string[] SpecArguments(PretrainIndex index) =>
        ["--file", $"{BuildJobManifest.SpecDirectory}/{SpecFile}", "--map", $"{PodJson.Literal(index.Spec.Data.MountPath!)}={BuildJobManifest.DataDirectory}"];

    /// <summary>A Job of a task, with the cache mounted.</summary>
    public static V1Job Job(ObservedState observed, string name, string task, TimeSpan timeout, string[] arguments, V1ResourceRequirements resources)
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
                    Spec = Pod(observed, arguments, resources),
                },
            },
        };
    }

    /// <summary>Gives the Job's pod the spec, as an annotation that it reads as a file; returns the ConfigMap instead where the spec is too long for the Job.</summary>
    public static V1ConfigMap? MountSpec(V1Job job, PretrainIndex index)
    {
        var spec = SpecText(index);
        var volume = new V1Volume { Name = "spec" };
        var configMap = default(V1ConfigMap);
        if (Encoding.UTF8.GetByteCount(spec) <= BuildJobManifest.LongestSpecInJob)
        {
            job.Spec.Template.Metadata.Annotations = new Dictionary<string, string>(index.Spec.Build.PodAnnotations ?? new Dictionary<string, string>()) { [Annotations.Spec] = spec };
            volume.DownwardAPI = new V1DownwardAPIVolumeSource
            {
                Items = [new V1DownwardAPIVolumeFile { Path = SpecFile, FieldRef = new V1ObjectFieldSelector { FieldPath = $"metadata.annotations['{Annotations.Spec}']" } }],
            };
        }
        else
        {
            job.Metadata.Annotations[Annotations.SpecConfigMap] = job.Metadata.Name;
            volume.ConfigMap = new V1ConfigMapVolumeSource { Name = job.Metadata.Name };
            configMap = new V1ConfigMap
            {
                ApiVersion = "v1",
                Kind = "ConfigMap",
                Metadata = Meta(index, job.Metadata.Name, job.Metadata.Labels[Labels.Task]),
                Immutable = true,
                Data = new Dictionary<string, string> { [SpecFile] = spec },
            };
        }

        job.Spec.Template.Spec.Volumes.Add(volume);
        job.Spec.Template.Spec.Containers[0].VolumeMounts.Add(new V1VolumeMount { Name = "spec", MountPath = BuildJobManifest.SpecDirectory, ReadOnlyProperty = true });
        return configMap;
    }

    /// <summary>Mounts the data, read-only.</summary>
    public static void MountData(V1Job job, PretrainIndex index)
    {
        var pod = job.Spec.Template.Spec;
        pod.Volumes.Add(new V1Volume { Name = "data", PersistentVolumeClaim = new V1PersistentVolumeClaimVolumeSource { ClaimName = index.Spec.Data.ClaimName, ReadOnlyProperty = true } });
        pod.Containers[0].VolumeMounts.Add(new V1VolumeMount
        {
            Name = "data",
            MountPath = BuildJobManifest.DataDirectory,
            SubPath = Text(index.Spec.Data.SubPath),
            ReadOnlyProperty = true,
        });
    }

    /// <summary>The metadata of an object that goes with the resource.</summary>
    public static V1ObjectMeta Meta(PretrainIndex index, string name, string task) => new()
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

    private static string SpecText(PretrainIndex index) => JsonSerializer.Serialize(
        new PretrainIndex
        {
            Metadata = new V1ObjectMeta { Name = index.Name(), NamespaceProperty = index.Namespace() },
            Spec = index.Spec,
        },
        PlanningJsonContext.Default.PretrainIndex);

    private static Dictionary<string, string> OwnLabels(PretrainIndex index, string task) => new()
    {
        [Labels.ManagedBy] = Labels.ManagedByValue,
        [Labels.OwnerName] = BuildJobManifest.LabelValue(index.Name()),
        [Labels.Task] = task,
    };

    private static V1PodSpec Pod(ObservedState observed, string[] arguments, V1ResourceRequirements resources)
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
                    Resources = resources,
                    TerminationMessagePolicy = "FallbackToLogsOnError",
                    SecurityContext = new V1SecurityContext
                    {
                        AllowPrivilegeEscalation = false,
                        ReadOnlyRootFilesystem = true,
                        Capabilities = new V1Capabilities { Drop = ["ALL"] },
                    },
                    VolumeMounts = [new V1VolumeMount { Name = "cache", MountPath = BuildJobManifest.CacheDirectory }],
                },
            ],
        };
    }

    private static string? Text(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
