using System.Text.Json;

namespace IndexOperator.Api.Tests;

/// <summary>The presets beside the tokenizers of the golden cases, which use the classes of each release.</summary>
public sealed class TokenizerPresetTests
{
    [Theory]
    [InlineData("r1_0.7_blend_exhaustive", "Llama2Tokenizer", "/tok/llama2/tokenizer.model", null, null)]
    [InlineData("r2_0.8_blend12", "HuggingFaceTokenizer", "meta-llama/Llama-2-7b-hf", null, null)]
    [InlineData("r6_0.13_blend12", "NullTokenizer", null, null, 50256L)]
    [InlineData("r7_0.16_blend12", "HuggingFaceTokenizer", "meta-llama/Llama-3.1-8B", null, null)]
    [InlineData("r7_0.17_multiple_validation_sets", "NullTokenizer", null, null, 131072L)]
    [InlineData("r7_0.18_blend2", "HuggingFaceTokenizer", "meta-llama/Llama-3.1-8B", null, null)]
    [InlineData("r7_main_blend2", "HuggingFaceTokenizer", "meta-llama/Llama-3.1-8B", null, null)]
    public void A_preset_gives_what_the_class_reports_in_its_release(string golden, string preset, string? path, string? merges, long? vocabSize)
    {
        var (expected, release) = GoldenTokenizer(golden, preset);
        var dataset = new DatasetSpec
        {
            MegatronCore = release,
            Tokenizer = new() { Preset = Enum.Parse<TokenizerPreset>(preset), Path = path, MergesPath = merges, VocabSize = vocabSize },
        };
        var (identifiers, error) = TokenizerPresets.Resolve(dataset);
        Assert.Null(error);
        Assert.Equal(expected, Compact(identifiers!));
    }

    [Fact]
    public void A_preset_is_given_what_it_reports_and_nothing_else()
    {
        Assert.Equal("spec.dataset.tokenizer.path", Error("0.19", new() { Preset = TokenizerPreset.HuggingFaceTokenizer }));
        Assert.Equal("spec.dataset.tokenizer.mergesPath", Error("0.14", new() { Preset = TokenizerPreset.GPT2BPETokenizer, Path = "vocab.json" }));
        Assert.Equal("spec.dataset.tokenizer.vocabSize", Error("0.14", new() { Preset = TokenizerPreset.Llama2Tokenizer, Path = "a", VocabSize = 1 }));
        Assert.Equal("spec.dataset.tokenizer.path", Error("0.14", new() { Identifiers = "{}", Path = "a" }));
        Assert.Equal("spec.dataset.tokenizer", Error("0.14", new()));
    }

    [Theory]
    [InlineData("0.7", TokenizerPreset.HuggingFaceTokenizer)]
    [InlineData("0.15", TokenizerPreset.HuggingFaceTokenizer)]
    [InlineData("0.19", TokenizerPreset.Llama2Tokenizer)]
    public void A_preset_that_a_release_does_not_have_is_refused(string release, TokenizerPreset preset) =>
        Assert.Equal("spec.dataset.tokenizer.preset", Error(release, new() { Preset = preset, Path = "a" }));

    private static string? Error(string release, TokenizerSpec tokenizer) =>
        TokenizerPresets.Resolve(new() { MegatronCore = release, Tokenizer = tokenizer }).Error?.Field;

    private static (string Identifiers, string Release) GoldenTokenizer(string name, string preset)
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!Directory.Exists(Path.Combine(directory!.FullName, "golden-sizes")))
        {
            directory = directory.Parent;
        }

        // The case's own tokenizer where it is the preset's, else that of another case of the same release.
        var root = Path.Combine(directory.FullName, "golden");
        var release = JsonDocument.Parse(File.ReadAllText(Path.Combine(root, name, "case.json"))).RootElement.GetProperty("megatron_core").GetString()!;
        var candidates = Directory.EnumerateDirectories(root)
            .Select(path => JsonDocument.Parse(File.ReadAllText(Path.Combine(path, "case.json"))).RootElement)
            .Where(item => item.TryGetProperty("megatron_core", out var core) && core.GetString() == release)
            .Select(item => Compact(item.GetProperty("tokenizer").GetProperty("unique_identifiers").GetRawText()))
            .Distinct();
        return (candidates.Single(text => Fits(text, preset)), release);
    }

    private static bool Fits(string text, string preset) => text.Contains($"\"_{preset}\"", StringComparison.Ordinal)
        || (text.Contains("megatron.core.tokenizers", StringComparison.Ordinal) && text.Contains("vocab_size", StringComparison.Ordinal) == (preset == "NullTokenizer"));

    private static string Compact(string json) => JsonSerializer.Serialize(JsonDocument.Parse(json).RootElement);
}
