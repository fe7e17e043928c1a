using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>Which versions are removed, forgotten or kept.</summary>
public sealed class PrunePolicyTests
{
    [Theory]
    [InlineData("abc", 0, "abc")]
    [InlineData("abc", 1, "bc")]
    [InlineData("abc", 3, "")]
    [InlineData("abc", 100, "")]
    [InlineData("abc", -1, "abc")]
    [InlineData("", 0, "")]
    // A status that somebody wrote: what is kept or current is not beyond, wherever else it stands.
    [InlineData("aba", 1, "b")]
    [InlineData("a1b", 0, "ab")]
    [InlineData("abcb", 1, "bc")]
    public void Versions_beyond_the_limit_are_those_that_are_neither_current_nor_kept(string previous, int limit, string beyond) =>
        Assert.Equal(Versions(beyond), PrunePolicy.Beyond(Index(previous, limit)));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("../../etc")]
    [InlineData("AAAAAAAAAAAAAAAAAAAA")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaa")]
    public void What_is_no_version_is_never_removed(string? name)
    {
        var index = Given.Published(Index("", 0), status => status with { Current = Given.Version("x") with { Version = name }, Previous = [Given.Version("x") with { Version = name }] });

        Assert.Empty(PrunePolicy.Beyond(index));
        Assert.Empty(PrunePolicy.AllOf(Given.Observed(index)));
    }

    [Theory]
    [InlineData("", "bcd")]
    [InlineData("a1", "bcd")]
    [InlineData("c", "bd")]
    [InlineData("bcd", "")]
    [InlineData("?", "")]
    [InlineData("c?", "")]
    public void Pinned_versions_stay_and_a_pod_that_does_not_tell_keeps_all(string pins, string removed) =>
        Assert.Equal(Versions(removed), PrunePolicy.ToRemove(Observed("abcd", 1) with { Consumers = [.. Pods(pins)] }));

    [Fact]
    public void No_more_than_fifty_go_at_once_the_newest_first()
    {
        var many = Enumerable.Range(0, 90).Select(i => $"{i:x20}").ToList();
        var observed = Given.Observed(Given.Published(Index("", 0), status => status with { Previous = [.. many.Select(version => Given.Version(version))] }));

        Assert.Equal(many[..50], PrunePolicy.ToRemove(observed));
    }

    public static TheoryData<string, string, Func<PretrainIndex, PretrainIndex>, string, string> OfPeers => new()
    {
        // What the peer is like, what of b to d is removed, and what of them is not known any more.
        { "it has b for current", "b", peer => peer, "cd", "b" },
        { "it keeps b and c", "abc", peer => peer, "d", "bc" },
        { "it keeps b alone", "abc", peer => Limit(peer, 1), "cd", "b" },
        { "it pins c, which it does not keep", "abc", peer => Using(Limit(peer, 0), "c"), "bd", "" },
        { "it pins d, of which it knows nothing", "a", peer => Using(peer, "d"), "bc", "" },
        { "its pods do not tell, and it knows b and c", "abc", peer => Using(Limit(peer, 0), ""), "d", "" },
        { "it retains what it has and is going", "abc", peer => Going(peer, Api.DeletionPolicy.Retain), "d", "bc" },
        { "it goes with what it has", "abc", peer => Going(peer, Api.DeletionPolicy.Delete), "bcd", "" },
        { "it goes with what it has, and a pod still uses b", "abc", peer => Going(Using(peer, "b"), Api.DeletionPolicy.Delete), "cd", "" },
        { "it may build", "abc", peer => Change(peer, spec => spec with { DataVersion = "other" }), "", "bc" },
        { "it is stalled", "a", peer => Stalled(Change(peer, spec => spec with { DataVersion = "other" })), "bcd", "" },
        { "it has another folder", "abc", peer => Change(peer, spec => spec with { Cache = spec.Cache with { SubPath = "other" } }), "bcd", "" },
    };

    [Theory]
    [MemberData(nameof(OfPeers))]
    public void What_a_peer_keeps_is_forgotten_and_what_it_uses_is_left(string what, string versions, Func<PretrainIndex, PretrainIndex> like, string removed, string forgotten)
    {
        var peer = like(Given.Published(Given.Peer("peer"), status => status with { Current = status.Current! with { Version = Given.Digits(versions[0]) }, Previous = [.. versions.Skip(1).Select(Version)] }));
        var observed = Observed("abcd", 1) with { Peers = [peer] };

        Assert.True(Versions(removed).SequenceEqual(PrunePolicy.ToRemove(observed)), what);
        Assert.Equal(Versions("abcd").Except(Versions(forgotten)), PrunePolicy.WithoutForgotten(observed)!.Select(kept => kept.Version));
    }

    [Theory]
    [InlineData("b", "ab")]
    [InlineData("?", "ab")]
    [InlineData("a", "a")]
    [InlineData("", "a")]
    public void A_version_that_a_pod_here_may_use_is_not_forgotten_though_a_peer_keeps_it(string pins, string known)
    {
        var peer = Given.Published(Given.Peer("peer"), status => status with { Current = status.Current! with { Version = Given.Digits('b') } });
        var observed = Observed("ab", 1) with { Peers = [peer], Consumers = [.. Pods(pins)] };

        Assert.Equal(Versions(known), PrunePolicy.WithoutForgotten(observed)!.Select(kept => kept.Version));
        Assert.Empty(PrunePolicy.ToRemove(observed));
    }

    [Fact]
    public void Of_two_that_know_a_version_beyond_both_their_limits_neither_forgets_it()
    {
        var peer = Limit(Given.Published(Given.Peer("peer"), status => status with { Previous = [Version('b')] }), 0);

        Assert.Equal(Versions("ab"), PrunePolicy.WithoutForgotten(Observed("ab", 1) with { Peers = [peer] })!.Select(kept => kept.Version));
        Assert.Equal(Versions("b"), PrunePolicy.ToRemove(Observed("ab", 1) with { Peers = [peer] }));
    }

    [Theory]
    [InlineData("", "1ab")]
    [InlineData("a", "1b")]
    [InlineData("?", "")]
    public void A_resource_that_goes_takes_its_versions_but_for_those_in_use(string pins, string removed) =>
        Assert.Equal(Versions(removed), PrunePolicy.AllOf(Observed("ab", 5) with { Consumers = [.. Pods(pins)] }));

    [Fact]
    public void A_version_that_a_pod_elsewhere_is_pinned_to_is_left_whatever_its_resource_says()
    {
        Assert.Equal(Versions("b"), PrunePolicy.ToRemove(Observed("abc", 1) with { PinnedElsewhere = [Given.Digits('c')] }));
        Assert.Equal(Versions("ab"), PrunePolicy.AllOf(Observed("ab", 1) with { PinnedElsewhere = [Given.Digits('1')] }));
    }

    [Theory]
    [InlineData(false, "a")]
    [InlineData(true, "ab")]
    public void A_version_that_a_workload_of_a_peer_holds_is_left_unless_the_peer_goes(bool isGoing, string removed)
    {
        var peer = Given.Published(Given.Peer("peer"), status => status with { Consumers = new ConsumersStatus { Running = 0, Waiting = 0, Groups = [new GroupStatus { Group = "group/llm", Version = Given.Digits('b'), GoneSince = Given.Now }] } });
        peer.Metadata.DeletionTimestamp = isGoing ? Given.Now.UtcDateTime : null;

        Assert.Equal(Versions(removed), PrunePolicy.ToRemove(Observed("ab", 0) with { Peers = [peer] }));
    }

    private static ObservedState Observed(string previous, int limit) => Given.Observed(Index(previous, limit));

    private static PretrainIndex Index(string previous, int limit) =>
        Given.Published(Given.Index(spec => spec with { Cache = spec.Cache with { HistoryLimit = limit } }), status => status with { Previous = previous.Length == 0 ? null : [.. previous.Select(Version)] });

    private static IEnumerable<string> Versions(string digits) => digits.Select(Given.Digits);

    private static VersionStatus Version(char digit) => Given.Version(Given.Digits(digit));

    private static IEnumerable<V1Pod> Pods(string pins) => pins.Select(pin => Given.Consumer($"pod-{pin}", pin == '?' ? null : Given.Digits(pin)));

    private static PretrainIndex Limit(PretrainIndex peer, int limit)
    {
        peer.Spec.Cache = peer.Spec.Cache with { HistoryLimit = limit };
        return peer;
    }

    private static PretrainIndex Using(PretrainIndex peer, string versions)
    {
        peer.Status = peer.Status! with { Consumers = new ConsumersStatus { Running = 1, Waiting = 0, VersionsInUse = versions.Length == 0 ? null : [.. Versions(versions)] } };
        return peer;
    }

    private static PretrainIndex Going(PretrainIndex peer, Api.DeletionPolicy policy)
    {
        peer.Metadata.DeletionTimestamp = Given.Now.UtcDateTime;
        peer.Spec.Cache = peer.Spec.Cache with { DeletionPolicy = policy };
        return peer;
    }

    private static PretrainIndex Stalled(PretrainIndex peer)
    {
        peer.Status = peer.Status! with { Conditions = [new Condition { Type = ConditionTypes.Stalled, Status = "True" }] };
        return peer;
    }

    private static PretrainIndex Change(PretrainIndex peer, Func<PretrainIndexSpec, PretrainIndexSpec> change)
    {
        peer.Spec = change(peer.Spec);
        return peer;
    }
}
