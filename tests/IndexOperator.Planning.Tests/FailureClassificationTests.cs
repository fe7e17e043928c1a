using System.Text.Json;
using IndexOperator.Api;
using k8s.Models;

namespace IndexOperator.Planning.Tests;

public sealed class FailureClassificationTests
{
    private static readonly PretrainIndex Index = Given.Index();

    [Fact]
    public void A_report_says_it_best() =>
        Assert.Equal((Reasons.DataMissing, "No such file."), Of(Given.Ended(Given.Now, 3, Given.Failure(Reasons.DataMissing, "No such file."))));

    [Fact]
    public void A_report_with_a_reason_of_its_own_counts_as_a_crash() =>
        Assert.Equal((Reasons.BuilderCrashed, "Hm."), Of(Given.Ended(Given.Now, 1, Given.Failure("Published", "Hm."))));

    [Fact]
    public void A_report_without_a_message_points_to_the_log() =>
        Assert.Contains("See the log of Job", Of(Given.Ended(Given.Now, 4, Given.Failure(Reasons.OutOfSpace, ""))).Message, StringComparison.Ordinal);

    [Fact]
    public void Running_out_of_memory_beats_what_was_said_before() =>
        Assert.Equal(Reasons.OutOfMemory, Of(Given.Ended(Given.Now, 137, Given.Failure(Reasons.Interrupted), "OOMKilled")).Reason);

    [Theory]
    [InlineData("Evicted")]
    [InlineData("Preempting")]
    [InlineData("NodeLost")]
    [InlineData("Terminated")]
    public void A_pod_that_the_kubelet_ended_was_evicted(string reason)
    {
        var status = Given.Ended(Given.Now, 137, null);
        status.Reason = reason;

        Assert.Equal(Reasons.Evicted, Of(status).Reason);
    }

    [Fact]
    public void A_disrupted_pod_was_evicted_unless_its_builder_says_why_it_ended()
    {
        var silent = Disrupted(Given.Ended(Given.Now, 137, null));
        var speaking = Disrupted(Given.Ended(Given.Now, 75, Given.Failure(Reasons.Interrupted)));

        Assert.Equal(Reasons.Evicted, Of(silent).Reason);
        Assert.Equal(Reasons.Interrupted, Of(speaking).Reason);
    }

    [Fact]
    public void A_job_out_of_time_timed_out_while_it_ran() =>
        Assert.Equal(Reasons.Timeout, Of(Given.Running(Given.Now), "DeadlineExceeded").Reason);

    [Fact]
    public void An_interruption_by_the_deadline_is_a_timeout() =>
        Assert.Equal(Reasons.Timeout, Of(Given.Ended(Given.Now, 75, Given.Failure(Reasons.Interrupted)), "DeadlineExceeded").Reason);

    [Fact]
    public void A_job_out_of_time_whose_pod_never_started_failed_for_what_kept_it() =>
        Assert.Equal(Reasons.ImagePull, Of(Given.Waiting("ErrImagePull", "not found", Given.Now), "DeadlineExceeded").Reason);

    [Fact]
    public void A_job_out_of_time_whose_pod_is_gone_is_judged_by_the_last_status()
    {
        var index = Given.Index();
        index.Status = new PretrainIndexStatus { Build = new BuildStatus { Job = Given.Job(index).Metadata.Name, Progress = Reasons.Unschedulable } };

        Assert.Equal(Reasons.Unschedulable, FailureClassification.Of(Given.Failed(index, null, "DeadlineExceeded"), index).Reason);
    }

    [Fact]
    public void A_pod_that_is_gone_was_evicted() => Assert.Equal(Reasons.Evicted, Of(null).Reason);

    [Fact]
    public void A_crash_quotes_the_end_of_the_log_on_one_line()
    {
        var (reason, message) = Of(Given.Ended(Given.Now, 134, "first\n" + new string('x', 3000) + "\r\n\tlast words\n"));

        Assert.Equal(Reasons.BuilderCrashed, reason);
        Assert.EndsWith("last words", message, StringComparison.Ordinal);
        Assert.DoesNotContain("first", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.True(message.Length < 1200);
    }

    [Fact]
    public void Control_characters_of_a_pod_never_reach_a_terminal() =>
        Assert.Equal("a [31mred b", Of(Given.Ended(Given.Now, 1, Given.Failure(Reasons.DataCorrupt, "a\u001b[31mred\u0000b"))).Message);

    [Fact]
    public void A_shortened_message_reads_back_as_it_was_written()
    {
        var emoji = string.Concat(Enumerable.Repeat("\U0001F600", 1500));
        var message = Of(Given.Ended(Given.Now, 1, "x" + emoji)).Message;

        var text = JsonSerializer.Serialize(new PretrainIndex { Status = new PretrainIndexStatus { ClaimName = message } }, PlanningJsonContext.Default.PretrainIndex);
        Assert.Equal(message, JsonSerializer.Deserialize(text, PlanningJsonContext.Default.PretrainIndex)!.Status!.ClaimName);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no JSON")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{"outcome":"Built","version":"../../../etc","fingerprint":"sha256:00"}""")]
    [InlineData("""{"outcome":"Failed","reason":"a b; rm -rf /"}""")]
    [InlineData("""{"outcome":"Failed","reason":"X","message":"\ud800"}""")]
    [InlineData("""{"outcome":"Failed","reason":"X","sizeBytes":-1}""")]
    [InlineData("""{"outcome":1e999}""")]
    public void What_is_no_report_is_a_crash(string message) => Assert.Equal(Reasons.BuilderCrashed, Of(Given.Ended(Given.Now, 1, message)).Reason);

    private static (string Reason, string Message) Of(V1PodStatus? pod, string reason = "BackoffLimitExceeded")
    {
        var failure = FailureClassification.Of(Given.Failed(Index, pod, reason), Index);
        return (failure.Reason!, failure.Message!);
    }

    private static V1PodStatus Disrupted(V1PodStatus status)
    {
        status.Conditions = [new V1PodCondition { Type = "DisruptionTarget", Status = "True", Reason = "EvictionByEvictionAPI", Message = "drained" }];
        return status;
    }
}
