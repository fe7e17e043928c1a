using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>What builds may have left on the volume, and who has removed it.</summary>
public sealed class LeftoverTests
{
    [Theory]
    [InlineData(-20, false)]
    [InlineData(20, true)]
    public void The_pod_of_an_attempt_whose_Job_is_gone_counts_only_when_it_began_after_the_one_that_delivered(int seconds, bool counts)
    {
        var index = Given.Index();
        var (failed, done) = (Given.Job(index, 1), Given.Job(index, 2));
        done.Status = new V1JobStatus { CompletionTime = Given.Now.UtcDateTime, Conditions = [new V1JobCondition { Type = "Complete", Status = "True" }] };
        var left = Given.Pod(failed, Given.Now.AddSeconds(seconds)).With(Given.Ended(Given.Now, 137, "", "OOMKilled"));
        var delivering = Given.Pod(done, Given.Now).With(Given.Ended(Given.Now, 0, Given.Report(BuildReport.Built, Given.VersionOf("a"))));
        var delivered = Planner.Plan(Given.Observed(index) with { Jobs = [done], Pods = [delivering] }).Status;
        Assert.NotNull(delivered.Current);

        var after = Planner.Plan(Given.Observed(index.With(delivered)) with { Jobs = [done], Pods = [left, delivering] });

        Assert.Equal(counts ? Reasons.Interrupted : null, after.Status.Build?.LastFailure?.Reason);
    }
}
