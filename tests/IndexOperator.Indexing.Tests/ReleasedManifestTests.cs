using System.Text;
using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.Indexing.Tests;

/// <summary>A version that an earlier release published is read, and found whole, by this one.</summary>
public sealed class ReleasedManifestTests
{
    public static TheoryData<string> Releases => [.. Released.Versions];

    [Theory]
    [MemberData(nameof(Releases))]
    public void The_manifest_of_a_published_version_is_read_to_its_checksum(string release)
    {
        var text = Released.Text(release, "index-manifest.json");
        var written = JsonNode.Parse(text)!;

        // Null when a single byte would be written otherwise, so nothing of it was passed over.
        var manifest = Assert.IsType<IndexManifest>(IndexManifest.Parse(Encoding.UTF8.GetBytes(text)));

        Assert.Equal(((string?)written["version"], (string?)written["fingerprint"], (string?)written["dataVersion"]), (manifest.Version, manifest.Fingerprint, manifest.DataVersion));
        Assert.Equal(((string?)written["megatronCore"], (string?)written["builder"], (string?)written["checksum"]), (manifest.MegatronCore, manifest.Builder, manifest.Checksum));
        Assert.Equal(["train", "valid", "test"], manifest.Splits.Select(split => split.Split));
        Assert.Equal(written["files"]!.AsArray().Count, manifest.Files.Count);
        Assert.Equal(written["data"]!.AsArray().Select(data => (string?)data!["prefix"]), manifest.Data.Select(data => data.Prefix));
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void The_fingerprint_of_its_data_is_what_this_release_would_call_it(string release)
    {
        // Otherwise every look after an upgrade would find the data changed.
        var manifest = IndexManifest.Parse(Encoding.UTF8.GetBytes(Released.Text(release, "index-manifest.json")))!;
        Assert.Equal(manifest.Fingerprint, VersionIdentity.Fingerprint(manifest.Data));
    }
}
