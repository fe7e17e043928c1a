using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.E2E;

/// <summary>The restricted Pod Security Standard, for clusters whose API server does not check it (before 1.23).</summary>
public static class Restricted
{
    /// <summary>Asserts that a pod keeps the standard and, as all of ours, has a read-only root file system.</summary>
    public static void Check(JsonNode pod)
    {
        Assert.Empty(PodSecurity.Violations(pod, PodSecurityProfile.Restricted));
        Assert.All(PodSecurity.Containers(pod["spec"]!), container => Assert.True((bool?)container["securityContext"]!["readOnlyRootFilesystem"], $"{container["name"]} has a writable root file system"));
    }
}
