using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s.Models;

namespace IndexOperator.Integration;

/// <summary>Resources of a namespace that want the same content on the same claim have it built once.</summary>
public sealed class SharedBuildTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    private static readonly string[] Names = ["a", "b", "c"];

    [Fact]
    public async Task Three_resources_of_the_same_content_take_turns_and_two_of_them_reuse()
    {
        foreach (var name in Names)
        {
            await CreateAsync(name);
        }

        await StartOperatorAsync();
        var first = await Player.PodAsync("a");
        await Player.RunAsync(first);
        foreach (var name in Names[1..])
        {
            var waiting = await NotReadyAsync(name, Reasons.SharedBuild);
            Assert.True(waiting.Is(ConditionTypes.Reconciling, "True", Reasons.SharedBuild));
            Assert.Equal("Waiting", waiting.Status!.Build!.Progress);
            Assert.Matches("^(PretrainIndex a|Job a-build-[0-9a-f]{8} of another PretrainIndex) builds the same content", waiting.ConditionOf(ConditionTypes.Ready)!.Message!);
        }

        await Player.EndAsync(first, 0, Specs.Built());
        await ReadyAsync("a");
        foreach (var name in Names[1..])
        {
            await Player.EndAsync(await Player.PodAsync(name), 0, Specs.Built(outcome: BuildReport.Reused));
            Assert.True((await ReadyAsync(name)).Is(ConditionTypes.Ready, "True", Reasons.Reused));
        }

        Assert.All(Names, name => Assert.Single(JobsEver(name)));
        Assert.Equal(1, MostBuildsAtOnce());
    }

    [Fact]
    public async Task Other_content_waits_for_nobody()
    {
        await StartOperatorAsync();
        await CreateAsync("a");
        await Player.RunAsync(await Player.PodAsync("a"));
        await CreateAsync("b", spec => Specs.Seeded(spec, 7));
        await Player.EndAsync(await Player.PodAsync("b"), 0, Specs.Built("other"));
        await ReadyAsync("b");
    }

    [Theory]
    [InlineData("failed")]
    [InlineData("suspended")]
    [InlineData("deleted")]
    public async Task Whoever_is_stuck_leaves_the_turn_to_the_next(string how)
    {
        await StartOperatorAsync();
        await CreateAsync("a");
        var first = await Player.PodAsync("a");
        await Player.RunAsync(first);
        await IndexAsync("a", "seen to run", index => index.Status!.Build?.RunningSince is not null);
        await CreateAsync("b", spec => spec with { Build = new BuildSpec { PodSecurityContext = new BuildPodSecurityContext { FsGroup = 2000 } } });
        await NotReadyAsync("b", Reasons.SharedBuild);
        await (how switch
        {
            "failed" => Player.EndAsync(first, 4, Specs.Failed(Reasons.PermissionDenied, "user 65532 may not write to claim npy-index. Set spec.build.podSecurityContext.fsGroup.")),
            "suspended" => PatchSpecAsync("a", new JsonObject { ["suspend"] = true }),
            _ => DeleteAsync("a"),
        });
        await Player.EndAsync(await Player.PodAsync("b"), 0, Specs.Built());
        var second = await ReadyAsync("b");
        Assert.True(second.Is(ConditionTypes.Ready, "True", Reasons.Published));
        Assert.Equal(1, MostBuildsAtOnce());
    }

    [Fact]
    public async Task A_build_that_no_node_fits_holds_up_nobody_who_fits_elsewhere()
    {
        await StartOperatorAsync();
        await CreateAsync("a", spec => spec with { Build = new BuildSpec { NodeSelector = new Dictionary<string, string> { ["disk"] = "golden" } } });
        var pod = await Player.PodAsync("a");
        await CreateAsync("b");
        await NotReadyAsync("b", Reasons.SharedBuild);

        // Since longer ago than a node takes to be brought: a person is asked for, and nobody else waits for that.
        await Player.UnschedulableAsync(pod, "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.", DateTime.UtcNow.AddMinutes(-5));
        await Player.RunAsync(await Player.PodAsync("b"));
        var first = await IndexAsync("a", "waiting for its next attempt", index => index.Status!.Build?.NextRetryAt is not null);
        Assert.True(first.Is(ConditionTypes.Ready, "False", Reasons.Unschedulable));
        await Player.EndAsync(await Player.PodAsync("b"), 0, Specs.Built());
        await ReadyAsync("b");
        Assert.Equal(1, MostBuildsAtOnce());
    }

    [Fact]
    public async Task What_outlived_operator_and_resources_is_verified_and_reused()
    {
        var first = await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("mix");
        var built = await ReadyAsync("mix");
        await DeleteAsync("mix");
        await GoneAsync("mix");
        await first.StopAsync();
        Assert.Empty(JobsEver("mix", BuildAttempt.CleanupTask));

        await StartOperatorAsync();
        Player.EndAll(_ => (0, Specs.Built(outcome: BuildReport.Reused)));
        await CreateAsync("mix");
        var reused = await ReadyAsync("mix");
        Assert.True(reused.Is(ConditionTypes.Ready, "True", Reasons.Reused));
        Assert.Equal(built.Status!.Current!.Version, reused.Status!.Current!.Version);
        await ToldAsync("mix", Reasons.Reused);

        // What the builder is told lets it find a damaged version and build over it.
        Assert.Contains("--repair", ArgumentsOf(JobsEver("mix")[^1]));
    }

    /// <summary>The most build Jobs that were there and had not ended at the same time.</summary>
    private int MostBuildsAtOnce()
    {
        var active = new HashSet<string>();
        var most = 0;
        foreach (var change in Jobs.Changes.Where(change => BuildAttempt.TaskOf(change.New) == BuildAttempt.BuildTask))
        {
            if (change.Kind == ChangeKind.Deleted || change.New.Metadata.DeletionTimestamp is not null || IsOver(change.New))
            {
                active.Remove(change.New.Metadata.Uid);
            }
            else
            {
                active.Add(change.New.Metadata.Uid);
            }

            most = Math.Max(most, active.Count);
        }

        return most;

        static bool IsOver(V1Job job) => job.Status?.Conditions?.Any(condition => condition.Status == "True" && condition.Type is "Complete" or "Failed") == true;
    }
}
