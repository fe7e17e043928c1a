using IndexOperator.TestSupport;

namespace IndexOperator.Planning.Tests;

/// <summary>The checker of the Pod Security Standards finds a breach of each control, and nothing in a pod that keeps them: it would prove nothing else.</summary>
public sealed class PodSecurityStandardTests
{
    private const string Sound = """
        metadata: {annotations: {container.apparmor.security.beta.kubernetes.io/x: runtime/default}}
        spec:
          securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}, sysctls: [{name: net.ipv4.tcp_syncookies, value: "1"}]}
          volumes: [{name: a, configMap: {name: a}}, {name: b, persistentVolumeClaim: {claimName: b}}]
          initContainers: [{name: first, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}}]
          containers: [{name: x, ports: [{containerPort: 80}], securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]
        """;

    [Fact]
    public void A_pod_that_keeps_all_controls_has_none() => Assert.Empty(PodSecurity.Violations(YamlText.Read(Sound), PodSecurityProfile.Restricted));

    [Theory]
    [InlineData("runAsNonRoot: true,", "runAsNonRoot: true, windowsOptions: {hostProcess: true},", "HostProcess")]
    [InlineData("spec:", "spec:\n  hostNetwork: true", "Host Namespaces: hostNetwork")]
    [InlineData("spec:", "spec:\n  hostPID: true", "Host Namespaces: hostPID")]
    [InlineData("spec:", "spec:\n  hostIPC: true", "Host Namespaces: hostIPC")]
    [InlineData("{name: first, securityContext: {", "{name: first, securityContext: {privileged: true, ", "Privileged Containers")]
    [InlineData("add: [NET_BIND_SERVICE]", "add: [SYS_ADMIN]", "Capabilities: first adds SYS_ADMIN")]
    [InlineData("configMap: {name: a}", "hostPath: {path: /}", "HostPath Volumes")]
    [InlineData("{containerPort: 80}", "{containerPort: 80, hostPort: 80}", "Host Ports")]
    [InlineData("ports: [", "livenessProbe: {httpGet: {host: 169.254.169.254, port: 80}}, ports: [", "Host Probes")]
    [InlineData("ports: [", "lifecycle: {preStop: {tcpSocket: {host: 10.0.0.1, port: 80}}}, ports: [", "Host Probes")]
    [InlineData(": runtime/default", ": unconfined", "AppArmor")]
    [InlineData("container.apparmor.security.beta.kubernetes.io/x: runtime/default", "seccomp.security.alpha.kubernetes.io/pod: unconfined", "AppArmor and Seccomp")]
    [InlineData("runAsNonRoot: true,", "runAsNonRoot: true, appArmorProfile: {type: Unconfined},", "AppArmor")]
    [InlineData("runAsNonRoot: true,", "runAsNonRoot: true, seLinuxOptions: {type: spc_t},", "SELinux")]
    [InlineData("runAsNonRoot: true,", "runAsNonRoot: true, seLinuxOptions: {role: system_r},", "SELinux")]
    [InlineData("{name: first, securityContext: {", "{name: first, securityContext: {procMount: Unmasked, ", "/proc Mount Type")]
    [InlineData("{name: first, securityContext: {", "{name: first, securityContext: {seccompProfile: {type: Unconfined}, ", "Seccomp")]
    [InlineData("net.ipv4.tcp_syncookies", "kernel.msgmax", "Sysctls")]
    public void A_breach_of_the_baseline_is_found(string written, string instead, string control)
    {
        var pod = YamlText.Read(Sound.Replace(written, instead, StringComparison.Ordinal));
        Assert.Contains(PodSecurity.Violations(pod, PodSecurityProfile.Baseline), fault => fault.StartsWith(control, StringComparison.Ordinal));
        Assert.Contains(PodSecurity.Violations(pod, PodSecurityProfile.Restricted), fault => fault.StartsWith(control, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("configMap: {name: a}", "nfs: {server: a, path: /}", "Volume Types")]
    [InlineData("allowPrivilegeEscalation: false, capabilities: {drop: [ALL], add", "capabilities: {drop: [ALL], add", "Privilege Escalation: first")]
    [InlineData("allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]", "allowPrivilegeEscalation: true, capabilities: {drop: [ALL]}}}]", "Privilege Escalation: x")]
    [InlineData("runAsNonRoot: true,", "", "Running as Non-root: x")]
    [InlineData("{name: first, securityContext: {", "{name: first, securityContext: {runAsNonRoot: false, ", "Running as Non-root: first")]
    [InlineData("runAsNonRoot: true,", "runAsNonRoot: true, runAsUser: 0,", "Running as Non-root user: the pod")]
    [InlineData("{name: first, securityContext: {", "{name: first, securityContext: {runAsUser: 0, ", "Running as Non-root user: first")]
    [InlineData("seccompProfile: {type: RuntimeDefault}, ", "", "Seccomp: x has none")]
    [InlineData("drop: [ALL]}}}]", "drop: [NET_RAW]}}}]", "Capabilities: x does not drop ALL")]
    [InlineData("add: [NET_BIND_SERVICE]", "add: [CHOWN]", "Capabilities: first adds CHOWN")]
    public void A_breach_of_the_restricted_profile_alone_is_found(string written, string instead, string control)
    {
        var pod = YamlText.Read(Sound.Replace(written, instead, StringComparison.Ordinal));
        Assert.Empty(PodSecurity.Violations(pod, PodSecurityProfile.Baseline));
        Assert.Contains(PodSecurity.Violations(pod, PodSecurityProfile.Restricted), fault => fault.StartsWith(control, StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_no_pod_passes_nothing() => Assert.Throws<ArgumentException>(() => PodSecurity.Violations(YamlText.Read("spec: {containers: []}"), PodSecurityProfile.Baseline));
}
