namespace IndexOperator.Runtime;

/// <summary>
/// Times for fields of Kubernetes' MicroTime type (leases, events). The API server parses those with a fixed layout
/// that demands six digits of fraction, while KubernetesClient writes none when the fraction happens to be zero; one
/// tick more makes it write the fraction (as .000000).
/// </summary>
public static class MicroTime
{
    /// <summary>The instant as a value that is always written with its fraction.</summary>
    public static DateTime From(DateTimeOffset instant)
    {
        var utc = instant.UtcDateTime;
        return utc.Ticks % TimeSpan.TicksPerSecond == 0 ? utc.AddTicks(1) : utc;
    }
}
