using System.Text.Json.Nodes;

namespace IndexOperator.TestSupport;

/// <summary>A profile of the Pod Security Standards.</summary>
public enum PodSecurityProfile
{
    /// <summary>No known way to more privileges.</summary>
    Baseline,

    /// <summary>The whole of current practice in hardening.</summary>
    Restricted,
}

/// <summary>
/// The Pod Security Standards, control by control after their text, for API servers that do not check them (before 1.23) and for templates
/// that no server sees. Knows nothing of how this project makes pods.
/// </summary>
public static class PodSecurity
{
    private static readonly string[] BaselineCapabilities =
    [
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    ];

    private static readonly string[] SafeSysctls =
    [
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
        "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
    ];

    private static readonly string[] SafeVolumes = ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];

    private static readonly string[] SafeSELinuxTypes = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

    private static readonly string[] ContainerLists = ["initContainers", "containers", "ephemeralContainers"];

    private static readonly string[] HostNamespaces = ["hostNetwork", "hostPID", "hostIPC"];

    /// <summary>What a pod, or the template of one, breaks of a profile: a sentence each, with the control's name first.</summary>
    /// <param name="pod">An object with <c>metadata</c> and <c>spec</c>.</param>
    /// <param name="profile">The profile.</param>
    public static IReadOnlyList<string> Violations(JsonNode pod, PodSecurityProfile profile)
    {
        ArgumentNullException.ThrowIfNull(pod);
        var spec = pod["spec"] ?? throw new ArgumentException("This is no pod: it has no spec.", nameof(pod));
        var containers = Containers(spec).ToList();
        if (containers.Count == 0)
        {
            throw new ArgumentException("This is no pod: it has no containers.", nameof(pod));
        }

        var faults = Baseline(pod, spec, containers);
        return [.. profile == PodSecurityProfile.Baseline ? faults : faults.Concat(Restricted(spec, containers))];
    }

    /// <summary>All containers of a pod's spec, of every kind.</summary>
    public static IEnumerable<JsonNode> Containers(JsonNode spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return ContainerLists.SelectMany(list => spec[list] as JsonArray ?? []).Select(container => container!);
    }

    private static IEnumerable<string> Baseline(JsonNode pod, JsonNode spec, List<JsonNode> containers)
    {
        // Of the pod and of each container: what either may say.
        var contexts = containers.Select(container => (Of: Name(container), Context: container["securityContext"])).Prepend((Of: "the pod", Context: spec["securityContext"])).ToList();
        foreach (var name in HostNamespaces.Where(name => Is(spec[name])))
        {
            yield return $"Host Namespaces: {name}";
        }

        foreach (var volume in Items(spec["volumes"]).Where(volume => volume["hostPath"] is not null))
        {
            yield return $"HostPath Volumes: {volume["name"]}";
        }

        foreach (var container in containers)
        {
            if (Is(container["securityContext"]?["privileged"]))
            {
                yield return $"Privileged Containers: {Name(container)}";
            }

            foreach (var capability in Texts(container["securityContext"]?["capabilities"]?["add"]).Except(BaselineCapabilities))
            {
                yield return $"Capabilities: {Name(container)} adds {capability}";
            }

            foreach (var port in Items(container["ports"]).Where(port => port["hostPort"] is { } number && number.ToJsonString() != "0"))
            {
                yield return $"Host Ports: {Name(container)} takes {port["hostPort"]}";
            }

            if (container["securityContext"]?["procMount"] is { } mount && (string?)mount != "Default")
            {
                yield return $"/proc Mount Type: {Name(container)} has {mount}";
            }

            foreach (var handler in Handlers(container).Where(handler => !string.IsNullOrEmpty((string?)handler["host"])))
            {
                yield return $"Host Probes / Lifecycle Hooks: {Name(container)} calls {handler["host"]}";
            }
        }

        foreach (var (of, context) in contexts)
        {
            if (Is(context?["windowsOptions"]?["hostProcess"]))
            {
                yield return $"HostProcess: {of}";
            }

            if (context?["appArmorProfile"]?["type"] is { } armor && (string?)armor is not ("RuntimeDefault" or "Localhost"))
            {
                yield return $"AppArmor: {of} has {armor}";
            }

            if (context?["seLinuxOptions"] is { } linux && (!SafeSELinuxTypes.Contains((string?)linux["type"] ?? "") || !string.IsNullOrEmpty((string?)linux["user"]) || !string.IsNullOrEmpty((string?)linux["role"])))
            {
                yield return $"SELinux: {of} has {linux.ToJsonString()}";
            }

            if (context?["seccompProfile"]?["type"] is { } seccomp && (string?)seccomp is not ("RuntimeDefault" or "Localhost"))
            {
                yield return $"Seccomp: {of} has {seccomp}";
            }
        }

        // As annotations said it before there were fields: AppArmor until 1.30, seccomp until 1.24.
        foreach (var (name, value) in (pod["metadata"]?["annotations"] as JsonObject ?? []).Where(pair => IsProfile(pair.Key)))
        {
            if ((string?)value is not ("runtime/default" or "docker/default") && ((string?)value)?.StartsWith("localhost/", StringComparison.Ordinal) != true)
            {
                yield return $"AppArmor and Seccomp: {name} is {value}";
            }
        }

        foreach (var sysctl in Items(spec["securityContext"]?["sysctls"]).Select(sysctl => (string?)sysctl["name"] ?? "").Except(SafeSysctls))
        {
            yield return $"Sysctls: {sysctl}";
        }
    }

    private static IEnumerable<string> Restricted(JsonNode spec, List<JsonNode> containers)
    {
        foreach (var volume in Items(spec["volumes"]))
        {
            foreach (var kind in volume.AsObject().Select(field => field.Key).Where(field => field != "name").Except(SafeVolumes))
            {
                yield return $"Volume Types: {volume["name"]} is a {kind}";
            }
        }

        var pod = spec["securityContext"];
        if (pod?["runAsUser"]?.ToJsonString() == "0")
        {
            yield return "Running as Non-root user: the pod";
        }

        foreach (var container in containers)
        {
            var own = container["securityContext"];
            if (own?["allowPrivilegeEscalation"] is not { } escalation || Is(escalation))
            {
                yield return $"Privilege Escalation: {Name(container)}";
            }

            if (!Is(own?["runAsNonRoot"] ?? pod?["runAsNonRoot"]))
            {
                yield return $"Running as Non-root: {Name(container)}";
            }

            if (own?["runAsUser"]?.ToJsonString() == "0")
            {
                yield return $"Running as Non-root user: {Name(container)}";
            }

            if ((string?)(own?["seccompProfile"]?["type"] ?? pod?["seccompProfile"]?["type"]) is not ("RuntimeDefault" or "Localhost"))
            {
                yield return $"Seccomp: {Name(container)} has none";
            }

            if (!Texts(own?["capabilities"]?["drop"]).Contains("ALL"))
            {
                yield return $"Capabilities: {Name(container)} does not drop ALL";
            }

            foreach (var capability in Texts(own?["capabilities"]?["add"]).Where(capability => capability != "NET_BIND_SERVICE"))
            {
                yield return $"Capabilities: {Name(container)} adds {capability}, which is restricted";
            }
        }
    }

    private static bool IsProfile(string annotation) =>
        annotation.StartsWith("container.apparmor.security.beta.kubernetes.io/", StringComparison.Ordinal)
        || annotation.StartsWith("container.seccomp.security.alpha.kubernetes.io/", StringComparison.Ordinal)
        || annotation == "seccomp.security.alpha.kubernetes.io/pod";

    private static IEnumerable<JsonNode> Handlers(JsonNode container) =>
        new[] { container["livenessProbe"], container["readinessProbe"], container["startupProbe"], container["lifecycle"]?["postStart"], container["lifecycle"]?["preStop"] }
            .SelectMany(handler => new[] { handler?["httpGet"], handler?["tcpSocket"] })
            .OfType<JsonNode>();

    private static string Name(JsonNode container) => (string?)container["name"] ?? "a container";

    private static bool Is(JsonNode? value) => value is JsonValue flag && flag.TryGetValue<bool>(out var set) && set;

    private static IEnumerable<JsonNode> Items(JsonNode? list) => (list as JsonArray ?? []).OfType<JsonNode>();

    private static IEnumerable<string> Texts(JsonNode? list) => Items(list).Select(item => (string)item!);
}
