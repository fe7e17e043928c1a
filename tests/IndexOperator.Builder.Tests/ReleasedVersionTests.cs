using System.Text;
using IndexOperator.Api;
using IndexOperator.Indexing;
using IndexOperator.TestSupport;

namespace IndexOperator.Builder.Tests;

/// <summary>An upgrade builds nothing anew: the same resource over the same data is the version that an earlier release published.</summary>
public sealed class ReleasedVersionTests
{
    public static TheoryData<string> Releases => [.. Released.Versions];

    [Theory]
    [MemberData(nameof(Releases))]
    public void The_same_resource_over_the_same_data_is_the_same_version(string release)
    {
        var manifest = IndexManifest.Parse(Encoding.UTF8.GetBytes(Released.Text(release, "index-manifest.json")))!;
        var spec = PretrainIndexYaml.Parse(Released.Text(release, "index-manifest.of.yaml")).Spec;

        Assert.Equal(manifest.Version, VersionIdentity.Version(manifest.Fingerprint, RequestMapping.ToRequest(spec)));
        Assert.NotEqual(manifest.Version, VersionIdentity.Version(manifest.Fingerprint, RequestMapping.ToRequest(spec with { Dataset = spec.Dataset with { RandomSeed = 1 } })));
    }
}
