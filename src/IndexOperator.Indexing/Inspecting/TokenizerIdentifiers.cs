namespace IndexOperator.Indexing;

/// <summary>The tokenizer's part of a description.</summary>
public static class TokenizerIdentifiers
{
    /// <summary>The exact value as Python would print it: order, number texts and escapes are those of the key.</summary>
    /// <param name="description">A description of a single dataset or of a blend.</param>
    /// <param name="source">Where it is from, for the error.</param>
    /// <exception cref="IndexingException">InvalidSpec: the description has no tokenizer.</exception>
    public static string Of(IReadOnlyList<KeyValuePair<string, object?>> description, string source)
    {
        var members = description.Field("datasets") as List<object?>;
        var single = members?.FirstOrDefault() as List<KeyValuePair<string, object?>> ?? description;
        return single.Field("tokenizer") is List<KeyValuePair<string, object?>> identifiers
            ? PythonJson.Dump(identifiers)
            : throw new IndexingException(FailureReason.InvalidSpec, $"{source} has no tokenizer object. Name the description of a GPTDataset or of a blend, written by release 0.5 or later.");
    }
}
