using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using IndexOperator.Api;
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

    private static string Digits(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
