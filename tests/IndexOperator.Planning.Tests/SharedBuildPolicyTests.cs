using IndexOperator.Api;

namespace IndexOperator.Planning.Tests;

/// <summary>Who builds what several resources want.</summary>
public sealed class SharedBuildPolicyTests
{
    [Theory]
    [InlineData(-60, "zzz", true)]
    [InlineData(-1, "zzz", true)]
    [InlineData(0, "aaa", true)]
    [InlineData(0, "web-mi", true)]
    [InlineData(0, "web-mix-2", false)]
    [InlineData(0, "zzz", false)]
    [InlineData(1, "aaa", false)]
    public void The_oldest_is_first_and_among_those_of_one_second_the_first_by_name(int seconds, string name, bool isAhead) =>
        Assert.Equal(isAhead ? $"PretrainIndex {name}" : null, Ahead(Given.Peer(name, Given.Now.AddSeconds(seconds))));

    [Fact]
    public void Of_several_the_one_that_is_first_is_named() => Assert.Equal("PretrainIndex bbb", Ahead(
        Given.Peer("aaa", Given.Now.AddMinutes(-1)), Given.Peer("ccc", Given.Now.AddMinutes(-2)), Given.Peer("bbb", Given.Now.AddMinutes(-2)), Given.Peer("ddd", Given.Now.AddMinutes(1))));

    [Fact]
    public void Of_any_number_exactly_one_is_first()
    {
        var all = Enumerable.Range(0, 6).Select(i => Given.Peer($"mix-{i}", Given.Now.AddSeconds(i / 3))).ToList();

        var free = all.Where(index => SharedBuildPolicy.Ahead(Given.Observed(index) with { Peers = [.. all.Where(peer => peer != index)] }, WantedBuild.Of(index)) is null);

        Assert.Equal("mix-0", Assert.Single(free).Metadata.Name);
    }

    [Fact]
    public void A_resource_does_not_wait_for_itself()
    {
        var itself = Given.Index();
        itself.Metadata.CreationTimestamp = Given.Now.AddDays(-1).UtcDateTime;

        Assert.Null(Ahead(itself));
    }

    [Fact]
    public void A_build_that_is_there_goes_before_any_order()
    {
        var job = Given.Job(Given.Peer("zzz"));

        Assert.Equal($"Job {job.Metadata.Name} of another PretrainIndex", SharedBuildPolicy.Ahead(Observed() with { PeerJobs = [job] }, Wanted));
    }

    [Theory]
    [InlineData(BuildAttempt.PruneTask)]
    [InlineData(BuildAttempt.CleanupTask)]
    [InlineData(BuildAttempt.CheckTask)]
    [InlineData("")]
    public void A_Job_that_builds_nothing_is_no_build(string task)
    {
        var job = Given.Job(Given.Peer("zzz"));
        job.Metadata.Labels = new Dictionary<string, string> { [Labels.Task] = task };

        Assert.Null(SharedBuildPolicy.Ahead(Observed() with { PeerJobs = [job] }, Wanted));
    }

    public static TheoryData<string, Action<PretrainIndex>> NotReliedOn => new()
    {
        { "suspended", peer => peer.Spec = peer.Spec with { Suspend = true } },
        { "going", peer => peer.Metadata.DeletionTimestamp = Given.Now.UtcDateTime },
        { "unreadable", peer => peer.Unreadable = "It cannot be read." },
        { "stalled", peer => peer.Status = new PretrainIndexStatus { Conditions = [new Condition { Type = ConditionTypes.Stalled, Status = "True" }] } },
        { "published", peer => Given.Published(peer) },
    };

    [Theory]
    [MemberData(nameof(NotReliedOn))]
    public void Who_will_not_build_is_not_waited_for(string what, Action<PretrainIndex> change)
    {
        var peer = Given.Peer("aaa", Given.Now.AddDays(-1));
        Assert.NotNull(Ahead(peer));

        change(peer);

        Assert.True(Ahead(peer) is null && !SharedBuildPolicy.MayBuild(peer), what);
    }

    [Fact]
    public void Who_waits_for_its_next_attempt_leaves_the_turn_to_others_but_may_build_any_moment()
    {
        var peer = Given.Peer("aaa", Given.Now.AddDays(-1));
        peer.Status = new PretrainIndexStatus { Build = new BuildStatus { NextRetryAt = Given.Now.AddMinutes(1) } };

        Assert.Null(Ahead(peer));
        Assert.True(SharedBuildPolicy.MayBuild(peer));
        Assert.False(SharedBuildPolicy.IsAwaited(Observed(peer), Wanted));
    }

    [Theory]
    [InlineData("True", false)]
    [InlineData("False", true)]
    [InlineData("Unknown", true)]
    public void Only_who_is_stalled_now_is_passed_over(string stalled, bool mayBuild)
    {
        var peer = Given.Peer("aaa");
        peer.Status = new PretrainIndexStatus { Conditions = [new Condition { Type = ConditionTypes.Ready, Status = "True" }, new Condition { Type = ConditionTypes.Stalled, Status = stalled }] };

        Assert.Equal(mayBuild, SharedBuildPolicy.MayBuild(peer));
    }

    public static TheoryData<string, Func<PretrainIndexSpec, PretrainIndexSpec>, bool> Contents => new()
    {
        { "another data version", spec => spec with { DataVersion = "b" }, true },
        { "another way to build", spec => spec with { Build = new BuildSpec { Placement = Placement.Any } }, true },
        { "another history", spec => spec with { Cache = spec.Cache with { HistoryLimit = 9 } }, true },
        { "another length", spec => spec with { Dataset = spec.Dataset with { SequenceLength = 8192 } }, false },
        { "other data", spec => spec with { Data = spec.Data with { ClaimName = "other" } }, false },
        { "another claim", spec => spec with { Cache = spec.Cache with { ClaimName = "other" } }, false },
        { "another folder", spec => spec with { Cache = spec.Cache with { SubPath = "other" } }, false },
    };

    [Theory]
    [MemberData(nameof(Contents))]
    public void What_is_shared_is_the_content_on_one_cache(string what, Func<PretrainIndexSpec, PretrainIndexSpec> change, bool isShared)
    {
        var peer = Given.Peer("aaa", Given.Now.AddDays(-1), change);

        Assert.True(isShared == Ahead(peer) is not null && isShared == SharedBuildPolicy.IsAwaited(Observed(peer), Wanted), what);
    }

    private static WantedBuild Wanted => WantedBuild.Of(Given.Index());

    private static string? Ahead(params PretrainIndex[] peers) => SharedBuildPolicy.Ahead(Observed(peers), Wanted);

    private static ObservedState Observed(params PretrainIndex[] peers)
    {
        var index = Given.Index();
        index.Metadata.CreationTimestamp = Given.Now.UtcDateTime;
        return Given.Observed(index) with { Peers = peers };
    }
}
