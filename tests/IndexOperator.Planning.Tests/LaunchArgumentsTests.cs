using IndexOperator.Api;

namespace IndexOperator.Planning.Tests;

/// <summary>An argument is given where the spec alone proves it right, and nowhere else.</summary>
public sealed class LaunchArgumentsTests
{
    private const string Cache = "--data-cache-path /npy_index";
    private const string Fast = "--dataloader-fast-cache-load";
    private const string Defer = "--dataloader-defer-npy-index-mmap";
    private const string Count = "--per-dataset-sequences-path /npy_index/per-dataset-sequences.json";

    private static readonly SamplesSpec Given3 = new() { Train = 1000, Validation = 10, Test = 0 };

    [Theory]
    [InlineData("0.7", Cache)]
    [InlineData("0.15", Cache)]
    [InlineData("0.16", $"{Cache} {Fast} {Defer}")]
    [InlineData("0.19", $"{Cache} {Fast} {Defer}")]
    [InlineData("main", $"{Cache} {Fast} {Defer}")]
    public void The_faster_options_came_with_0_16(string release, string arguments) => Assert.Equal(arguments, Of(dataset => dataset with { MegatronCore = release }, PerSplit));

    [Fact]
    public void A_blend_that_is_split_may_not_be_loaded_fast_and_is_deferred_only_where_all_sizes_are_given()
    {
        Assert.Equal(Cache, Of(dataset => dataset));
        Assert.Equal(Cache, Of(dataset => dataset with { Samples = new SamplesSpec { Train = 1000, Test = 0 } }));
        Assert.Equal($"{Cache} {Defer}", Of(dataset => dataset with { Samples = Given3 }));
        Assert.Equal($"{Cache} {Defer}", Of(dataset => dataset with { Trainer = new TrainerSpec { Framework = TrainerFramework.MegatronLM } }));
        Assert.Equal(Cache, Of(dataset => dataset with { Trainer = new TrainerSpec { Framework = TrainerFramework.MegatronLM, FullValidation = true } }));
    }

    [Fact]
    public void Where_the_last_partial_validation_sequence_is_kept_lengths_are_read_and_not_computed() =>
        Assert.Equal($"{Cache} {Fast}", Of(dataset => dataset with { DropLastPartialValidationSequence = false }, PerSplit));

    [Theory]
    [InlineData(65536, Cache)]
    [InlineData(65537, $"{Cache} {Count}")]
    [InlineData(131072, $"{Cache} {Count}")]
    public void The_type_of_the_tokens_may_be_guessed_only_from_a_vocabulary_that_leaves_no_choice(long vocabulary, string arguments) =>
        Assert.Equal(arguments, Of(dataset => dataset with { Tokenizer = new TokenizerSpec { Preset = TokenizerPreset.NullTokenizer, VocabSize = vocabulary } }));

    [Fact]
    public void A_tokenizer_that_does_not_tell_its_vocabulary_gives_no_guess() =>
        Assert.Equal(Cache, Of(dataset => dataset with { Tokenizer = new TokenizerSpec { Identifiers = "{\"class\": \"x\", \"vocab_size\": \"131072\"}" } }));

    [Fact]
    public void Other_classes_and_other_frameworks_get_the_path_alone()
    {
        Assert.Equal(Cache, Of(dataset => dataset with { DatasetClass = "GPTFIMDataset" }, PerSplit));
        Assert.Equal(Cache, Of(dataset => dataset with { Trainer = new TrainerSpec { Framework = TrainerFramework.MegatronBridge } }, PerSplit));
    }

    [Theory]
    [InlineData("/npy index")]
    [InlineData("/npy*")]
    [InlineData("/npy$(x)")]
    [InlineData("/npy'")]
    [InlineData("/nüpy")]
    public void A_path_that_a_shell_would_take_apart_gives_none(string path) =>
        Assert.Null(LaunchArguments.Of(Given.Index(spec => spec with { Cache = spec.Cache with { MountPath = path } }).Spec));

    private static PretrainIndexSpec PerSplit(PretrainIndexSpec spec) => spec with
    {
        Data = spec.Data with { Blend = null, BlendPerSplit = new BlendPerSplit { Train = [new BlendEntry { Prefix = "/data/web_text_document" }] } },
        Dataset = spec.Dataset with { Split = null },
    };

    private static string? Of(Func<DatasetSpec, DatasetSpec> change, Func<PretrainIndexSpec, PretrainIndexSpec>? data = null) =>
        LaunchArguments.Of(Given.Index(spec => (data ?? (same => same))(spec with { Dataset = change(spec.Dataset) })).Spec);
}
