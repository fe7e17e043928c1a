using System.Globalization;
using System.Text;

namespace IndexOperator.Builder;

/// <summary>The memory limit of the container, as the kernel enforces it.</summary>
internal static class MemoryLimit
{
    private const string ControlGroups = "/sys/fs/cgroup";
    private const int MostCharacters = 64;

    // Where there is no limit, cgroup v1 gives the largest number of whole pages.
    private const long Unlimited = 1L << 60;

    /// <summary>Bytes; null where there is no limit, or none that can be read.</summary>
    /// <param name="folder">Where control groups are mounted.</param>
    public static long? Read(string folder = ControlGroups) =>
        Read(folder, "memory.max") ?? Read(folder, "memory/memory.limit_in_bytes");

    private static long? Read(string folder, string name)
    {
        try
        {
            using var file = File.OpenRead(Path.Combine(folder, name));
            Span<byte> bytes = stackalloc byte[MostCharacters];
            var text = Encoding.ASCII.GetString(bytes[..file.Read(bytes)]).Trim();
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is > 0 and < Unlimited ? limit : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
