namespace IndexOperator.Operator.Tests;

public sealed class IdleMemoryTests : IDisposable
{
    private readonly Counting _collector = new();
    private readonly IdleMemory _idle;

    public IdleMemoryTests()
    {
        _idle = new IdleMemory(TimeProvider.System, _collector);
    }

    [Fact]
    public void A_rush_is_collected_after_once_when_it_is_over()
    {
        Assert.Equal([0, 0, 1, 1], Look(IdleMemory.WorthIt, IdleMemory.WorthIt, 1, 1));
    }

    [Fact]
    public void What_a_resting_operator_allocates_is_collected_when_it_has_become_worth_it()
    {
        var collections = Look([.. Enumerable.Repeat(IdleMemory.WorthIt / 10, 21)]);
        Assert.Equal((0, 1, 1), (collections[9], collections[10], collections[20]));
    }

    [Fact]
    public void A_small_operator_is_left_alone()
    {
        Assert.Equal([0, 0, 0], Look(IdleMemory.WorthIt / 2, 1, 1));
    }

    public void Dispose() => _idle.Dispose();

    /// <summary>How often it had collected after each interval with so many bytes allocated.</summary>
    private int[] Look(params long[] allocated) => [.. allocated.Select(bytes =>
    {
        _collector.Allocated += bytes;
        _idle.Look();
        return _collector.Collections;
    })];

    private sealed class Counting : IdleMemory.ICollector
    {
        public int Collections { get; private set; }

        public long Allocated { get; set; }

        public void Collect() => Collections++;
    }
}
