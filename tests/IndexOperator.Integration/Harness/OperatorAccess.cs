using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration.Harness;

/// <summary>
/// Lets operators in as their Deployment would be: with config/rbac applied and a token of its ServiceAccount, so that every test
/// also shows that those permissions suffice.
/// </summary>
public static class OperatorAccess
{
    /// <summary>The namespace of the ServiceAccount and of the Lease.</summary>
    public const string Namespace = "index-operator-system";

    private static readonly ConditionalWeakTable<ControlPlane, Lazy<Task<string>>> Known = [];

    /// <summary>Path of a kubeconfig with the operator's credentials.</summary>
    public static Task<string> KubeConfigAsync(ControlPlane plane) =>
        Known.GetValue(plane, key => new Lazy<Task<string>>(() => CreateAsync(key))).Value;

    /// <summary>The same kubeconfig for another address of the API server, such as a proxy's.</summary>
    public static async Task<string> KubeConfigAsync(ControlPlane plane, Uri server)
    {
        var config = JsonNode.Parse(await File.ReadAllTextAsync(await KubeConfigAsync(plane)))!.AsObject();
        config["clusters"]![0]!["cluster"] = new JsonObject { ["server"] = server.ToString().TrimEnd('/') };
        return await WriteAsync(plane, config);
    }

    /// <summary>The same kubeconfig through a line to the same API server: its certificate is checked as before.</summary>
    public static async Task<string> KubeConfigThroughAsync(ControlPlane plane, Uri line)
    {
        var config = JsonNode.Parse(await File.ReadAllTextAsync(await KubeConfigAsync(plane)))!.AsObject();
        config["clusters"]![0]!["cluster"]!["server"] = line.ToString().TrimEnd('/');
        return await WriteAsync(plane, config);
    }

    private static async Task<string> CreateAsync(ControlPlane plane)
    {
        await plane.KubectlAsync("apply", "-f", "config/manager/namespace.yaml");
        await plane.KubectlAsync("apply", "-k", "config/rbac");
        await GrantedAsync(plane, Namespace, "list", "pods", "default");
        await GrantedAsync(plane, Namespace, "create", "leases.coordination.k8s.io", Namespace);
        await GrantedAsync(plane, Namespace, "create", "secrets", Namespace);
        return await KubeConfigOfAsync(plane, Namespace);
    }

    /// <summary>
    /// Waits until the API server has learned of a right that was just given: it does so by watches of its own, and a call before that would be
    /// denied.
    /// </summary>
    /// <param name="plane">The control plane.</param>
    /// <param name="home">The namespace of the operator's ServiceAccount.</param>
    /// <param name="verb">What it may do.</param>
    /// <param name="resource">With what; a name after a slash.</param>
    /// <param name="ns">In which namespace.</param>
    public static Task GrantedAsync(ControlPlane plane, string home, string verb, string resource, string ns) => Wait.Until(
        $"the right to {verb} {resource} to count",
        async () => (await plane.TryKubectlAsync(["auth", "can-i", verb, resource, $"--as=system:serviceaccount:{home}:index-operator", "-n", ns])).ExitCode == 0,
        TimeSpan.FromSeconds(20));

    /// <summary>A kubeconfig with the credentials of the operator's ServiceAccount in another namespace.</summary>
    public static async Task<string> KubeConfigOfAsync(ControlPlane plane, string ns)
    {
        var request = new JsonObject
        {
            ["apiVersion"] = "authentication.k8s.io/v1",
            ["kind"] = "TokenRequest",
            ["spec"] = new JsonObject { ["expirationSeconds"] = 3600 },
        };
        var answer = await Wait.For(
            "a token of the operator's ServiceAccount",
            async () =>
            {
                var result = await plane.TryKubectlAsync(
                    ["create", "--raw", $"/api/v1/namespaces/{ns}/serviceaccounts/index-operator/token", "-f", "-"], request.ToJsonString());
                return result.ExitCode == 0 ? result.Output : null;
            },
            TimeSpan.FromSeconds(20));
        var token = (string)JsonNode.Parse(answer)!["status"]!["token"]!;

        var config = JsonNode.Parse(await plane.KubectlAsync("config", "view", "--raw", "-o", "json"))!.AsObject();
        config["users"]![0]!["user"] = new JsonObject { ["token"] = token };
        return await WriteAsync(plane, config);
    }

    // Beside the administrator's kubeconfig: the folder goes with the control plane.
    private static async Task<string> WriteAsync(ControlPlane plane, JsonObject config)
    {
        var path = Path.Combine(Path.GetDirectoryName(plane.KubeConfig)!, $"operator-{Guid.NewGuid():N}.kubeconfig");
        await File.WriteAllTextAsync(path, config.ToJsonString());
        return path;
    }
}
