using TextCorpus;

namespace IndexOperator.Indexing.Tests;

/// <summary>Small datasets and requests for them.</summary>
internal static class TestData
{
    public const string Tokenizer = """{"class": "ByteTokenizer"}""";

    /// <summary>Writes a dataset of one-sequence documents with the given lengths; returns its path without extension.</summary>
    public static string Write(string prefix, params int[] lengths)
    {
        using var writer = new IndexedDatasetWriter(prefix);
        foreach (var length in lengths)
        {
            writer.AddSequence([.. Enumerable.Range(0, length)]);
            writer.EndDocument();
        }

        return prefix;
    }

    public static int[] Lengths(int count, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(1, 60))];
    }

    public static IndexRequest Single(string prefix, long? samples = 40) => new()
    {
        Blend = [new BlendEntry(prefix)],
        Split = "90,10,0",
        SequenceLength = 16,
        Samples = new(samples, null, null),
        TokenizerIdentifiers = Tokenizer,
    };

    public static IndexedDataset Read(string prefix, string path) =>
        IndexedDatasetReader.Read(prefix, path, cancellationToken: TestContext.Current.CancellationToken);

    public static IndexedDataset ReadWithoutLengths(string prefix, string path) =>
        IndexedDatasetReader.ReadWithoutLengths(prefix, path, cancellationToken: TestContext.Current.CancellationToken);

    public static IReadOnlyDictionary<string, IndexedDataset> Load(IndexRequest request) => DatasetLoader.Load(request, prefix => prefix, new BuildOptions());
}
