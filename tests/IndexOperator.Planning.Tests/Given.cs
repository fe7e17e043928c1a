using System.Security.Cryptography;
using System.Text;
using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>Objects as a cluster shows them, for tests; what a test is about is set by the test.</summary>
internal static class Given
{
    public static readonly DateTimeOffset Now = new(2026, 11, 20, 8, 0, 0, TimeSpan.Zero);

    public static PretrainIndex Index(Func<PretrainIndexSpec, PretrainIndexSpec>? change = null, string name = "web-mix") => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "training", Uid = World.Uid, Generation = 1 },
        Spec = (change ?? (spec => spec))(new PretrainIndexSpec
        {
            DataVersion = "a",
            Data = new DataSpec { ClaimName = "corpus", MountPath = "/data", Blend = [new BlendEntry { Prefix = "/data/web_text_document" }] },
            Dataset = new DatasetSpec { SequenceLength = 4096, Split = "1", Tokenizer = new TokenizerSpec { Preset = TokenizerPreset.NeMoAutoTokenizer } },
            Cache = new CacheSpec { ClaimName = "npy-index" },
        }),
    };

    public static ObservedState Observed(PretrainIndex index) => new() { Index = index, Claims = [Claim("corpus"), Claim("npy-index")], Binding = Binding(index), Now = Now };

    /// <summary>The binding that the resource's status asks for; null where it asks for none.</summary>
    public static V1ConfigMap? Binding(PretrainIndex index)
    {
        var binding = index.Status is { } status ? BindingPolicy.Wanted(index, status with { Conditions = null }) : null;
        if (binding is not null)
        {
            binding.Metadata.Uid = "uid-of-the-binding";
        }

        return binding;
    }

    public static V1PersistentVolumeClaim Claim(string name) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "training" },
        Spec = new V1PersistentVolumeClaimSpec { AccessModes = ["ReadWriteMany"] },
        Status = new V1PersistentVolumeClaimStatus { Phase = "Bound" },
    };

    public static V1Job Job(PretrainIndex index, int attempt = 1)
    {
        var job = BuildJobManifest.Build(Observed(index), WantedBuild.Of(index), attempt).Job;
        job.Metadata.Uid = $"job-{attempt}";
        job.Metadata.CreationTimestamp = Now.UtcDateTime;
        return job;
    }

    public static V1Pod Pod(V1Job job, DateTimeOffset at) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = job.Metadata.Name + "-x7k2p",
            Uid = "pod-of-" + job.Metadata.Uid,
            CreationTimestamp = at.UtcDateTime,
            Labels = job.Spec.Template.Metadata.Labels,
            OwnerReferences = [new V1OwnerReference { ApiVersion = "batch/v1", Kind = "Job", Name = job.Metadata.Name, Uid = job.Metadata.Uid }],
        },
        Spec = job.Spec.Template.Spec,
        Status = new V1PodStatus { Phase = "Pending", StartTime = at.UtcDateTime },
    };

    public static V1Pod With(this V1Pod pod, V1PodStatus status)
    {
        pod.Status = status;
        return pod;
    }

    public static V1PodStatus Running(DateTimeOffset at) =>
        Container("Running", new V1ContainerState { Running = new V1ContainerStateRunning { StartedAt = at.UtcDateTime } });

    public static V1PodStatus Ended(DateTimeOffset at, int exitCode, string? message, string? reason = null) => Container(
        exitCode == 0 ? "Succeeded" : "Failed",
        new V1ContainerState
        {
            Terminated = new V1ContainerStateTerminated
            {
                ExitCode = exitCode,
                Message = message,
                Reason = reason ?? (exitCode == 0 ? "Completed" : "Error"),
                StartedAt = at.UtcDateTime,
                FinishedAt = at.UtcDateTime,
            },
        });

    public static V1PodStatus Waiting(string reason, string message, DateTimeOffset since)
    {
        var status = Container("Pending", new V1ContainerState { Waiting = new V1ContainerStateWaiting { Reason = reason, Message = message } });
        status.StartTime = since.UtcDateTime;
        return status;
    }

    public static V1JobStatus JobEnd(string type, string? reason, DateTimeOffset at) => new()
    {
        CompletionTime = type == "Complete" ? at.UtcDateTime : null,
        Conditions = [new V1JobCondition { Type = type, Status = "True", Reason = reason, Message = reason, LastTransitionTime = at.UtcDateTime }],
    };

    public static string Report(string outcome, string version) => new BuildReport
    {
        Outcome = outcome,
        Version = version,
        Fingerprint = "sha256:" + new string('0', 64),
        SizeBytes = 1024,
        Files = 3,
        StagingRemoved = true,
    }.ToJson();

    public static string Failure(string reason, string message = "It failed.") => new BuildReport { Outcome = BuildReport.Failed, Reason = reason, Message = message, StagingRemoved = true }.ToJson();

    public static string VersionOf(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..20];

    /// <summary>A failed attempt as the planner reads it.</summary>
    public static BuildAttempt Failed(PretrainIndex index, V1PodStatus? pod, string reason = "BackoffLimitExceeded")
    {
        var job = Job(index);
        job.Status = JobEnd("Failed", reason, Now);
        return BuildAttempt.AllOf(Observed(index) with { Jobs = [job], Pods = pod is null ? [] : [Pod(job, Now).With(pod)] }, BuildAttempt.BuildTask).Single();
    }

    /// <summary>The twenty hex digits of a version, of one digit.</summary>
    public static string Digits(char digit) => new(digit, 20);

    public static VersionStatus Version(string version, string? buildKey = null, DateTimeOffset? at = null) => new()
    {
        Version = version,
        Path = $"versions/{version}",
        BuildKey = buildKey ?? $"key-of-{version}",
        BuiltAt = at ?? Now,
        VerifiedAt = at ?? Now,
        Outcome = BuildReport.Built,
    };

    /// <summary>A resource whose spec is published as version 1111...</summary>
    public static PretrainIndex Published(PretrainIndex index, Func<PretrainIndexStatus, PretrainIndexStatus>? change = null)
    {
        index.Status = (change ?? (status => status))(new PretrainIndexStatus
        {
            ObservedGeneration = index.Metadata.Generation,
            ClaimName = ClaimPolicy.CacheClaimName(index),
            Current = Version(Digits('1'), WantedBuild.Of(index).SpecKey),
        });
        return index;
    }

    /// <summary>Another resource for the same content on the same cache, or for what the change makes of it.</summary>
    public static PretrainIndex Peer(string name, DateTimeOffset? createdAt = null, Func<PretrainIndexSpec, PretrainIndexSpec>? change = null)
    {
        var peer = Index(change, name);
        peer.Metadata.Uid = "uid-of-" + name;
        peer.Metadata.CreationTimestamp = createdAt?.UtcDateTime;
        return peer;
    }

    /// <summary>A pod that uses the index.</summary>
    public static V1Pod Consumer(string name, string? version = null, string phase = "Running", string? subPath = null) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = name,
            NamespaceProperty = "training",
            Labels = new Dictionary<string, string> { [Labels.Index] = "web-mix" },
            Annotations = version is null ? null : new Dictionary<string, string> { [Annotations.Version] = version },
        },
        Spec = new V1PodSpec { Containers = [new V1Container { Name = "train", VolumeMounts = subPath is null ? null : [new V1VolumeMount { Name = "cache", MountPath = "/npy_index", SubPath = subPath }] }] },
        Status = new V1PodStatus { Phase = phase },
    };

    private static V1PodStatus Container(string phase, V1ContainerState state) => new()
    {
        Phase = phase,
        ContainerStatuses = [new V1ContainerStatus { Name = BuildAttempt.ContainerName, Image = "i", ImageID = "", State = state }],
    };
}
