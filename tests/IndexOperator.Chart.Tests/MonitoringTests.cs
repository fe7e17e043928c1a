using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using IndexOperator.Api;
using IndexOperator.Operator.Telemetry;
using IndexOperator.Runtime;
using IndexOperator.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace IndexOperator.Chart.Tests;

/// <summary>Alerts and dashboard ask only for series that the operator has, by labels that they have.</summary>
public sealed partial class MonitoringTests
{
    // What Prometheus adds to every series.
    private static readonly string[] FromPrometheus = ["job", "namespace", "pod", "cluster"];

    private static readonly string[] Severities = ["critical", "warning", "info"];

    [Fact]
    public async Task Alerts_ask_for_series_that_the_operator_has()
    {
        var series = await SeriesAsync();
        var rule = (await Helm.ObjectsAsync("--set", "metrics.prometheusRule.enabled=true")).Of("PrometheusRule").Single();
        var alerts = rule["spec"]!["groups"]![0]!["rules"]!.AsArray();
        Assert.NotEmpty(alerts);
        foreach (var alert in alerts)
        {
            AssertKnown((string)alert!["expr"]!, series, """job="index-operator-metrics",namespace="index-operator-system",?""");
            Assert.Contains((string)alert["labels"]!["severity"]!, Severities);
            Assert.NotEmpty((string)alert["annotations"]!["summary"]!);
            Assert.NotEmpty((string)alert["annotations"]!["description"]!);
        }
    }

    [Fact]
    public async Task The_dashboard_asks_for_series_that_the_operator_has()
    {
        var series = await SeriesAsync();
        var map = (await Helm.ObjectsAsync("--set", "metrics.dashboard.enabled=true")).Of("ConfigMap").Single();
        var dashboard = JsonNode.Parse((string)map["data"]!["index-operator.json"]!)!;
        var panels = dashboard["panels"]!.AsArray();
        foreach (var panel in panels)
        {
            Assert.All(panel!["targets"]!.AsArray(), target => AssertKnown((string)target!["expr"]!, series, """job=~"\$job",namespace=~"\$namespace",?"""));
        }

        Assert.Distinct(panels.Select(panel => (int)panel!["id"]!));
        Assert.Distinct(panels.Select(panel => (string)panel!["title"]!));
        Assert.All(dashboard["templating"]!["list"]!.AsArray().Where(variable => (string?)variable!["type"] == "query"), variable => AssertKnown((string)variable!["query"]!, series, ""));
    }

    [Fact]
    public async Task Alerts_carry_ones_own_labels_and_those_left_out_are_gone()
    {
        var rule = (await Helm.ObjectsAsync(Helm.ValuesOf("full"))).Of("PrometheusRule").Single();
        var alerts = rule["spec"]!["groups"]![0]!["rules"]!.AsArray();
        Assert.DoesNotContain(alerts, alert => (string?)alert!["alert"] == "PretrainIndexDataChanged");
        Assert.All(alerts, alert => Assert.Equal(("page", "ml-platform"), ((string?)alert!["labels"]!["severity"], (string?)alert["labels"]!["team"])));
        Assert.All(alerts, alert => Assert.Contains("{cluster=\"a\"", (string)alert!["expr"]!, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Where_no_lease_is_held_nobody_is_alerted_that_none_is() =>
        Assert.DoesNotContain("IndexOperatorNotWorking", await Helm.TemplateAsync(Helm.ValuesOf("no-webhook")), StringComparison.Ordinal);

    private static void AssertKnown(string expression, Dictionary<string, HashSet<string>> series, string selector)
    {
        var matches = Selector().Matches(expression);
        Assert.NotEmpty(matches);
        var labels = new HashSet<string>(FromPrometheus);
        foreach (Match match in matches)
        {
            var name = match.Groups["name"].Value;
            Assert.True(series.TryGetValue(name, out var known), $"no metric {name}: {expression}");
            Assert.Matches("^" + selector, match.Groups["labels"].Value);
            Assert.Subset(known.Concat(FromPrometheus).ToHashSet(), Label().Matches(match.Groups["labels"].Value).Select(label => label.Groups[1].Value).ToHashSet());
            labels.UnionWith(known);
        }

        Assert.All(By().Matches(expression).SelectMany(by => by.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries)), label => Assert.Contains(label, labels));
    }

    // The operator's own exporter, after everything that can be measured has been measured once.
    private static async Task<Dictionary<string, HashSet<string>>> SeriesAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddOperatorTelemetry(builder.Configuration);
        builder.Services.AddSingleton<RuntimeMetrics>();
        await using var host = builder.Build();
        host.MapPrometheusScrapingEndpoint("/metrics");
        await host.StartAsync(TestContext.Current.CancellationToken);
        var operatorMetrics = host.Services.GetRequiredService<OperatorMetrics>();
        operatorMetrics.Observe(new ObjectKey("a", "b"), null, new PretrainIndexStatus
        {
            Current = new VersionStatus { BuildKey = "1", Outcome = BuildReport.Built, SizeBytes = 1 },
            Conditions = [new Condition { Type = ConditionTypes.Ready, Status = "True" }],
        });
        operatorMetrics.Opened(TimeSpan.FromSeconds(1));
        MeasureAll(host.Services.GetRequiredService<RuntimeMetrics>());

        using var client = new HttpClient();
        var text = await client.GetStringAsync(new Uri(host.Urls.Single() + "/metrics"), TestContext.Current.CancellationToken);
        var series = new Dictionary<string, HashSet<string>>();
        foreach (Match line in Sample().Matches(text))
        {
            series.TryAdd(line.Groups["name"].Value, []);
            series[line.Groups["name"].Value].UnionWith(Label().Matches(line.Groups["labels"].Value).Select(label => label.Groups[1].Value));
        }

        return series;
    }

    // What the runtime measures is its own affair, so each of its methods is called by what it looks like.
    private static void MeasureAll(RuntimeMetrics metrics)
    {
        foreach (var method in typeof(RuntimeMetrics).GetMethods(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.DeclaredOnly).Where(method => method.IsAssembly && method.ReturnType == typeof(void)))
        {
            method.Invoke(metrics, [.. method.GetParameters().Select(parameter => parameter.ParameterType switch
            {
                { IsInterface: true } type => DispatchProxy.Create(type, typeof(Zeros)),
                var type when type == typeof(string) => parameter.Name == "result" ? "error" : "x",
                var type => Convert.ChangeType(1, type, CultureInfo.InvariantCulture),
            })]);
        }
    }

    [GeneratedRegex("""(?<name>[a-z_]+)\{(?<labels>[^}]*)\}""", RegexOptions.CultureInvariant)]
    private static partial Regex Selector();

    [GeneratedRegex("""^(?<name>[a-z_]+)(\{(?<labels>[^}]*)\})? """, RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Sample();

    [GeneratedRegex("""([a-z_]+)(?==|!=|=~)""", RegexOptions.CultureInvariant)]
    private static partial Regex Label();

    [GeneratedRegex("""by \(([^)]*)\)""", RegexOptions.CultureInvariant)]
    private static partial Regex By();
}

/// <summary>Answers every question with nothing.</summary>
public class Zeros : DispatchProxy
{
    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.ReturnType.IsValueType ? Activator.CreateInstance(targetMethod.ReturnType) : null;
}
