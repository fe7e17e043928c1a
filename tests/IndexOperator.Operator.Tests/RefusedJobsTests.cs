using IndexOperator.Runtime;

namespace IndexOperator.Operator.Tests;

public sealed class RefusedJobsTests
{
    private static readonly ObjectKey Index = new("shop", "mix");

    [Fact]
    public void A_Job_is_kept_once_however_often_its_pods_are_refused()
    {
        var jobs = new RefusedJobs();
        jobs.Add(Index, Job("a"));
        jobs.Add(Index, Job("a"));
        Assert.Equal((1, true), (jobs.Count, jobs.Any(Index)));
        Assert.Equal([Job("a")], jobs.Take(Index, isReady: false));
        Assert.Equal((0, false), (jobs.Count, jobs.Any(Index)));
        Assert.Empty(jobs.Take(Index, isReady: true));
    }

    [Fact]
    public void A_Job_that_waits_for_Ready_is_not_taken_before()
    {
        var jobs = new RefusedJobs();
        jobs.Add(Index, Job("a", untilReady: true));
        jobs.Add(Index, Job("b"));
        Assert.Equal([Job("b")], jobs.Take(Index, isReady: false));
        Assert.Equal([Job("a", untilReady: true)], jobs.Take(Index, isReady: true));
    }

    [Fact]
    public void The_oldest_is_forgotten_where_there_is_no_room()
    {
        var jobs = new RefusedJobs(2);
        jobs.Add(new ObjectKey("shop", "one"), Job("a"));
        jobs.Add(new ObjectKey("shop", "two"), Job("b"));
        jobs.Add(new ObjectKey("shop", "one"), Job("a"));
        jobs.Add(new ObjectKey("shop", "three"), Job("c"));
        Assert.Equal((true, false, true), (jobs.Any(new ObjectKey("shop", "one")), jobs.Any(new ObjectKey("shop", "two")), jobs.Any(new ObjectKey("shop", "three"))));
        for (var i = 0; i < 100; i++)
        {
            jobs.Add(Index, Job($"many-{i}"));
        }

        Assert.Equal(2, jobs.Count);
        Assert.Equal([Job("many-98"), Job("many-99")], jobs.Take(Index, isReady: true));
    }

    private static RefusedJob Job(string name, bool untilReady = false) => new(new ObjectKey("shop", name), $"uid-{name}", untilReady);
}
