using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s.Models;
using DeletionPolicy = IndexOperator.Api.DeletionPolicy;

namespace IndexOperator.Integration;

/// <summary>Deleting a resource that pods use waits for them, and for nothing that is itself going; it takes with it what nobody else uses.</summary>
public sealed class DeletionInUseTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    // From here on whatever else is in a namespace is not even told to go while one of its pods is there (KEP-5080).
    private static readonly Version PodsGoFirst = new(1, 33);

    private static readonly string Monday = Specs.Version("mon");
    private static readonly string Tuesday = Specs.Version("tue");

    [Fact]
    public async Task Deleted_in_use_it_says_for_whom_it_waits_and_goes_when_they_have_ended()
    {
        await StartPublishedAsync("mon");
        var pods = new List<V1Pod>();
        foreach (var name in new[] { "train-1", "train-0" })
        {
            pods.Add(await RunConsumerAsync(Specs.Consumer(Namespace, name, "mix", Monday)));
        }

        await IndexAsync("mix", "in use", index => index.Status!.Consumers?.Running == 2);
        await DeleteAsync("mix");
        var waiting = await NotReadyAsync("mix", Reasons.InUse);
        Assert.Equal("Pods use this index, and its deletion waits for them: train-0, train-1.", waiting.ConditionOf(ConditionTypes.Ready)!.Message);
        Assert.True(waiting.Is(ConditionTypes.Available, "True"));
        Assert.True(waiting.Is(ConditionTypes.Reconciling, "True", Reasons.InUse));
        await ToldAsync("mix", Reasons.InUse);

        await Player.EndAsync(pods[0], 0, "");
        await IndexAsync("mix", "waiting for the other", index => index.ConditionOf(ConditionTypes.Ready)!.Message!.EndsWith(": train-0.", StringComparison.Ordinal));
        await Client.DeleteAsync(KnownResources.Pods, ObjectKey.Of(pods[1]), TestContext.Current.CancellationToken);
        await GoneAsync("mix");
        Assert.Equal(1, Assert.Single(Told("mix"), told => told.Reason == Reasons.InUse).Times);
        Assert.Empty(JobsEver("mix", BuildAttempt.CleanupTask));
    }

    [Fact]
    public async Task With_the_policy_Delete_its_versions_go_with_it_but_for_those_of_others()
    {
        await StartPublishedAsync("mon", DeletionPolicy.Delete);
        await PublishTuesdayAsync();
        Player.EndAll(_ => (0, Specs.Built("tue", BuildReport.Reused)));
        await CreateAsync("other", spec => spec with { Cache = Cache(DeletionPolicy.Delete) });
        await ReadyAsync("other");

        // Monday's is its own, Tuesday's is also the other's.
        Player.Removals = _ => null;
        var index = await GetAsync("mix");
        await DeleteAsync("mix");
        var cleanup = await Player.PodAsync("mix", BuildAttempt.CleanupTask);
        Assert.Equal(["prune", "--cache-root", "/index-operator/cache", "--discard-staging", $"{index.Metadata.Uid}.", "--remove", Monday], cleanup.Spec.Containers[0].Args);
        var removing = await IndexAsync("mix", "being cleaned up after", found => found.Is(ConditionTypes.Reconciling, "True", Reasons.Deleting));
        Assert.Contains($"Removing {Monday}", removing.ConditionOf(ConditionTypes.Reconciling)!.Message, StringComparison.Ordinal);
        await Player.EndAsync(cleanup, 0, "");
        await GoneAsync("mix");

        Player.Removals = _ => (0, "");
        await DeleteAsync("other");
        await GoneAsync("other");
        Assert.Equal(["--remove", Tuesday], ArgumentsOf(Assert.Single(JobsEver("other", BuildAttempt.CleanupTask))).TakeLast(2));
    }

    [Fact]
    public async Task With_the_policy_Retain_its_versions_stay()
    {
        await StartPublishedAsync("mon");
        await PublishTuesdayAsync();
        await DeleteAsync("mix");
        await GoneAsync("mix");
        Assert.Empty(JobsEver("mix", BuildAttempt.CleanupTask));
        Assert.Empty(JobsEver("mix", BuildAttempt.PruneTask));
    }

    [Fact]
    public async Task Jobs_beside_builds_are_stopped_first()
    {
        await StartOperatorAsync();
        Player.SucceedAll("mon");
        Player.Checks = _ => null;
        await CreateAsync("mix", spec => spec with { Refresh = new RefreshSpec { Interval = GoDuration.Parse("1s") } });
        await Player.RunAsync(await Player.PodAsync("mix", BuildAttempt.CheckTask));
        await DeleteAsync("mix");
        await GoneAsync("mix");
        await UntilAsync("no Job and no pod to be left", () => Jobs.Now.Count == 0 && Pods.Now.Count == 0, Collected);
    }

    [Fact]
    public async Task A_claim_on_its_way_out_makes_it_wait_for_no_pod()
    {
        await StartPublishedAsync("mon", DeletionPolicy.Delete);
        var pod = await RunConsumerAsync(Specs.Consumer(Namespace, "train-0", "mix", Monday));
        await IndexAsync("mix", "in use", index => index.Status!.Consumers?.Running == 1);
        await Client.DeleteAsync(KnownResources.PersistentVolumeClaims, new ObjectKey(Namespace, Specs.CacheClaim), TestContext.Current.CancellationToken);
        await DeleteAsync("mix");
        await GoneAsync("mix");

        // The pod still holds the claim, so it is not that the claim was gone.
        Assert.Contains(Pods.Now, found => found.Metadata.Uid == pod.Metadata.Uid);
        Assert.NotNull((await Client.GetAsync(KnownResources.PersistentVolumeClaims, new ObjectKey(Namespace, Specs.CacheClaim), TestContext.Current.CancellationToken)).Metadata.DeletionTimestamp);
        Assert.Empty(JobsEver("mix", BuildAttempt.CleanupTask));
    }

    [Fact]
    public async Task A_namespace_on_its_way_out_makes_it_wait_for_no_pod()
    {
        await StartPublishedAsync("mon", DeletionPolicy.Delete);
        var pod = await RunConsumerAsync(Specs.Consumer(Namespace, "train-0", "mix", Monday));
        await IndexAsync("mix", "in use", index => index.Status!.Consumers?.Running == 1);

        // Where one of the pods has ended, an API server of 1.20 gives none of a namespace's pods their grace: all of a collection share
        // the options of its deletion.
        foreach (var ended in Pods.Now.Where(found => found.Metadata.Uid != pod.Metadata.Uid))
        {
            await Player.KillAsync(ended);
        }

        await UntilAsync("only the consumer to be left", () => Pods.Now.Count == 1);
        Player.StopsWhenTold = false;
        await Client.DeleteAsync(KnownResources.Namespaces, new ObjectKey("", Namespace), TestContext.Current.CancellationToken);
        if (Plane.ServerVersion < PodsGoFirst)
        {
            // The pod does not listen, and still holds the namespace.
            await GoneAsync("mix", Collected);
            Assert.Contains(Pods.Now, found => found.Metadata.Uid == pod.Metadata.Uid);
        }

        await UntilAsync("the pod to be told to go", () => Pods.Now.All(found => found.Metadata.DeletionTimestamp is not null), Collected);
        foreach (var left in Pods.Now)
        {
            await Player.KillAsync(left);
        }

        await GoneAsync("mix", Collected);
        await UntilAsync(
            $"namespace {Namespace} to be gone",
            async () => await Client.FindAsync(KnownResources.Namespaces, new ObjectKey("", Namespace), TestContext.Current.CancellationToken) is null,
            Collected);
    }

    private static CacheSpec Cache(DeletionPolicy policy) => new() { ClaimName = Specs.CacheClaim, SubPath = null!, DeletionPolicy = policy };

    private async Task StartPublishedAsync(string content, DeletionPolicy policy = DeletionPolicy.Retain)
    {
        await StartOperatorAsync();
        Player.SucceedAll(content);
        await CreateAsync("mix", spec => spec with { Cache = Cache(policy) });
        await ReadyAsync("mix");
    }

    private async Task PublishTuesdayAsync()
    {
        Player.SucceedAll("tue");
        await PatchSpecAsync("mix", new JsonObject { ["dataVersion"] = "2026-11-21" });
        await ReadyAsync("mix");
    }
}
