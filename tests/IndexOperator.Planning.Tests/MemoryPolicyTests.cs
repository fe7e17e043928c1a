using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

/// <summary>What memory follows an attempt that was killed for its memory.</summary>
public sealed class MemoryPolicyTests
{
    private const long Gi = 1L << 30;

    [Theory]
    [InlineData(4 * Gi, null, null, "64Gi", 5 * Gi)]
    [InlineData(4 * Gi, "4Gi", null, "64Gi", 5 * Gi)]
    [InlineData(4 * Gi, "1Gi", "1Gi", "64Gi", 5 * Gi)]
    [InlineData(4 * Gi, "4Gi", "1Gi", "64Gi", 5 * Gi)]
    [InlineData(4 * Gi, null, "512Mi", "64Gi", 5 * Gi)]
    [InlineData(4 * Gi, null, null, "5Gi", 5 * Gi)]
    [InlineData(0, null, null, "64Gi", 0L)]
    public void It_is_given_a_quarter_more_than_is_predicted(long predicted, string? limit, string? request, string most, long given)
    {
        var decision = After(predicted, limit, request, most);

        Assert.Equal(new MemoryPolicy.Decision(given, null), decision);
    }

    [Theory]
    [InlineData("5Gi", null)]
    [InlineData("8Gi", "1Gi")]
    [InlineData("6000000k", null)]
    [InlineData(null, "5Gi")]
    public void What_it_has_already_is_no_more_than_an_ordinary_retry(string? limit, string? request) => Assert.Null(After(4 * Gi, limit, request, "64Gi"));

    [Theory]
    [InlineData(4 * Gi, "4Gi")]
    [InlineData(4 * Gi, "5119Mi")]
    [InlineData(long.MaxValue, "64Gi")]
    public void Beyond_what_the_administrator_allows_a_person_is_asked(long predicted, string most)
    {
        var decision = After(predicted, "1Gi", null, most)!;

        Assert.Null(decision.NextBytes);
        Assert.Contains($"at most {most} (--build-memory-max)", decision.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_had_been_given_more_is_not_given_more_again()
    {
        var decision = After(4 * Gi, "1Gi", null, "64Gi", raisedTo: "5368709120")!;

        Assert.Null(decision.NextBytes);
        Assert.Contains("It had been given more than it was predicted to need.", decision.Advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Reasons.Evicted)]
    [InlineData(Reasons.BuilderCrashed)]
    [InlineData(Reasons.Timeout)]
    public void Another_failure_says_nothing_of_memory(string reason) => Assert.Null(After(4 * Gi, null, null, "64Gi", reason: reason));

    [Fact]
    public void A_builder_that_did_not_say_what_it_needs_is_not_guessed_for() => Assert.Null(After(null, null, null, "64Gi"));

    [Theory]
    [InlineData("5368709120", "64Gi", 5 * Gi)]
    [InlineData("5368709120", "5Gi", 5 * Gi)]
    [InlineData("5368709120", "4Gi", null)]
    [InlineData(null, "64Gi", null)]
    [InlineData("", "64Gi", null)]
    [InlineData("5Gi", "64Gi", null)]
    [InlineData("-5368709120", "64Gi", null)]
    [InlineData("0", "64Gi", null)]
    [InlineData(" 5368709120", "64Gi", null)]
    [InlineData("99999999999999999999999999", "64Gi", null)]
    [InlineData("9223372036854775807", "64Gi", null)]
    public void What_an_attempt_was_given_the_next_is_given_too_if_it_may_be(string? annotation, string most, long? kept)
    {
        var (observed, attempt) = Attempt(null, null, null, most, annotation);

        Assert.Equal(kept, MemoryPolicy.KeptAfter(observed, attempt));
    }

    private static MemoryPolicy.Decision? After(long? predicted, string? limit, string? request, string most, string? raisedTo = null, string reason = Reasons.OutOfMemory)
    {
        var (observed, attempt) = Attempt(predicted, limit, request, most, raisedTo);
        return MemoryPolicy.After(observed, attempt, new FailureStatus { Reason = reason });
    }

    private static (ObservedState Observed, BuildAttempt Attempt) Attempt(long? predicted, string? limit, string? request, string most, string? raisedTo)
    {
        static Dictionary<string, ResourceQuantity>? Memory(string? text) => text is null ? null : new() { ["memory"] = new ResourceQuantity(text) };
        var index = Given.Index(spec => spec with { Build = new BuildSpec { Resources = new V1ResourceRequirements { Limits = Memory(limit), Requests = Memory(request) } } });
        var job = Given.Job(index);
        job.Status = Given.JobEnd("Failed", "BackoffLimitExceeded", Given.Now);
        if (raisedTo is not null)
        {
            job.Metadata.Annotations[Annotations.Memory] = raisedTo;
        }

        var begun = predicted is { } bytes ? new BuildReport { Outcome = BuildReport.Begun, PredictedMemoryBytes = bytes }.ToJson() : null;
        var observed = Given.Observed(index) with
        {
            Jobs = [job],
            Pods = [Given.Pod(job, Given.Now).With(Given.Ended(Given.Now, 137, begun, "OOMKilled"))],
            Settings = new PlannerSettings { MaximumBuildMemory = most },
        };
        return (observed, BuildAttempt.AllOf(observed, BuildAttempt.BuildTask).Single());
    }
}
