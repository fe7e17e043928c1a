using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using k8s.Models;

namespace IndexOperator.Integration;

/// <summary>The operator as it is shipped, webhook included: what a pod is given passes the API server's checks.</summary>
public sealed class PodInjectionOnServerTests(ControlPlaneFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_pod_that_names_an_index_gets_its_mounts_and_is_held_back_and_one_that_names_none_gets_nothing()
    {
        var site = Keep(await WebhookSite.NewAsync(Plane, Namespace));
        var callee = await StartOperatorAsync(options => site.On(options));
        await site.CallAsync(callee);
        var refusal = await Assert.ThrowsAsync<ApiException>(() => Client.CreateAsync(KnownResources.Pods, Pod("early"), CancellationToken.None));
        Assert.Equal(403, refusal.Code);
        await CreateAsync("mix");
        var made = await Client.CreateAsync(KnownResources.Pods, Pod("trainer"), CancellationToken.None);
        var mounts = made.Spec.Containers[0].VolumeMounts.Select(mount => mount.Name).ToList();
        Assert.Contains(InjectedNames.DataVolume, mounts);
        Assert.Contains(InjectedNames.CacheVolume, mounts);
        Assert.Contains(made.Spec.Containers[0].Env, variable => variable.Name == InjectedNames.VersionVariable);
        var isGated = Plane.ServerVersion >= new Version(1, 30);
        Assert.Equal(isGated ? "Gate" : "InitContainer", made.Metadata.Annotations[Annotations.Injected]);
        Assert.Equal(isGated ? null : InjectedNames.WaitContainer, made.Spec.InitContainers?[0].Name);
    }

    private V1Pod Pod(string name) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = Namespace, Labels = new Dictionary<string, string> { [Labels.Index] = "mix" } },
        Spec = new V1PodSpec { Containers = [new V1Container { Name = "train", Image = "registry.example/train:test" }] },
    };
}
