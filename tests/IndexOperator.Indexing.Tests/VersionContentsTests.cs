using System.Buffers.Binary;
using System.Security.Cryptography;

namespace IndexOperator.Indexing.Tests;

/// <summary>Versions that are as their manifests say, and yet cannot be right; and files that threads share.</summary>
public sealed class VersionContentsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("GPTDataset-train-document_index.npy", 0, 4, -1, "entry 0 is -1, but sequences of the data are numbered from 0 to")]
    [InlineData("GPTDataset-train-document_index.npy", 5, 4, 30, "entry 5 is 30")]
    [InlineData("GPTDataset-train-shuffle_index.npy", 3, 4, 9999, "entry 3 is 9999, but samples are numbered")]
    [InlineData("GPTDataset-train-sample_index.npy", 1, 4, 7, "row 0 is (0, 7)")]
    [InlineData("GPTDataset-train-sample_index.npy", 4, 4, 9999, "row 2 is (9999, ")]
    [InlineData("GPTDataset-train-sample_index.npy", 5, 4, -3, "row 2 is (")]
    [InlineData("BlendedDataset-train-dataset_index.npy", 6, 2, 2, "entry 6 is 2, but members are numbered from 0 to 1")]
    [InlineData("BlendedDataset-train-dataset_sample_index.npy", 8, 8, 12345, "entry 8 is 12345, but samples of the largest member")]
    public void An_entry_that_no_build_writes_is_found_though_the_manifest_agrees(string what, int entry, int bytes, int value, string words)
    {
        var version = Publish();
        Forge(version, what, content =>
        {
            var at = content.AsSpan(NpyHeader.Size + (entry * bytes), bytes);
            switch (bytes)
            {
                case 2:
                    BinaryPrimitives.WriteInt16LittleEndian(at, (short)value);
                    break;
                case 4:
                    BinaryPrimitives.WriteInt32LittleEndian(at, value);
                    break;
                default:
                    BinaryPrimitives.WriteInt64LittleEndian(at, value);
                    break;
            }
        });
        foreach (var options in new BuildOptions[] { new(), new() { VerifyBlocksFrom = 1 } })
        {
            VersionVerifier.Verify(version, options);
            var message = Damage(() => VersionVerifier.VerifyContents(version, options));
            Assert.Contains(what, message, StringComparison.Ordinal);
            Assert.Contains(words, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_document_index_that_is_not_whole_epochs_is_found()
    {
        var version = Publish();
        Forge(version, "GPTDataset-train-document_index.npy", content =>
        {
            var entries = content.AsSpan(NpyHeader.Size);
            for (var at = 0; at < entries.Length; at += 4)
            {
                BinaryPrimitives.WriteInt32LittleEndian(entries[at..], at == 0 ? 10 : 0); // 11 do not divide what two epochs or more have.
            }
        });
        Assert.Contains("are not whole epochs of the sequences from 0 to 10", Damage(() => VersionVerifier.VerifyContents(version, new())), StringComparison.Ordinal);
    }

    [Fact]
    public void Samples_of_a_split_that_are_not_those_of_its_arrays_are_found()
    {
        var version = Publish();
        var manifest = VersionVerifier.ReadManifest(version);
        Write(version, manifest with { Splits = [.. manifest.Splits.Select(split => split with { Samples = split.Samples + 1 })] });
        Assert.Contains("samples, but its arrays have", Damage(() => VersionVerifier.VerifyContents(version, new())), StringComparison.Ordinal);
        Write(version, manifest with { Splits = [.. manifest.Splits.Select(split => split with { Hashes = ["0123456789abcdef0123456789abcdef"] })] });
        Assert.Contains("has no files here", Damage(() => VersionVerifier.VerifyContents(version, new())), StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_with_a_gap_is_none_whatever_its_checksum_says()
    {
        var manifest = VersionVerifier.ReadManifest(Publish());
        Assert.NotNull(IndexManifest.Parse(manifest.ToJson()));
        foreach (var gap in new[]
        {
            manifest with { Files = [.. manifest.Files, null!] },
            manifest with { Data = [null!] },
            manifest with { Splits = [null!] },
            manifest with { Splits = [manifest.Splits[0] with { Hashes = null! }] },
            manifest with { Splits = [manifest.Splits[0] with { Hashes = [null!] }] },
            manifest with { Splits = [manifest.Splits[0] with { Split = null! }] },
            manifest with { Files = [manifest.Files[0] with { Name = null! }] },
            manifest with { Timings = null! },
        })
        {
            Assert.Null(IndexManifest.Parse(gap.ToJson()));
        }
    }

    [Fact]
    public void A_sound_version_passes_block_by_block_and_as_a_whole()
    {
        var version = Publish();
        foreach (var (isWhole, blocksFrom) in new[] { (true, 1L), (false, 1L), (false, long.MaxValue) })
        {
            var (manifest, datasets) = VersionVerifier.VerifyContents(version, new BuildOptions { Threads = 3, VerifyBlocksFrom = blocksFrom }, isWhole);
            Assert.Equal((Path.GetFileName(version), 6), (manifest.Version, datasets.Count));
        }
    }

    [Fact]
    public void Damage_in_any_block_of_a_file_of_several_chunks_is_found_by_several_threads()
    {
        var version = Publish(documents: 200_000);
        var options = new BuildOptions { Threads = 2, VerifyBlocksFrom = 1 };
        VersionVerifier.VerifyContents(version, options);
        var path = Directory.GetFiles(version, "*-train-document_index.npy").MaxBy(path => new FileInfo(path).Length)!;
        var bytes = new FileInfo(path).Length;
        Assert.True(bytes > 600_000, $"{bytes} bytes are not several chunks.");
        foreach (var (begin, end) in BlockChecksums.Of(bytes))
        {
            foreach (var at in new[] { Math.Max(begin, NpyHeader.Size), (begin + end) / 2, end - 1 })
            {
                Flip(path, at);
                var message = Damage(() => VersionVerifier.Verify(version, options));
                Flip(path, at);
                Assert.Contains(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"first between bytes {begin} and {end - 1}"), message, StringComparison.Ordinal);
            }
        }

        VersionVerifier.Verify(version, options);
    }

    private static void Flip(string path, long at)
    {
        using var file = File.OpenHandle(path, access: FileAccess.ReadWrite);
        Span<byte> one = stackalloc byte[1];
        RandomAccess.Read(file, one, at);
        one[0] ^= 0x10;
        RandomAccess.Write(file, one, at);
    }

    private string Publish(int documents = 30) => CachePublisher.Publish(
        LocalFileSystem.Instance,
        _directory["cache"],
        TestData.Single("") with
        {
            Blend = [new BlendEntry(TestData.Write(_directory["a"], TestData.Lengths(documents)), 3), new BlendEntry(TestData.Write(_directory["b"], TestData.Lengths(documents, seed: 2)), 1)],
            Samples = documents > 30 ? new(2 * documents, 40, 0) : new(200, 40, 0),
        },
        prefix => prefix,
        new("b", "tests"),
        new()).Path;

    /// <summary>Changes a file of a version and writes the manifest that goes with it.</summary>
    private static void Forge(string version, string what, Action<byte[]> change)
    {
        var path = Directory.GetFiles(version, "*-" + what)[0];
        var content = File.ReadAllBytes(path);
        change(content);
        File.WriteAllBytes(path, content);
        var blocks = new BlockChecksums(content.Length);
        blocks.Append(content);
        var manifest = VersionVerifier.ReadManifest(version);
        var forged = manifest.Files.Select(file => file.Name == Path.GetFileName(path) ? file with { Sha256 = Convert.ToHexStringLower(SHA256.HashData(content)), Blocks = blocks.Finish() } : file);
        Write(version, manifest with { Files = [.. forged] });
    }

    private static void Write(string version, IndexManifest manifest) => File.WriteAllBytes(Path.Combine(version, CacheLayout.Manifest), manifest.ToJson());

    private static string Damage(Action verify)
    {
        var failure = Assert.Throws<IndexingException>(verify);
        Assert.Equal(FailureReason.VersionCorrupt, failure.Reason);
        return failure.Message;
    }
}
