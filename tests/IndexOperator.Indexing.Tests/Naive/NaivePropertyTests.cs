using System.Collections.Concurrent;
using CsCheck;

namespace IndexOperator.Indexing.Tests.Naive;

public sealed class NaivePropertyTests
{
    private const int Configurations = 10_000;

    private readonly ConcurrentDictionary<string, int> _seen = new();

    [Fact]
    public void The_engine_writes_what_the_naive_implementation_writes_and_refuses_what_it_refuses()
    {
        Configuration.Gen.Sample(Compare, iter: Configurations, print: PrintAsGoldenFolder);

        // A generator that drifts into one corner would prove nothing.
        (string What, double Least)[] shares =
        [
            ("written", 0.4), ("refused", 0.1), ("separate final epoch", 0.01), ("both in one run of epochs", 0.05), ("beyond 2^24 tokens", 0.03), ("over 100 members", 0.02), ("just below 80 % of an epoch", 0.005), ("just at 80 % of an epoch", 0.005),
            ("refused for the same reason", 0.1), ("refused as InvalidSpec", 0.05), ("refused as EmptySplit", 0.01), ("refused as OversampledBlend", 0.004),
            .. Enum.GetNames<Layout>().Select(layout => (layout, 0.05)),
            .. ReleaseRules.Supported.Select(release => ("written by " + release, 0.02)),
        ];
        foreach (var (what, least) in shares)
        {
            var count = _seen.GetValueOrDefault(what);
            Assert.True(count >= least * Configurations, $"Only {count} of {Configurations} configurations were \"{what}\".");
        }

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", _seen.OrderBy(item => item.Key).Select(item => $"{item.Key}: {item.Value}")));
    }

    [Fact]
    public void A_configuration_printed_as_a_golden_folder_is_a_case_that_the_engine_passes()
    {
        var checks = 0;
        Configuration.Gen.Sample(
            configuration =>
            {
                using var directory = new TemporaryDirectory();
                GoldenFolder.Write(directory["property"], configuration);
                var golden = GoldenCase.OpenFolder(directory["property"]);
                var request = golden.Request();
                try
                {
                    var (_, files) = BareOutput.Write(LocalFileSystem.Instance, directory["built"], request, golden.Locate(directory), new BuildOptions());
                    Assert.Equal(golden.Outputs.OrderBy(output => output.File, StringComparer.Ordinal), files.Select(file => (file.Name, file.Bytes, file.Sha256)));
                    if (files.Count > 0)
                    {
                        IndexDirectoryVerifier.Verify(directory["built"], new BuildOptions(), prefix => TestData.Read(prefix, golden.Locate(directory)(prefix)));
                    }

                    Interlocked.Increment(ref checks);
                }
                catch (IndexingException)
                {
                    Assert.Empty(golden.Outputs);
                }
            },
            iter: 60,
            threads: 1);
        Assert.True(checks > 10, $"Only {checks} of the folders held a cache.");
    }

    private void Compare(Configuration configuration)
    {
        Dictionary<string, byte[]>? expected = null;
        NaiveRefusalException? refusal = null;
        try
        {
            expected = NaiveCache.Build(configuration.Request, configuration.Lengths).Files;
        }
        catch (NaiveRefusalException failure)
        {
            refusal = failure;
        }

        var directory = new MemoryDirectory();
        IndexPlan? plan = null;
        try
        {
            plan = IndexPlanner.Create(configuration.Request, configuration.Lengths.ToDictionary(item => item.Key, item => MemoryDataset.Of(item.Key, item.Value)));
            IndexBuilder.Build(plan, directory, new BuildOptions { Threads = 1 });
        }
        catch (IndexingException failure)
        {
            Assert.True(expected is null, $"The engine refuses what Megatron builds: {failure.Message}");

            // Of several faults the engine names one of the request first, then one of any split's plan, then one of a
            // blend's, then one of the arrays; Megatron goes split by split.
            var isOfRequest = Record.Exception(() => RequestRules.Check(configuration.Request)) is not null;
            var isEarlier = isOfRequest || (refusal!.IsOfArrays && (plan is null || failure.Reason == FailureReason.OversampledBlend));
            Assert.True(failure.Reason == refusal!.Reason || isEarlier, $"The engine says {failure.Reason} ({failure.Message}), where it is: {refusal.Reason} ({refusal.Message})");
            Count("refused");
            Count("refused as " + failure.Reason);
            CountIf("refused for the same reason", failure.Reason == refusal.Reason);
            Count(configuration.Layout.ToString());
            return;
        }

        Assert.True(expected is not null, "The engine builds what Megatron does not get through.");
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), directory.Files.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, bytes) in expected)
        {
            Assert.True(bytes.AsSpan().SequenceEqual(directory.Files[name]), $"{name} differs.");
        }

        Count("written");
        Count("written by " + configuration.Request.MegatronCore);
        Count(configuration.Layout.ToString());
        CountIf("separate final epoch", plan.Datasets.Any(dataset => dataset.Epochs.SeparateFinalEpoch));
        CountIf("both in one run of epochs", plan.Datasets.Any(dataset => dataset.Epochs is { NumEpochs: > 1, SeparateFinalEpoch: false }));
        CountIf("just below 80 % of an epoch", plan.Datasets.Any(dataset => BeyondThreshold(dataset) == -1));
        CountIf("just at 80 % of an epoch", plan.Datasets.Any(dataset => BeyondThreshold(dataset) == 0));
        CountIf("beyond 2^24 tokens", plan.Datasets.Any(dataset => dataset.TokensPerEpoch > 1 << 24));
        CountIf("over 100 members", plan.Blends.Any(blend => blend.Members.Count > 100));
    }

    /// <summary>Samples of the final epoch beyond the number from which it is no longer shuffled for itself.</summary>
    private static long? BeyondThreshold(GptDatasetPlan dataset) => dataset.Epochs.NumEpochs == 1
        ? null
        : dataset.NumSamples - dataset.Epochs.SamplesSansFinalEpoch - (long)(0.8 * ((dataset.TokensPerEpoch - dataset.ExtraTokens) / dataset.SequenceLength));

    private void Count(string what) => _seen.AddOrUpdate(what, 1, (_, count) => count + 1);

    private void CountIf(string what, bool isSo)
    {
        if (isSo)
        {
            Count(what);
        }
    }

    private static string PrintAsGoldenFolder(Configuration configuration)
    {
        var directory = Path.Combine(Directory.CreateTempSubdirectory("index-property-").FullName, "property");
        GoldenFolder.Write(directory, configuration);
        return $"{directory}\n{File.ReadAllText(Path.Combine(directory, "case.json"))}";
    }

    private sealed class MemoryDirectory : IIndexDirectory
    {
        public ConcurrentDictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

        public Stream Create(string name) => new MemoryStream();

        public void Seal(string name, Stream stream, long bytes) => Assert.True(Files.TryAdd(name, ((MemoryStream)stream).ToArray()), $"{name} was written twice.");

        public void Abandon(string name, Stream stream) => stream.Dispose();
    }
}
