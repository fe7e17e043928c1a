using System.Text;
using IndexOperator.TestSupport;

namespace IndexOperator.Indexing.Tests.Fuzzing;

/// <summary>
/// Directories of which one file is damaged, its name made to fit: each is refused as corrupt or is one that some data
/// gives. What a hostile description says (sizes, seeds, weights, splits) must not lead the verifier astray.
/// </summary>
[Trait("Category", "Fuzz")]
public sealed class DirectoryFuzzTests : IDisposable
{
    private static readonly BuildOptions OneThread = new() { Threads = 1 };

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("description.txt", 5_000)]
    [InlineData("document_index.npy", 2_000)]
    [InlineData("sample_index.npy", 3_000)]
    [InlineData("shuffle_index.npy", 2_000)]
    public void A_damaged_dataset_is_corrupt_or_one_of_some_data(string what, int count)
    {
        var request = TestData.Single(TestData.Write(_directory["a"], TestData.Lengths(12)), samples: 70) with { Split = "100" };
        Damage(what, count, request, "GPTDataset");
    }

    [Theory]
    [InlineData("description.txt", 4_000)]
    [InlineData("dataset_index.npy", 1_500)]
    [InlineData("dataset_sample_index.npy", 1_500)]
    public void A_damaged_blend_is_corrupt_or_follows_from_its_weights(string what, int count)
    {
        var request = TestData.Single("") with
        {
            Blend = [new BlendEntry(TestData.Write(_directory["a"], TestData.Lengths(12)), 0.7), new BlendEntry(TestData.Write(_directory["b"], TestData.Lengths(9)), 0.3)],
            Split = "100",
            Samples = new(40, 0, 0),
        };
        Damage(what, count, request, "BlendedDataset");
    }

    private void Damage(string what, int count, IndexRequest request, string className)
    {
        var data = TestData.Load(request);
        BareOutput.Write(LocalFileSystem.Instance, _directory["cache"], request, prefix => prefix, new());
        IndexDirectoryVerifier.Verify(_directory["cache"], OneThread, prefix => data[prefix]);
        var stem = Path.GetFileName(Directory.GetFiles(_directory["cache"], $"*-{className}-train-{what}").Single())[..32];
        var original = File.ReadAllBytes(Name(stem));
        Fuzz.Run($"{className} {what}", count, [original], bytes =>
        {
            // Whoever forges a description names the files after it.
            var forged = what == "description.txt" ? UniqueDescription.Hash(Encoding.UTF8.GetString(bytes)) : stem;
            Rename(stem, forged);
            stem = forged;
            File.WriteAllBytes(Name(stem), bytes);
            foreach (var load in new Func<string, IndexedDataset>?[] { null, prefix => data.GetValueOrDefault(prefix, data.Values.First()) })
            {
                try
                {
                    IndexDirectoryVerifier.Verify(_directory["cache"], OneThread, load);
                }
                catch (IndexingException failure)
                {
                    Assert.True(failure.Reason == FailureReason.VersionCorrupt, failure.ToString());
                    Assert.Contains(_directory["cache"], failure.Message, StringComparison.Ordinal);
                    Assert.True(failure.Message.Length < 4096, "The message is longer than anybody reads.");
                }
            }

            File.WriteAllBytes(Name(stem), original);
        });

        string Name(string hash) => Path.Combine(_directory["cache"], $"{hash}-{className}-train-{what}");
    }

    private void Rename(string from, string to)
    {
        foreach (var file in from == to ? [] : Directory.GetFiles(_directory["cache"], from + "-*"))
        {
            File.Move(file, file.Replace(from, to, StringComparison.Ordinal));
        }
    }
}
