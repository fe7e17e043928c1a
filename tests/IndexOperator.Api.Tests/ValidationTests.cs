using k8s.Models;

namespace IndexOperator.Api.Tests;

public sealed class ValidationTests
{
    private static PretrainIndexSpec Good => Manifests.Spec;

    [Fact]
    public void A_minimal_spec_can_be_carried_out() => Assert.Empty(PretrainIndexValidation.Validate(Good));

    [Fact]
    public void The_data_claim_must_be_named() =>
        Refused(Good with { Data = Good.Data with { ClaimName = null } }, "spec.data.claimName", "is missing");

    [Theory]
    [InlineData(null, "is missing")]
    [InlineData("data", "no plain absolute path")]
    [InlineData("/", "no plain absolute path")]
    [InlineData("/data/", "no plain absolute path")]
    [InlineData("/da:ta", "no plain absolute path")]
    [InlineData("/data//x", "no plain absolute path")]
    [InlineData("/data/./x", "no plain absolute path")]
    [InlineData("/data/../x", "no plain absolute path")]
    [InlineData("/..", "no plain absolute path")]
    [InlineData("/a\0b", "no plain absolute path")]
    public void The_data_is_mounted_at_a_plain_absolute_path(string? path, string message) =>
        Refused(Good with { Data = Good.Data with { MountPath = path, Blend = [new() { Prefix = "/data/a" }] } }, "spec.data.mountPath", message);

    [Theory]
    [InlineData("/tokenized")]
    [InlineData("../other")]
    [InlineData("a/../../b")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData(".")]
    public void A_sub_path_stays_on_its_claim(string path)
    {
        Refused(Good with { Data = Good.Data with { SubPath = path } }, "spec.data.subPath", "leaves the claim");
        Refused(Good with { Cache = Good.Cache with { SubPath = path } }, "spec.cache.subPath", "leaves the claim");
    }

    [Fact]
    public void Blend_or_blendPerSplit_must_be_there() =>
        Refused(Good with { Data = Good.Data with { Blend = null } }, "spec.data", "has neither blend nor blendPerSplit");

    [Fact]
    public void Blend_and_blendPerSplit_exclude_each_other() =>
        Refused(Good with { Data = Good.Data with { BlendPerSplit = new() { Train = [new() { Prefix = "/data/a" }] } } }, "spec.data", "has both blend and blendPerSplit");

    [Fact]
    public void A_blendPerSplit_has_at_least_one_split() =>
        Refused(PerSplit(new()), "spec.data.blendPerSplit", "has no split");

    [Fact]
    public void A_blendPerSplit_may_leave_splits_out() =>
        Assert.Empty(PretrainIndexValidation.Validate(PerSplit(new() { Validation = [new() { Prefix = "/data/a" }] })));

    [Fact]
    public void A_blend_is_not_empty() => Refused(Blend(), "spec.data.blend", "is empty");

    [Fact]
    public void Weights_are_on_all_entries_or_on_none()
    {
        Refused(Blend(new() { Prefix = "/data/a", Weight = 1 }, new() { Prefix = "/data/b" }), "spec.data.blend[1].weight", "Set weights on all 2 entries or on none");
        Refused(PerSplit(new() { Test = [new() { Prefix = "/data/a" }, new() { Prefix = "/data/b", Weight = 1 }] }), "spec.data.blendPerSplit.test[0].weight", "is missing");
        Assert.Empty(PretrainIndexValidation.Validate(Blend(new() { Prefix = "/data/a", Weight = 70 }, new() { Prefix = "/data/b", Weight = 0.001 })));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void A_weight_is_a_number_above_0(double weight) =>
        Refused(Blend(new BlendEntry { Prefix = "/data/a", Weight = weight }), "spec.data.blend[0].weight", "A weight is a number above 0");

    [Theory]
    [InlineData(null, "is missing")]
    [InlineData(" ", "is missing")]
    [InlineData("1e5", "reads as a number in Python")]
    [InlineData("/data/a ", "begins or ends with a blank")]
    [InlineData("a", "outside the data mount")]
    [InlineData("/database/a", "outside the data mount")]
    [InlineData("/data", "outside the data mount")]
    [InlineData("/data/../etc/passwd", "climbs out of the data mount")]
    [InlineData("/data/./a", "climbs out of the data mount")]
    [InlineData("/data//a", "climbs out of the data mount")]
    [InlineData("/data/", "climbs out of the data mount")]
    [InlineData("/data/a.bin", "ends in .bin or .idx")]
    [InlineData("/data/a.idx", "ends in .bin or .idx")]
    public void A_prefix_is_a_plain_path_below_the_data_mount(string? prefix, string message) =>
        Refused(Blend(new BlendEntry { Prefix = prefix }), "spec.data.blend[0].prefix", message);

    [Theory]
    [InlineData(null)]
    [InlineData(0)]
    [InlineData(-5)]
    [InlineData(int.MaxValue)]
    public void The_sequence_length_is_between_1_and_2147483646(int? length) =>
        Refused(Good with { Dataset = Good.Dataset with { SequenceLength = length } }, "spec.dataset.sequenceLength", "between 1 and 2147483646");

    [Theory]
    [InlineData(-1)]
    [InlineData(4294967296)]
    public void The_seed_is_one_that_numpy_takes(long seed) =>
        Refused(Good with { Dataset = Good.Dataset with { RandomSeed = seed } }, "spec.dataset.randomSeed", "between 0 and 4294967295");

    [Fact]
    public void A_blend_needs_a_split() =>
        Refused(Good with { Dataset = Good.Dataset with { Split = null } }, "spec.dataset.split", "is missing");

    [Fact]
    public void A_blendPerSplit_takes_no_split()
    {
        var spec = PerSplit(new() { Train = [new() { Prefix = "/data/a" }] });
        Refused(spec with { Dataset = spec.Dataset with { Split = "1,1,1" } }, "spec.dataset.split", "does not go with data.blendPerSplit");
    }

    [Fact]
    public void Samples_are_not_negative() =>
        Refused(Good with { Dataset = Good.Dataset with { Samples = new() { Test = -1 } } }, "spec.dataset.samples.test", "is negative");

    [Fact]
    public void The_tokenizer_is_told_in_exactly_one_way()
    {
        Refused(Good with { Dataset = Good.Dataset with { Tokenizer = new() } }, "spec.dataset.tokenizer", "exactly one of identifiers and preset");
        Refused(
            Good with { Dataset = Good.Dataset with { Tokenizer = new() { Identifiers = "{}", Preset = TokenizerPreset.NeMoAutoTokenizer } } },
            "spec.dataset.tokenizer",
            "exactly one of identifiers and preset");
    }

    [Fact]
    public void The_surplus_is_between_0_and_1() =>
        Refused(Good with { Dataset = Good.Dataset with { MidLevelDatasetSurplus = 1.5 } }, "spec.dataset.midLevelDatasetSurplus", "between 0 and 1");

    [Fact]
    public void The_dataset_class_is_one_that_shares_the_cache_of_GPTDataset()
    {
        Accepted(Good with { Dataset = Good.Dataset with { DatasetClass = "GPTFIMDataset" } });
        Refused(Good with { Dataset = Good.Dataset with { DatasetClass = "T5MaskedWordPieceDataset" } }, "spec.dataset.datasetClass", "spans of sentences");
        Refused(Good with { Dataset = Good.Dataset with { DatasetClass = "a/b" } }, "spec.dataset.datasetClass", "no Python class name");
    }

    [Fact]
    public void Blend_weights_are_renormalized_in_the_releases_that_do_so()
    {
        Accepted(Good with { Dataset = Good.Dataset with { MegatronCore = "0.10", RenormalizeBlendWeights = true } });
        Refused(Good with { Dataset = Good.Dataset with { MegatronCore = "0.11", RenormalizeBlendWeights = true } }, "spec.dataset.renormalizeBlendWeights", "only 0.9 and 0.10");
    }

    [Fact]
    public void Options_are_refused_by_name_in_releases_that_lack_them()
    {
        var dataset = Good.Dataset with { MidLevelDatasetSurplus = 0.01 };
        Accepted(Good with { Dataset = dataset with { MegatronCore = "0.13" } });
        Refused(Good with { Dataset = dataset with { MegatronCore = "0.12" } }, "spec.dataset.midLevelDatasetSurplus", "fixed at 0.005 before 0.13");
        foreach (var (field, options) in new[]
        {
            ("multipleValidationSets", Good.Dataset with { MultipleValidationSets = true }),
            ("fullValidation", Good.Dataset with { FullValidation = true }),
        })
        {
            Accepted(Good with { Dataset = options with { MegatronCore = "0.14" } });
            Accepted(Good with { Dataset = options with { MegatronCore = "main" } });
            Refused(Good with { Dataset = options with { MegatronCore = "0.13" } }, "spec.dataset." + field, "came with 0.14");
        }
    }

    [Fact]
    public void The_cache_is_on_a_claim_or_on_a_claim_template()
    {
        Refused(Good with { Cache = new() }, "spec.cache", "exactly one of claimName");
        Refused(Good with { Cache = new() { ClaimName = "a", ClaimTemplate = new() { Size = new("1Gi") } } }, "spec.cache", "exactly one of claimName");
    }

    [Fact]
    public void A_claim_template_has_a_size() =>
        Refused(Good with { Cache = new() { ClaimTemplate = new() } }, "spec.cache.claimTemplate.size", "is missing");

    [Fact]
    public void A_cache_can_be_written_to() =>
        Refused(
            Good with { Cache = new() { ClaimTemplate = new() { Size = new ResourceQuantity("1Gi"), AccessModes = [ClaimAccessMode.ReadOnlyMany] } } },
            "spec.cache.claimTemplate.accessModes",
            "only allows reading");

    [Fact]
    public void The_cache_is_mounted_at_a_plain_absolute_path() =>
        Refused(Good with { Cache = Good.Cache with { MountPath = "npy" } }, "spec.cache.mountPath", "no plain absolute path");

    [Fact]
    public void A_build_has_some_time() =>
        Refused(Good with { Build = new() { Timeout = GoDuration.Parse("0s") } }, "spec.build.timeout", "above 0");

    [Fact]
    public void A_build_does_not_run_as_root() =>
        Refused(Good with { Build = new() { PodSecurityContext = new() { RunAsUser = 0 } } }, "spec.build.podSecurityContext.runAsUser", "never run as root");

    [Theory]
    [InlineData("indexoperator.io/index")]
    [InlineData("x.indexoperator.io/index")]
    public void Labels_and_annotations_of_the_operator_are_its_own(string name)
    {
        Refused(Good with { Build = new() { PodLabels = new Dictionary<string, string> { [name] = "x" } } }, "spec.build.podLabels", "belong to the operator");
        Refused(Good with { Build = new() { PodAnnotations = new Dictionary<string, string> { [name] = "x" } } }, "spec.build.podAnnotations", "belong to the operator");
    }

    [Theory]
    [InlineData("team")]
    [InlineData("example.com/indexoperator.io")]
    [InlineData("notindexoperator.io/index")]
    public void Other_labels_are_anyones(string name) =>
        Assert.Empty(PretrainIndexValidation.Validate(Good with { Build = new() { PodLabels = new Dictionary<string, string> { [name] = "x" } } }));

    [Fact]
    public void Ten_errors_are_told_at_once_and_no_more()
    {
        var entries = Enumerable.Range(0, 100).Select(_ => new BlendEntry { Prefix = "x" }).ToArray();
        Assert.Equal(10, PretrainIndexValidation.Validate(Blend(entries)).Count);
    }

    [Fact]
    public void An_error_reads_as_field_and_message() =>
        Assert.Equal("spec.data.claimName: is missing. Name the PersistentVolumeClaim that holds the .bin/.idx files.", PretrainIndexValidation.Validate(Good with { Data = Good.Data with { ClaimName = "" } })[0].ToString());

    private static PretrainIndexSpec Blend(params BlendEntry[] entries) => Good with { Data = Good.Data with { Blend = entries } };

    private static PretrainIndexSpec PerSplit(BlendPerSplit blend) =>
        Good with { Data = Good.Data with { Blend = null, BlendPerSplit = blend }, Dataset = Good.Dataset with { Split = null } };

    private static void Accepted(PretrainIndexSpec spec) => Assert.Empty(PretrainIndexValidation.Validate(spec));

    private static void Refused(PretrainIndexSpec spec, string field, string message)
    {
        var error = Assert.Single(PretrainIndexValidation.Validate(spec), error => error.Field == field);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }
}
