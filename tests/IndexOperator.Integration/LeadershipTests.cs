using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace IndexOperator.Integration;

/// <summary>Several replicas, one that works.</summary>
public sealed class LeadershipTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_second_replica_takes_over_when_the_first_is_stopped_and_builds_nothing_twice()
    {
        var first = await StartReplicaAsync();
        await UntilAsync("the first replica to lead", () => Leads(first));
        var second = await StartReplicaAsync();
        await UntilAsync("the second replica to be ready", async () => (await second.GetAsync("/readyz")).Status == 200);
        await CreateAsync("mix");
        var pod = await Player.PodAsync("mix");
        await Player.RunAsync(pod);
        await IndexAsync("mix", "seen to run", index => index.Status!.Build?.RunningSince is not null);
        Assert.False(Leads(second));
        Assert.Equal(200, (await second.GetAsync("/healthz")).Status);

        await first.StopAsync();
        await UntilAsync("the second replica to lead", () => Leads(second));
        await Player.EndAsync(pod, 0, Specs.Built());
        await ReadyAsync("mix");
        Assert.Single(JobsEver("mix"));
        await ToldAsync("mix", Reasons.Published);
        Assert.All(Told("mix"), told => Assert.Equal(1, told.Times));
        Assert.Distinct(Told("mix").Select(told => told.Reason));
    }

    private static bool Leads(OperatorUnderTest replica) => replica.Services.GetRequiredService<RuntimeHealth>().IsLeader;

    // The Lease's namespace is the operator's own: its Role allows no other.
    private Task<OperatorUnderTest> StartReplicaAsync() =>
        StartOperatorAsync(options => options with { LeaderElection = true, LeaderElectionNamespace = OperatorAccess.Namespace });
}
