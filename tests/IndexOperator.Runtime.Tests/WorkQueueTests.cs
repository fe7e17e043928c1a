using Microsoft.Extensions.Time.Testing;

namespace IndexOperator.Runtime.Tests;

public sealed class WorkQueueTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly WorkQueue<string> _queue;

    public WorkQueueTests()
    {
        _queue = new WorkQueue<string>(new WorkQueueOptions { Jitter = 0, RetriesPerSecond = 0 }, _time);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _queue.Dispose();

    private Task<(bool Taken, string Key)> TakeAsync() => Eventually.CompletesAsync("a key", _queue.TakeAsync(Cancel).AsTask());

    private async Task<List<string>> TakeAllAsync(int count)
    {
        var keys = new List<string>();
        while (keys.Count < count)
        {
            keys.Add((await TakeAsync()).Key);
        }

        return keys;
    }

    [Fact]
    public async Task A_key_added_many_times_comes_once()
    {
        _queue.Add("a");
        _queue.Add("a");
        _queue.Add("b");
        Assert.Equal((true, "a"), await TakeAsync());
        Assert.Equal((true, "b"), await TakeAsync());
        Assert.Equal(0, _queue.Depth);
    }

    [Fact]
    public async Task A_key_added_while_a_worker_has_it_comes_once_more_after_it_is_done()
    {
        _queue.Add("a");
        await TakeAsync();
        _queue.Add("a");
        _queue.Add("a");
        Assert.Equal(0, _queue.Depth);
        _queue.Done("a");
        Assert.Equal((true, "a"), await TakeAsync());
        _queue.Done("a");
        Assert.Equal(0, _queue.Depth);
    }

    [Fact]
    public void A_timed_key_keeps_its_earliest_time()
    {
        _queue.AddAfter("a", TimeSpan.FromSeconds(10));
        _queue.AddAfter("a", TimeSpan.FromSeconds(60));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1, _queue.Depth);
    }

    [Fact]
    public async Task A_timed_key_that_is_asked_for_earlier_comes_earlier_and_only_once()
    {
        _queue.AddAfter("a", TimeSpan.FromSeconds(60));
        _queue.AddAfter("a", TimeSpan.FromSeconds(10));
        _time.Advance(TimeSpan.FromSeconds(10));
        await TakeAsync();
        _queue.Done("a");
        _time.Advance(TimeSpan.FromSeconds(100));
        Assert.Equal(0, _queue.Depth);
    }

    [Fact]
    public async Task A_timed_key_is_not_cancelled_by_adding_it_now()
    {
        _queue.AddAfter("a", TimeSpan.FromSeconds(10));
        _queue.Add("a");
        await TakeAsync();
        _queue.Done("a");
        Assert.Equal(0, _queue.Depth);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1, _queue.Depth);
    }

    [Fact]
    public void Failures_double_the_pause_up_to_a_limit_and_are_forgotten()
    {
        var pauses = Enumerable.Range(0, 20).Select(_ => _queue.AddRateLimited("a").TotalMilliseconds).ToList();
        Assert.Equal([5, 10, 20, 40], pauses.Take(4));
        Assert.Equal(TimeSpan.FromMinutes(5).TotalMilliseconds, pauses[^1]);
        Assert.Equal(20, _queue.Failures("a"));
        _queue.Forget("a");
        Assert.Equal(5, _queue.AddRateLimited("a").TotalMilliseconds);
    }

    [Fact]
    public void Retries_of_all_keys_together_are_limited()
    {
        var queue = new WorkQueue<string>(new WorkQueueOptions { Jitter = 0, RetriesPerSecond = 10, RetryBurst = 2 }, _time);
        var pauses = Enumerable.Range(0, 4).Select(i => queue.AddRateLimited($"k{i}").TotalMilliseconds).ToList();
        Assert.Equal([5, 5, 100, 200], pauses);
    }

    [Fact]
    public void However_many_keys_fail_together_none_waits_longer_than_the_longest_pause()
    {
        var queue = new WorkQueue<string>(new WorkQueueOptions { Jitter = 0, RetriesPerSecond = 10, RetryBurst = 2 }, _time);
        var pauses = Enumerable.Range(0, 10_000).Select(i => queue.AddRateLimited($"k{i}")).ToList();
        Assert.Equal(TimeSpan.FromMinutes(5), pauses.Max());
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(10_000, queue.Depth);

        // A moment later what failed is paid for: a key that fails now waits for none of them.
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(5, queue.AddRateLimited("late").TotalMilliseconds);
    }

    [Fact]
    public async Task Shutting_down_takes_nothing_in_hands_out_the_rest_and_tells_when_workers_are_done()
    {
        _queue.Add("a");
        _queue.AddAfter("later", TimeSpan.FromSeconds(1));
        await TakeAsync();
        _queue.Add("b");
        _queue.ShutDown();
        _queue.Add("c");
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((true, "b"), await TakeAsync());
        var drained = _queue.DrainAsync(Cancel);
        _queue.Done("a");
        Assert.False(drained.IsCompleted);
        _queue.Done("b");
        await Eventually.CompletesAsync("the drain", drained);
        Assert.False((await TakeAsync()).Taken);
    }

    [Fact]
    public async Task What_happens_goes_before_what_is_looked_at_in_passing()
    {
        _queue.AddInPassing("p1");
        _queue.AddInPassing("p2");
        _queue.AddInPassing("p3");
        _queue.Add("a");
        _queue.Add("p3");
        Assert.Equal(4, _queue.Depth);
        Assert.Equal(["a", "p3", "p1", "p2"], await TakeAllAsync(4));
        Assert.Equal(0, _queue.Depth);
    }

    [Fact]
    public async Task What_is_looked_at_in_passing_is_not_starved_by_what_happens()
    {
        _queue.AddInPassing("p");
        for (var i = 0; i < 20; i++)
        {
            _queue.Add($"a{i}");
        }

        Assert.Contains("p", (await TakeAllAsync(21)).Take(10));
    }

    [Fact]
    public async Task A_key_looked_at_in_passing_that_changes_while_a_worker_has_it_comes_once_more()
    {
        _queue.AddInPassing("p");
        await TakeAsync();
        _queue.AddInPassing("p");
        _queue.Add("p");
        _queue.Add("p");
        Assert.Equal(0, _queue.Depth);
        _queue.Done("p");
        Assert.Equal(["p"], await TakeAllAsync(1));
        _queue.Done("p");
        Assert.Equal(0, _queue.Depth);
    }

    [Fact]
    public async Task A_key_that_changed_while_a_worker_had_it_is_not_handed_out_after_shutting_down()
    {
        _queue.Add("a");
        await TakeAsync();
        _queue.Add("a");
        _queue.ShutDown();
        _queue.Done("a");
        Assert.False((await TakeAsync()).Taken);
        await Eventually.CompletesAsync("the drain", _queue.DrainAsync(Cancel));
    }

    [Fact]
    public async Task No_key_is_ever_with_two_workers_and_none_is_lost()
    {
        using var queue = new WorkQueue<int>();
        var added = new int[20];
        var seen = new int[20];
        var busy = new int[20];
        var overlaps = 0;
        async Task Work()
        {
            while (await queue.TakeAsync(Cancel) is (true, var key))
            {
                if (Interlocked.Increment(ref busy[key]) > 1)
                {
                    Interlocked.Increment(ref overlaps);
                }

                Volatile.Write(ref seen[key], Volatile.Read(ref added[key]));
                await Task.Yield();
                Interlocked.Decrement(ref busy[key]);
                queue.Done(key);
            }
        }

        var workers = Enumerable.Range(0, 8).Select(_ => Task.Run(Work, Cancel)).ToList();
        for (var i = 0; i < 20_000; i++)
        {
            Interlocked.Increment(ref added[i % 20]);
            if (i % 3 == 0)
            {
                queue.AddInPassing(i % 20);
            }
            else
            {
                queue.Add(i % 20);
            }
        }

        await Eventually.TrueAsync("every last addition to be seen", () => added.SequenceEqual(seen));
        queue.ShutDown();
        await Eventually.CompletesAsync("the workers to end", Task.WhenAll(workers));
        Assert.Equal(0, overlaps);
    }
}
