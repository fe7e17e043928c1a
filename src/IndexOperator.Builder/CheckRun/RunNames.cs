using IndexOperator.Api;

namespace IndexOperator.Builder.CheckRun;

/// <summary>What each framework calls a setting.</summary>
internal static class RunNames
{
    private static readonly Dictionary<string, (string MegatronLM, string NeMo, string Bridge)> Names = new(StringComparer.Ordinal)
    {
        ["blend"] = ("--data-path", "data.paths", "dataset.blend"),
        ["blendPerSplit"] = ("--train-data-path, --valid-data-path, --test-data-path", "data.paths", "dataset.blend_per_split"),
        ["split"] = ("--split", "data.split", "dataset.split"),
        ["sequenceLength"] = ("--seq-length", "data.seq_length", "dataset.seq_length"),
        ["randomSeed"] = ("--seed", "data.seed", "dataset.random_seed"),
        ["datasetClass"] = ("--fim-data", "data.dataset_cls", "dataset"),
        ["midLevelDatasetSurplus"] = ("--mid-level-dataset-surplus", "mid_level_dataset_surplus", "dataset.mid_level_dataset_surplus"),
        ["multipleValidationSets"] = ("--multiple-validation-sets", "multiple_validation_sets", "dataset.multiple_validation_sets"),
        ["addExtraTokenToSequence"] = ("add_extra_token_to_sequence", "add_extra_token_to_sequence", "dataset.add_extra_token_to_sequence"),
        ["dropLastPartialValidationSequence"] = ("drop_last_partial_validation_sequence", "drop_last_partial_validation_sequence", "dataset.drop_last_partial_validation_sequence"),
        ["tokenizer"] = ("--tokenizer-type, --tokenizer-model", "data.tokenizer", "tokenizer"),
        ["cachePath"] = ("--data-cache-path", "data.index_mapping_dir", "dataset.path_to_cache"),
        ["samples.train"] = ("--train-samples, or --train-iters and --global-batch-size", "trainer.max_steps, data.global_batch_size, data.num_train_samples", "train.train_iters or train.train_samples, train.global_batch_size"),
        ["samples.validation"] = (
            "--eval-iters, --eval-interval, the length of the run and --global-batch-size",
            "trainer.limit_val_batches, trainer.val_check_interval, trainer.max_steps, data.global_batch_size",
            "validation.eval_iters, validation.eval_interval, train.train_iters, train.global_batch_size"),
        ["samples.test"] = ("--eval-iters and --global-batch-size", "trainer.limit_test_batches and data.global_batch_size", "validation.eval_iters and train.global_batch_size"),
        ["globalBatchSize"] = ("--global-batch-size", "data.global_batch_size", "train.global_batch_size"),
        ["trainIterations"] = ("--train-iters", "trainer.max_steps", "train.train_iters"),
        ["trainSamples"] = ("--train-samples", "data.num_train_samples", "train.train_samples"),
        ["evaluationInterval"] = ("--eval-interval", "trainer.val_check_interval", "validation.eval_interval"),
        ["evaluationBatches"] = ("--eval-iters", "trainer.limit_val_batches", "validation.eval_iters"),
        ["fullValidation"] = ("--full-validation", "trainer.limit_val_batches", "dataset.full_validation"),
        ["testBatches"] = ("--eval-iters", "trainer.limit_test_batches", "validation.eval_iters"),
        ["evaluationGlobalBatchSize"] = ("--eval-global-batch-size", "data.global_batch_size", "validation.eval_global_batch_size"),
        ["startEvaluationAt"] = ("--start-eval-at-iter", "start_eval_at_iter", "validation.start_eval_at_iter"),
        ["validationSamples"] = ("--eval-iters", "data.num_val_samples", "validation.eval_iters"),
        ["testSamples"] = ("--eval-iters", "data.num_test_samples", "validation.eval_iters"),
        ["frameworkVersion"] = ("--framework-version", "--framework-version", "--framework-version"),
    };

    /// <summary>The framework's name of a setting; the setting's own where it has none.</summary>
    public static string Of(TrainerFramework framework, string setting) => Names.TryGetValue(setting, out var names)
        ? framework switch { TrainerFramework.MegatronLM => names.MegatronLM, TrainerFramework.NeMo => names.NeMo, _ => names.Bridge }
        : setting;
}
