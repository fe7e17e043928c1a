namespace IndexOperator.Api.Training;

/// <summary>
/// Megatron-LM's command line (<c>megatron/training/arguments.py</c>, <c>validate_args</c>, and <c>training.py</c>,
/// <c>get_train_valid_test_num_samples</c>). Releases are those of Megatron-Core, from whose repository they come.
/// </summary>
internal static class MegatronLMSizes
{
    private const long DefaultEvaluationBatches = 100;
    private const long OldDefaultInterval = 1000;

    private static readonly FrameworkVersion[] Known = [.. Enumerable.Range(7, 13).Select(minor => new FrameworkVersion(0, minor))];

    public static SampleSizes Compute(TrainerSpec trainer, DatasetSpec dataset)
    {
        var version = FrameworkVersion.Parse("Megatron-LM", trainer.FrameworkVersion ?? dataset.MegatronCore, Known);
        RefuseMissingSettings(trainer, version);
        var batch = TrainerSizes.RequireBatchSize(trainer, "--global-batch-size must be above 0.");
        var evaluationBatch = trainer.EvaluationGlobalBatchSize ?? batch;
        TrainerSizes.RefuseNegative(TrainerRefusal.LengthNotPositive, "trainIterations", trainer.TrainIterations, "a run has at least one iteration.");
        TrainerSizes.RefuseNegative(TrainerRefusal.LengthNotPositive, "trainSamples", trainer.TrainSamples, "a run has at least one sample.");
        TrainerSizes.RefuseNegative(TrainerRefusal.LimitInvalid, "evaluationBatches", trainer.EvaluationBatches, "an evaluation has 0 batches or more.");
        TrainerSizes.RefuseNegative(TrainerRefusal.LimitInvalid, "evaluationInterval", trainer.EvaluationInterval, "an interval is 1 or more.");
        TrainerSizes.RefuseNegative(TrainerRefusal.LimitInvalid, "startEvaluationAt", trainer.StartEvaluationAt, "an iteration is 0 or more.");
        var iterations = Iterations(trainer, batch);
        var evaluationBatches = trainer.EvaluationBatches ?? DefaultEvaluationBatches;
        return new SampleSizes(
            trainer.TrainSamples is > 0 and { } samples ? samples : SizeLimit.Product(iterations, batch),
            (trainer.FullValidation ?? dataset.FullValidation) ? null : SizeLimit.Product(Evaluations(trainer, version, iterations), evaluationBatches, evaluationBatch),
            SizeLimit.Product(evaluationBatches, evaluationBatch));
    }

    private static void RefuseMissingSettings(TrainerSpec trainer, FrameworkVersion version)
    {
        TrainerSizes.RefuseForeign(
            "Megatron-LM",
            ("testBatches", trainer.TestBatches is not null),
            ("validationSamples", trainer.ValidationSamples is not null),
            ("testSamples", trainer.TestSamples is not null));
        TrainerSizes.RefuseForeign("Megatron-LM before 0.14", ("fullValidation", trainer.FullValidation is true && !version.IsAtLeast(0, 14)));
        TrainerSizes.RefuseForeign(
            "Megatron-LM before 0.18",
            ("evaluationGlobalBatchSize", trainer.EvaluationGlobalBatchSize is not null && !version.IsAtLeast(0, 18)),
            ("startEvaluationAt", trainer.StartEvaluationAt is not null && !version.IsAtLeast(0, 18)));
    }

    /// <summary>Zero counts as not given for one's own length, and as given where it excludes the other.</summary>
    private static long Iterations(TrainerSpec trainer, long batch)
    {
        var (iterations, samples) = (trainer.TrainIterations, trainer.TrainSamples);
        if (iterations > 0 && samples is not null)
        {
            throw new TrainerRefusedException(TrainerRefusal.LengthConflict, "trainSamples", "excludes trainIterations (\"expected iteration-based training\"). Remove one of them.");
        }

        if (samples > 0 && iterations is not null)
        {
            throw new TrainerRefusedException(TrainerRefusal.LengthConflict, "trainIterations", "excludes trainSamples (\"expected sample-based training\"). Remove one of them.");
        }

        return iterations is > 0 ? iterations.Value
            : samples is > 0 ? samples.Value / batch
            : throw new TrainerRefusedException(
                TrainerRefusal.LengthRequired,
                "trainIterations",
                "is missing or 0 (\"either train-iters or train-samples should be provided.\"). Write the run's --train-iters, or trainSamples for --train-samples.");
    }

    private static long Evaluations(TrainerSpec trainer, FrameworkVersion version, long iterations)
    {
        var interval = trainer.EvaluationInterval ?? (version.IsAtLeast(0, 16)
            ? throw new TrainerRefusedException(
                TrainerRefusal.EvalIntervalRequired,
                "evaluationInterval",
                "is missing: --eval-interval has no default since 0.16, and Megatron-LM fails on None. Write it, or set fullValidation.")
            : OldDefaultInterval);
        if (interval == 0)
        {
            throw new TrainerRefusedException(
                TrainerRefusal.EvalIntervalZero,
                "evaluationInterval",
                "is 0, and Megatron-LM divides by it (\"integer division or modulo by zero\"). To evaluate never, set evaluationBatches to 0.");
        }

        var evaluations = (iterations / interval) + 1;
        return trainer.StartEvaluationAt is { } start ? Math.Max(0, evaluations - (start / interval)) : evaluations;
    }
}
