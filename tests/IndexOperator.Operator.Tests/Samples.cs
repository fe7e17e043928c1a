using IndexOperator.Api;
using IndexOperator.Planning;
using k8s.Models;

namespace IndexOperator.Operator.Tests;

/// <summary>Objects as tests need them.</summary>
internal static class Samples
{
    public static PretrainIndex Index(string resourceVersion = "5", string uid = "uid-1", PretrainIndexStatus? status = null) => new()
    {
        Metadata = new V1ObjectMeta { Name = "mix", NamespaceProperty = "a", Uid = uid, ResourceVersion = resourceVersion, Generation = 1 },
        Spec = new PretrainIndexSpec
        {
            Data = new DataSpec { ClaimName = "corpus", MountPath = "/data", Blend = [new BlendEntry { Prefix = "/data/a" }] },
            Dataset = new DatasetSpec { SequenceLength = 8, Split = "1", Tokenizer = new TokenizerSpec { Preset = TokenizerPreset.NeMoAutoTokenizer } },
            Cache = new CacheSpec { ClaimName = "cache" },
        },
        Status = status,
    };

    public static V1Job Job(string uid, string name = "mix-build-1") => new() { Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "a", Uid = uid } };

    /// <summary>A Job whose spec is too long for it.</summary>
    public static CreateJob WideJob(PretrainIndex index) => BuildJob(new PretrainIndex
    {
        Metadata = index.Metadata,
        Spec = index.Spec with { Data = index.Spec.Data with { Blend = [.. Enumerable.Range(0, 1000).Select(i => new BlendEntry { Prefix = $"/data/shard-{i}" })] } },
    });

    /// <summary>The binding of a resource whose current version has one digit.</summary>
    public static V1ConfigMap Binding(PretrainIndex index, char digit, string? uid = null)
    {
        var version = new string(digit, 20);
        var binding = BindingPolicy.Wanted(index, new PretrainIndexStatus { Current = new VersionStatus { Version = version, Path = $"versions/{version}" } })!;
        binding.Metadata.Uid = uid;
        return binding;
    }

    public static CreateJob BuildJob(PretrainIndex index) =>
        BuildJobManifest.Build(new ObservedState { Index = index, Now = DateTimeOffset.UnixEpoch }, WantedBuild.Of(index), 1);
}
