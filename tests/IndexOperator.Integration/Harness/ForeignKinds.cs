using IndexOperator.TestSupport;

namespace IndexOperator.Integration.Harness;

/// <summary>Kinds of others that manifests of ours use: small definitions stand in, so that at least group, kind and metadata are checked.</summary>
public static class ForeignKinds
{
    private static readonly (string Group, string Version, string Kind, string Plural)[] All =
    [
        ("cert-manager.io", "v1", "Issuer", "issuers"),
        ("cert-manager.io", "v1", "Certificate", "certificates"),
        ("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors"),
        ("monitoring.coreos.com", "v1", "PrometheusRule", "prometheusrules"),
    ];

    /// <summary>Applies the definitions and waits until they are served.</summary>
    public static async Task InstallAsync(ControlPlane plane)
    {
        foreach (var (group, version, kind, plural) in All)
        {
            await plane.KubectlWithInputAsync(StandIns.Definition(group, kind, plural, version), "apply", "-f", "-");
        }

        var kinds = string.Join(',', All.Select(foreign => $"{foreign.Plural}.{foreign.Group}"));
        await Wait.Until("the definitions to be served", async () => (await plane.TryKubectlAsync(["get", kinds, "-A"])).ExitCode == 0, TimeSpan.FromSeconds(30));
    }

    /// <summary>Creates namespaces: a dry run creates nothing, so they must be there for what goes into them.</summary>
    public static async Task CreateNamespacesAsync(ControlPlane plane, params string[] names)
    {
        foreach (var name in names)
        {
            await plane.TryKubectlAsync(["create", "namespace", name]);
            await Wait.Until($"the default account of {name}", async () => (await plane.TryKubectlAsync(["get", "serviceaccount", "default", "-n", name])).ExitCode == 0, TimeSpan.FromSeconds(30));
        }
    }
}
