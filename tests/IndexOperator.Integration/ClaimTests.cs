using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s.Models;

namespace IndexOperator.Integration;

/// <summary>Claims that grow, wait, go and come back.</summary>
public sealed class ClaimTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_template_that_grows_asks_once_for_a_larger_volume()
    {
        var (_, line) = await StartProxiedOperatorAsync();
        var claim = await PublishOnTemplateAsync(allowExpansion: true);
        await PatchSpecAsync("mix", Sized("2Gi"));
        await UntilAsync("the claim to ask for more", async () => await RequestAsync(claim) == "2Gi");
        var grown = await IndexAsync("mix", "looked at", index => index.Status!.ObservedGeneration == 2);
        Assert.True(grown.Is(ConditionTypes.Ready, "True"));

        // A smaller one is no request: volumes do not shrink.
        await PatchSpecAsync("mix", Sized("1536Mi"));
        await IndexAsync("mix", "looked at", index => index.Status!.ObservedGeneration == 3);
        Assert.Equal("2Gi", await RequestAsync(claim));
        Assert.Single(line.Sent, request => request.Method == "PATCH" && request.Path.Contains("/persistentvolumeclaims/", StringComparison.Ordinal));
        Assert.Single(JobsEver("mix"));
    }

    [Fact]
    public async Task A_volume_that_cannot_grow_is_told_and_takes_nothing_away()
    {
        await StartOperatorAsync();
        var claim = await PublishOnTemplateAsync(allowExpansion: false);
        await PatchSpecAsync("mix", Sized("2Gi"));
        await ToldAsync("mix", Reasons.ClaimExpansionFailed);
        Assert.Contains(Told("mix"), told => told.Reason == Reasons.ClaimExpansionFailed && told.Note.Contains($"PersistentVolumeClaim \"{claim}\"", StringComparison.Ordinal));
        var refused = await IndexAsync("mix", "looked at", index => index.Status!.ObservedGeneration == 2);
        Assert.True(refused.Is(ConditionTypes.Ready, "True"));
        Assert.True(refused.Is(ConditionTypes.Available, "True"));
        Assert.Equal("1Gi", await RequestAsync(claim));

        // Nor does it keep the next version from being built, and the status from saying so.
        Player.EndAll(_ => null);
        await PatchSpecAsync("mix", new JsonObject { ["dataVersion"] = "2026-11-21" });
        var pod = await Player.PodAsync("mix");
        await Player.RunAsync(pod);
        var building = await IndexAsync("mix", "seen to run", index => index.Status!.Build?.RunningSince is not null);
        Assert.True(building.Is(ConditionTypes.Reconciling, "True", Reasons.Building));
        Assert.True(building.Is(ConditionTypes.Stalled, "False"));
        await Player.EndAsync(pod, 0, Specs.Built("second"));
        Assert.Equal(Specs.Version("second"), (await ReadyAsync("mix")).Status!.Current!.Version);
    }

    [Theory]
    [InlineData(Specs.DataClaim, "spec.data.claimName")]
    [InlineData(Specs.CacheClaim, "spec.cache")]
    public async Task A_claim_that_is_not_bound_is_named_where_its_pod_waits_for_it(string pending, string field)
    {
        await StartOperatorAsync();
        await BindAsync(pending == Specs.DataClaim ? Specs.CacheClaim : Specs.DataClaim);
        await CreateAsync("mix");
        var pod = await Player.PodAsync("mix");
        await Player.UnschedulableAsync(pod, "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.");
        var waiting = await NotReadyAsync("mix", Reasons.ClaimPending);
        Assert.StartsWith($"{field}: PersistentVolumeClaim \"{pending}\" is not bound to a volume.", waiting.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);
        Assert.Contains("0/3 nodes are available", waiting.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);

        await BindAsync(pending);
        await Player.EndAsync(pod, 0, Specs.Built());
        await ReadyAsync("mix");
    }

    [Fact]
    public async Task What_was_published_on_a_claim_that_went_is_not_available_and_looked_at_when_the_claim_is_back()
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("mix");
        await ReadyAsync("mix");
        await Client.DeleteAsync(KnownResources.PersistentVolumeClaims, new ObjectKey(Namespace, Specs.CacheClaim), TestContext.Current.CancellationToken);
        var lost = await IndexAsync("mix", "without its claim", index => index.Is(ConditionTypes.Stalled, "True", Reasons.ClaimMissing));
        Assert.True(lost.Is(ConditionTypes.Available, "False", Reasons.ClaimMissing));
        Assert.True(lost.Is(ConditionTypes.Ready, "False", Reasons.ClaimMissing));
        Assert.Contains("spec.cache.claimName: PersistentVolumeClaim \"npy-index\"", lost.ConditionOf(ConditionTypes.Available)!.Message, StringComparison.Ordinal);
        await ToldAsync("mix", Reasons.ClaimMissing);

        // A new claim of the name is a new volume, and empty. The pods that built on the old one do not keep it.
        Player.Checks = pod => (0, Specs.Checked(pod, report => Specs.Damaged(report, $"{report.Version} is not there")));
        await UntilAsync("the claim to be gone", async () => await Client.FindAsync(KnownResources.PersistentVolumeClaims, new ObjectKey(Namespace, Specs.CacheClaim), TestContext.Current.CancellationToken) is null);
        await CreateClaimAsync(Specs.CacheClaim);
        await UntilAsync("a second build", () => JobsEver("mix").Count == 2);
        await ReadyAsync("mix");
        Assert.Single(JobsEver("mix", BuildAttempt.CheckTask));
    }

    [Fact]
    public async Task A_claim_that_lost_its_volume_is_told()
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        await BindAsync(Specs.CacheClaim);
        await CreateAsync("mix");
        await ReadyAsync("mix");
        await Plane.KubectlAsync("delete", "pv", VolumeOf(Specs.CacheClaim), "--wait=false");
        await Plane.KubectlAsync("patch", "pv", VolumeOf(Specs.CacheClaim), "--type=merge", "-p", """{"metadata":{"finalizers":null}}""");
        var lost = await IndexAsync("mix", "without its volume", index => index.Is(ConditionTypes.Available, "False", Reasons.ClaimMissing));
        Assert.True(lost.Is(ConditionTypes.Stalled, "True", Reasons.ClaimMissing));
        Assert.Contains("has lost its volume. Restore the PersistentVolume", lost.ConditionOf(ConditionTypes.Ready)!.Message, StringComparison.Ordinal);
    }

    private static JsonObject Sized(string size) => new() { ["cache"] = new JsonObject { ["claimTemplate"] = new JsonObject { ["size"] = size } } };

    private async Task<string?> RequestAsync(string claim) => (string?)(await Plane.GetJsonAsync("pvc", claim, "-n", Namespace))["spec"]!["resources"]!["requests"]!["storage"];

    /// <summary>Publishes on a claim that was made from a template and is bound; gives the claim's name.</summary>
    private async Task<string> PublishOnTemplateAsync(bool allowExpansion)
    {
        var storage = $"storage-of-{Namespace}";
        await Plane.KubectlWithInputAsync(
            $$"""{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":"{{storage}}"},"provisioner":"example.com/by-hand","allowVolumeExpansion":{{(allowExpansion ? "true" : "false")}}}""",
            "create", "-f", "-");
        Player.SucceedAll();
        await CreateAsync("mix", spec => spec with { Cache = new CacheSpec { SubPath = null!, ClaimTemplate = new ClaimTemplate { StorageClassName = storage, Size = new ResourceQuantity("1Gi") } } });
        var claim = (await ReadyAsync("mix")).Status!.ClaimName!;
        await BindAsync(claim, storage);
        return claim;
    }
}
