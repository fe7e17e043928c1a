using System.Text.RegularExpressions;
using IndexOperator.Api;

namespace IndexOperator.Planning.Tests;

public sealed partial class WantedBuildTests
{
    public static TheoryData<string, Func<PretrainIndexSpec, PretrainIndexSpec>> AsksForAnotherVersion => new()
    {
        { "data version", spec => spec with { DataVersion = "b" } },
        { "no data version", spec => spec with { DataVersion = null } },
        { "prefix", spec => spec with { Data = spec.Data with { Blend = [new BlendEntry { Prefix = "/data/other" }] } } },
        { "weight", spec => spec with { Data = spec.Data with { Blend = [spec.Data.Blend![0] with { Weight = 1 }] } } },
        { "data claim", spec => spec with { Data = spec.Data with { ClaimName = "other" } } },
        { "seed", spec => spec with { Dataset = spec.Dataset with { RandomSeed = 1 } } },
        { "release", spec => spec with { Dataset = spec.Dataset with { MegatronCore = "0.9" } } },
        { "cache claim", spec => spec with { Cache = spec.Cache with { ClaimName = "other" } } },
        { "cache folder", spec => spec with { Cache = spec.Cache with { SubPath = "a" } } },
    };

    public static TheoryData<string, Func<PretrainIndexSpec, PretrainIndexSpec>> AsksForAnotherJobOnly => new()
    {
        { "placement", spec => spec with { Build = spec.Build with { Placement = Placement.Any } } },
        { "retries", spec => spec with { Build = spec.Build with { Retries = 9 } } },
        { "timeout", spec => spec with { Build = spec.Build with { Timeout = GoDuration.Parse("3h") } } },
        { "labels", spec => spec with { Build = spec.Build with { PodLabels = new Dictionary<string, string> { ["a"] = "b" } } } },
    };

    public static TheoryData<string, Func<PretrainIndexSpec, PretrainIndexSpec>> AsksForNothing => new()
    {
        { "suspend", spec => spec with { Suspend = true } },
        { "history", spec => spec with { Cache = spec.Cache with { HistoryLimit = 9 } } },
        { "deletion", spec => spec with { Cache = spec.Cache with { DeletionPolicy = Api.DeletionPolicy.Delete } } },
        { "where training mounts it", spec => spec with { Cache = spec.Cache with { MountPath = "/elsewhere" } } },
        { "refresh", spec => spec with { Refresh = new RefreshSpec { OnChange = ChangePolicy.Hold } } },
        { "verify", spec => spec with { Verify = new VerifySpec { Interval = GoDuration.Parse("0") } } },
    };

    [Theory]
    [MemberData(nameof(AsksForAnotherVersion))]
    public void A_change_of_what_is_built_asks_for_another_version(string what, Func<PretrainIndexSpec, PretrainIndexSpec> change)
    {
        var (before, after) = (WantedBuild.Of(Given.Index()), WantedBuild.Of(Given.Index(change)));

        Assert.True(before.BuildKey != after.BuildKey && before.JobKey != after.JobKey, what);
    }

    [Theory]
    [MemberData(nameof(AsksForAnotherJobOnly))]
    public void A_change_of_how_it_is_built_asks_for_another_job_only(string what, Func<PretrainIndexSpec, PretrainIndexSpec> change)
    {
        var (before, after) = (WantedBuild.Of(Given.Index()), WantedBuild.Of(Given.Index(change)));

        Assert.True(before.BuildKey == after.BuildKey && before.JobKey != after.JobKey, what);
    }

    [Theory]
    [MemberData(nameof(AsksForNothing))]
    public void A_change_of_anything_else_asks_for_nothing(string what, Func<PretrainIndexSpec, PretrainIndexSpec> change) =>
        Assert.True(WantedBuild.Of(Given.Index()) == WantedBuild.Of(Given.Index(change)), what);

    [Fact]
    public void A_rebuild_token_asks_once_and_taking_it_away_asks_for_nothing()
    {
        var index = Given.Index();
        var plain = WantedBuild.Of(index);
        index.Metadata.Annotations = new Dictionary<string, string> { [Annotations.Rebuild] = "2" };
        var asked = WantedBuild.Of(index);
        index.Metadata.Annotations = null;
        index.Status = new PretrainIndexStatus { RebuildToken = "2" };

        Assert.NotEqual(plain.BuildKey, asked.BuildKey);
        Assert.Equal(asked, WantedBuild.Of(index));
    }

    [Theory]
    [InlineData(Reasons.DataChanged, ChangePolicy.Rebuild, true)]
    [InlineData(Reasons.DataChanged, ChangePolicy.Hold, false)]
    [InlineData(Reasons.DataChanged, ChangePolicy.Report, false)]
    [InlineData(Reasons.VersionCorrupt, ChangePolicy.Rebuild, true)]
    [InlineData(Reasons.VersionCorrupt, ChangePolicy.Hold, true)]
    [InlineData(Reasons.VersionCorrupt, ChangePolicy.Report, true)]
    [InlineData("SomethingElse", ChangePolicy.Rebuild, false)]
    [InlineData(null, ChangePolicy.Rebuild, false)]
    public void A_change_asks_for_a_build_of_its_own_where_the_spec_wants_it(string? reason, ChangePolicy policy, bool asks)
    {
        var index = Changed(policy, reason, "1");
        var (before, after) = (WantedBuild.Of(Given.Index()), WantedBuild.Of(index));

        Assert.Equal((before.ContentKey, before.SpecKey), (after.ContentKey, after.SpecKey));
        Assert.Equal(asks, before.BuildKey != after.BuildKey && before.JobKey != after.JobKey);
        Assert.Equal(asks, after.BuildKey != index.Status!.Current!.BuildKey);
    }

    [Fact]
    public void Each_change_asks_once_and_one_found_for_another_spec_asks_for_nothing()
    {
        var first = WantedBuild.Of(Changed(ChangePolicy.Rebuild, Reasons.DataChanged, "1")).BuildKey;

        Assert.Equal(first, WantedBuild.Of(Changed(ChangePolicy.Rebuild, Reasons.DataChanged, "1")).BuildKey);
        Assert.NotEqual(first, WantedBuild.Of(Changed(ChangePolicy.Rebuild, Reasons.DataChanged, "2")).BuildKey);
        var other = Changed(ChangePolicy.Rebuild, Reasons.DataChanged, "1");
        other.Spec = other.Spec with { DataVersion = "b" };
        Assert.Equal(WantedBuild.Of(Given.Index(spec => spec with { DataVersion = "b" })).BuildKey, WantedBuild.Of(other).BuildKey);
    }

    [Fact]
    public void What_was_built_for_a_change_is_what_the_spec_wants_until_the_next_change()
    {
        var index = Changed(ChangePolicy.Rebuild, Reasons.DataChanged, "1");
        var built = WantedBuild.Of(index);
        var current = index.Status!.Current! with { BuildKey = built.BuildKey, SpecKey = built.SpecKey };
        index.Status = index.Status with { Current = current, Change = null };

        Assert.Equal(built, WantedBuild.Of(index));
        Assert.Equal(built.SpecKey, WantedBuild.SpecKeyOf(current));
        index.Status = index.Status with { Change = new ChangeStatus { SpecKey = built.SpecKey, Token = "2", Reason = Reasons.DataChanged } };
        Assert.NotEqual(built.BuildKey, WantedBuild.Of(index).BuildKey);
    }

    [Fact]
    public void The_content_does_not_know_its_label_its_rebuilds_or_its_changes()
    {
        var changed = Changed(ChangePolicy.Rebuild, Reasons.DataChanged, "1");
        changed.Spec = changed.Spec with { DataVersion = "b" };
        changed.Metadata.Annotations = new Dictionary<string, string> { [Annotations.Rebuild] = "1" };

        Assert.Equal(WantedBuild.Of(Given.Index()).ContentKey, WantedBuild.Of(changed).ContentKey);
        Assert.NotEqual(WantedBuild.Of(Given.Index()).ContentKey, WantedBuild.Of(Given.Index(spec => spec with { Cache = spec.Cache with { SubPath = "a" } })).ContentKey);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("web-mix")]
    [InlineData("with.dots.in-it")]
    [InlineData("a-name-that-is-cut-right-before-its-dash-and-ends-x-")]
    [InlineData("a-name-that-is-as-long-as-kubernetes-allows-for-a-resource-of-any-kind-which-is-two-hundred-and-fifty-three-characters")]
    public void The_name_of_a_job_is_a_label_and_a_host_name(string name)
    {
        for (var length = 1; length <= name.Length; length++)
        {
            var index = Given.Index(name: name[..length]);
            var job = WantedBuild.Of(index).JobName(index, 1_000_000);
            var label = BuildJobManifest.LabelValue(index.Metadata.Name);
            if (char.IsAsciiLetterOrDigit(name[length - 1]))
            {
                Assert.Matches(HostName(), job);
                Assert.InRange(job.Length, 1, 63);
                Assert.InRange(label.Length, 1, 63);
                Assert.Matches("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", label);
            }
        }
    }

    [Fact]
    public void Names_tell_attempts_resources_and_long_names_apart()
    {
        var index = Given.Index();
        var other = Given.Index();
        other.Metadata.Uid = "another";
        var wanted = WantedBuild.Of(index);
        var longName = new string('x', 70);

        Assert.NotEqual(wanted.JobName(index, 1), wanted.JobName(index, 2));
        Assert.NotEqual(wanted.JobName(index, 1), wanted.JobName(other, 1));
        Assert.Equal(wanted.JobName(index, 1), WantedBuild.Of(Given.Index()).JobName(Given.Index(), 1));
        Assert.NotEqual(BuildJobManifest.LabelValue(longName), BuildJobManifest.LabelValue(longName + "y"));
    }

    [Fact]
    public void A_resource_applied_again_finds_the_claim_that_it_left()
    {
        var template = Given.Index(spec => spec with { Cache = new CacheSpec { ClaimTemplate = new ClaimTemplate { Size = new("1Gi") } } });
        var name = ClaimPolicy.CacheClaimName(template);
        template.Metadata.Uid = "another";

        Assert.Equal(name, ClaimPolicy.CacheClaimName(template));
    }

    private static PretrainIndex Changed(ChangePolicy policy, string? reason, string token)
    {
        var index = Given.Published(Given.Index(spec => spec with { Refresh = new RefreshSpec { OnChange = policy } }));
        index.Status = index.Status! with { Change = new ChangeStatus { SpecKey = WantedBuild.Of(index).SpecKey, Token = token, Reason = reason } };
        return index;
    }

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    private static partial Regex HostName();
}
