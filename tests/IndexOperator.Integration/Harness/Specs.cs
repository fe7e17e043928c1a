using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using IndexOperator.Api;
using IndexOperator.Planning;
using k8s.Models;

namespace IndexOperator.Integration.Harness;

/// <summary>Resources and reports as tests need them.</summary>
public static class Specs
{
    /// <summary>The claim that holds the data.</summary>
    public const string DataClaim = "corpus";

    /// <summary>The claim that receives caches.</summary>
    public const string CacheClaim = "npy-index";

    /// <summary>A sound resource.</summary>
    public static PretrainIndex Index(string ns, string name, Func<PretrainIndexSpec, PretrainIndexSpec>? change = null)
    {
        var spec = new PretrainIndexSpec
        {
            DataVersion = "2026-11-20",
            Data = new DataSpec
            {
                ClaimName = DataClaim,
                MountPath = "/data",
                Blend = [new BlendEntry { Prefix = "/data/web_text_document", Weight = 0.7 }, new BlendEntry { Prefix = "/data/code_text_document", Weight = 0.3 }],
            },
            Dataset = new DatasetSpec
            {
                SequenceLength = 4096,
                Split = "900,50,50",
                Samples = new SamplesSpec { Train = 1000, Validation = 50, Test = 5 },
                Tokenizer = new TokenizerSpec { Preset = TokenizerPreset.NeMoAutoTokenizer },
            },
            Cache = Cache(CacheClaim),
        };
        return new PretrainIndex
        {
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = ns },
            Spec = change?.Invoke(spec) ?? spec,
        };
    }

    /// <summary>The same with a blend too long for a Job to carry.</summary>
    public static PretrainIndexSpec Wide(PretrainIndexSpec spec) => spec with
    {
        Data = spec.Data with
        {
            Blend = [.. Enumerable.Range(0, 4000).Select(i => new BlendEntry { Prefix = string.Create(CultureInfo.InvariantCulture, $"/data/crawl/shard-{i:0000}_text_document"), Weight = 1 })],
        },
    };

    /// <summary>The same with other content: resources of one namespace that want the same content wait for one build.</summary>
    /// <param name="spec">The spec.</param>
    /// <param name="seed">Tells the contents apart.</param>
    public static PretrainIndexSpec Seeded(PretrainIndexSpec spec, long seed) => spec with { Dataset = spec.Dataset with { RandomSeed = seed } };

    /// <summary>A cache on a claim that exists, or on one to be made.</summary>
    /// <remarks>Without subPath: API servers of 1.20 that were built with a newer Go refuse every empty text as "must be of type string: null".</remarks>
    public static CacheSpec Cache(string? claim, string? size = null) => new()
    {
        ClaimName = claim,
        ClaimTemplate = size is null ? null : new ClaimTemplate { Size = new ResourceQuantity(size) },
        SubPath = null!,
    };

    /// <summary>A claim.</summary>
    public static V1PersistentVolumeClaim Claim(string ns, string name) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = ns },
        Spec = new V1PersistentVolumeClaimSpec
        {
            AccessModes = ["ReadWriteMany"],
            Resources = new V1VolumeResourceRequirements { Requests = new Dictionary<string, ResourceQuantity> { ["storage"] = new("1Gi") } },
        },
    };

    /// <summary>A pod that uses an index.</summary>
    /// <param name="ns">Its namespace.</param>
    /// <param name="name">Its name.</param>
    /// <param name="index">The index.</param>
    /// <param name="version">The version that it is pinned to; null where it does not tell.</param>
    /// <param name="bySubPath">Whether it tells by the folder that it mounts, and not by an annotation.</param>
    public static V1Pod Consumer(string ns, string name, string index, string? version = null, bool bySubPath = false)
    {
        var mount = new V1VolumeMount { Name = "cache", MountPath = "/npy_index", ReadOnlyProperty = true, SubPath = bySubPath ? $"versions/{version}" : null };
        return new V1Pod
        {
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = ns,
                Labels = new Dictionary<string, string> { [Labels.Index] = index },
                Annotations = version is null || bySubPath ? null : new Dictionary<string, string> { [Annotations.Version] = version },
            },
            Spec = new V1PodSpec
            {
                Containers = [new V1Container { Name = "train", Image = "registry.example/train:test", VolumeMounts = [mount] }],
                Volumes = [new V1Volume { Name = "cache", PersistentVolumeClaim = new V1PersistentVolumeClaimVolumeSource { ClaimName = CacheClaim, ReadOnlyProperty = true } }],
            },
        };
    }

    /// <summary>The version that a content has.</summary>
    public static string Version(string content) => Digits(content)[..20];

    /// <summary>A builder's report of success.</summary>
    public static string Built(string content = "content", string outcome = BuildReport.Built) => new BuildReport
    {
        Outcome = outcome,
        Version = Version(content),
        Fingerprint = $"sha256:{Digits("data of " + content)}",
        SizeBytes = 863495079,
        Files = 14,
        Sequences = 1200,
        Tokens = 4_000_000,
        Samples = new SamplesSpec { Train = 1000, Validation = 50, Test = 5 },
        Seconds = 12.5,
        PeakMemoryBytes = 123456789,
        StagingRemoved = true,
    }.ToJson();

    /// <summary>A builder's report of failure.</summary>
    public static string Failed(string reason, string message) =>
        new BuildReport { Outcome = BuildReport.Failed, Reason = reason, Message = message, StagingRemoved = true }.ToJson();

    /// <summary>What a check of a version reports: that all is as it was, unless the test says otherwise.</summary>
    /// <param name="pod">The check's pod: its arguments tell which version is looked at and what is read.</param>
    /// <param name="change">Makes another report of it.</param>
    public static string Checked(V1Pod pod, Func<BuildReport, BuildReport>? change = null)
    {
        var arguments = pod.Spec.Containers[0].Args;
        var version = arguments[arguments.IndexOf("--version-name") + 1];
        var seesData = !arguments.Contains("--skip-data");
        var report = new BuildReport
        {
            Outcome = BuildReport.Checked,
            Version = version,
            Data = seesData ? BuildReport.Unchanged : null,
            Fingerprint = seesData ? $"sha256:{Digits("data of " + version)}" : null,
            Stamp = seesData ? Stamp(version) : null,
            ContentRead = seesData ? arguments.Contains("--content") : null,
            Integrity = arguments.Contains("--checksums") ? BuildReport.Verified : BuildReport.Complete,
        };
        return (change?.Invoke(report) ?? report).ToJson();
    }

    /// <summary>Data that is not what the version was built from any more.</summary>
    /// <param name="report">The report to change.</param>
    /// <param name="content">What the data holds now.</param>
    /// <param name="message">What differs.</param>
    public static BuildReport Changed(BuildReport report, string content, string message) => report with
    {
        Data = BuildReport.Changed,
        Fingerprint = $"sha256:{Digits("data of " + content)}",
        Stamp = Stamp(content),
        Message = message,
    };

    /// <summary>A version that is not as it was published.</summary>
    /// <param name="report">The report to change.</param>
    /// <param name="message">How.</param>
    public static BuildReport Damaged(BuildReport report, string message) =>
        report with { Data = null, Fingerprint = null, Stamp = null, ContentRead = null, Integrity = BuildReport.Damaged, Message = message };

    /// <summary>Sizes and times of data, as a stamp.</summary>
    public static string Stamp(string content) => Digits("stamp of " + content)[..32];

    /// <summary>What a pod of the operator's reports when all goes well.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="content">What builds deliver.</param>
    public static string Report(V1Pod pod, string content) => pod.Metadata.Labels[Labels.Task] switch
    {
        BuildAttempt.BuildTask => Built(content),
        BuildAttempt.CheckTask => Checked(pod),
        _ => "",
    };

    private static string Digits(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
