using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Operator;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration.Harness;

/// <summary>
/// The webhook of an operator in this process, called by the API server for the pods of one namespace: config/webhook with a URL in place
/// of the Service.
/// </summary>
public sealed class WebhookSite : IAsyncDisposable
{
    private readonly ControlPlane _plane;
    private readonly string _namespace;

    private WebhookSite(ControlPlane plane, string ns, string configuration, string secret)
    {
        _plane = plane;
        _namespace = ns;
        Configuration = configuration;
        Secret = secret;
    }

    /// <summary>Name of the MutatingWebhookConfiguration.</summary>
    public string Configuration { get; }

    /// <summary>Name of the Secret of the certificates.</summary>
    public string Secret { get; }

    /// <summary>With the names that config/ has, and so with the permissions that it gives: for one test at a time.</summary>
    public static WebhookSite AsShipped(ControlPlane plane, string ns)
    {
        var shipped = new PodWebhookOptions();
        return new WebhookSite(plane, ns, shipped.Configuration, shipped.CertificateSecret);
    }

    /// <summary>With names of its own, and the same permissions for those.</summary>
    public static async Task<WebhookSite> NewAsync(ControlPlane plane, string ns)
    {
        var site = new WebhookSite(plane, ns, ns, ns);
        await site.GrantAsync();
        return site;
    }

    /// <summary>Options of an operator that answers here.</summary>
    public OperatorOptions On(OperatorOptions options, CertificateSettings? certificates = null) => options with
    {
        Webhook = new PodWebhookOptions
        {
            Enabled = true,
            Port = 0,
            Configuration = Configuration,
            CertificateSecret = Secret,
            Namespace = OperatorAccess.Namespace,
            ExtraNames = ["127.0.0.1"],
            ShutdownDelay = TimeSpan.Zero,
            Certificates = certificates ?? new CertificateSettings { Interval = TimeSpan.FromMilliseconds(200) },
        },
    };

    /// <summary>Has the API server call an operator for new pods of the namespace, and waits until it does.</summary>
    public async Task CallAsync(OperatorUnderTest callee)
    {
        await _plane.KubectlAsync("label", "namespace", _namespace, $"site={_namespace}", "--overwrite");
        var configuration = YamlJson.ParseAll(RepositoryRoot.ReadText("config/webhook/configuration.yaml")).Single()!.AsObject();
        configuration["metadata"]!["name"] = Configuration;
        var webhook = configuration["webhooks"]![0]!.AsObject();
        webhook["clientConfig"] = new JsonObject { ["url"] = $"https://127.0.0.1:{callee.WebhookPort}{PodWebhookOptions.Path}" };
        webhook["namespaceSelector"] = new JsonObject { ["matchLabels"] = new JsonObject { ["site"] = _namespace } };
        await _plane.KubectlWithInputAsync(configuration.ToJsonString(), "create", "-f", "-");
        await Wait.Until("the operator to be ready", async () => await callee.GetAsync("/readyz") is (200, _), TimeSpan.FromSeconds(25));

        // The API server learns of the configuration by a watch of its own.
        var probe = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject { ["name"] = "probe", ["labels"] = new JsonObject { [Labels.Index] = "Never_there" } },
            ["spec"] = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = "x", ["image"] = "x" }) },
        };
        await Wait.Until(
            "the API server to call the webhook",
            async () => (await _plane.TryKubectlAsync(["create", "--dry-run=server", "-n", _namespace, "-f", "-"], probe.ToJsonString())).Error.Contains("no PretrainIndex can have", StringComparison.Ordinal),
            TimeSpan.FromSeconds(25));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _plane.TryKubectlAsync(["delete", "mutatingwebhookconfiguration", Configuration, "--ignore-not-found"]);
        await _plane.TryKubectlAsync(["delete", "secret", Secret, "-n", OperatorAccess.Namespace, "--ignore-not-found"]);
    }

    private async Task GrantAsync()
    {
        await OperatorAccess.KubeConfigAsync(_plane);
        await _plane.KubectlWithInputAsync(
            $$"""
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRole
            metadata: {name: {{_namespace}}}
            rules: [{apiGroups: [admissionregistration.k8s.io], resources: [mutatingwebhookconfigurations], resourceNames: [{{Configuration}}], verbs: [get, patch]}]
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRoleBinding
            metadata: {name: {{_namespace}}}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{_namespace}}}
            subjects: [{kind: ServiceAccount, name: index-operator, namespace: {{OperatorAccess.Namespace}}}]
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: {{_namespace}}, namespace: {{OperatorAccess.Namespace}}}
            rules: [{apiGroups: [""], resources: [secrets], resourceNames: [{{Secret}}], verbs: [get, update]}]
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: {{_namespace}}, namespace: {{OperatorAccess.Namespace}}}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{_namespace}}}
            subjects: [{kind: ServiceAccount, name: index-operator, namespace: {{OperatorAccess.Namespace}}}]
            """,
            "apply",
            "-f",
            "-");
        await OperatorAccess.GrantedAsync(_plane, OperatorAccess.Namespace, "patch", $"mutatingwebhookconfigurations.admissionregistration.k8s.io/{Configuration}", "default");
        await OperatorAccess.GrantedAsync(_plane, OperatorAccess.Namespace, "update", $"secrets/{Secret}", OperatorAccess.Namespace);
    }
}
