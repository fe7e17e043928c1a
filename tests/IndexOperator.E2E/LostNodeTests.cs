using System.Diagnostics;
using System.Globalization;
using IndexOperator.TestSupport;

namespace IndexOperator.E2E;

/// <summary>A machine that stops in the middle of a build. Runs last: no other test meets a node that has just come back.</summary>
public sealed class LostNodeTests(Cluster cluster) : ScenarioTests(cluster, "lost")
{
    [Fact]
    public async Task A_build_whose_node_is_lost_ends_Ready_when_the_node_is_back()
    {
        await Here.ApplyAsync(Scenario.SlowManifest("slow"));
        var pod = await Here.BuildingAsync("slow");
        try
        {
            // The machine stops in the middle: nobody reports anything, and what was written so far lies there.
            using (var kubelet = Process.GetProcessById(int.Parse(File.ReadAllText(Path.Combine(Here.Cluster.Folder, "run", "kubelet.pid")).Split(' ')[0], CultureInfo.InvariantCulture)))
            {
                kubelet.Kill();
            }

            Cluster.Kill(pod, "index-builder");
            Assert.NotEmpty(Here.Staging());
            // A cloud provider takes the node off the list, and the pod collector then the pods off the node.
            await Here.KubectlAsync("delete", "node", (string)pod["spec"]!["nodeName"]!);
            await Wait.Until(
                "the build's pod to be collected",
                async () => (await Here.PodsAsync("slow")).All(other => (string?)other["metadata"]!["uid"] != (string?)pod["metadata"]!["uid"]),
                Cluster.Patience);
            Assert.False(Scenario.Is((await Here.IndexAsync("slow"))["status"]!, "Stalled", "True"));
        }
        finally
        {
            await Cluster.RunAsync(RepositoryRoot.PathOf("hack/node.sh"), "up", Here.Cluster.Folder, "--gpu-label");
        }

        await Here.Cluster.RolloutAsync();
        await Here.EndsWellAsync("slow");
    }
}
