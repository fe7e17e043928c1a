using System.Diagnostics;

namespace IndexOperator.Indexing.Tests;

public sealed class TextCorpusTests
{
    [Fact]
    public void Text_of_this_machine_becomes_as_many_documents_as_asked_for_and_the_same_each_time()
    {
        using var directory = new TemporaryDirectory();
        Run("--output", directory["one"], "--documents", "3000");
        Run("--output", directory["two"], "--documents", "3000");

        var datasets = Directory.GetFiles(directory["one"], "*.idx").Order(StringComparer.Ordinal).Select(Read).ToList();

        Assert.Equal(3, datasets.Count);
        Assert.Equal(3000, datasets.Sum(dataset => dataset.DocumentCount - 1));
        Assert.All(datasets, dataset => Assert.Equal(2, dataset.TokenType.ItemSize));
        Assert.Equal(
            datasets.Select(dataset => dataset.IdxSha256),
            Directory.GetFiles(directory["two"], "*.idx").Order(StringComparer.Ordinal).Select(file => Read(file).IdxSha256));
    }

    [Fact]
    public void Appending_keeps_what_is_there_and_adds_documents()
    {
        using var directory = new TemporaryDirectory();
        Run("--output", directory["c"], "--datasets", "docs", "--documents", "50");
        var before = File.ReadAllBytes(directory["c/docs_text_document.bin"]);

        Run("--output", directory["c"], "--datasets", "docs", "--append", "7");

        Assert.Equal(58, Read(directory["c/docs_text_document.idx"]).DocumentCount);
        Assert.Equal(before, File.ReadAllBytes(directory["c/docs_text_document.bin"])[..before.Length]);
    }

    [Fact]
    public void A_machine_without_the_text_asked_for_fills_up_from_what_it_has()
    {
        var corpus = TextCorpus.Corpus.Collect(new TextCorpus.TextSource("manpages", ["nowhere"], _ => true), 7000);
        Assert.Equal(7000, corpus.Documents.Count);
        Assert.Contains("fills up", corpus.Remark, StringComparison.Ordinal);
    }

    private static IndexedDataset Read(string idx) => TestData.Read(idx, idx[..^4]);

    private static void Run(params string[] arguments)
    {
        using var process = Process.Start("dotnet", [Path.Combine(AppContext.BaseDirectory, "text-corpus.dll"), .. arguments]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
