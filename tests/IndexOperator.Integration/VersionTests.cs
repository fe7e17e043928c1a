using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>What happens to versions: reused, replaced, built again.</summary>
public sealed class VersionTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_second_resource_with_the_same_content_reuses_the_version()
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("first");
        await ReadyAsync("first");

        // The builder finds what the first one published, and says so.
        Player.EndAll(_ => (0, Specs.Built(outcome: BuildReport.Reused)));
        await CreateAsync("second");
        var second = await ReadyAsync("second");
        Assert.True(second.Is(ConditionTypes.Ready, "True", Reasons.Reused));
        Assert.Equal(Specs.Version("content"), second.Status!.Current!.Version);
        await ToldAsync("second", Reasons.Reused);
    }

    [Fact]
    public async Task A_new_data_version_becomes_current_while_the_old_one_stays_available()
    {
        await StartOperatorAsync();
        Player.SucceedAll("monday");
        await CreateAsync("mix");
        await ReadyAsync("mix");

        Player.SucceedAll("tuesday");
        await PatchSpecAsync("mix", new JsonObject { ["dataVersion"] = "2026-11-21" });
        var second = await ReadyAsync("mix");
        Assert.Equal((Specs.Version("tuesday"), "2026-11-21"), (second.Status!.Current!.Version, second.Status.Current.DataVersion));
        Assert.Equal((Specs.Version("monday"), "2026-11-20"), (Assert.Single(second.Status.Previous!).Version, second.Status.Previous![0].DataVersion));

        await UntilAsync("the watch to show the last version", () => Indexes.Changes.Any(change => change.New.Metadata.ResourceVersion == second.Metadata.ResourceVersion));
        var availability = Indexes.Changes.Select(change => change.New.ConditionOf(ConditionTypes.Available)?.Status).SkipWhile(status => status != "True").ToList();
        Assert.NotEmpty(availability);
        Assert.DoesNotContain("False", availability);
        Assert.Equal(2, JobsEver("mix").Count);
    }

    [Fact]
    public async Task The_rebuild_annotation_builds_again_once_for_each_token()
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("mix");
        await ReadyAsync("mix");
        await PatchAsync("mix", Annotated("now please"));
        await IndexAsync("mix", "built again", index => index.Is(ConditionTypes.Ready, "True") && index.Status!.RebuildToken == "now please");
        Assert.Equal(2, JobsEver("mix").Count);

        // Taking the annotation away asks for nothing.
        await PatchAsync("mix", Annotated(null));
        await PatchSpecAsync("mix", new JsonObject { ["cache"] = new JsonObject { ["historyLimit"] = 3 } });
        await ReadyAsync("mix");
        Assert.Equal(2, JobsEver("mix").Count);
        Assert.Equal("now please", (await GetAsync("mix")).Status!.RebuildToken);

        static JsonObject Annotated(string? token) =>
            new() { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Annotations.Rebuild] = token } } };
    }
}
