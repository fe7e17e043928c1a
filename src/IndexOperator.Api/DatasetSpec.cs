using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using IndexOperator.Api.Schema;

namespace IndexOperator.Api;

/// <summary>How the training run reads the data: Megatron-Core's GPTDatasetConfig, in its own names where it has them.</summary>
[CelRule("!(has(self.samples) && has(self.trainer))", "samples and trainer cannot both be set: trainer computes the samples")]
[CelRule("!has(self.renormalizeBlendWeights) || !self.renormalizeBlendWeights || (has(self.megatronCore) && self.megatronCore in ['0.9', '0.10'])", "renormalizeBlendWeights exists in megatronCore 0.9 and 0.10 only")]
[CelRule("!has(self.midLevelDatasetSurplus) || self.midLevelDatasetSurplus == 0.005 || !has(self.megatronCore) || !(self.megatronCore in ['0.7', '0.8', '0.9', '0.10', '0.11', '0.12'])", "midLevelDatasetSurplus cannot be chosen before megatronCore 0.13: it is fixed at 0.005")]
[CelRule("!has(self.multipleValidationSets) || !self.multipleValidationSets || !has(self.megatronCore) || !(self.megatronCore in ['0.7', '0.8', '0.9', '0.10', '0.11', '0.12', '0.13'])", "multipleValidationSets came with megatronCore 0.14")]
[CelRule("!has(self.fullValidation) || !self.fullValidation || !has(self.megatronCore) || !(self.megatronCore in ['0.7', '0.8', '0.9', '0.10', '0.11', '0.12', '0.13'])", "fullValidation came with megatronCore 0.14")]
public sealed record DatasetSpec
{
    /// <summary>Tokens of a sample; 1 to 2^31-2.</summary>
    [Required, Range(1, 2147483646)]
    [Description("Tokens per sample, Megatron's sequence_length (--seq-length).")]
    public int? SequenceLength { get; init; }

    /// <summary>Seed of the shuffles; 0 to 2^32-1.</summary>
    [Range(0L, 4294967295L), DefaultValue(1234L)]
    [Description("Seed of the shuffles, Megatron's random_seed (--seed).")]
    public long RandomSeed { get; set; } = 1234;

    /// <summary>How documents are divided into train, validation and test; the exact text is in the key.</summary>
    [StringLength(256), RegularExpression("[.0-9]")]
    [Description("How documents are divided into train, validation and test, for example \"900,50,50\"; with data.blend only. The exact text is in Megatron's key, blanks included.")]
    public string? Split { get; init; }

    /// <summary>How many samples to build; a missing one means one epoch.</summary>
    [Description("Samples to build for each split; a missing one = one epoch of the data.")]
    public SamplesSpec? Samples { get; init; }

    /// <summary>Training settings from which the samples are computed as the framework does.</summary>
    [Description("Training settings from which the operator computes the samples with the framework's own arithmetic, instead of samples.")]
    public TrainerSpec? Trainer { get; init; }

    /// <summary>The run's tokenizer as far as the cache key knows it.</summary>
    [Required]
    [Description("The run's tokenizer as far as Megatron's key knows it.")]
    public TokenizerSpec Tokenizer { get; set; } = new();

    /// <summary>Megatron-Core's dataset class.</summary>
    [StringLength(128, MinimumLength = 1), RegularExpression("^[A-Za-z_][A-Za-z0-9_]*$"), DefaultValue("GPTDataset")]
    [CelRule(DatasetClasses.Rule, "must be GPTDataset or a subclass that shares its cache")]
    [Description("Megatron-Core's dataset class: GPTDataset or a subclass that shares its cache, for example GPTFIMDataset. It is in the key and in the file names.")]
    public string DatasetClass { get; set; } = "GPTDataset";

    /// <summary>The release of Megatron-Core whose keys and arithmetic to follow.</summary>
    [AllowedValues("0.7", "0.8", "0.9", "0.10", "0.11", "0.12", "0.13", "0.14", "0.15", "0.16", "0.17", "0.18", "0.19", "main"), DefaultValue("0.19")]
    [Description("The Megatron-Core release of the training run; it decides keys and arithmetic.")]
    public string MegatronCore { get; set; } = "0.19";

    /// <summary>Megatron-Core's renormalize_blend_weights; releases 0.9 and 0.10 only.</summary>
    [DefaultValue(false)]
    [Description("Megatron's renormalize_blend_weights; releases 0.9 and 0.10 only.")]
    public bool RenormalizeBlendWeights { get; init; }

    /// <summary>Megatron-Core's add_extra_token_to_sequence.</summary>
    [DefaultValue(true)]
    [Description("Megatron's add_extra_token_to_sequence.")]
    public bool AddExtraTokenToSequence { get; set; } = true;

    /// <summary>Megatron-Core's drop_last_partial_validation_sequence.</summary>
    [DefaultValue(true)]
    [Description("Megatron's drop_last_partial_validation_sequence.")]
    public bool DropLastPartialValidationSequence { get; set; } = true;

    /// <summary>Megatron-Core's mid_level_dataset_surplus; 0 to 1.</summary>
    [Range(0.0, 1.0), DefaultValue(0.005)]
    [Description("Megatron's mid_level_dataset_surplus: how many more samples than needed are built of each member of a weighted blend.")]
    public double MidLevelDatasetSurplus { get; set; } = 0.005;

    /// <summary>Megatron-Core's multiple_validation_sets; releases from 0.14.</summary>
    [DefaultValue(false)]
    [Description("Megatron's multiple_validation_sets: one dataset for each validation entry of blendPerSplit; releases from 0.14.")]
    public bool MultipleValidationSets { get; init; }

    /// <summary>Megatron-Core's full_validation; releases from 0.14.</summary>
    [DefaultValue(false)]
    [Description("Megatron's full_validation: validation is one epoch; releases from 0.14.")]
    public bool FullValidation { get; init; }
}

/// <summary>Samples to build for each split; null = exactly one epoch.</summary>
public sealed record SamplesSpec
{
    /// <summary>Training samples.</summary>
    [Range(0L, 9007199254740992L)]
    [Description("Training samples; one epoch when absent.")]
    public long? Train { get; init; }

    /// <summary>Validation samples.</summary>
    [Range(0L, 9007199254740992L)]
    [Description("Validation samples; one epoch when absent.")]
    public long? Validation { get; init; }

    /// <summary>Test samples.</summary>
    [Range(0L, 9007199254740992L)]
    [Description("Test samples; one epoch when absent.")]
    public long? Test { get; init; }
}

/// <summary>The tokenizer's part of the cache key. Exactly one of the two.</summary>
[CelRule("has(self.identifiers) != has(self.preset)", "exactly one of identifiers and preset must be set")]
[CelRule("has(self.preset) || !(has(self.path) || has(self.mergesPath) || has(self.vocabSize))", "path, mergesPath and vocabSize go with a preset only: identifiers are taken as they stand")]
[CelRule("!has(self.preset) || has(self.path) == !(self.preset in ['NeMoAutoTokenizer', 'NeMoSentencePieceTokenizer', 'NullTokenizer'])", "path is required with a preset that reports one, and goes with no other: NeMo's and NullTokenizer report none")]
[CelRule("!has(self.preset) || has(self.mergesPath) == (self.preset == 'GPT2BPETokenizer')", "mergesPath is required with preset GPT2BPETokenizer, and goes with no other")]
[CelRule("!has(self.preset) || has(self.vocabSize) == (self.preset == 'NullTokenizer')", "vocabSize is required with preset NullTokenizer, and goes with no other")]
public sealed record TokenizerSpec
{
    /// <summary>Ordered JSON text: the run's <c>tokenizer.unique_identifiers</c>.</summary>
    [StringLength(16384, MinimumLength = 2)]
    [Description("JSON object, order kept: the run's tokenizer.unique_identifiers, as it stands under \"tokenizer\" in a description.txt that the run has written.")]
    public string? Identifiers { get; init; }

    /// <summary>A well-known tokenizer class.</summary>
    [Description("A well-known tokenizer class with its default options, instead of identifiers. What it reports depends on megatronCore.")]
    public TokenizerPreset? Preset { get; init; }

    /// <summary>With a preset: name or path of the model or vocabulary, as the run spells it.</summary>
    [StringLength(4096, MinimumLength = 1)]
    [Description("With a preset of Megatron-LM: name or path of the model or vocabulary, exactly as the run spells it.")]
    public string? Path { get; init; }

    /// <summary>With GPT2BPETokenizer: the merges file.</summary>
    [StringLength(4096, MinimumLength = 1)]
    [Description("With preset GPT2BPETokenizer: path of the merges file, exactly as the run spells it.")]
    public string? MergesPath { get; init; }

    /// <summary>With NullTokenizer: the vocabulary's size.</summary>
    [Range(1L, 4611686018427387904L)]
    [Description("With preset NullTokenizer: the vocabulary's size (--vocab-size).")]
    public long? VocabSize { get; init; }
}

/// <summary>Training settings from which the samples of each split are computed.</summary>
public sealed record TrainerSpec
{
    /// <summary>Whose arithmetic.</summary>
    [Required]
    [Description("The framework whose arithmetic to follow.")]
    public TrainerFramework? Framework { get; init; }

    /// <summary>The framework's release, for example 2.4; absent = the newest known, for Megatron-LM the one in megatronCore.</summary>
    [StringLength(32), RegularExpression("^(main|(core_)?v?[0-9]+\\.[0-9]+[.a-z0-9]*)$")]
    [Description("The framework's release, for example \"2.4\", \"v2.4.0\" or \"main\". Default: main; for MegatronLM the release in megatronCore.")]
    public string? FrameworkVersion { get; init; }

    /// <summary>Samples of one step over all ranks.</summary>
    [Range(1L, 4611686018427387904L)]
    [Description("Samples of one training step over all ranks.")]
    public long? GlobalBatchSize { get; init; }

    /// <summary>Steps of the run (NeMo max_steps, --train-iters).</summary>
    [Range(0L, 4611686018427387904L)]
    [Description("Steps of the run: NeMo's max_steps, --train-iters.")]
    public long? TrainIterations { get; init; }

    /// <summary>Samples of the run instead of steps.</summary>
    [Range(0L, 4611686018427387904L)]
    [Description("Samples of the run: NeMo's num_train_samples, --train-samples.")]
    public long? TrainSamples { get; init; }

    /// <summary>Steps between evaluations.</summary>
    [Range(0L, 4611686018427387904L)]
    [Description("Steps between evaluations: NeMo's val_check_interval, --eval-interval.")]
    public long? EvaluationInterval { get; init; }

    /// <summary>Batches of one evaluation.</summary>
    [Range(0L, 4611686018427387904L)]
    [Description("Batches of one evaluation: NeMo's limit_val_batches, --eval-iters.")]
    public long? EvaluationBatches { get; init; }

    /// <summary>Validation is one epoch.</summary>
    [Description("Validation is one epoch of the data: --full-validation.")]
    public bool? FullValidation { get; init; }

    /// <summary>Batches of the test.</summary>
    [Range(0L, 4611686018427387904L)]
    [Description("Batches of the test: NeMo's limit_test_batches.")]
    public long? TestBatches { get; init; }

    /// <summary>Samples of one evaluation step over all ranks.</summary>
    [Range(1L, 4611686018427387904L)]
    [Description("Samples of one evaluation step over all ranks, where it differs from training: --eval-global-batch-size.")]
    public long? EvaluationGlobalBatchSize { get; init; }

    /// <summary>The step before which nothing is evaluated.</summary>
    [Range(0L, 4611686018427387904L)]
    [Description("The step before which nothing is evaluated: --start-eval-at-iter.")]
    public long? StartEvaluationAt { get; init; }

    /// <summary>NeMo's num_val_samples.</summary>
    [Range(0L, 4611686018427387904L)]
    [Description("NeMo's num_val_samples.")]
    public long? ValidationSamples { get; init; }

    /// <summary>NeMo's num_test_samples.</summary>
    [Range(0L, 4611686018427387904L)]
    [Description("NeMo's num_test_samples.")]
    public long? TestSamples { get; init; }

    /// <summary>--rampup-batch-size; refused by name, since sizes then depend on more than these fields.</summary>
    [ItemCount(0, 16), ListType("atomic")]
    [Description("Refused: with batch size ramp-up write dataset.samples instead of trainer.")]
    public IReadOnlyList<long>? RampUpBatchSize { get; init; }

    /// <summary>--step-batch-size-schedule; refused by name.</summary>
    [StringLength(4096)]
    [Description("Refused: with a batch size schedule write dataset.samples instead of trainer.")]
    public string? BatchSizeSchedule { get; init; }

    /// <summary>--phase-transition-iterations; refused by name.</summary>
    [ItemCount(0, 1024), ListType("atomic")]
    [Description("Refused: with training phases write dataset.samples of the phase instead of trainer.")]
    public IReadOnlyList<long>? PhaseTransitions { get; init; }

    /// <summary>--skip-train; refused by name.</summary>
    [Description("Refused: for a run that only evaluates write dataset.samples instead of trainer.")]
    public bool? SkipTraining { get; init; }
}
