using System.Globalization;
using System.Text.Json;

namespace IndexOperator.Api;

/// <summary>
/// The identifiers that well-known tokenizer classes report with the framework's default options. The values follow the
/// release: classes were renamed and options appended, and each step is a new key. A run with other options reports other
/// values; <c>index-builder tokenizer --from</c> lifts the exact ones out of a description.
/// </summary>
public static class TokenizerPresets
{
    private const string NeMo = "nemo.collections.common.tokenizers.";
    private const string CoreDefault = "megatron.core.tokenizers.text.models.default_tokenizer.DefaultTokenizerText";
    private const string CoreMain = "megatron.core.tokenizers.text.text_tokenizer.MegatronTokenizerText";
    private const string Lift = "Take identifiers from a description the run wrote (index-builder tokenizer --from).";

    /// <summary>The identifiers of a tokenizer block.</summary>
    /// <returns>JSON text, or the first rule that the block breaks.</returns>
    public static (string? Identifiers, FieldError? Error) Resolve(DatasetSpec dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        var tokenizer = dataset.Tokenizer;
        if (tokenizer.Identifiers is null == tokenizer.Preset is null)
        {
            return (null, new("spec.dataset.tokenizer", "must have exactly one of identifiers and preset. Take identifiers from the \"tokenizer\" of a description.txt that the run has written."));
        }

        if (tokenizer.Identifiers is not null)
        {
            return (tokenizer.Identifiers, Superfluous(tokenizer, []));
        }

        var preset = tokenizer.Preset!.Value;
        var needed = Parameters(preset);
        if ((Missing(tokenizer, needed) ?? Superfluous(tokenizer, needed)) is { } error)
        {
            return (null, error);
        }

        var identifiers = IsNeMo(preset) ? OfNeMo(preset)
            : IsLegacy(dataset.MegatronCore) ? OfLegacy(preset, tokenizer, dataset.MegatronCore)
            : OfCore(preset, tokenizer, dataset.MegatronCore);
        return identifiers is null
            ? (null, new("spec.dataset.tokenizer.preset", $"{preset} has no known identifiers in megatronCore {dataset.MegatronCore}. {Lift}"))
            : (identifiers, null);
    }

    private static bool IsNeMo(TokenizerPreset preset) => preset is TokenizerPreset.NeMoAutoTokenizer or TokenizerPreset.NeMoSentencePieceTokenizer;

    private static bool IsLegacy(string release) => release is "0.7" or "0.8" or "0.9" or "0.10" or "0.11" or "0.12" or "0.13" or "0.14";

    private static string[] Parameters(TokenizerPreset preset) => preset switch
    {
        TokenizerPreset.NeMoAutoTokenizer or TokenizerPreset.NeMoSentencePieceTokenizer => [],
        TokenizerPreset.GPT2BPETokenizer => ["path", "mergesPath"],
        TokenizerPreset.NullTokenizer => ["vocabSize"],
        _ => ["path"],
    };

    private static IEnumerable<(string Name, bool IsSet)> Given(TokenizerSpec tokenizer) =>
        [("path", tokenizer.Path is not null), ("mergesPath", tokenizer.MergesPath is not null), ("vocabSize", tokenizer.VocabSize is not null)];

    private static FieldError? Missing(TokenizerSpec tokenizer, string[] needed) => Given(tokenizer)
        .Where(parameter => needed.Contains(parameter.Name) && !parameter.IsSet)
        .Select(parameter => new FieldError($"spec.dataset.tokenizer.{parameter.Name}", $"is missing: {tokenizer.Preset} reports it, so it is in the key. Write it as the run does."))
        .FirstOrDefault();

    private static FieldError? Superfluous(TokenizerSpec tokenizer, string[] needed) => Given(tokenizer)
        .Where(parameter => !needed.Contains(parameter.Name) && parameter.IsSet)
        .Select(parameter => new FieldError(
            $"spec.dataset.tokenizer.{parameter.Name}",
            tokenizer.Preset is null ? "goes with a preset only: identifiers are taken as they stand. Remove it." : $"is not in what {tokenizer.Preset} reports. Remove it."))
        .FirstOrDefault();

    /// <summary>NeMo 2 reports nothing but the class.</summary>
    private static string OfNeMo(TokenizerPreset preset) =>
        Object(("class", Text(NeMo + (preset == TokenizerPreset.NeMoAutoTokenizer ? "huggingface.auto_tokenizer.AutoTokenizer" : "sentencepiece_tokenizer.SentencePieceTokenizer"))));

    /// <summary><c>megatron.training.tokenizer</c>: the bare class, paths as a list, options as texts.</summary>
    private static string? OfLegacy(TokenizerPreset preset, TokenizerSpec tokenizer, string release)
    {
        var name = ("class", Text("_" + preset));
        return preset switch
        {
            TokenizerPreset.HuggingFaceTokenizer => release == "0.7" ? null : Object(name, ("tokenizer_path", List(tokenizer.Path!))),
            TokenizerPreset.GPT2BPETokenizer => Object(name, ("tokenizer_path", List(tokenizer.Path!, tokenizer.MergesPath!))),
            TokenizerPreset.NullTokenizer => Object(name, ("tokenizer_path", "[null]"), ("vocab_size", Text(Number(tokenizer)))),
            TokenizerPreset.BertWordPieceTokenizer => Object(name, ("tokenizer_path", List(tokenizer.Path!)), ("lower_case", Text("True")), ("vocab_extra_ids", Text("0"))),
            _ => Object(name, ("tokenizer_path", List(tokenizer.Path!)), ("vocab_extra_ids", Text("0"))),
        };
    }

    /// <summary><c>megatron.core.tokenizers</c>, the default since 0.15: one path, then the options in the order of the call.</summary>
    private static string? OfCore(TokenizerPreset preset, TokenizerSpec tokenizer, string release)
    {
        var name = ("class", Text(release == "main" ? CoreMain : CoreDefault));
        if (preset == TokenizerPreset.NullTokenizer && release != "main")
        {
            return Object(name, ("tokenizer_path", "null"), ("vocab_size", Text(Number(tokenizer))));
        }

        // What 0.15 passes to a Hugging Face tokenizer is not known.
        if (preset != TokenizerPreset.HuggingFaceTokenizer || release == "0.15")
        {
            return null;
        }

        List<(string, string)> fields = [name, ("tokenizer_path", Text(tokenizer.Path!))];
        if (release is not ("0.16" or "0.17"))
        {
            fields.Add(("chat_template", Text("None")));
        }

        fields.AddRange(
        [
            ("vocab_file", Text("None")), ("merges_file", Text("None")), ("additional_special_tokens", Text("[]")),
            ("use_fast", Text("True")), ("trust_remote_code", Text("False")), ("include_special_tokens", Text("True")),
        ]);
        if (release == "main")
        {
            fields.Add(("use_gigatoken", Text("False")));
        }

        return Object([.. fields]);
    }

    private static string Number(TokenizerSpec tokenizer) => tokenizer.VocabSize!.Value.ToString(CultureInfo.InvariantCulture);

    private static string Object(params (string Name, string Value)[] fields) => "{" + string.Join(", ", fields.Select(field => $"\"{field.Name}\": {field.Value}")) + "}";

    private static string List(params string[] items) => "[" + string.Join(", ", items.Select(Text)) + "]";

    private static string Text(string value) => $"\"{JsonEncodedText.Encode(value)}\"";
}
