using IndexOperator.Operator;
using IndexOperator.TestSupport;
using Microsoft.Extensions.Logging;

namespace IndexOperator.Chart.Tests;

/// <summary>Every option of the operator is a value, and every value that is an option arrives.</summary>
public sealed class OptionTests
{
    // The pod has a service account, and its namespace is where the lease belongs.
    private static readonly string[] NoValue = ["--kubeconfig", "--leader-elect-namespace"];

    [Fact]
    public async Task Every_option_of_the_operator_can_be_set_by_a_value()
    {
        var used = new HashSet<string>();
        foreach (var golden in GoldenCase.All(Helm.Cases))
        {
            var arguments = (await Helm.ObjectsAsync(Helm.ValuesOf(golden.Name))).OperatorContainer().Arguments();
            OperatorArguments.Parse(arguments);
            used.UnionWith(arguments.Select(argument => argument.Split('=')[0]));
        }

        var options = OperatorCommand.Create((_, _) => Task.FromResult(0)).Options.Select(option => option.Name).Where(name => name is not ("--help" or "--version"));
        Assert.Equal(options.Except(NoValue).Order(StringComparer.Ordinal), used.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Without_values_the_operator_runs_as_it_would_without_arguments()
    {
        var options = OperatorArguments.Parse((await Helm.ObjectsAsync("--set", "webhook.enabled=false,builder.image.tag=dev")).OperatorContainer().Arguments());
        Assert.Equal(OperatorArguments.Parse([]) with { Kueue = KueueMode.Off }, options);
    }

    [Fact]
    public async Task Values_arrive_as_the_operator_reads_them()
    {
        var rendered = await Helm.ObjectsAsync(Helm.ValuesOf("full"));
        var options = OperatorArguments.Parse(rendered.OperatorContainer().Arguments());
        Assert.Equal(
            ("registry.example.com:5000/mirror/ml/builder:v9", "example.com/gpu", "amd.com/gpu", "2", "4Gi", "128Gi"),
            (options.Planner.BuilderImage, options.Planner.GpuNodeLabel, options.Planner.GpuResource, options.Planner.DefaultCpuRequest, options.Planner.DefaultMemoryRequest, options.Planner.MaximumBuildMemory));
        Assert.Equal((30, 20, 4), (options.LeaseDuration.TotalSeconds, options.RenewDeadline.TotalSeconds, options.RetryPeriod.TotalSeconds));
        Assert.Equal((32, 12.5, 1_000_000), (options.MaxParallelReconciliations, options.RequestsPerSecond, options.RequestBurst));
        Assert.Equal((18080, KueueMode.On, true, LogLevel.Debug), (options.Port, options.Kueue, options.JsonLogs, options.LogLevel));
        Assert.Equal((true, 10443), (options.Webhook.Enabled, options.Webhook.Port));

        var variables = rendered.OperatorContainer()["env"]!.AsArray().ToDictionary(variable => (string)variable!["name"]!, variable => (string?)variable!["value"]);
        Assert.Equal(("http://otel-collector.monitoring:4318", "http/protobuf"), (variables["OTEL_EXPORTER_OTLP_ENDPOINT"], variables["OTEL_EXPORTER_OTLP_PROTOCOL"]));
        Assert.Equal("tenant=ml", variables["OTEL_EXPORTER_OTLP_HEADERS"]);
    }

    [Theory]
    [InlineData("", "indexoperator/operator:VERSION", "indexoperator/builder:VERSION")]
    [InlineData("image.tag=a,builder.image.tag=b", "indexoperator/operator:a", "indexoperator/builder:b")]
    [InlineData("image.registry=r.example.com/x", "r.example.com/x/indexoperator/operator:VERSION", "r.example.com/x/indexoperator/builder:VERSION")]
    [InlineData("image.registry=r.example.com,builder.image.registry=s.example.com", "r.example.com/indexoperator/operator:VERSION", "s.example.com/indexoperator/builder:VERSION")]
    [InlineData(
        "image.tag=a,image.digest=sha256:00000000000000000000000000000000000000000000000000000000000000aa",
        "indexoperator/operator@sha256:00000000000000000000000000000000000000000000000000000000000000aa",
        "indexoperator/builder:VERSION")]
    public async Task Images_are_named_by_registry_repository_and_digest_or_tag(string values, string image, string builder)
    {
        var container = (await Helm.ObjectsAsync("--set", values)).OperatorContainer();
        var version = (string)YamlText.Read(RepositoryRoot.ReadText($"{Helm.Chart}/Chart.yaml"))["appVersion"]!;
        Assert.Equal(image.Replace("VERSION", version, StringComparison.Ordinal), (string?)container["image"]);
        Assert.Contains($"--builder-image={builder.Replace("VERSION", version, StringComparison.Ordinal)}", container.Arguments());
    }

    [Fact]
    public async Task Names_in_arguments_are_those_of_the_objects()
    {
        var rendered = Helm.Read((await Helm.TryAsync("template", "mine", Helm.Chart, "--namespace", "elsewhere")).Output);
        var options = OperatorArguments.Parse(rendered.OperatorContainer().Arguments()).Webhook;
        var configuration = rendered.Named("MutatingWebhookConfiguration", options.Configuration);
        var service = configuration["webhooks"]![0]!["clientConfig"]!["service"]!;
        Assert.Equal((options.Service, "elsewhere"), ((string?)service["name"], (string?)service["namespace"]));
        rendered.Named("Service", options.Service);
        Assert.Equal("mine-index-operator-webhook-certificate", options.CertificateSecret);
        var rules = rendered.Named("Role", "mine-index-operator-webhook-certificate")["rules"]!.AsArray();
        Assert.Contains(rules, rule => (string?)rule!["resourceNames"]?[0] == options.CertificateSecret);
        Assert.Contains(rendered.Named("ClusterRole", "mine-index-operator")["rules"]!.AsArray(), rule => (string?)rule!["resourceNames"]?[0] == options.Configuration);
    }
}
