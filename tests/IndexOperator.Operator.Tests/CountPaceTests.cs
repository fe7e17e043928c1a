using IndexOperator.Api;
using IndexOperator.Runtime;
using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Operator.Tests;

/// <summary>While many pods start, not every number is written.</summary>
public sealed class CountPaceTests
{
    private static readonly ObjectKey Key = new("a", "mix");
    private readonly FakeTimeProvider _time = new();
    private readonly CountPace _pace;

    public CountPaceTests()
    {
        _pace = new CountPace(_time);
    }

    [Fact]
    public void Nothing_but_counts_waits_until_two_seconds_after_the_last_write()
    {
        Assert.Null(_pace.Wait(Key, Status(3, 0), Status(2, 1)));
        _pace.Wrote(Key);
        _time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal(TimeSpan.FromSeconds(1.5), _pace.Wait(Key, Status(3, 0), Status(2, 1)));
        _time.Advance(TimeSpan.FromSeconds(1.5));
        Assert.Null(_pace.Wait(Key, Status(3, 0), Status(2, 1)));
    }

    [Fact]
    public void What_says_more_than_counts_is_written_at_once()
    {
        _pace.Wrote(Key);
        Assert.Null(_pace.Wait(Key, null, Status(1, 0)));
        Assert.Null(_pace.Wait(Key, Status(1, 0), new PretrainIndexStatus { ObservedGeneration = 1 }));
        Assert.Null(_pace.Wait(Key, Status(1, 0), Status(0, 1) with { ObservedGeneration = 2 }));
        Assert.Null(_pace.Wait(Key, Status(1, 0), Status(0, 1, "5f0c1d2e3a4b5c6d7e8f")));
        Assert.Null(_pace.Wait(Key, Status(1, 0), Status(1, 0)));
    }

    [Fact]
    public void What_is_forgotten_is_forgotten()
    {
        _pace.Wrote(Key);
        _pace.Forget(Key);
        Assert.Null(_pace.Wait(Key, Status(3, 0), Status(2, 1)));
    }

    private static PretrainIndexStatus Status(int waiting, int running, params string[] versions) => new()
    {
        ObservedGeneration = 1,
        Consumers = new ConsumersStatus { Waiting = waiting, Running = running, VersionsInUse = versions.Length == 0 ? null : versions },
    };
}
