using System.Collections.Concurrent;

namespace IndexOperator.Indexing.Tests;

public sealed class WorkPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void Every_piece_and_every_part_is_done_once_on_no_more_threads_than_asked_for(int threads)
    {
        var done = new ConcurrentBag<(int Piece, int Part)>();
        var (running, most) = (0, 0);
        var pieces = Enumerable.Range(0, 40).Select(piece => new Action<WorkPool>(pool =>
        {
            Count(() =>
            {
                var parts = Enumerable.Range(1, 3).Select(part => pool.Fork(() => done.Add((piece, part)))).ToList();
                done.Add((piece, 0));
                parts.ForEach(pool.Join);
            });
        })).ToList();

        WorkPool.Run(threads, pieces, CancellationToken.None);

        Assert.Equal(Enumerable.Range(0, 40).SelectMany(piece => Enumerable.Range(0, 4).Select(part => (piece, part))), done.Order());
        Assert.InRange(most, 1, threads);

        void Count(Action work)
        {
            InterlockedMax(ref most, Interlocked.Increment(ref running));
            work();
            Interlocked.Decrement(ref running);
        }
    }

    [Fact]
    public void A_part_is_done_by_a_thread_that_is_free()
    {
        var by = 0;
        using var isDone = new ManualResetEventSlim();
        WorkPool.Run(
            2,
            [
                pool =>
                {
                    var part = pool.Fork(() =>
                    {
                        by = Environment.CurrentManagedThreadId;
                        isDone.Set();
                    });
                    Assert.True(isDone.Wait(TimeSpan.FromSeconds(30)), "no thread took the part");
                    pool.Join(part);
                    Assert.NotEqual(Environment.CurrentManagedThreadId, by);
                },
            ],
            CancellationToken.None);
    }

    [Fact]
    public void After_a_failure_no_further_piece_begins_and_the_failure_is_thrown()
    {
        var begun = 0;
        var failure = Assert.Throws<InvalidDataException>(() => WorkPool.Run(
            1,
            [_ => begun++, _ => throw new InvalidDataException("second"), _ => begun++],
            CancellationToken.None));
        Assert.Equal(("second", 1), (failure.Message, begun));
    }

    [Fact]
    public void A_parts_failure_is_thrown_where_it_is_joined()
    {
        var caught = default(Exception);
        WorkPool.Run(
            2,
            [
                pool =>
                {
                    var part = pool.Fork(() => throw new InvalidDataException("part"));
                    caught = Record.Exception(() => pool.Join(part));
                },
            ],
            CancellationToken.None);
        Assert.IsType<InvalidDataException>(caught);
    }

    [Fact]
    public void What_failed_is_told_rather_than_that_others_were_cancelled_for_it()
    {
        using var meeting = new Barrier(2);
        Assert.Throws<InvalidDataException>(() => WorkPool.Run(
            2,
            [
                _ =>
                {
                    meeting.SignalAndWait();
                    throw new OperationCanceledException();
                },
                _ =>
                {
                    meeting.SignalAndWait();
                    throw new InvalidDataException();
                },
            ],
            CancellationToken.None));
    }

    [Fact]
    public void Nothing_begins_once_cancelled()
    {
        using var stop = new CancellationTokenSource();
        var begun = 0;
        Assert.Throws<OperationCanceledException>(() => WorkPool.Run(1, [_ => stop.Cancel(), _ => begun++], stop.Token));
        Assert.Equal(0, begun);
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); seen < value;)
        {
            seen = Interlocked.CompareExchange(ref most, value, seen);
        }
    }
}
