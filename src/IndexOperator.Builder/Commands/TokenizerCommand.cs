using System.CommandLine;
using System.Text.Json;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Commands;

/// <summary><c>index-builder tokenizer</c>.</summary>
internal static class TokenizerCommand
{
    public static Command Create()
    {
        var from = new Option<string>("--from") { Description = "A *-description.txt that the framework wrote, a directory with some, or - for standard input.", HelpName = "DESCRIPTION", Required = true };
        var format = CommonOptions.Format();
        var command = new Command("tokenizer", """
            Lifts the tokenizer's exact identifiers out of a description that the framework wrote, for
            spec.dataset.tokenizer.identifiers. Order and spelling are part of Megatron's key, so nothing is safer.

            Examples:
              index-builder tokenizer --from /npy_index/0a1b…-GPTDataset-train-description.txt
              index-builder tokenizer --from /npy_index -o json
            """)
        {
            from, format,
        };
        command.SetAction(parsed => CommonOptions.Run(parsed.GetValue(format), terminal =>
        {
            var source = parsed.GetValue(from)!;
            var identifiers = TokenizerIdentifiers.Of(DescriptionComparison.Parse(Read(source), source), source);
            Terminal.WriteLine(terminal.Mode == TalkMode.Json
                ? JsonSerializer.Serialize(new TokenizerResult(identifiers), PrettyJson.Context.TokenizerResult)
                : $"tokenizer:\n  identifiers: |\n    {identifiers.Replace("\n", "\n    ", StringComparison.Ordinal)}");
        }));
        return command;
    }

    private static string Read(string source)
    {
        if (!Directory.Exists(source))
        {
            return TextInput.Read(source, "The description");
        }

        var first = Directory.EnumerateFiles(source, "*-description.txt").Order(StringComparer.Ordinal).FirstOrDefault()
            ?? throw new IndexingException(FailureReason.DataMissing, $"{source} holds no *-description.txt. Name a directory that the framework has written an index into.");
        return TextInput.Read(first, "The description");
    }
}
