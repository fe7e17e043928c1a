using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>Every control of the restricted Pod Security Standard, for both Jobs and however the resource sets them.</summary>
public sealed class BuildJobManifestTests
{
    private static readonly PretrainIndex Everything = Given.Index(spec => spec with
    {
        Build = new BuildSpec
        {
            Gpus = 1,
            PodLabels = new Dictionary<string, string> { ["team"] = "a", [Labels.ManagedBy] = "me" },
            PodAnnotations = new Dictionary<string, string> { ["container.apparmor.security.beta.kubernetes.io/x"] = "runtime/default" },
            PodSecurityContext = new BuildPodSecurityContext { RunAsUser = 1000, RunAsGroup = 1000, FsGroup = 1000, SupplementalGroups = [1, 2] },
            RuntimeClassName = "nvidia",
            SchedulerName = "kueue",
            PriorityClassName = "low",
            ImagePullSecrets = [new V1LocalObjectReference { Name = "registry" }],
        },
    });

    private static readonly PretrainIndex Wide = Given.Index(spec => spec with
    {
        Data = spec.Data with { Blend = [.. Enumerable.Range(0, 1000).Select(i => new BlendEntry { Prefix = $"/data/shard-{i}" })] },
    });

    public static TheoryData<string> Pods => new("build", "build with everything set", "build of a wide blend", "cleanup");

    [Theory]
    [MemberData(nameof(Pods))]
    public void Pods_meet_the_restricted_pod_security_standard(string which)
    {
        var pod = PodOf(which);
        var container = Assert.Single(pod.Containers);
        Assert.Null(pod.InitContainers);
        Assert.Null(pod.EphemeralContainers);

        // Baseline: no part of the host.
        Assert.Null(pod.HostNetwork);
        Assert.Null(pod.HostPID);
        Assert.Null(pod.HostIPC);
        Assert.Null(pod.HostUsers);
        Assert.Null(container.Ports);
        Assert.Null(pod.SecurityContext.Sysctls);
        Assert.Null(pod.SecurityContext.WindowsOptions);
        Assert.Null(pod.SecurityContext.SeLinuxOptions);
        Assert.Null(pod.SecurityContext.AppArmorProfile);
        Assert.Null(container.SecurityContext.Privileged);
        Assert.Null(container.SecurityContext.ProcMount);
        Assert.Null(container.SecurityContext.SeLinuxOptions);
        Assert.Null(container.SecurityContext.WindowsOptions);
        Assert.Null(container.SecurityContext.Capabilities.Add);
        Assert.Null(container.LivenessProbe);
        Assert.Null(container.Lifecycle);

        // Restricted: volume types, no escalation, not root, seccomp, no capabilities.
        Assert.All(pod.Volumes, volume => Assert.True(volume.ConfigMap is not null ^ volume.DownwardAPI is not null ^ volume.PersistentVolumeClaim is not null));
        Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
        Assert.True(pod.SecurityContext.RunAsNonRoot);
        Assert.NotEqual(0, pod.SecurityContext.RunAsUser);
        Assert.Null(container.SecurityContext.RunAsUser);
        Assert.Null(container.SecurityContext.RunAsNonRoot);
        Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
        Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);

        // Ours, above the standard.
        Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
        Assert.False(pod.AutomountServiceAccountToken);
        Assert.Null(pod.ServiceAccountName);
        Assert.False(pod.EnableServiceLinks);
        Assert.All(container.Env ?? [], variable => Assert.NotNull(variable.ValueFrom?.FieldRef));
        Assert.Null(container.EnvFrom);
    }

    [Fact]
    public void The_data_and_the_spec_are_mounted_read_only_and_the_cache_is_not()
    {
        var pod = PodOf("build");

        Assert.Equal(["cache"], pod.Containers[0].VolumeMounts.Where(mount => mount.ReadOnlyProperty != true).Select(mount => mount.Name));
        Assert.True(pod.Volumes.Single(volume => volume.Name == "data").PersistentVolumeClaim.ReadOnlyProperty);
        Assert.Null(pod.Containers[0].VolumeMounts.Single(mount => mount.Name == "data").SubPath);
    }

    [Fact]
    public void Each_job_tries_once_within_the_timeout()
    {
        var job = Given.Job(Given.Index(spec => spec with { Build = new BuildSpec { Timeout = GoDuration.Parse("90m") } }));

        Assert.Equal((0, 5400L, "Never"), (job.Spec.BackoffLimit, job.Spec.ActiveDeadlineSeconds, job.Spec.Template.Spec.RestartPolicy));
        Assert.Null(job.Spec.TtlSecondsAfterFinished);
    }

    [Fact]
    public void Builds_go_to_gpu_nodes_by_default()
    {
        var pod = PodOf("build");
        var term = Assert.Single(pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms);
        var requirement = Assert.Single(term.MatchExpressions);

        Assert.Equal(("nvidia.com/gpu.present", "In", "true"), (requirement.Key, requirement.OperatorProperty, Assert.Single(requirement.Values)));
        Assert.Equal("nvidia.com/gpu", Assert.Single(pod.Tolerations).Key);
        Assert.Equal(["memory"], pod.Containers[0].Resources.Limits.Keys);
    }

    [Fact]
    public void What_the_user_labels_never_replaces_what_the_operator_finds_its_pods_by()
    {
        var labels = Given.Job(Everything).Spec.Template.Metadata.Labels;

        Assert.Equal((Labels.ManagedByValue, "web-mix", "build", "a"), (labels[Labels.ManagedBy], labels[Labels.OwnerName], labels[Labels.Task], labels["team"]));
    }

    [Fact]
    public void Only_the_build_asks_for_gpus()
    {
        Assert.Equal("1", PodOf("build with everything set").Containers[0].Resources.Limits["nvidia.com/gpu"].ToString());
        Assert.Equal(["memory"], UpkeepJobManifest.Cleanup(Given.Observed(Everything), []).Job.Spec.Template.Spec.Containers[0].Resources.Limits.Keys);
    }

    [Fact]
    public void The_builder_reads_the_same_manifest_that_kubectl_applies()
    {
        var create = BuildJobManifest.Build(Given.Observed(Everything), WantedBuild.Of(Everything), 1);

        Assert.Null(create.Spec);
        Assert.Equal("runtime/default", create.Job.Spec.Template.Metadata.Annotations["container.apparmor.security.beta.kubernetes.io/x"]);
        IsManifestOf(Everything, create.Job.Spec.Template.Metadata.Annotations[Annotations.Spec]);
    }

    [Fact]
    public void A_spec_too_long_for_an_annotation_is_read_from_a_ConfigMap_that_goes_with_the_Job()
    {
        var create = BuildJobManifest.Build(Given.Observed(Wide), WantedBuild.Of(Wide), 1);

        Assert.Null(create.Job.Spec.Template.Metadata.Annotations);
        Assert.Equal(create.Spec!.Metadata.Name, create.Job.Spec.Template.Spec.Volumes.Single(volume => volume.ConfigMap is not null).ConfigMap.Name);
        Assert.Equal(create.Spec.Metadata.Name, create.Job.Metadata.Annotations[Annotations.SpecConfigMap]);
        Assert.True(create.Spec.Immutable);
        IsManifestOf(Wide, Assert.Single(create.Spec.Data).Value);
        var job = create.Job;
        job.Metadata.Uid = "uid";
        Assert.Equal([new DeleteJob(job.Metadata.Name, "uid", "test", HasSpec: true)], BuildPolicy.StopAll(Given.Observed(Wide) with { Jobs = [job] }, "test"));
    }

    private static void IsManifestOf(PretrainIndex index, string text)
    {
        var manifest = PretrainIndexYaml.Parse(text);
        Assert.Equal(WantedBuild.Of(index).BuildKey, WantedBuild.Of(manifest).BuildKey);
        Assert.Null(manifest.Status);
        Assert.Null(manifest.Metadata.Uid);
    }

    private static V1PodSpec PodOf(string which) => which switch
    {
        "build" => Given.Job(Given.Index()).Spec.Template.Spec,
        "build of a wide blend" => Given.Job(Wide).Spec.Template.Spec,
        "cleanup" => UpkeepJobManifest.Cleanup(Given.Observed(Given.Index()), []).Job.Spec.Template.Spec,
        _ => Given.Job(Everything).Spec.Template.Spec,
    };
}
