using System.Text.Json.Nodes;

namespace IndexOperator.E2E;

/// <summary>The restricted Pod Security Standard, for clusters whose API server does not check it (before 1.23).</summary>
public static class Restricted
{
    /// <summary>Asserts that a pod keeps the standard and, as all of ours, has a read-only root file system.</summary>
    public static void Check(JsonNode pod)
    {
        var spec = pod["spec"]!;
        var name = (string?)pod["metadata"]!["name"];
        Assert.True(spec["hostNetwork"] is null && spec["hostPID"] is null && spec["hostIPC"] is null, $"{name} shares the node's namespaces");
        var security = spec["securityContext"]!;
        Assert.True((bool?)security["runAsNonRoot"] == true, $"{name} may run as root");
        Assert.NotEqual(0, (long?)security["runAsUser"]);
        Assert.Equal("RuntimeDefault", (string?)security["seccompProfile"]!["type"]);
        foreach (var volume in spec["volumes"]!.AsArray())
        {
            var kind = Assert.Single(volume!.AsObject().Select(field => field.Key), field => field != "name");
            Assert.Contains(kind, (string[])["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"]);
        }

        foreach (var container in spec["containers"]!.AsArray().Concat(spec["initContainers"]?.AsArray() ?? []))
        {
            var own = container!["securityContext"]!;
            Assert.True((bool?)own["allowPrivilegeEscalation"] == false, $"{name} may gain privileges");
            Assert.True((bool?)own["readOnlyRootFilesystem"] == true, $"{name} has a writable root file system");
            Assert.Null(own["privileged"]);
            Assert.Equal("ALL", (string?)Assert.Single(own["capabilities"]!["drop"]!.AsArray()));
            Assert.Null(own["capabilities"]!["add"]);
        }
    }
}
