using System.Text;
using IndexOperator.TestSupport;

namespace IndexOperator.Indexing.Tests.Fuzzing;

/// <summary>
/// Damaged files of every kind that the engine reads: each is refused with the file and a reason, or holds what an
/// independent reader finds sound too. No other exception, no hang, no memory beyond what the file's size explains.
/// </summary>
[Trait("Category", "Fuzz")]
public sealed class FuzzTests : IDisposable
{
    private const long AllocationBase = 1 << 18;
    private const long AllocationFactor = 400;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_damaged_idx_is_refused_by_name_or_sound()
    {
        var originals = new List<byte[]>();
        List<int[]> datasets = [[3, 5], TestData.Lengths(40), [0, 0, 7, 0], [1], []];
        foreach (var lengths in datasets)
        {
            originals.Add(File.ReadAllBytes(TestData.Write(_directory[$"o{originals.Count}"], lengths) + ".idx"));
        }

        originals.Add([.. originals[0], 0, 1]);
        var prefix = _directory["d"];
        File.WriteAllBytes(prefix + ".bin", new byte[2 * 40 * 60]);
        var (accepted, refused) = (0, 0);
        var done = Fuzz.Run(".idx", 130_000, originals, bytes =>
        {
            File.WriteAllBytes(prefix + ".idx", bytes);
            try
            {
                var dataset = Bounded(bytes, () => TestData.Read("/data/d", prefix));
                Assert.True(NaiveIdx.IsSound(bytes, 2 * 40 * 60, dataset), "The engine accepts what is not sound.");
                accepted++;
            }
            catch (IndexingException failure)
            {
                Refused(failure, FailureReason.DataCorrupt, prefix);
                refused++;
            }
        });
        Assert.True(accepted > done / 1000 && refused > done / 2, $"{accepted} accepted, {refused} refused of {done}");
    }

    [Fact]
    public void A_damaged_npy_is_refused_by_name_or_holds_as_many_items_as_it_says()
    {
        List<string> dtypes = ["<i2", "<i4", "<u4", "<i8"];
        var originals = dtypes
            .Select(dtype => (byte[])[.. new NpyHeader(dtype, [5]).ToBytes(), .. new byte[5 * NpyHeader.ItemSize(dtype)]])
            .Append([.. new NpyHeader("<i4", [3, 2]).ToBytes(), .. new byte[24]])
            .ToList();
        var path = _directory["a.npy"];
        Fuzz.Run(".npy", 30_000, originals, bytes =>
        {
            File.WriteAllBytes(path, bytes);
            try
            {
                using var file = Bounded(bytes, () => NpyFile.Open(path));
                Assert.Equal(bytes.Length, NpyHeader.Size + (file.Header.Items * NpyHeader.ItemSize(file.Header.Dtype)));
                Assert.Equal(file.Header.Items, file.Items(CancellationToken.None).LongCount());
            }
            catch (IndexingException failure)
            {
                Refused(failure, FailureReason.VersionCorrupt, path);
            }
        });
    }

    [Fact]
    public void A_damaged_description_is_refused_or_prints_as_it_reads()
    {
        var originals = GoldenCase.Names(expectError: false).SelectMany(name => GoldenCase.Open(name).Descriptions.Take(1)).Select(item => Encoding.UTF8.GetBytes(item.Text)).ToList();
        Fuzz.Run("description", 20_000, originals, bytes =>
        {
            try
            {
                var description = Bounded(bytes, () => DescriptionComparison.Parse(Encoding.UTF8.GetString(bytes), "a-description.txt"));
                var text = PythonJson.Dump(description.ToList());
                Assert.Equal(text, PythonJson.Dump(PythonJson.Load(text)));
            }
            catch (IndexingException failure)
            {
                Refused(failure, FailureReason.InvalidSpec, "a-description.txt");
            }
        });
    }

    [Fact]
    public void A_damaged_manifest_makes_its_version_corrupt()
    {
        var request = TestData.Single(TestData.Write(_directory["a"], TestData.Lengths(60)));
        var version = CachePublisher.Publish(LocalFileSystem.Instance, _directory["cache"], request, prefix => prefix, new("b", "tests"), new()).Path;
        var path = Path.Combine(version, CacheLayout.Manifest);
        var original = File.ReadAllBytes(path);
        Fuzz.Run("manifest", 12_000, [original], bytes =>
        {
            if (bytes.AsSpan().SequenceEqual(original))
            {
                return;
            }

            File.WriteAllBytes(path, bytes);
            var failure = Assert.Throws<IndexingException>(() => VersionVerifier.Verify(version, new BuildOptions { Threads = 1 }));
            Refused(failure, FailureReason.VersionCorrupt, version);
        });
    }

    [Fact]
    public void Damaged_identifiers_and_splits_are_refused_as_a_spec_or_give_a_plan()
    {
        var request = TestData.Single(TestData.Write(_directory["a"], TestData.Lengths(60)));
        var data = TestData.Load(request);
        Fuzz.Run("identifiers", 6_000, [Encoding.UTF8.GetBytes(TestData.Tokenizer), "{\"class\": \"é\", \"n\": [1, 2.5e-7, {\"x\": null}]}"u8.ToArray()], bytes =>
            Planned(request with { TokenizerIdentifiers = Encoding.UTF8.GetString(bytes) }, data));
        Fuzz.Run("split", 6_000, ["900,50,50"u8.ToArray(), "969, 30, 1"u8.ToArray(), ".5,.25,.25"u8.ToArray(), "1"u8.ToArray()], bytes =>
            Planned(request with { Split = Encoding.UTF8.GetString(bytes) }, data));
    }

    private static void Planned(IndexRequest request, IReadOnlyDictionary<string, IndexedDataset> data)
    {
        try
        {
            Assert.All(IndexPlanner.Create(request, data).Files, file => Assert.True(file.Bytes > 0));
        }
        catch (IndexingException failure)
        {
            Assert.True(failure.Reason is FailureReason.InvalidSpec or FailureReason.EmptySplit, failure.ToString());
        }
    }

    private static void Refused(IndexingException failure, FailureReason reason, string name)
    {
        Assert.True(failure.Reason == reason, failure.ToString());
        Assert.Contains(name, failure.Message, StringComparison.Ordinal);
        Assert.True(failure.Message.Length < 4096, "The message is longer than anybody reads.");
    }

    private static T Bounded<T>(byte[] file, Func<T> read)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var result = read();
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < AllocationBase + (AllocationFactor * file.Length), $"{allocated} bytes were allocated for a file of {file.Length}.");
        return result;
    }
}
