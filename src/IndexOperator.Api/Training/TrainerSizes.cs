namespace IndexOperator.Api.Training;

/// <summary>The samples that a training framework asks Megatron-Core for.</summary>
/// <param name="Train">Training samples.</param>
/// <param name="Validation">Validation samples; null = exactly one epoch.</param>
/// <param name="Test">Test samples.</param>
public sealed record SampleSizes(long Train, long? Validation, long Test);

/// <summary>Training settings that the framework itself refuses, or that the fields of <see cref="TrainerSpec"/> cannot express.</summary>
public sealed class TrainerRefusedException : Exception
{
    /// <summary>Creates the refusal.</summary>
    public TrainerRefusedException()
    {
    }

    /// <summary>Creates the refusal.</summary>
    public TrainerRefusedException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the refusal.</summary>
    public TrainerRefusedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Creates the refusal.</summary>
    /// <param name="reason">Which rule refused, in one word.</param>
    /// <param name="field">The field below <c>spec.dataset.trainer</c>; empty for the block itself.</param>
    /// <param name="message">The rule in the framework's words where it has any, and what to write instead.</param>
    /// <param name="inner">The underlying error, if any.</param>
    public TrainerRefusedException(TrainerRefusal reason, string field, string message, Exception? inner = null)
        : base(message, inner)
    {
        Reason = reason;
        Field = field;
    }

    /// <summary>Which rule refused.</summary>
    public TrainerRefusal Reason { get; }

    /// <summary>The field below <c>spec.dataset.trainer</c>; empty for the block itself.</summary>
    public string Field { get; } = "";
}

/// <summary>The rules by which training settings are refused.</summary>
public enum TrainerRefusal
{
    /// <summary>No length of the run is given.</summary>
    LengthRequired,

    /// <summary>Iterations and samples exclude each other.</summary>
    LengthConflict,

    /// <summary>The length of the run is zero or negative.</summary>
    LengthNotPositive,

    /// <summary>The global batch size is missing.</summary>
    GlobalBatchSizeRequired,

    /// <summary>The global batch size is zero or negative.</summary>
    BatchSizeNotPositive,

    /// <summary>The release has no default for the evaluation interval.</summary>
    EvalIntervalRequired,

    /// <summary>The framework divides by an interval of zero.</summary>
    EvalIntervalZero,

    /// <summary>A number of batches, or an interval, is negative.</summary>
    LimitInvalid,

    /// <summary>NeMo reads a whole validation set only where each split has its own files.</summary>
    FractionNeedsSeparateDatasets,

    /// <summary>NeMo wants files for every split.</summary>
    SplitPathMissing,

    /// <summary>NeMo: fewer training samples than steps times batch.</summary>
    TrainSamplesTooSmall,

    /// <summary>NeMo: validation samples must be more than those computed.</summary>
    ValidationSamplesTooSmall,

    /// <summary>NeMo: test samples must be more than those computed.</summary>
    TestSamplesTooSmall,

    /// <summary>The framework, or this release of it, has no such setting.</summary>
    FieldNotInThisVersion,

    /// <summary>The release is not known.</summary>
    VersionUnknown,

    /// <summary>The setting cannot be expressed here.</summary>
    NotExpressible,

    /// <summary>A number of samples is beyond 2^63-1.</summary>
    SizeOutOfRange,
}

/// <summary>
/// Turns training settings into samples as the framework does: its rules, its order of checks, its integer and
/// floating-point arithmetic (<c>docs/trainer-sizes.md</c>).
/// </summary>
public static class TrainerSizes
{
    /// <summary>Computes the samples of a spec with a <c>trainer</c> block.</summary>
    /// <exception cref="TrainerRefusedException">The settings are refused; see <see cref="TrainerRefusal"/>.</exception>
    public static SampleSizes Compute(PretrainIndexSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var trainer = spec.Dataset.Trainer ?? throw new ArgumentException("The spec has no trainer.", nameof(spec));
        RefuseWhatCannotBeExpressed(trainer);
        return trainer.Framework switch
        {
            TrainerFramework.NeMo => NeMoSizes.Compute(trainer, spec.Data),
            TrainerFramework.MegatronBridge => MegatronBridgeSizes.Compute(trainer),
            TrainerFramework.MegatronLM => MegatronLMSizes.Compute(trainer, spec.Dataset),
            _ => throw new TrainerRefusedException(TrainerRefusal.FieldNotInThisVersion, "framework", "is missing. Name NeMo, MegatronLM or MegatronBridge."),
        };
    }

    /// <summary>The refusal of a setting that a framework, or a release of it, does not have.</summary>
    internal static void RefuseForeign(string framework, params ReadOnlySpan<(string Field, bool IsSet)> fields)
    {
        foreach (var (field, isSet) in fields)
        {
            if (isSet)
            {
                throw new TrainerRefusedException(TrainerRefusal.FieldNotInThisVersion, field, $"is no setting of {framework}. Remove it, or set dataset.samples instead of trainer.");
            }
        }
    }

    /// <summary>Negative numbers: some frameworks compute negative requests from them without complaint.</summary>
    internal static void RefuseNegative(TrainerRefusal reason, string field, long? value, string rule)
    {
        if (value < 0)
        {
            throw new TrainerRefusedException(reason, field, $"is {value}: {rule}");
        }
    }

    /// <summary>The global batch size, given and above zero.</summary>
    internal static long RequireBatchSize(TrainerSpec trainer, string rule)
    {
        if (trainer.GlobalBatchSize is not { } size)
        {
            throw new TrainerRefusedException(TrainerRefusal.GlobalBatchSizeRequired, "globalBatchSize", $"is missing: {rule} Write the run's global batch size.");
        }

        foreach (var (field, value) in new[] { ("globalBatchSize", size), ("evaluationGlobalBatchSize", trainer.EvaluationGlobalBatchSize ?? 1) })
        {
            if (value <= 0)
            {
                throw new TrainerRefusedException(TrainerRefusal.BatchSizeNotPositive, field, $"is {value}. A batch has at least one sample.");
            }
        }

        return size;
    }

    private static void RefuseWhatCannotBeExpressed(TrainerSpec trainer)
    {
        foreach (var (field, isSet) in new[]
        {
            ("rampUpBatchSize", trainer.RampUpBatchSize is not null),
            ("batchSizeSchedule", trainer.BatchSizeSchedule is not null),
            ("phaseTransitions", trainer.PhaseTransitions is not null),
            ("skipTraining", trainer.SkipTraining is not null),
        })
        {
            if (isSet)
            {
                throw new TrainerRefusedException(
                    TrainerRefusal.NotExpressible,
                    field,
                    "cannot be computed with here. Take the numbers that the run prints under \"datasets target sizes (minimum size)\", write them into dataset.samples, and remove trainer.");
            }
        }
    }
}
