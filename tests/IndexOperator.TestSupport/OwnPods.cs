using System.Text.Json.Nodes;

namespace IndexOperator.TestSupport;

/// <summary>What this project promises of its pods above the restricted profile.</summary>
public static class OwnPods
{
    private static readonly string[] Requested = ["cpu", "memory"];

    /// <summary>What a pod of the operator's Jobs, or its template, does not keep.</summary>
    public static IReadOnlyList<string> Faults(JsonNode pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        var spec = pod["spec"]!;
        var faults = new List<string>(PodSecurity.Violations(pod, PodSecurityProfile.Restricted));
        Expect(spec["automountServiceAccountToken"]?.ToJsonString() == "false", "mounts a service account's token");
        Expect(spec["serviceAccountName"] is null && spec["serviceAccount"] is null, "runs as an account of its own");
        Expect(spec["enableServiceLinks"]?.ToJsonString() == "false", "is told of the namespace's Services");
        Expect(spec["hostAliases"] is null && spec["dnsConfig"] is null && spec["hostname"] is null, "has names of its own");
        foreach (var volume in (spec["volumes"] as JsonArray ?? []).Where(volume => volume!["secret"] is not null || volume["projected"] is not null || volume["csi"] is not null))
        {
            faults.Add($"volume {volume!["name"]} may hold credentials");
        }

        foreach (var container in PodSecurity.Containers(spec))
        {
            faults.AddRange(OfContainer(container));
        }

        return faults;

        void Expect(bool holds, string fault)
        {
            if (!holds)
            {
                faults.Add(fault);
            }
        }
    }

    /// <summary>What a container of ours does not keep.</summary>
    public static IEnumerable<string> OfContainer(JsonNode container)
    {
        ArgumentNullException.ThrowIfNull(container);
        var name = (string?)container["name"];
        if (container["securityContext"]?["readOnlyRootFilesystem"]?.ToJsonString() != "true")
        {
            yield return $"{name} can write to its root file system";
        }

        // A limit is its own request where there is none.
        foreach (var resource in Requested.Where(resource => container["resources"]?["requests"]?[resource] is null && container["resources"]?["limits"]?[resource] is null))
        {
            yield return $"{name} asks for no {resource}";
        }

        if (container["resources"]?["limits"]?["memory"] is null)
        {
            yield return $"{name} has no limit of memory";
        }

        if (container["envFrom"] is not null || (container["env"] as JsonArray ?? []).Any(variable => variable!["valueFrom"]?["secretKeyRef"] is not null || variable["valueFrom"]?["configMapKeyRef"] is not null))
        {
            yield return $"{name} is given variables from outside";
        }

        if (container["ports"] is not null)
        {
            yield return $"{name} opens ports";
        }
    }
}
