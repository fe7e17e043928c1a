using IndexOperator.Api;

namespace IndexOperator.Planning.Tests;

/// <summary>Which of a pod's troubles is its claim's.</summary>
public sealed class PendingClaimTests
{
    [Theory]
    [InlineData("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.", "Pending", true)]
    [InlineData("0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind.", "Pending", true)]
    [InlineData("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.", "Pending", false)]
    [InlineData("0/3 nodes are available: 3 Insufficient memory.", "Pending", false)]
    [InlineData("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.", "Bound", false)]
    public void A_pending_claim_is_the_trouble_only_where_the_scheduler_speaks_of_volumes(string words, string phase, bool isClaims)
    {
        var cache = Given.Claim("npy-index");
        cache.Status.Phase = phase;
        var observed = Given.Observed(Given.Index()) with { Claims = [Given.Claim("corpus"), cache] };

        var pending = ClaimPolicy.Pending(observed, new PodTrouble(Reasons.Unschedulable, $"No node fits pod x: {words}", null));

        Assert.Equal(isClaims ? Reasons.ClaimPending : null, pending?.Reason);
        Assert.True(pending is null || (pending.Message.Contains("\"npy-index\"", StringComparison.Ordinal) && pending.Message.Contains(words, StringComparison.Ordinal)));
    }
}
