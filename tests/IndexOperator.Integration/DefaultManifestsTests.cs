using System.Text.Json.Nodes;
using IndexOperator.Api;
using IndexOperator.Integration.Harness;
using IndexOperator.TestSupport;

namespace IndexOperator.Integration;

/// <summary><c>config/default</c> on a real API server.</summary>
[Collection("What is shipped")]
public sealed class DefaultManifestsTests(ControlPlaneFixture fixture)
{
    private ControlPlane Plane => fixture.Plane;

    [Fact]
    public async Task The_whole_passes_the_servers_checks()
    {
        // A dry run creates nothing, so the namespace must be there for what goes into it.
        await Plane.KubectlAsync("apply", "-f", "config/manager/namespace.yaml");
        var answer = await Plane.KubectlAsync("apply", "--validate=false", "--dry-run=server", "-k", "config/default");
        var lines = answer.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.EndsWith("(server dry run)", line, StringComparison.Ordinal));
        string[] expected =
        [
            "clusterrole.rbac.authorization.k8s.io/index-operator",
            "clusterrole.rbac.authorization.k8s.io/index-operator-pretrainindex-admin",
            "clusterrole.rbac.authorization.k8s.io/index-operator-pretrainindex-editor",
            "clusterrole.rbac.authorization.k8s.io/index-operator-pretrainindex-viewer",
            "clusterrolebinding.rbac.authorization.k8s.io/index-operator",
            "customresourcedefinition.apiextensions.k8s.io/pretrainindexes.indexoperator.io",
            "deployment.apps/index-operator",
            "mutatingwebhookconfiguration.admissionregistration.k8s.io/index-operator",
            "namespace/index-operator-system",
            "role.rbac.authorization.k8s.io/index-operator-leader-election",
            "role.rbac.authorization.k8s.io/index-operator-webhook-certificate",
            "rolebinding.rbac.authorization.k8s.io/index-operator-leader-election",
            "rolebinding.rbac.authorization.k8s.io/index-operator-webhook-certificate",
            "service/index-operator-metrics",
            "service/index-operator-webhook",
            "serviceaccount/index-operator",
        ];
        Assert.Equal(expected, lines.Select(line => line.Split(' ')[0]).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("cert-manager")]
    [InlineData("namespaced")]
    [InlineData("prometheus")]
    [InlineData("kueue")]
    [InlineData("argocd")]
    public async Task Each_folder_beside_it_passes_them_too(string folder)
    {
        await ForeignKinds.InstallAsync(Plane);
        await ForeignKinds.CreateNamespacesAsync(Plane, Helm.Namespace, "training", "argocd");
        var built = await Kustomize.BuildAsync($"config/{folder}");
        var answer = await Plane.KubectlWithInputAsync(built, "apply", "--validate=false", "--dry-run=server", "-f", "-");
        var lines = answer.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(YamlJson.ParseAll(built).OfType<JsonNode>().Count(), lines.Length);
        Assert.All(lines, line => Assert.EndsWith("(server dry run)", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task In_listed_namespaces_alone_the_operator_may_do_there_what_it_does_and_nothing_elsewhere()
    {
        await using var plane = await ControlPlane.StartAsync();
        await ForeignKinds.CreateNamespacesAsync(plane, Helm.Namespace, "training", "research");
        await plane.KubectlAsync("apply", "--validate=false", "-k", "config/namespaced");
        foreach (var (verb, resource, space, expected) in new[]
        {
            ("patch", "pretrainindexes.indexoperator.io/status", "training", "yes"),
            ("create", "jobs.batch", "training", "yes"),
            ("get", "namespaces", "training", "yes"),
            ("create", "jobs.batch", "research", "no"),
            ("list", "pretrainindexes.indexoperator.io", "research", "no"),
            ("list", "pods", Helm.Namespace, "no"),
            ("update", "leases.coordination.k8s.io", Helm.Namespace, "yes"),
            ("patch", "mutatingwebhookconfigurations.admissionregistration.k8s.io/index-operator", "training", "yes"),
            ("get", "customresourcedefinitions.apiextensions.k8s.io", "training", "no"),
        })
        {
            var parts = resource.Split('/');
            string[] asked = parts is [var kind, "status"] ? [kind, "--subresource=status"] : [resource];
            var answer = await plane.TryKubectlAsync(["auth", "can-i", verb, .. asked, "--as=system:serviceaccount:index-operator-system:index-operator", "-n", space]);
            Assert.Equal((verb, resource, space, expected), (verb, resource, space, answer.Output.Trim()));
        }
    }

    [Fact]
    public async Task With_cert_manager_the_operator_reads_its_files_and_the_authority_is_injected()
    {
        var built = YamlJson.ParseAll(await Plane.KubectlAsync("kustomize", "config/cert-manager")).Select(document => document!).ToList();
        var pod = built.Single(document => (string?)document["kind"] == "Deployment")["spec"]!["template"]!["spec"]!;
        var container = pod["containers"]![0]!;
        Assert.Contains("--webhook", container["args"]!.AsArray().Select(argument => (string?)argument));
        Assert.Contains("--webhook-cert-dir=/webhook-certificate", container["args"]!.AsArray().Select(argument => (string?)argument));
        var mount = Assert.Single(container["volumeMounts"]!.AsArray(), mount => (string?)mount!["mountPath"] == "/webhook-certificate");
        var secret = (string?)Assert.Single(pod["volumes"]!.AsArray(), volume => (string?)volume!["name"] == (string?)mount!["name"])!["secret"]!["secretName"];

        var certificate = Assert.Single(built, document => (string?)document["kind"] == "Certificate" && (string?)document["spec"]!["secretName"] == secret);
        var configuration = Assert.Single(built, document => (string?)document["kind"] == "MutatingWebhookConfiguration");
        Assert.Equal($"index-operator-system/{certificate["metadata"]!["name"]}", (string?)configuration["metadata"]!["annotations"]!["cert-manager.io/inject-ca-from"]);
        var service = configuration["webhooks"]![0]!["clientConfig"]!["service"]!;
        Assert.Contains($"{service["name"]}.{service["namespace"]}.svc", certificate["spec"]!["dnsNames"]!.AsArray().Select(name => (string?)name));

        // The issuer signs with the authority, which outlives what it signs.
        var issuer = Assert.Single(built, document => (string?)document["kind"] == "Issuer" && (string?)document["metadata"]!["name"] == (string?)certificate["spec"]!["issuerRef"]!["name"]);
        Assert.Single(built, document => (string?)document["kind"] == "Certificate" && (bool?)document["spec"]!["isCA"] == true && (string?)document["spec"]!["secretName"] == (string?)issuer["spec"]!["ca"]!["secretName"]);
    }

    [Fact]
    public async Task The_operator_may_do_what_it_does_and_nothing_else()
    {
        await Plane.KubectlAsync("apply", "-f", "config/manager/namespace.yaml");
        await Plane.KubectlAsync("apply", "-k", "config/rbac");
        const string Operator = "--as=system:serviceaccount:index-operator-system:index-operator";
        (string Verb, string Resource)[] allowed =
        [
            ("watch", "pretrainindexes.indexoperator.io"),
            ("patch", "pretrainindexes.indexoperator.io/status"),
            ("update", "pretrainindexes.indexoperator.io/finalizers"),
            ("create", "jobs.batch"),
            ("patch", "jobs.batch"),
            ("delete", "jobs.batch"),
            ("list", "pods"),
            ("patch", "pods"),
            ("patch", "pods/status"),
            ("get", "pods/log"),
            ("create", "configmaps"),
            ("patch", "configmaps"),
            ("create", "persistentvolumeclaims"),
            ("patch", "persistentvolumeclaims"),
            ("get", "namespaces"),
            ("create", "events.events.k8s.io"),
        ];
        (string Verb, string Resource)[] denied =
        [
            ("get", "secrets"),
            ("create", "pods"),
            ("delete", "pods"),
            ("update", "pods"),
            ("create", "pods/exec"),
            ("delete", "persistentvolumeclaims"),
            ("delete", "pretrainindexes.indexoperator.io"),
            ("update", "pretrainindexes.indexoperator.io"),
            ("update", "jobs.batch"),
            ("create", "serviceaccounts"),
            ("create", "clusterroles.rbac.authorization.k8s.io"),
            ("get", "nodes"),
            ("list", "namespaces"),
            ("delete", "namespaces"),
            ("get", "customresourcedefinitions.apiextensions.k8s.io"),
            ("update", "leases.coordination.k8s.io"),
        ];
        foreach (var (verb, resource) in allowed)
        {
            Assert.Equal("yes", await CanAsync(verb, resource, "default"));
        }

        foreach (var (verb, resource) in denied)
        {
            Assert.Equal("no", await CanAsync(verb, resource, "default"));
        }

        Assert.Equal("yes", await CanAsync("update", "leases.coordination.k8s.io", "index-operator-system"));

        // Of all definitions only the one whose going a deleted resource must notice.
        const string Definition = "pretrainindexes.indexoperator.io";
        Assert.Equal("yes", (await Plane.TryKubectlAsync(["auth", "can-i", "get", $"customresourcedefinitions.apiextensions.k8s.io/{Definition}", Operator])).Output.Trim());
        Assert.Equal("no", (await Plane.TryKubectlAsync(["auth", "can-i", "patch", $"customresourcedefinitions.apiextensions.k8s.io/{Definition}", Operator])).Output.Trim());

        // Of all configurations of webhooks its own, and of all secrets that of its certificates.
        foreach (var (verb, resource, expected) in new[]
        {
            ("patch", "mutatingwebhookconfigurations.admissionregistration.k8s.io/index-operator", "yes"),
            ("patch", "mutatingwebhookconfigurations.admissionregistration.k8s.io/other", "no"),
            ("create", "mutatingwebhookconfigurations.admissionregistration.k8s.io", "no"),
            ("update", "secrets/index-operator-webhook-certificate", "yes"),
            ("get", "secrets/other", "no"),
            ("list", "secrets", "no"),
        })
        {
            Assert.Equal((resource, expected), (resource, (await Plane.TryKubectlAsync(["auth", "can-i", verb, resource, Operator, "-n", "index-operator-system"])).Output.Trim()));
        }

        async Task<string> CanAsync(string verb, string resource, string space)
        {
            var parts = resource.Split('/');
            string[] arguments = ["auth", "can-i", verb, parts[0], Operator, "-n", space];
            var answer = await Plane.TryKubectlAsync(parts.Length > 1 ? [.. arguments, "--subresource=" + parts[1]] : arguments);
            return answer.Output.Trim();
        }
    }

    [Fact]
    public async Task Whoever_views_edits_or_administers_a_namespace_may_do_so_with_its_indexes_and_nothing_else()
    {
        await Plane.KubectlAsync("apply", "-f", "config/manager/namespace.yaml");
        await Plane.KubectlAsync("apply", "-k", "config/rbac");
        var space = await Plane.CreateNamespaceAsync();
        foreach (var role in new[] { "view", "edit", "admin" })
        {
            await Plane.KubectlAsync("create", "rolebinding", role, $"--clusterrole={role}", $"--user={role}", "-n", space);
        }

        // The controller manager puts these roles into Kubernetes' own.
        await Wait.Until("the roles to be aggregated", async () => await CanAsync("view", "list") && await CanAsync("edit", "create") && await CanAsync("admin", "deletecollection"), TimeSpan.FromSeconds(30));
        string[] all = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
        foreach (var (user, may) in new[] { ("view", 3), ("edit", 7), ("admin", 8) })
        {
            for (var i = 0; i < all.Length; i++)
            {
                Assert.Equal((user, all[i], i < may), (user, all[i], await CanAsync(user, all[i])));
            }

            Assert.True(await CanAsync(user, "get", "--subresource=status"));
            Assert.False(await CanAsync(user, "patch", "--subresource=status"));
            Assert.False(await CanAsync(user, "update", "--subresource=finalizers"));
            Assert.False((await Plane.TryKubectlAsync(["auth", "can-i", "get", "pretrainindexes.indexoperator.io", $"--as={user}", "-n", "default"])).ExitCode == 0);
        }

        async Task<bool> CanAsync(string user, string verb, params string[] more) =>
            (await Plane.TryKubectlAsync(["auth", "can-i", verb, "pretrainindexes.indexoperator.io", "--as=" + user, "-n", space, .. more])).ExitCode == 0;
    }

    [Fact]
    public async Task An_operator_of_one_namespace_has_rights_and_is_asked_there_alone()
    {
        var built = YamlJson.ParseAll(await Plane.KubectlAsync("kustomize", "config/namespaced")).Select(item => item!).ToList();
        var rule = Assert.Single(Named("ClusterRole")["rules"]!.AsArray())!;
        Assert.Equal(("mutatingwebhookconfigurations", "index-operator"), ((string?)rule["resources"]![0], (string?)rule["resourceNames"]![0]));
        var role = Assert.Single(built, item => (string?)item["kind"] == "Role" && (string?)item["metadata"]!["namespace"] == "training");
        Assert.Equal((string?)role["metadata"]!["name"], (string?)Assert.Single(built, item => (string?)item["kind"] == "RoleBinding" && (string?)item["metadata"]!["namespace"] == "training")["roleRef"]!["name"]);
        Assert.Contains("--namespace=training", Named("Deployment")["spec"]!["template"]!["spec"]!["containers"]![0]!["args"]!.AsArray().Select(argument => (string?)argument));
        Assert.Contains("training", Named("MutatingWebhookConfiguration")["webhooks"]![0]!["namespaceSelector"]!.ToJsonString(), StringComparison.Ordinal);

        await Plane.TryKubectlAsync(["create", "namespace", "training"]);
        await Plane.KubectlAsync("apply", "-f", "config/manager/namespace.yaml");
        await Plane.KubectlAsync("apply", "--validate=false", "--dry-run=server", "-k", "config/namespaced");

        JsonNode Named(string kind) => Assert.Single(built, item => (string?)item["kind"] == kind && (string?)item["metadata"]!["name"] == "index-operator");
    }

    [Theory]
    [InlineData("config/default")]
    [InlineData("config/cert-manager")]
    [InlineData("config/namespaced")]
    public async Task The_operators_pod_meets_the_restricted_profile(string folder)
    {
        var template = YamlJson.ParseAll(await Plane.KubectlAsync("kustomize", folder)).Single(item => (string?)item!["kind"] == "Deployment")!["spec"]!["template"]!;
        Assert.Empty(PodSecurity.Violations(template, PodSecurityProfile.Restricted));
        Assert.False((bool?)template["spec"]!["enableServiceLinks"]);
        Assert.All(template["spec"]!["containers"]!.AsArray(), container =>
        {
            Assert.True((bool)container!["securityContext"]!["readOnlyRootFilesystem"]!);
            Assert.NotNull(container["resources"]!["requests"]!["memory"]);
            Assert.NotNull(container["resources"]!["limits"]!["memory"]);
        });
    }

    [Fact]
    public async Task The_servers_take_the_network_policies()
    {
        await Plane.KubectlAsync("apply", "-f", "config/manager/namespace.yaml");
        await Plane.KubectlAsync("apply", "--dry-run=server", "-k", "config/network-policy");
        await Plane.KubectlAsync("apply", "--dry-run=server", "-n", "default", "-f", "config/network-policy/builds.yaml");
    }
}
