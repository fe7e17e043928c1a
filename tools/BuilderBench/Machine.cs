using System.Globalization;

namespace BuilderBench;

/// <summary>What figures were measured on.</summary>
/// <param name="Processor">Model as Linux tells it.</param>
/// <param name="Cores">Processors that .NET sees.</param>
/// <param name="MemoryBytes">All of the machine's.</param>
/// <param name="Kernel">Its release.</param>
/// <param name="LoadBefore">Load averages of one, five and fifteen minutes before anything ran.</param>
internal sealed record Machine(string Processor, int Cores, long MemoryBytes, string Kernel, string LoadBefore)
{
    /// <summary>Whether more ran in the minute before than a shell and the compiler of this program.</summary>
    public bool IsBusy => double.Parse(LoadBefore.Split(' ')[0], CultureInfo.InvariantCulture) > Cores;

    public static Machine Look() => new(
        Value("/proc/cpuinfo", "model name") ?? "unknown",
        Environment.ProcessorCount,
        1024 * long.Parse((Value("/proc/meminfo", "MemTotal") ?? "0 kB").Split(' ')[0], CultureInfo.InvariantCulture),
        File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3)));

    private static string? Value(string path, string name) =>
        File.ReadLines(path).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim();
}
