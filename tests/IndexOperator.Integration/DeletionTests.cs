using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s.Models;

namespace IndexOperator.Integration;

/// <summary>Deleting a resource leaves nothing behind, and never hangs.</summary>
public sealed class DeletionTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task Deleted_before_the_builder_started_it_is_gone_without_a_cleanup()
    {
        await StartOperatorAsync();
        await CreateAsync("mix");
        await Player.PodAsync("mix");
        await DeleteAsync("mix");
        await GoneAsync("mix");
        await NothingLeftAsync();
        Assert.Empty(JobsEver("mix", BuildAttempt.CleanupTask));
    }

    [Fact]
    public async Task Deleted_while_the_builder_runs_its_staging_is_removed_by_a_Job()
    {
        await StartOperatorAsync();
        Player.StopsWhenTold = false;
        var index = await CreateAsync("mix");
        var pod = await Player.PodAsync("mix");
        await Player.RunAsync(pod);
        await IndexAsync("mix", "seen to run", found => found.Status!.Build?.RunningSince is not null);
        await DeleteAsync("mix");
        await UntilAsync("the build Job to be deleted", () => Jobs.Now.All(job => job.Metadata.DeletionTimestamp is not null));
        await UntilAsync("the pod to be told", () => Pods.Now.All(found => found.Metadata.DeletionTimestamp is not null));

        // The builder still writes: nobody sweeps behind its back.
        Assert.Empty(JobsEver("mix", BuildAttempt.CleanupTask));
        await IndexAsync("mix", "waiting", found => found.Is(ConditionTypes.Reconciling, "True", Reasons.Deleting));
        await Player.KillAsync(pod);

        var cleanup = await Player.PodAsync("mix", BuildAttempt.CleanupTask);
        Assert.Equal(["prune", "--cache-root", "/index-operator/cache", "--discard-staging", $"{index.Metadata.Uid}."], cleanup.Spec.Containers[0].Args);
        await Player.EndAsync(cleanup, 0, "");
        await GoneAsync("mix");
        await NothingLeftAsync();
    }

    [Fact]
    public async Task Deleted_after_a_failure_it_sweeps_what_that_left()
    {
        await StartOperatorAsync();
        await CreateAsync("mix");
        var pod = await Player.PodAsync("mix");
        await Player.RunAsync(pod);
        await Player.EndAsync(pod, 137, "", "OOMKilled");
        await NotReadyAsync("mix", Reasons.OutOfMemory);
        await DeleteAsync("mix");
        await Player.EndAsync(await Player.PodAsync("mix", BuildAttempt.CleanupTask), 0, "");
        await GoneAsync("mix");
        await NothingLeftAsync();
    }

    [Fact]
    public async Task A_Ready_resource_goes_at_once_without_a_cleanup()
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("mix");
        await ReadyAsync("mix");
        await DeleteAsync("mix");
        await GoneAsync("mix", TimeSpan.FromSeconds(3));
        await NothingLeftAsync();
        Assert.Empty(JobsEver("mix", BuildAttempt.CleanupTask));
    }

    [Fact]
    public async Task Deleted_while_no_operator_runs_it_goes_when_one_returns()
    {
        var running = await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("mix");
        await ReadyAsync("mix");
        await running.StopAsync();
        await DeleteAsync("mix");
        Assert.NotNull((await GetAsync("mix")).Metadata.DeletionTimestamp);
        await StartOperatorAsync();
        await GoneAsync("mix");
        await NothingLeftAsync();
        Assert.Empty(JobsEver("mix", BuildAttempt.CleanupTask));
    }

    [Fact]
    public async Task Deleted_before_any_Job_it_needs_no_operator()
    {
        await CreateAsync("mix");
        await DeleteAsync("mix");
        await GoneAsync("mix", TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task A_claim_on_its_way_out_holds_no_resource()
    {
        await StartOperatorAsync();
        await CreateAsync("mix");
        await Player.RunAsync(await Player.PodAsync("mix"));
        await IndexAsync("mix", "seen to run", index => index.Status!.Build?.RunningSince is not null);
        await Client.DeleteAsync(KnownResources.PersistentVolumeClaims, new ObjectKey(Namespace, Specs.CacheClaim), TestContext.Current.CancellationToken);
        await DeleteAsync("mix");
        await GoneAsync("mix");
        await NothingLeftAsync();
    }

    [Fact]
    public async Task A_namespace_on_its_way_out_is_not_held_by_a_build()
    {
        await StartOperatorAsync();
        await CreateAsync("mix");
        await Player.RunAsync(await Player.PodAsync("mix"));
        await IndexAsync("mix", "seen to run", index => index.Status!.Build?.RunningSince is not null);
        await Client.DeleteAsync(KnownResources.Namespaces, new ObjectKey("", Namespace), TestContext.Current.CancellationToken);
        await GoneAsync("mix", Collected);
        await UntilAsync(
            $"namespace {Namespace} to be gone",
            async () => await Client.FindAsync(KnownResources.Namespaces, new ObjectKey("", Namespace), TestContext.Current.CancellationToken) is null,
            Collected);
    }

    [Fact]
    public async Task Deleted_and_applied_again_it_starts_anew()
    {
        await StartOperatorAsync();
        var first = await CreateAsync("mix");
        await Player.PodAsync("mix");
        await DeleteAsync("mix");
        await GoneAsync("mix");
        Player.SucceedAll();
        var second = await CreateAsync("mix");
        await ReadyAsync("mix");
        Assert.NotEqual(first.Metadata.Uid, second.Metadata.Uid);
        Assert.Equal(2, JobsEver("mix").Select(job => job.Metadata.Name).Distinct().Count());
    }

    private async Task NothingLeftAsync()
    {
        await UntilAsync("no Job to be left", () => Jobs.Now.Count == 0, Collected);
        await UntilAsync("no pod to be left", () => Pods.Now.Count == 0, Collected);
        await UntilAsync("no ConfigMap to be left", () => ConfigMaps.Now.All(map => map.Metadata.Labels?.ContainsKey(Labels.OwnerName) != true), Collected);
    }
}
