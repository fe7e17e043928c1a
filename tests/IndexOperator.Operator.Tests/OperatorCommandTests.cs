namespace IndexOperator.Operator.Tests;

/// <summary>Every flag reaches the options.</summary>
public sealed class OperatorCommandTests
{
    [Fact]
    public async Task Every_flag_is_carried_over()
    {
        var options = await ParseAsync(
            "--builder-image", "b:1", "--namespace", "x", "--namespace", "y", "--kubeconfig", "k", "--port", "9", "--leader-elect", "false",
            "--leader-elect-namespace", "l", "--gpu-node-label", "g/l", "--gpu-resource", "g/r", "--build-cpu-request", "3", "--build-memory-request", "4Gi",
            "--leader-elect-lease-duration", "1m", "--leader-elect-renew-deadline", "40s", "--leader-elect-retry-period", "900ms",
            "--max-parallel-reconciliations", "7", "--kube-api-qps", "12.5", "--kube-api-burst", "20", "--kueue", "off", "--json-logs", "--log-level", "Debug",
            "--webhook", "--webhook-port", "11", "--webhook-cert-dir", "d", "--webhook-service", "s", "--webhook-configuration", "c", "--webhook-certificate-secret", "t");
        Assert.Equal(["x", "y"], options.Namespaces);
        Assert.Equal(
            ("b:1", "g/l", "g/r", "3", "4Gi"),
            (options.Planner.BuilderImage, options.Planner.GpuNodeLabel, options.Planner.GpuResource, options.Planner.DefaultCpuRequest, options.Planner.DefaultMemoryRequest));
        Assert.Equal(("k", 9, false, "l"), (options.Kubeconfig, options.Port, options.LeaderElection, options.LeaderElectionNamespace));
        Assert.Equal((60, 40, 0.9), (options.LeaseDuration.TotalSeconds, options.RenewDeadline.TotalSeconds, options.RetryPeriod.TotalSeconds));
        Assert.Equal((12.5, 20, KueueMode.Off), (options.RequestsPerSecond, options.RequestBurst, options.Kueue));
        Assert.Equal(
            (true, 11, "d", "s", "c", "t"),
            (options.Webhook.Enabled, options.Webhook.Port, options.Webhook.CertificateDirectory, options.Webhook.Service, options.Webhook.Configuration, options.Webhook.CertificateSecret));
        Assert.Equal((7, true, Microsoft.Extensions.Logging.LogLevel.Debug), (options.MaxParallelReconciliations, options.JsonLogs, options.LogLevel));
    }

    [Fact]
    public async Task Without_flags_the_defaults_hold()
    {
        var options = await ParseAsync();
        var defaults = new OperatorOptions();
        Assert.Equal(defaults with { Namespaces = options.Namespaces, LeaderElectionNamespace = options.LeaderElectionNamespace, Webhook = defaults.Webhook with { Namespace = options.Webhook.Namespace } }, options);
        Assert.Empty(options.Namespaces);
    }

    [Theory]
    [InlineData("--port", "many")]
    [InlineData("--log-level", "Chatty")]
    [InlineData("--unknown", "x")]
    [InlineData("--kueue", "maybe")]
    [InlineData("--leader-elect-lease-duration", "x")]
    [InlineData("--leader-elect-renew-deadline", "15s")]
    [InlineData("--leader-elect-retry-period", "9s")]
    public async Task What_cannot_be_read_is_refused_before_anything_starts(string flag, string value)
    {
        var root = OperatorCommand.Create((_, _) => throw new InvalidOperationException("started"));
        using var error = new StringWriter();
        using var output = new StringWriter();
        var code = await root.Parse([flag, value]).InvokeAsync(new System.CommandLine.InvocationConfiguration { Error = error, Output = output }, TestContext.Current.CancellationToken);
        Assert.NotEqual(0, code);
        Assert.Contains(value == "x" || flag.StartsWith("--leader", StringComparison.Ordinal) ? flag : value, error.ToString(), StringComparison.Ordinal);
    }

    private static async Task<OperatorOptions> ParseAsync(params string[] arguments)
    {
        OperatorOptions? seen = null;
        var code = await OperatorCommand.Create((options, _) =>
        {
            seen = options;
            return Task.FromResult(0);
        }).Parse(arguments).InvokeAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(0, code);
        return seen!;
    }
}
