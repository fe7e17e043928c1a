using IndexOperator.Indexing;

namespace IndexOperator.Builder.CheckRun;

/// <summary>How a run's tokenizer compares with the resource's.</summary>
/// <param name="Identifiers">What to make the run's keys of.</param>
/// <param name="Difference">What differs; null when nothing does that is known.</param>
/// <param name="Warning">What could not be compared.</param>
internal sealed record TokenizerMatch(string Identifiers, (string Run, string Resource)? Difference, string? Warning)
{
    private const string Path = "tokenizer_path";

    public static TokenizerMatch Of(RunTokenizer run, string resource)
    {
        var built = Fields(resource);
        if (run.Identifiers is null)
        {
            // Where the model is named, at least that can be compared.
            var paths = built.Find(field => field.Key == Path).Value switch
            {
                string path => [path],
                List<object?> list => list.OfType<string>().ToList(),
                _ => [],
            };
            return run.Path is not null && paths.Count > 0 && !paths.Contains(run.Path)
                ? new TokenizerMatch(PythonJson.Dump(new List<KeyValuePair<string, object?>> { new(Path, run.Path) }), (run.Shown, OneLine(built)), null)
                : new TokenizerMatch(resource, null, $"the tokenizer ({run.Shown}) was not compared: {run.Unknown}");
        }

        var asked = Fields(run.Identifiers);
        if (PythonJson.Dump(asked) == PythonJson.Dump(built))
        {
            return new TokenizerMatch(run.Identifiers, null, null);
        }

        // Other options in the key, the same class and the same values: which options a release writes, a description that
        // it wrote knows better than the table here.
        var shared = asked.Where(field => built.Exists(other => other.Key == field.Key)).ToList();
        var isAlike = shared.Exists(field => field.Key == "class")
            && shared.TrueForAll(field => PythonJson.Dump(field.Value) == PythonJson.Dump(built.Find(other => other.Key == field.Key).Value))
            && shared.Count < Math.Max(asked.Count, built.Count);
        return isAlike
            ? new TokenizerMatch(resource, null, $"the tokenizer's options in the key were not compared: the resource lists {Names(built)}, this release was taken to write {Names(asked)}. A description that such a run wrote decides (index-builder tokenizer --from)")
            : new TokenizerMatch(run.Identifiers, (OneLine(asked), OneLine(built)), null);
    }

    private static List<KeyValuePair<string, object?>> Fields(string identifiers) =>
        PythonJson.Load(identifiers) as List<KeyValuePair<string, object?>>
        ?? throw new IndexingException(FailureReason.InvalidSpec, "The tokenizer's identifiers are no JSON object. index-builder tokenizer --from prints them.");

    private static string Names(List<KeyValuePair<string, object?>> fields) => string.Join(", ", fields.Select(field => field.Key));

    private static string OneLine(List<KeyValuePair<string, object?>> fields)
    {
        const int Longest = 300;
        var text = string.Join(' ', PythonJson.Dump(fields).Split('\n').Select(line => line.Trim()));
        return text.Length <= Longest ? text : text[..Longest] + "…";
    }
}
