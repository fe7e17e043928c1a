using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Planning;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s.Models;

namespace IndexOperator.Integration;

/// <summary>The ConfigMap that tells what to mount, on a real API server.</summary>
public sealed class BindingTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    private const string Name = "mix-binding";

    [Fact]
    public async Task It_is_there_when_the_index_is_Ready_and_follows_a_switch()
    {
        await StartOperatorAsync();
        Player.SucceedAll("monday");
        var index = await CreateAsync("mix");
        var ready = await ReadyAsync("mix");

        // No waiting: whoever sees Ready sees the binding.
        var binding = await BindingAsync();
        Assert.Equal((Specs.Version("monday"), Specs.CacheClaim, $"versions/{Specs.Version("monday")}"), (binding.Data["version"], binding.Data["claimName"], binding.Data["path"]));
        Assert.Equal(("2026-11-20", "/npy_index"), (binding.Data["dataVersion"], binding.Data["PRETRAIN_INDEX_DIR"]));
        Assert.Equal(index.Metadata.Uid, Assert.Single(binding.Metadata.OwnerReferences).Uid);
        Assert.Equal(ready.Status!.Current!.Version, binding.Data["PRETRAIN_INDEX_VERSION"]);

        Player.SucceedAll("tuesday");
        await PatchSpecAsync("mix", new JsonObject { ["dataVersion"] = "2026-11-21" });
        await ReadyAsync("mix");
        var next = await BindingAsync();
        Assert.Equal((Specs.Version("tuesday"), "2026-11-21", binding.Metadata.Uid), (next.Data["version"], next.Data["dataVersion"], next.Metadata.Uid));

        // Each version was told once: created, and patched.
        await UntilAsync("the watch to show the last binding", () => Changes().Any(change => change.ResourceVersion() == next.ResourceVersion()));
        Assert.Equal([Specs.Version("monday"), Specs.Version("tuesday")], Changes().Select(change => change.Data["version"]));
        await DeleteAsync("mix");
        await GoneAsync("mix");
        await UntilAsync("the binding to go with the resource", () => ConfigMaps.Now.All(map => map.Metadata.Name != Name), Collected);
    }

    [Fact]
    public async Task It_is_restored_when_somebody_deletes_or_changes_it()
    {
        await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("mix");
        await ReadyAsync("mix");
        var first = await BindingAsync();

        await Client.DeleteAsync(KnownResources.ConfigMaps, new ObjectKey(Namespace, Name), CancellationToken.None);
        await UntilAsync("another binding", () => ConfigMaps.Now.Any(map => map.Metadata.Name == Name && map.Metadata.Uid != first.Metadata.Uid));

        await Client.MergePatchAsync(
            KnownResources.ConfigMaps,
            new ObjectKey(Namespace, Name),
            new JsonObject { ["data"] = new JsonObject { ["path"] = "elsewhere", ["note"] = "of a person" } },
            null,
            CancellationToken.None);
        await UntilAsync("the binding to be put right", async () => (await BindingAsync()).Data["path"] == first.Data["path"]);
        Assert.Equal("of a person", (await BindingAsync()).Data["note"]);

        // Without its labels it is out of the operator's sight, and found again by its name.
        await Client.MergePatchAsync(
            KnownResources.ConfigMaps, new ObjectKey(Namespace, Name), new JsonObject { ["metadata"] = new JsonObject { ["labels"] = null } }, null, CancellationToken.None);
        await UntilAsync("its labels to be back", async () => (await BindingAsync()).Metadata.Labels?.GetValueOrDefaultOf(Labels.Task) == BindingPolicy.Task);
    }

    [Fact]
    public async Task Somebodys_own_ConfigMap_of_the_name_is_left_alone_and_nothing_waits_for_it()
    {
        var own = await Client.CreateAsync(
            KnownResources.ConfigMaps,
            new V1ConfigMap { Metadata = new V1ObjectMeta { Name = Name, NamespaceProperty = Namespace }, Data = new Dictionary<string, string> { ["mine"] = "1" } },
            CancellationToken.None);
        await StartOperatorAsync();
        Player.SucceedAll();
        await CreateAsync("mix");
        await ReadyAsync("mix");
        await ToldAsync("mix", Reasons.BindingFailed);

        var there = await BindingAsync();
        Assert.Equal((own.Metadata.Uid, own.Metadata.ResourceVersion), (there.Metadata.Uid, there.Metadata.ResourceVersion));
        Assert.Contains("left alone", Told("mix").First(told => told.Reason == Reasons.BindingFailed).Note, StringComparison.Ordinal);
    }

    private Task<V1ConfigMap> BindingAsync() => Client.GetAsync(KnownResources.ConfigMaps, new ObjectKey(Namespace, Name), CancellationToken.None);

    private List<V1ConfigMap> Changes() => [.. ConfigMaps.Changes.Where(change => change.New.Metadata.Name == Name && change.New.Metadata.DeletionTimestamp is null).Select(change => change.New)];
}
