using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Planning;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary>The definition of the kind goes, with every resource of it, and comes back. On a control plane of its own: it is everybody's.</summary>
public sealed class DefinitionGoingTests(ControlPlaneFixture own) : ClusterTest(own), IClassFixture<ControlPlaneFixture>
{
    private const string Definition = "pretrainindexes.indexoperator.io";

    [Fact]
    public async Task Removed_in_use_it_waits_for_no_pod_and_installed_again_it_finds_its_versions()
    {
        var first = await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("mix");
        var built = (await ReadyAsync("mix")).Status!.Current!;
        var pod = await RunConsumerAsync(Specs.Consumer(Namespace, "train-0", "mix", built.Version));
        await IndexAsync("mix", "in use", index => index.Status!.Consumers?.Running == 1);

        await Plane.KubectlAsync("delete", "crd", Definition, "--wait=false");
        await UntilAsync("the definition to be gone", async () => (await Plane.TryKubectlAsync(["get", "crd", Definition])).ExitCode != 0, Collected);
        Assert.Contains(Pods.Now, found => found.Metadata.Uid == pod.Metadata.Uid && found.Metadata.DeletionTimestamp is null);
        await first.StopAsync();

        await Plane.ApplyCrdAsync();
        Player.EndAll(_ => (0, Specs.Built(outcome: BuildReport.Reused)));
        await StartOperatorAsync();
        await UntilAsync("the kind to be served", async () => await CreateAsync("mix") is not null);
        var reused = await ReadyAsync("mix");
        Assert.True(reused.Is(ConditionTypes.Ready, "True", Reasons.Reused));
        Assert.Equal(built.Version, reused.Status!.Current!.Version);
        Assert.Equal(1, reused.Status.Consumers?.Running);
        Assert.Empty(JobsEver("mix", BuildAttempt.CleanupTask));
    }
}
