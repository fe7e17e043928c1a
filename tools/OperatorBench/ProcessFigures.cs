using System.Globalization;

namespace OperatorBench;

/// <summary>What Linux tells of a process.</summary>
internal static class ProcessFigures
{
    // USER_HZ, which is 100 on every architecture that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>Processor time so far, user and system.</summary>
    public static double CpuSeconds(int process)
    {
        // The name in parentheses may hold anything: what follows the last one is numbers, the eleventh and twelfth of them the times.
        var text = File.ReadAllText($"/proc/{process}/stat");
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    /// <summary>Memory that is resident now, in MiB.</summary>
    public static double ResidentMegabytes(int process) => StatusMegabytes(process, "VmRSS:");

    /// <summary>The most that ever was, in MiB.</summary>
    public static double PeakMegabytes(int process) => StatusMegabytes(process, "VmHWM:");

    private static double StatusMegabytes(int process, string name)
    {
        var line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith(name, StringComparison.Ordinal));
        return double.Parse(line.Split(':', 'k')[1].Trim(), CultureInfo.InvariantCulture) / 1024;
    }
}
