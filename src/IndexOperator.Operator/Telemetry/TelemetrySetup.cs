using System.Diagnostics.Metrics;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace IndexOperator.Operator.Telemetry;

/// <summary>
/// The only place that knows OpenTelemetry: code measures with the BCL's Meter and ActivitySource. Prometheus may always scrape; OTLP is
/// spoken when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set, with OpenTelemetry's other standard variables.
/// </summary>
public static class TelemetrySetup
{
    /// <summary>Sets of labels that a metric may have. Room for all is taken at once, and no metric here has one set for each object.</summary>
    private const int MostLabelSets = 250;

    private static readonly double[] PassBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
    private static readonly double[] BuildBuckets = [0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200];

    /// <summary>Collects metrics and traces.</summary>
    public static IServiceCollection AddOperatorTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddSingleton<OperatorMetrics>();
        var otlp = !string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("index-operator", serviceVersion: typeof(TelemetrySetup).Assembly.GetName().Version?.ToString(3)))
            .WithMetrics(metrics =>
            {
                metrics
                    .AddMeter(OperatorMetrics.MeterName, Runtime.RuntimeMetrics.SourceName, "System.Net.Http", "System.Runtime")
                    .AddView(Stream)
                    .AddPrometheusExporter();
                if (otlp)
                {
                    metrics.AddOtlpExporter();
                }
            })
            .WithTracing(traces =>
            {
                traces.AddSource(Runtime.RuntimeMetrics.SourceName);
                if (otlp)
                {
                    traces.AddOtlpExporter();
                }
            });
        return services;
    }

    private static MetricStreamConfiguration Stream(Instrument instrument)
    {
        var boundaries = instrument.Name switch
        {
            "indexoperator_build_duration_seconds" => BuildBuckets,
            "controller_runtime_reconcile_time_seconds" => PassBuckets,
            var name when name.StartsWith("workqueue_", StringComparison.Ordinal) => PassBuckets,
            _ => null,
        };
        return boundaries is not null && instrument is Histogram<double>
            ? new ExplicitBucketHistogramConfiguration { Boundaries = boundaries, CardinalityLimit = MostLabelSets }
            : new MetricStreamConfiguration { CardinalityLimit = MostLabelSets };
    }
}
