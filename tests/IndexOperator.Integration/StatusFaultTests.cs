using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>Somebody writes into the status by hand: it ends as it should be, and nothing that was published is lost.</summary>
public sealed class StatusFaultTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    private static readonly string Version = Specs.Version("content");

    [Theory]
    [InlineData("no conditions", """{"conditions": []}""")]
    [InlineData("false conditions", """{"conditions": [{"type": "Ready", "status": "False", "reason": "Nonsense", "message": "by hand", "lastTransitionTime": "2001-01-01T00:00:00Z"}, {"type": "Stalled", "status": "True", "reason": "Nonsense", "message": "by hand", "lastTransitionTime": "2001-01-01T00:00:00Z"}, {"type": "Mine", "status": "True", "reason": "Nonsense", "message": "by hand", "lastTransitionTime": "2001-01-01T00:00:00Z"}]}""")]
    [InlineData("a change of another spec", """{"change": {"specKey": "../..", "token": "x", "reason": "DataChanged", "message": "by hand"}}""")]
    [InlineData("a build that is none", """{"build": {"jobKey": "x", "attempt": -3, "job": "none", "percent": 900, "progress": "by hand", "nextRetryAt": "9999-01-01T00:00:00Z"}}""")]
    [InlineData("consumers that are none", """{"consumers": {"waiting": 7, "running": -7, "versionsInUse": ["../.."]}}""")]
    [InlineData("an old generation", """{"observedGeneration": -7}""")]
    [InlineData("no current version", """{"current": null}""")]
    [InlineData("nothing", "null")]
    public async Task It_is_put_right_without_a_build(string what, string status)
    {
        var passes = Keep(new Passes(Namespace));
        await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("mix");
        var before = await ReadyAsync("mix");
        await ToldAsync("mix", Reasons.Published);
        await LookAgainAsync(passes, "settle", ["mix"]);
        before = await GetAsync("mix");

        if (status == "null")
        {
            await Client.JsonPatchAsync(Operator.Resources.PretrainIndexes, ObjectKey.Of(before), [new JsonObject { ["op"] = "remove", ["path"] = "/status" }], null, CancellationToken.None, "status");
        }
        else
        {
            await PatchStatusAsync("mix", JsonNode.Parse(status)!.AsObject());
        }

        var (expected, last) = ("", "");
        try
        {
            await UntilAsync($"the status to be as it was before {what}", async () =>
            {
                var now = await GetAsync("mix");
                (expected, last) = (Text(AsItsJobTells(before, now)), Text(now));
                return last == expected;
            });
        }
        catch (TimeoutException error)
        {
            throw new TimeoutException($"{error.Message}\nwas {expected}\nis  {last}", error);
        }

        // And it stays so.
        await LookAgainAsync(passes, "settle again", ["mix"]);
        var settled = (await GetAsync("mix")).Metadata.ResourceVersion;
        await LookAgainAsync(passes, "once", ["mix"]);
        Assert.Equal(settled, (await GetAsync("mix")).Metadata.ResourceVersion);
        Assert.Single(JobsEver("mix"));
        Assert.Empty(JobsEver("mix", BuildAttempt.PruneTask));
    }

    [Theory]
    [InlineData("""{"data": {"state": "\u0000nonsense", "looks": -5, "failures": 2147483647, "checkedAt": "9999-01-01T00:00:00Z", "lastFailure": {"reason": "DataMissing", "message": "by hand"}}}""")]
    [InlineData("""{"previous": [{"version": "../../etc", "buildKey": "x"}, {"version": "0123456789abcdef0123", "path": "/"}]}""")]
    [InlineData("""{"current": {"version": "0123456789abcdef0123", "buildKey": "0123456789abcdef", "path": "versions/../.."}}""")]
    public async Task What_cannot_be_told_from_the_truth_is_found_out(string status)
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("mix");
        await ReadyAsync("mix");
        await PatchStatusAsync("mix", JsonNode.Parse(status)!.AsObject());
        await PatchSpecAsync("mix", new JsonObject { ["cache"] = new JsonObject { ["historyLimit"] = 0 } });
        var sound = await IndexAsync("mix", "sound", index => index.Is(ConditionTypes.Ready, "True") && index.Status is { ObservedGeneration: 2, Previous: null, Data: null or { Failures: null, LastFailure: null } });
        Assert.Equal((Version, $"versions/{Version}"), (sound.Status!.Current!.Version, sound.Status.Current.Path));
        Assert.True(sound.Is(ConditionTypes.Available, "True"));
        Assert.True(sound.Is(ConditionTypes.DataCurrent, "True"));
        Assert.Single(JobsEver("mix"));
        Assert.All(JobsEver("mix", BuildAttempt.PruneTask), job => Assert.Equal("0123456789abcdef0123", ArgumentsOf(job)[^1]));
    }

    [Theory]
    [InlineData("DataChanged")]
    [InlineData("VersionCorrupt")]
    public async Task A_change_written_by_hand_costs_a_build_and_is_gone_after_it(string reason)
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("mix");
        var ready = await ReadyAsync("mix");
        await PatchStatusAsync("mix", new JsonObject { ["change"] = new JsonObject { ["specKey"] = ready.Status!.Current!.BuildKey, ["token"] = "by hand", ["reason"] = reason, ["message"] = "by hand" } });
        await UntilAsync("a second build", () => JobsEver("mix").Count == 2);
        var built = await IndexAsync("mix", "sound", index => index.Is(ConditionTypes.Ready, "True") && index.Status!.Change is null && index.Is(ConditionTypes.Verified, "True"));
        Assert.True(built.Is(ConditionTypes.Available, "True"));
        Assert.True(built.Is(ConditionTypes.DataCurrent, "True"));
        Assert.Equal(Version, built.Status!.Current!.Version);
        Assert.Equal(2, JobsEver("mix").Count);
    }

    // The Job controller of Kubernetes 1.20 may write a Job's end twice, a second apart; a status that is put together anew has the later one.
    private PretrainIndex AsItsJobTells(PretrainIndex before, PretrainIndex now)
    {
        var ended = BuildAttempt.Utc(Jobs.Now.Single(job => job.Metadata.Name.StartsWith("mix-build-", StringComparison.Ordinal)).Status.CompletionTime);
        return now.Status?.Current?.BuiltAt != ended
            ? before
            : new PretrainIndex { Metadata = before.Metadata, Spec = before.Spec, Status = before.Status! with { Current = before.Status.Current! with { BuiltAt = ended, VerifiedAt = ended } } };
    }

    // But for the times of transitions, and for what others have to say.
    private static string Text(PretrainIndex index) => System.Text.Json.JsonSerializer.Serialize(
        index.Status! with { Conditions = [.. index.Status.Conditions!.Where(condition => condition.Type != "Mine").Select(condition => condition with { LastTransitionTime = null })] },
        ApiJsonContext.Default.PretrainIndexStatus);
}
