using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using IndexOperator.TestSupport;

namespace IndexOperator.Chart.Tests;

/// <summary>Values that do not exist, cannot be or contradict each other are refused, with words that help.</summary>
public sealed class ValueTests
{
    [Theory]
    [InlineData("replicaz=2", "[Aa]dditional propert(y|ies) '?replicaz'?")]
    [InlineData("webhook.enable=true", "[Aa]dditional propert(y|ies) '?enable'?")]
    [InlineData("webhook.certificates.certManager.issuer=x", "[Aa]dditional propert(y|ies) '?issuer'?")]
    [InlineData("image.name=x", "[Aa]dditional propert(y|ies) '?name'?")]
    [InlineData("builder.tag=x", "[Aa]dditional propert(y|ies) '?tag'?")]
    [InlineData("metrics.serviceMonitor.intervall=30s", "[Aa]dditional propert(y|ies) '?intervall'?")]
    [InlineData("livenessProbe.timeout=3", "[Aa]dditional propert(y|ies) '?timeout'?")]
    [InlineData("webhook.certificates.source=vault", "webhook.certificates.source.*cert-manager")]
    [InlineData("webhook.failurePolicy=fail", "webhook.failurePolicy.*Ignore")]
    [InlineData("logging.level=Chatty", "logging.level.*Information")]
    [InlineData("ports.http=99999", "ports.http.*65535")]
    [InlineData("replicas=two", "replicas.*integer")]
    [InlineData("builds.memoryMax=64GB", "builds.memoryMax")]
    [InlineData("leaderElection.leaseDuration=15", "leaderElection.leaseDuration")]
    [InlineData("image.digest=sha256:abc", "image.digest")]
    [InlineData("image.repository=registry.example.com/x:tag@sha256:abc", "image.repository")]
    [InlineData("watchNamespaces={Training}", "watchNamespaces")]
    [InlineData("watchNamespaces={a,a}", "watchNamespaces.*unique")]
    [InlineData("imagePullSecrets[0]=key", "imagePullSecrets")]
    [InlineData("extraArgs={json-logs}", "extraArgs")]
    [InlineData("podDisruptionBudget.minAvailable=150%", "podDisruptionBudget.minAvailable")]
    [InlineData("telemetry.otlp.endpoint=collector:4317", "telemetry.otlp.endpoint")]
    public async Task A_value_that_does_not_exist_or_cannot_be_is_refused_by_name(string value, string message)
    {
        var result = await Helm.TryTemplateAsync("--set", value);
        Assert.NotEqual(0, result.ExitCode);
        // Newer releases of Helm write paths with slashes.
        Assert.Matches(new Regex(message, RegexOptions.Singleline), result.Error.Replace('/', '.'));
    }

    [Theory]
    [InlineData("replicas=2,leaderElection.enabled=false", "replicas is 2 and leaderElection.enabled is false")]
    [InlineData("podDisruptionBudget.minAvailable=0,podDisruptionBudget.maxUnavailable=1", "podDisruptionBudget has minAvailable and maxUnavailable")]
    [InlineData("kueue.gateJobs=true", "kueue.gateJobs is true and kueue.enabled is false")]
    [InlineData("kueue.enabled=true,kueue.gateJobs=true,webhook.enabled=false", "kueue.gateJobs is true and webhook.enabled is false")]
    [InlineData("kueue.required=true", "kueue.required is true and kueue.enabled is false")]
    [InlineData("metrics.serviceMonitor.enabled=true,metrics.service.enabled=false", "metrics.serviceMonitor.enabled is true and metrics.service.enabled is false")]
    [InlineData("metrics.prometheusRule.enabled=true,metrics.service.enabled=false", "metrics.prometheusRule.selector is empty")]
    [InlineData("metrics.prometheusRule.enabled=true,metrics.prometheusRule.disabled={Typo}", "metrics.prometheusRule.disabled has Typo")]
    [InlineData("webhook.port=8080", "webhook.port and ports.http are both 8080")]
    [InlineData("serviceAccount.create=false", "serviceAccount.create is false and serviceAccount.name is empty")]
    [InlineData("networkPolicy.builds=true", "networkPolicy.builds is true and no namespace is named")]
    [InlineData("extraArgs={--port=1}", "extraArgs has --port")]
    [InlineData("extraArgs={--namespace=x}", "extraArgs has --namespace")]
    public async Task Values_that_contradict_each_other_are_refused_with_the_next_step(string values, string message)
    {
        var result = await Helm.TryTemplateAsync("--set", values);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Contains("Next: ", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("resources.claims[0].name=x")]
    [InlineData("global.storageClass=x")]
    [InlineData("podDisruptionBudget.enabled=true,podDisruptionBudget.minAvailable=50%")]
    [InlineData("builds.memoryRequest=1.5Gi,builds.cpuRequest=2")]
    [InlineData("extraArgs={--future}")]
    [InlineData("controller.kubeApiQps=0.5")]
    public async Task What_Kubernetes_defines_and_what_may_be_is_let_through(string value) => await Helm.TemplateAsync("--set", value);

    [Fact]
    public void The_schema_knows_every_value_and_nothing_else_and_is_closed()
    {
        var schema = JsonNode.Parse(RepositoryRoot.ReadText($"{Helm.Chart}/values.schema.json"))!;
        var values = YamlText.Read(RepositoryRoot.ReadText($"{Helm.Chart}/values.yaml"));
        var known = schema["properties"]!.AsObject();
        Assert.True(known.Remove("global"), "Helm itself hands \"global\" to charts");
        Compare(schema.AsObject(), values.AsObject(), "");

        static void Compare(JsonObject schema, JsonObject values, string path)
        {
            Assert.False((bool)schema["additionalProperties"]!, $"{path} is open");
            var properties = schema["properties"]!.AsObject();
            Assert.Equal(values.Select(value => path + value.Key).Order(StringComparer.Ordinal), properties.Select(property => path + property.Key).Order(StringComparer.Ordinal));
            foreach (var (name, property) in properties)
            {
                if (property!["properties"] is not null)
                {
                    Compare(property.AsObject(), values[name]!.AsObject(), $"{path}{name}.");
                }
            }
        }
    }
}
