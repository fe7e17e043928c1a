using System.Text.Json;
using IndexOperator.Api.Training;

namespace IndexOperator.Api.Tests;

public sealed class TrainerSizesTests
{
    private static readonly Dictionary<string, SizeCase> Cases = SizeCase.All().ToDictionary(item => item.Id);

    public static TheoryData<string> Expressible => [.. Cases.Values.Where(item => item.Obstacle is null).Select(item => item.Id)];

    public static TheoryData<string> Inexpressible => [.. Cases.Values.Where(item => item.Obstacle is not null).Select(item => item.Id)];

    [Theory]
    [MemberData(nameof(Expressible))]
    public void Sizes_are_those_of_the_framework_or_are_refused_for_its_reason(string id)
    {
        var item = Cases[id];
        if (item.Expect.TryGetProperty("error", out var error))
        {
            var refusal = Assert.Throws<TrainerRefusedException>(() => TrainerSizes.Compute(item.Spec));
            Assert.Equal(error.GetProperty("reason").GetString(), refusal.Reason.ToString());
            if (error.GetProperty("raised_by").GetString() == "framework")
            {
                Assert.Contains(error.GetProperty("message_contains").GetString()!, refusal.Message, StringComparison.Ordinal);
            }

            return;
        }

        var (train, valid, test) = (Size(item, "train"), Size(item, "valid"), Size(item, "test"));
        if (train < 0 || valid < 0 || test < 0)
        {
            // The framework computes a negative request without complaint; here it is refused.
            Assert.Throws<TrainerRefusedException>(() => TrainerSizes.Compute(item.Spec));
            return;
        }

        Assert.Equal(new SampleSizes(train!.Value, valid, test!.Value), TrainerSizes.Compute(item.Spec));
    }

    [Theory]
    [MemberData(nameof(Inexpressible))]
    public void A_case_that_no_field_expresses_is_so_because_of_a_parameter_known_by_name(string id)
    {
        string[] known =
        [
            "second stage", "globalBatchSize derived from micro batches", "micro batches", "skip_train", "phase_transition_iterations", "iteration", "rampup_batch_size",
            "step_batch_size_schedule", "fast_dev_run", "overfit_batches", "lr_decay_iters", "lr_decay_samples", "num_epochs", "a string as paths", "path object", "no paths",
            "weights and paths in one list", "files that are not there", "split null", "eval_context_parallel_size",
        ];
        var obstacle = Cases[id].Obstacle!;
        Assert.True(known.Contains(obstacle) || obstacle.EndsWith(" null", StringComparison.Ordinal) || obstacle.Contains('.', StringComparison.Ordinal), $"{id}: {obstacle}");
    }

    [Fact]
    public void Most_cases_can_be_expressed()
    {
        var expressible = Cases.Values.Count(item => item.Obstacle is null);
        Assert.True(expressible >= 125, $"{expressible} of {Cases.Count} cases are expressible.");
    }

    [Theory]
    [InlineData("MegatronLM", 1L << 40, 1L << 40)]
    [InlineData("MegatronBridge", 1L << 61, 4)]
    [InlineData("NeMo", 1L << 61, 8)]
    public void Samples_beyond_64_bits_are_refused(string framework, long iterations, long batch)
    {
        var refusal = Refusal(new() { Framework = Enum.Parse<TrainerFramework>(framework), TrainIterations = iterations, GlobalBatchSize = batch, EvaluationInterval = 1, EvaluationBatches = 1 });
        Assert.Equal(TrainerRefusal.SizeOutOfRange, refusal.Reason);
    }

    [Theory]
    [InlineData("MegatronLM", "0.6")]
    [InlineData("MegatronLM", "core_v0.20.0")]
    [InlineData("NeMo", "1.23")]
    [InlineData("MegatronBridge", "0.7")]
    [InlineData("NeMo", "2")]
    public void An_unknown_release_is_refused_with_those_that_are_known(string framework, string version)
    {
        var refusal = Refusal(new() { Framework = Enum.Parse<TrainerFramework>(framework), FrameworkVersion = version, TrainIterations = 1, GlobalBatchSize = 1 });
        Assert.Equal((TrainerRefusal.VersionUnknown, "frameworkVersion"), (refusal.Reason, refusal.Field));
        Assert.Contains("Use one of", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_fields_cannot_express_is_refused_by_name_with_the_way_out()
    {
        var trainer = new TrainerSpec { Framework = TrainerFramework.MegatronLM, TrainIterations = 1, GlobalBatchSize = 1, EvaluationInterval = 1 };
        foreach (var (field, spec) in new[]
        {
            ("rampUpBatchSize", trainer with { RampUpBatchSize = [16, 16, 300000] }),
            ("batchSizeSchedule", trainer with { BatchSizeSchedule = "0:16 10M:32" }),
            ("phaseTransitions", trainer with { PhaseTransitions = [2000] }),
            ("skipTraining", trainer with { SkipTraining = true }),
        })
        {
            var refusal = Refusal(spec);
            Assert.Equal((TrainerRefusal.NotExpressible, field), (refusal.Reason, refusal.Field));
            Assert.Contains("dataset.samples", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_fraction_is_refused_by_name_with_the_way_out()
    {
        var error = Assert.Throws<ManifestException>(() => PretrainIndexYaml.Parse("""
            apiVersion: indexoperator.io/v1alpha1
            kind: PretrainIndex
            metadata: {name: a}
            spec: {dataset: {trainer: {framework: NeMo, evaluationBatches: 0.5}}}
            """));
        Assert.Contains("spec.dataset.trainer.evaluationBatches", error.Message, StringComparison.Ordinal);
        Assert.Contains("dataset.samples", error.Message, StringComparison.Ordinal);
    }

    private static TrainerRefusedException Refusal(TrainerSpec trainer) => Assert.Throws<TrainerRefusedException>(
        () => TrainerSizes.Compute(new() { Data = new() { Blend = [new() { Prefix = "/data/a" }] }, Dataset = new() { Trainer = trainer } }));

    private static long? Size(SizeCase item, string split) =>
        item.Expect.GetProperty(split) is { ValueKind: JsonValueKind.Number } size ? size.GetInt64() : null;
}
