using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.CheckRun;

/// <summary>The options of a tokenizer of Megatron-LM, which Megatron-Bridge builds on.</summary>
internal sealed record TokenizerOptions
{
    public string? Type { get; init; }

    public string? Model { get; init; }

    public string? VocabFile { get; init; }

    public string? MergeFile { get; init; }

    public long? VocabSize { get; init; }

    public IReadOnlyList<string>? SpecialTokens { get; init; }

    public bool NoUseFast { get; init; }

    public bool NoIncludeSpecialTokens { get; init; }

    public bool TrustRemoteCode { get; init; }

    public string? ChatTemplate { get; init; }

    /// <summary>An option whose effect on the key is not known; null when there is none.</summary>
    public string? Opaque { get; init; }
}

/// <summary>What the tokenizers of Megatron-LM report of themselves (<c>megatron/core/tokenizers/utils/build_tokenizer.py</c>).</summary>
internal static class MegatronTokenizer
{
    private const string Lift = "Compare it with a description that such a run wrote: --tokenizer takes what index-builder tokenizer --from prints.";

    public static RunTokenizer Of(TokenizerOptions options, string release)
    {
        var path = options.Model ?? options.VocabFile;
        var shown = string.Join(' ', new[] { options.Type, path }.OfType<string>());
        if (options.Opaque is not null)
        {
            return new RunTokenizer(null, shown, path, $"{options.Opaque} changes it in a way that is not known here. {Lift}");
        }

        if (Spec(options) is not { } spec)
        {
            return new RunTokenizer(null, shown, path, $"what {options.Type} reports is not known here. {Lift}");
        }

        var (identifiers, error) = TokenizerPresets.Resolve(new DatasetSpec { MegatronCore = release, Tokenizer = spec });
        if (identifiers is null)
        {
            return new RunTokenizer(null, shown, path, error!.Message.EndsWith(Lift, StringComparison.Ordinal) ? error.Message : $"{options.Type} of release {release} cannot be told from its arguments. {Lift}");
        }

        var changed = Changed(options);
        return changed.Count == 0 ? new RunTokenizer(identifiers, shown, path)
            : Apply(identifiers, changed) is { } applied ? new RunTokenizer(applied, shown, path)
            : new RunTokenizer(null, shown, path, $"what {options.Type} of release {release} reports with these options is not known here. {Lift}");
    }

    private static TokenizerSpec? Spec(TokenizerOptions options) => options.Type switch
    {
        "HuggingFaceTokenizer" => new TokenizerSpec { Preset = TokenizerPreset.HuggingFaceTokenizer, Path = options.Model },
        "GPT2BPETokenizer" => new TokenizerSpec { Preset = TokenizerPreset.GPT2BPETokenizer, Path = options.VocabFile, MergesPath = options.MergeFile },
        "SentencePieceTokenizer" => new TokenizerSpec { Preset = TokenizerPreset.SentencePieceTokenizer, Path = options.Model },
        "GPTSentencePieceTokenizer" => new TokenizerSpec { Preset = TokenizerPreset.GPTSentencePieceTokenizer, Path = options.Model },
        "Llama2Tokenizer" => new TokenizerSpec { Preset = TokenizerPreset.Llama2Tokenizer, Path = options.Model },
        "NullTokenizer" => new TokenizerSpec { Preset = TokenizerPreset.NullTokenizer, VocabSize = options.VocabSize },
        _ => null,
    };

    /// <summary>Options that are not at their default, as Python prints them.</summary>
    private static Dictionary<string, string> Changed(TokenizerOptions options)
    {
        var changed = new Dictionary<string, string>(StringComparer.Ordinal);
        void Add(string name, string? value)
        {
            if (value is not null)
            {
                changed.Add(name, value);
            }
        }

        if (options.Type is not ("HuggingFaceTokenizer" or "SentencePieceTokenizer" or "GPTSentencePieceTokenizer" or "Llama2Tokenizer"))
        {
            return changed;
        }

        Add("chat_template", options.ChatTemplate);
        if (options.Type == "HuggingFaceTokenizer")
        {
            Add("vocab_file", options.VocabFile);
            Add("merges_file", options.MergeFile);
            Add("additional_special_tokens", options.SpecialTokens is { Count: > 0 } tokens ? $"[{string.Join(", ", tokens.Select(token => $"'{token}'"))}]" : null);
            Add("use_fast", options.NoUseFast ? "False" : null);
            Add("trust_remote_code", options.TrustRemoteCode ? "True" : null);
            Add("include_special_tokens", options.NoIncludeSpecialTokens ? "False" : null);
        }

        return changed;
    }

    /// <summary>Sets fields that are there; null when one is not, as in releases that report no options.</summary>
    private static string? Apply(string identifiers, Dictionary<string, string> changed)
    {
        var fields = (List<KeyValuePair<string, object?>>)PythonJson.Load(identifiers)!;
        return changed.Keys.All(name => fields.Exists(field => field.Key == name))
            ? PythonJson.Dump(fields.ConvertAll(field => changed.TryGetValue(field.Key, out var value) ? KeyValuePair.Create(field.Key, (object?)value) : field))
            : null;
    }
}
