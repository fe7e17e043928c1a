using System.CommandLine;
using System.Globalization;
using TextCorpus;

var output = new Option<string>("--output") { Description = "Directory for the datasets.", HelpName = "DIR", Required = true };
var datasets = new Option<string>("--datasets")
{
    Description = "Names, separated by commas: " + string.Join(", ", TextSource.Known.Select(source => source.Name)) + ".",
    HelpName = "NAMES",
    DefaultValueFactory = _ => "manpages,docs,licences",
};
var documents = new Option<int>("--documents") { Description = "Documents in all datasets together.", HelpName = "N", DefaultValueFactory = _ => 20_000 };
var append = new Option<int>("--append") { Description = "Add N documents to the first dataset that is there instead of making any.", HelpName = "N" };
var root = new RootCommand("""
    Makes Megatron datasets (.bin/.idx) of the text found on this machine: manual pages, package documentation, licences.
    The tokenizer is byte-level: a token is a byte, 256 ends a document. The same machine gives the same datasets.

    Examples:
      text-corpus --output ./corpus
      text-corpus --output ./corpus --datasets docs --append 100
    """)
{
    output, datasets, documents, append,
};
root.SetAction(parsed =>
{
    var names = parsed.GetValue(datasets)!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
    var unknown = names.FirstOrDefault(name => TextSource.Known.All(source => source.Name != name));
    if (names.Length == 0 || unknown is not null)
    {
        Console.Error.WriteLine($"text-corpus: there is no dataset \"{unknown}\". Choose of {string.Join(", ", TextSource.Known.Select(source => source.Name))}.");
        return 2;
    }

    var directory = Directory.CreateDirectory(parsed.GetValue(output)!).FullName;
    string Prefix(string name) => Path.Combine(directory, name + "_text_document");
    if (parsed.GetValue(append) is > 0 and var added)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Prefix(names[0])}: {Corpus.Append(Prefix(names[0]), added):N0} documents now"));
        return 0;
    }

    for (var i = 0; i < names.Length; i++)
    {
        var count = (parsed.GetValue(documents) / names.Length) + (i < parsed.GetValue(documents) % names.Length ? 1 : 0);
        var corpus = Corpus.Collect(TextSource.Known.Single(source => source.Name == names[i]), count);
        var tokens = corpus.Write(Prefix(names[i]));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Prefix(names[i])}: {corpus.Documents.Count:N0} documents, {tokens:N0} tokens"));
        if (corpus.Remark.Length > 0)
        {
            Console.WriteLine("  " + corpus.Remark);
        }
    }

    return 0;
});
return root.Parse(args).Invoke();
