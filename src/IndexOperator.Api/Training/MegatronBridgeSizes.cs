namespace IndexOperator.Api.Training;

/// <summary>
/// Megatron-Bridge (<c>ConfigContainer.validate</c> and <c>data/utils.py</c>, <c>get_train_valid_test_num_samples</c>).
/// Its sizes pay no heed to <c>full_validation</c>, <c>multiple_validation_sets</c> and <c>start_eval_at_iter</c>.
/// </summary>
internal static class MegatronBridgeSizes
{
    private const long DefaultEvaluationBatches = 100;
    private const long OldDefaultInterval = 1000;

    private static readonly FrameworkVersion[] Known = [.. Enumerable.Range(1, 6).Select(minor => new FrameworkVersion(0, minor))];

    public static SampleSizes Compute(TrainerSpec trainer)
    {
        var version = FrameworkVersion.Parse("Megatron-Bridge", trainer.FrameworkVersion ?? "main", Known);
        TrainerSizes.RefuseForeign(
            "Megatron-Bridge",
            ("testBatches", trainer.TestBatches is not null),
            ("validationSamples", trainer.ValidationSamples is not null),
            ("testSamples", trainer.TestSamples is not null));
        TrainerSizes.RefuseForeign("Megatron-Bridge before 0.5", ("evaluationGlobalBatchSize", trainer.EvaluationGlobalBatchSize is not null && !version.IsAtLeast(0, 5)));
        TrainerSizes.RefuseForeign("Megatron-Bridge before 0.2", ("trainSamples", trainer.TrainSamples is not null && !version.IsAtLeast(0, 2)));
        RequireOneLength(trainer, version);
        var batch = TrainerSizes.RequireBatchSize(trainer, "\"train.global_batch_size must be set when eval_global_batch_size is not explicitly configured\".");
        var evaluationBatch = trainer.EvaluationGlobalBatchSize ?? batch;
        TrainerSizes.RefuseNegative(TrainerRefusal.LimitInvalid, "evaluationBatches", trainer.EvaluationBatches, "an evaluation has 0 batches or more.");
        TrainerSizes.RefuseNegative(TrainerRefusal.LimitInvalid, "evaluationInterval", trainer.EvaluationInterval, "an interval is 0 or more.");
        if (trainer.TrainIterations is <= 0 and { } length)
        {
            throw new TrainerRefusedException(
                TrainerRefusal.LengthNotPositive,
                "trainIterations",
                $"is {length} (\"lr_decay_steps must be > 0, got {SizeLimit.Product(length, batch)}. Please increase train_iters/train_samples or lr_decay_iters/lr_decay_samples.\"). A run has at least one iteration.");
        }

        var iterations = trainer.TrainSamples is { } samples ? samples / batch : trainer.TrainIterations!.Value;
        var evaluationBatches = trainer.EvaluationBatches ?? DefaultEvaluationBatches;
        return new SampleSizes(
            trainer.TrainSamples ?? SizeLimit.Product(iterations, batch),
            SizeLimit.Product(Evaluations(trainer, version, iterations), evaluationBatches, evaluationBatch),
            SizeLimit.Product(evaluationBatches, evaluationBatch));
    }

    private static void RequireOneLength(TrainerSpec trainer, FrameworkVersion version)
    {
        var knowsEpochs = version.IsAtLeast(0, 6);
        if (trainer.TrainIterations is null && trainer.TrainSamples is null)
        {
            throw new TrainerRefusedException(
                TrainerRefusal.LengthRequired,
                "trainIterations",
                $"is missing (\"{(knowsEpochs ? "One of train_iters, train_samples, or num_epochs must be provided" : "Either train_iters or train_samples must be provided")}\"). Write trainIterations or trainSamples.");
        }

        if (trainer.TrainIterations is not null && trainer.TrainSamples is not null)
        {
            throw new TrainerRefusedException(
                TrainerRefusal.LengthConflict,
                "trainSamples",
                $"excludes trainIterations (\"{(knowsEpochs ? "Cannot specify more than one of train_iters, train_samples, or num_epochs" : "Cannot specify both train_iters and train_samples")}\"). Remove one of them.");
        }

        if (trainer.TrainSamples <= 0)
        {
            throw new TrainerRefusedException(TrainerRefusal.LengthNotPositive, "trainSamples", $"is {trainer.TrainSamples} (\"train_samples must be positive\"). A run has at least one sample.");
        }
    }

    /// <summary>From 0.4 on an interval of 0, or none, asks for no validation samples; before, there was a default and 0 failed.</summary>
    private static long Evaluations(TrainerSpec trainer, FrameworkVersion version, long iterations)
    {
        var interval = trainer.EvaluationInterval ?? (version.IsAtLeast(0, 4) ? 0 : OldDefaultInterval);
        if (interval > 0)
        {
            return (iterations / interval) + 1;
        }

        return version.IsAtLeast(0, 4)
            ? 0
            : throw new TrainerRefusedException(
                TrainerRefusal.EvalIntervalZero,
                "evaluationInterval",
                "is 0, and Megatron-Bridge before 0.4 divides by it (\"integer division or modulo by zero\"). To evaluate never, set evaluationBatches to 0.");
    }
}
