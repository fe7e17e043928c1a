namespace IndexOperator.Indexing.Tests;

public sealed class ExplainTests
{
    public static TheoryData<string> GoodCases => [.. GoldenCase.Names(expectError: false)];

    [Theory]
    [MemberData(nameof(GoodCases))]
    public void Every_description_that_Megatron_wrote_is_explained_as_a_hit(string name)
    {
        using var directory = new TemporaryDirectory();
        var golden = GoldenCase.Open(name);
        var plan = Plan(golden, directory);
        foreach (var (file, text) in golden.Descriptions)
        {
            var match = DescriptionComparison.Compare(DescriptionComparison.Parse(text, file), plan);
            Assert.True(match.IsHit, $"{file}: {string.Join(", ", match.Differences)}");
            Assert.Empty(match.Differences);
        }
    }

    [Theory]
    [MemberData(nameof(GoodCases))]
    public void The_tokenizer_lifted_out_of_a_description_gives_the_same_keys(string name)
    {
        using var directory = new TemporaryDirectory();
        var golden = GoldenCase.Open(name);
        var (file, text) = golden.Descriptions[0];
        var lifted = TokenizerIdentifiers.Of(DescriptionComparison.Parse(text, file), file);

        var request = golden.Request() with { TokenizerIdentifiers = lifted };
        var plan = IndexPlanner.Create(request, DatasetLoader.Load(request, golden.Locate(directory), new BuildOptions()));

        Assert.Equal(
            golden.Descriptions.Select(item => item.File).Order(StringComparer.Ordinal),
            plan.Files.Select(planned => planned.Name).Where(planned => planned.EndsWith("description.txt", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("random_seed")]
    [InlineData("sequence_length")]
    [InlineData("num_samples")]
    [InlineData("split")]
    [InlineData("tokenizer")]
    [InlineData("dataset_path")]
    public void A_differing_field_is_named_with_both_values_and_what_to_change(string field)
    {
        using var directory = new TemporaryDirectory();
        var golden = GoldenCase.Open("02_multi_epoch_joint");
        var plan = Plan(golden, directory);
        var (file, text) = golden.Descriptions.Single(item => item.File.Contains("-train-", StringComparison.Ordinal));
        var asked = DescriptionComparison.Parse(text, file).Select(member => member.Key == field ? KeyValuePair.Create(field, (object?)"other") : member).ToList();

        var match = DescriptionComparison.Compare(asked, plan);

        Assert.False(match.IsHit);
        var difference = Assert.Single(match.Differences);
        Assert.Equal((field, "\"other\""), (difference.Field, difference.Asked));
        Assert.NotNull(difference.Built);
        Assert.NotEmpty(difference.Advice);
    }

    [Fact]
    public void A_blend_of_another_release_differs_in_the_sizes_of_its_members()
    {
        using var directory = new TemporaryDirectory();
        var golden = GoldenCase.Open("r3_0.9_blend2");
        var request = golden.Request() with { MegatronCore = "0.19" };
        var plan = IndexPlanner.Create(request, DatasetLoader.Load(request, golden.Locate(directory), new BuildOptions()));
        var (file, text) = golden.Descriptions.Single(item => item.File.Contains("BlendedDataset-train-", StringComparison.Ordinal));

        var match = DescriptionComparison.Compare(DescriptionComparison.Parse(text, file), plan);

        Assert.Contains(match.Differences, difference => difference.Field == "renormalize_blend_weights" && difference.Built is null && difference.Advice.Contains("megatronCore", StringComparison.Ordinal));
        Assert.Contains(match.Differences, difference => difference.Field == "size");
        Assert.Contains(match.Differences, difference => difference.Field == "datasets[0].num_samples");
    }

    [Fact]
    public void A_cache_is_compared_dataset_by_dataset()
    {
        using var directory = new TemporaryDirectory();
        var golden = GoldenCase.Open("40_blend2_weights");
        var plan = Plan(golden, directory);
        Assert.All(DescriptionComparison.CompareWithCache(golden.CachePath, plan), match => Assert.True(match.IsHit));

        var request = golden.Request() with { RandomSeed = 99 };
        var other = IndexPlanner.Create(request, DatasetLoader.Load(request, golden.Locate(directory), new BuildOptions()));
        Assert.All(DescriptionComparison.CompareWithCache(golden.CachePath, other), match =>
            Assert.Contains(match.Differences, difference => difference.Field.EndsWith("random_seed", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"klass\": 1}")]
    public void What_is_no_description_is_refused(string text) =>
        Assert.Equal(FailureReason.InvalidSpec, Assert.Throws<IndexingException>(() => DescriptionComparison.Parse(text, "a.txt")).Reason);

    [Theory]
    [MemberData(nameof(GoodCases))]
    public void The_releases_that_can_have_written_a_cache_include_the_one_that_did(string name)
    {
        var golden = GoldenCase.Open(name);
        var finding = ReleaseEvidence.Of(golden.CachePath);
        Assert.Contains(golden.Request().MegatronCore, finding.Releases);
        Assert.NotEmpty(finding.Reasons);
    }

    [Theory]
    [InlineData("r3_0.9_blend2", "0.9")]
    [InlineData("r4_0.10_blend2", "0.10")]
    [InlineData("r2_0.8_single_multi_epoch", "0.8 0.9")]
    [InlineData("r2_0.8_blend12", "0.8")]
    public void A_cache_tells_as_much_of_its_release_as_it_can(string name, string releases) =>
        Assert.Equal(releases.Split(' '), ReleaseEvidence.Of(GoldenCase.Open(name).CachePath).Releases);

    [Fact]
    public void Names_without_a_split_are_of_releases_before_0_7()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory[new string('0', 32) + "-GPTDataset-description.txt"], "{}");
        Assert.Equal(["0.5", "0.6"], ReleaseEvidence.Of(directory.Path).Releases);
    }

    [Fact]
    public void A_directory_that_several_releases_wrote_into_is_of_none_alone_and_says_why()
    {
        using var directory = new TemporaryDirectory();
        foreach (var name in new[] { "r3_0.9_blend2", "r5_0.12_blend2" })
        {
            foreach (var file in Directory.GetFiles(GoldenCase.Open(name).CachePath))
            {
                File.Copy(file, directory[Path.GetFileName(file)]);
            }
        }

        var finding = ReleaseEvidence.Of(directory.Path);
        Assert.Empty(finding.Releases);
        Assert.Contains(finding.Reasons, reason => reason.Contains("64 bits wide without need", StringComparison.Ordinal));
        Assert.Contains(finding.Reasons, reason => reason.Contains("lacks renormalize_blend_weights", StringComparison.Ordinal));

        File.WriteAllText(directory[new string('0', 32) + "-GPTDataset-description.txt"], "{}");
        Assert.Contains(ReleaseEvidence.Of(directory.Path).Reasons, reason => reason.Contains("0.5 and 0.6", StringComparison.Ordinal));
    }

    private static IndexPlan Plan(GoldenCase golden, TemporaryDirectory directory)
    {
        var request = golden.Request();
        return IndexPlanner.Create(request, DatasetLoader.Load(request, golden.Locate(directory), new BuildOptions()));
    }
}
