using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>A claim on its way out is not held by pods that are of no use any more.</summary>
public sealed class GoingClaimTests
{
    [Theory]
    [InlineData("pending", true)]
    [InlineData("running", false)]
    [InlineData("failed", true)]
    [InlineData("ended without a word yet", false)]
    public void Only_a_pod_that_may_still_work_or_tell_holds_it(string build, bool isLetGo)
    {
        var index = Given.Index();
        var job = Given.Job(index);
        var pod = Given.Pod(job, Given.Now);
        if (build is "failed" or "ended without a word yet")
        {
            job.Status = new V1JobStatus { Conditions = [new V1JobCondition { Type = "Failed", Status = "True", LastTransitionTime = Given.Now.UtcDateTime }] };
        }

        pod.Status = build switch
        {
            "running" => Given.Running(Given.Now),
            "failed" => Given.Ended(Given.Now, 1, "boom"),
            _ => pod.Status,
        };
        var going = Given.Claim("npy-index");
        going.Metadata.DeletionTimestamp = Given.Now.UtcDateTime;
        var observed = Given.Observed(index) with { Jobs = [job], Pods = [pod], Claims = [Given.Claim("corpus"), going] };

        var plan = Planner.Plan(observed);

        Assert.Equal(isLetGo, plan.Actions.OfType<DeleteJob>().Any(action => action.Uid == job.Metadata.Uid));
        Assert.Empty(Planner.Plan(observed with { Claims = [Given.Claim("corpus"), Given.Claim("npy-index")] }).Actions.OfType<DeleteJob>());
    }
}
