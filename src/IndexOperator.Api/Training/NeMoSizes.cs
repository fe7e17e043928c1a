namespace IndexOperator.Api.Training;

/// <summary>
/// NeMo 2's <c>PreTrainingDataModule.build</c> behind Lightning's <c>Trainer</c>. A limit that is left out is the
/// Trainer's 1.0, a float: one batch of the test, an evaluation after every step, and the whole validation set.
/// </summary>
internal static class NeMoSizes
{
    private static readonly FrameworkVersion[] Known = [.. Enumerable.Range(0, 6).Select(minor => new FrameworkVersion(2, minor))];

    public static SampleSizes Compute(TrainerSpec trainer, DataSpec data)
    {
        var version = FrameworkVersion.Parse("NeMo", trainer.FrameworkVersion ?? "main", Known);
        RefuseMissingSettings(trainer, version);
        RefuseMissingSplits(data.BlendPerSplit, version);
        RefuseNegatives(trainer);
        var steps = Steps(trainer, version);
        var batch = PythonNumber.Int(TrainerSizes.RequireBatchSize(trainer, "PreTrainingDataModule counts in global batches."));
        var train = (PythonNumber.Int(steps) * batch).Truncate();
        if (trainer.TrainSamples is { } samples)
        {
            if (samples < train)
            {
                throw new TrainerRefusedException(
                    TrainerRefusal.TrainSamplesTooSmall,
                    "trainSamples",
                    $"is {samples} (\"num_train_samples must be greater than or equal to {train}.\"). Leave it out, or raise it.");
            }

            train = samples;
            steps = PythonNumber.TruncatedQuotient(samples, batch.Truncate());
        }

        var limit = ValidationLimit(trainer);
        var valid = (Evaluations(trainer, steps) * limit * batch).Truncate();
        var test = ((trainer.TestBatches is { } batches ? PythonNumber.Int(batches) : PythonNumber.Float(1)) * batch).Truncate();
        RefuseTooFew(TrainerRefusal.ValidationSamplesTooSmall, "validationSamples", trainer.ValidationSamples, "num_val_samples", valid);
        RefuseTooFew(TrainerRefusal.TestSamplesTooSmall, "testSamples", trainer.TestSamples, "num_test_samples", test);
        return new SampleSizes(train, WholeValidation(limit, data) ? null : trainer.ValidationSamples ?? valid, trainer.TestSamples ?? test);
    }

    private static void RefuseMissingSettings(TrainerSpec trainer, FrameworkVersion version)
    {
        TrainerSizes.RefuseForeign(
            "NeMo",
            ("evaluationGlobalBatchSize", trainer.EvaluationGlobalBatchSize is not null),
            ("startEvaluationAt", trainer.StartEvaluationAt is not null));
        TrainerSizes.RefuseForeign(
            "NeMo before 2.1",
            ("trainSamples", trainer.TrainSamples is not null && !version.IsAtLeast(2, 1)),
            ("validationSamples", trainer.ValidationSamples is not null && !version.IsAtLeast(2, 1)),
            ("testSamples", trainer.TestSamples is not null && !version.IsAtLeast(2, 1)));
    }

    /// <summary>NeMo 2.0 took a null for a split without files; later releases want paths for all three.</summary>
    private static void RefuseMissingSplits(BlendPerSplit? splits, FrameworkVersion version)
    {
        if (splits is not null && version.IsAtLeast(2, 1) && (splits.Train is null || splits.Validation is null || splits.Test is null))
        {
            throw new TrainerRefusedException(
                TrainerRefusal.SplitPathMissing,
                "framework",
                "is NeMo, which wants paths for train, validation and test (\"Expected path to have a value.\"), but data.blendPerSplit leaves one out. Add it, as the run does.");
        }
    }

    private static void RefuseNegatives(TrainerSpec trainer)
    {
        foreach (var (field, name, value) in new[]
        {
            ("evaluationBatches", "limit_val_batches", trainer.EvaluationBatches),
            ("testBatches", "limit_test_batches", trainer.TestBatches),
            ("evaluationInterval", "val_check_interval", trainer.EvaluationInterval),
        })
        {
            TrainerSizes.RefuseNegative(TrainerRefusal.LimitInvalid, field, value, $"\"You have passed invalid value {value} for {name}, it has to be in [0.0, 1.0] or an int.\".");
        }

        if (trainer.EvaluationBatches is not null && trainer.FullValidation is true)
        {
            throw new TrainerRefusedException(
                TrainerRefusal.LimitInvalid,
                "evaluationBatches",
                "excludes fullValidation: both are NeMo's limit_val_batches, a number of batches or a float for the whole set. Remove one of them.");
        }
    }

    private static long Steps(TrainerSpec trainer, FrameworkVersion version)
    {
        if (trainer.TrainIterations is > 0 and { } steps)
        {
            return steps;
        }

        if (!version.IsAtLeast(2, 1) && trainer.TrainIterations is null)
        {
            throw new TrainerRefusedException(TrainerRefusal.LengthRequired, "trainIterations", "is missing (\"Please specify trainer.max_steps\"). Write the run's max_steps.");
        }

        var given = trainer.TrainIterations ?? -1;
        var rule = given < -1
            ? $"`max_steps` must be a non-negative integer or -1 (infinite steps). You passed in {given}."
            : $"max_steps {given} should be greater than 0";
        throw new TrainerRefusedException(
            TrainerRefusal.LengthNotPositive,
            "trainIterations",
            $"is {(trainer.TrainIterations is null ? "missing" : given)} (\"{rule}\"). Write the run's max_steps.");
    }

    private static PythonNumber ValidationLimit(TrainerSpec trainer) =>
        trainer.EvaluationBatches is { } batches ? PythonNumber.Int(batches) : PythonNumber.Float(1);

    private static PythonNumber Evaluations(TrainerSpec trainer, long steps)
    {
        if (trainer.EvaluationInterval == 0)
        {
            throw new TrainerRefusedException(
                TrainerRefusal.EvalIntervalZero,
                "evaluationInterval",
                "is 0, and NeMo divides by it (\"integer division or modulo by zero\"). To evaluate never, set evaluationBatches to 0.");
        }

        var interval = trainer.EvaluationInterval is { } given ? PythonNumber.Int(given) : PythonNumber.Float(1);
        return PythonNumber.FloorDivide(PythonNumber.Int(steps), interval) + PythonNumber.Int(1);
    }

    /// <summary>Both overrides must be greater, not equal; the check comes before a whole validation set discards the number.</summary>
    private static void RefuseTooFew(TrainerRefusal reason, string field, long? given, string name, long computed)
    {
        if (given <= computed)
        {
            throw new TrainerRefusedException(reason, field, $"is {given} (\"{name} must be greater than {computed}.\"). Leave it out, or raise it.");
        }
    }

    private static bool WholeValidation(PythonNumber limit, DataSpec data)
    {
        if (!limit.IsFloat)
        {
            return false;
        }

        return data.BlendPerSplit is not null ? true : throw new TrainerRefusedException(
            TrainerRefusal.FractionNeedsSeparateDatasets,
            "evaluationBatches",
            "is left out or fullValidation is set, which reads the whole validation set: \"When using a single data distribution, limit_val_batches <= 1.0 is not supported. If you'd like to run with a " +
            "fractional value of limit_val_batches, please pass in separate datasets for the train, validation, and test datasets\". Write the integer limit_val_batches of the run, or use data.blendPerSplit.");
    }
}
