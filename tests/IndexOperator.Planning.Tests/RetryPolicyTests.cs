using IndexOperator.Api;

namespace IndexOperator.Planning.Tests;

public sealed class RetryPolicyTests
{
    private static readonly DateTimeOffset At = Given.Now;

    [Theory]
    [InlineData(1, 10)]
    [InlineData(2, 20)]
    [InlineData(3, 40)]
    [InlineData(7, 600)]
    [InlineData(100, 600)]
    [InlineData(int.MaxValue, 600)]
    public void A_passing_trouble_is_retried_after_a_doubling_pause(int attempt, int seconds)
    {
        var decision = After(Reasons.Evicted, attempt, retries: int.MaxValue);

        Assert.Equal(new RetryDecision(At + TimeSpan.FromSeconds(seconds), NeedsPerson: false), decision);
    }

    [Theory]
    [InlineData(Reasons.BuilderCrashed)]
    [InlineData(Reasons.CreateFailed)]
    [InlineData(Reasons.ContainerStart)]
    [InlineData(Reasons.Evicted)]
    [InlineData(Reasons.ImagePull)]
    [InlineData(Reasons.Interrupted)]
    [InlineData(Reasons.OutOfMemory)]
    [InlineData(Reasons.StorageError)]
    [InlineData(Reasons.Timeout)]
    [InlineData(Reasons.Unschedulable)]
    public void A_passing_trouble_needs_a_person_once_the_retries_are_used_up(string reason)
    {
        Assert.False(After(reason, attempt: 3, retries: 3).NeedsPerson);
        Assert.Equal(new RetryDecision(At + RetryPolicy.FirstLook, NeedsPerson: true), After(reason, attempt: 4, retries: 3));
        Assert.True(After(reason, attempt: 1, retries: 0).NeedsPerson);
    }

    [Theory]
    [InlineData(Reasons.ClaimMissing)]
    [InlineData(Reasons.DataCorrupt)]
    [InlineData(Reasons.DataMissing)]
    [InlineData(Reasons.EmptySplit)]
    [InlineData(Reasons.OutOfSpace)]
    [InlineData(Reasons.PermissionDenied)]
    [InlineData(Reasons.ReadOnlyCache)]
    [InlineData(Reasons.VersionCorrupt)]
    [InlineData("SomethingNew")]
    public void What_a_person_must_mend_is_looked_at_rarely(string reason)
    {
        Assert.Equal(new RetryDecision(At + TimeSpan.FromMinutes(5), NeedsPerson: true), After(reason, attempt: 1, retries: 3));
        Assert.Equal(new RetryDecision(At + TimeSpan.FromHours(1), NeedsPerson: true), After(reason, attempt: 50, retries: 3));
    }

    [Theory]
    [InlineData(Reasons.InvalidSpec)]
    [InlineData(Reasons.OversampledBlend)]
    public void What_only_the_spec_cures_waits_for_the_spec(string reason) =>
        Assert.Equal(new RetryDecision(null, NeedsPerson: true), After(reason, attempt: 1, retries: 3));

    private static RetryDecision After(string reason, int attempt, int retries) =>
        RetryPolicy.After(new FailureStatus { Reason = reason }, attempt, retries, At);
}
