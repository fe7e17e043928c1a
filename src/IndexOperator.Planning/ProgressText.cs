using System.Globalization;
using IndexOperator.Api;

namespace IndexOperator.Planning;

/// <summary>Numbers as a person reads them.</summary>
public static class ProgressText
{
    /// <summary>For example <c>SampleIndex 41% (20s left)</c>.</summary>
    public static string Of(BuildProgress progress)
    {
        ArgumentNullException.ThrowIfNull(progress);
        var left = progress.EtaSeconds is { } seconds and > 0 ? $" ({Duration((long)Math.Ceiling(seconds))} left)" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{progress.Phase} {progress.Percent}%{left}");
    }

    /// <summary>Bytes in binary units, for example <c>823Mi</c>.</summary>
    public static string Size(long bytes)
    {
        var units = new[] { "", "Ki", "Mi", "Gi", "Ti", "Pi" };
        double value = bytes;
        var unit = 0;
        while (value >= 1024 && unit < units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return value.ToString(value >= 10 || unit == 0 ? "0" : "0.0", CultureInfo.InvariantCulture) + units[unit];
    }

    private static string Duration(long seconds) => seconds switch
    {
        < 60 => string.Create(CultureInfo.InvariantCulture, $"{seconds}s"),
        < 3600 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60}m{seconds % 60}s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600}h{seconds % 3600 / 60}m"),
    };
}
