using System.Runtime.InteropServices;
using IndexOperator.Indexing;

namespace IndexOperator.Builder;

/// <summary>
/// Finds the files of declared prefixes on this machine and keeps them inside the data's root: a link in the data must
/// not lead the builder to files that the data's owner may not read.
/// </summary>
public sealed partial class DataRoots
{
    private readonly List<(string From, string To)> _maps;

    private DataRoots(List<(string From, string To)> maps) => _maps = maps;

    /// <summary>Reads <c>--map FROM=TO</c> arguments; a declared path without a map is read where it says, inside the mount path.</summary>
    /// <param name="maps">The arguments.</param>
    /// <param name="mountPath">Where the data is mounted when nothing maps it; null to allow any absolute path.</param>
    /// <exception cref="IndexingException">InvalidSpec: an argument is not FROM=TO.</exception>
    public static DataRoots Parse(IEnumerable<string> maps, string? mountPath)
    {
        var parsed = new List<(string From, string To)>();
        foreach (var map in maps)
        {
            var parts = map.Split('=', 2);
            if (parts.Length != 2 || !parts[0].StartsWith('/') || parts[1].Length == 0)
            {
                throw new IndexingException(FailureReason.InvalidSpec, $"--map {map} is not of the form FROM=TO, for example --map /data=./corpus.");
            }

            parsed.Add((parts[0].TrimEnd('/'), Path.GetFullPath(parts[1])));
        }

        parsed.Add(mountPath is null ? ("", "/") : (mountPath, mountPath));
        return new DataRoots([.. parsed.OrderByDescending(map => map.From.Length)]);
    }

    /// <summary>Path without extension of a prefix's files on this machine.</summary>
    /// <exception cref="IndexingException">InvalidSpec: nothing maps the prefix, or its files are links out of the root.</exception>
    public string Locate(string prefix)
    {
        var map = _maps.Find(candidate => prefix.StartsWith(candidate.From + "/", StringComparison.Ordinal));
        if (map.To is null)
        {
            throw new IndexingException(FailureReason.InvalidSpec, $"{prefix} is outside the data mount, and no --map leads to it.");
        }

        var path = Path.Combine(map.To, prefix[(map.From.Length + 1)..]);
        var root = RealPath(map.To);
        foreach (var file in new[] { path + ".idx", path + ".bin" })
        {
            if (root is not null && RealPath(file) is { } real && !IsInside(real, root))
            {
                throw new IndexingException(
                    FailureReason.InvalidSpec,
                    $"{file} is a link to {real}, outside {root}. Copy the data to where it is declared, or declare where it is.");
            }
        }

        return path;
    }

    private static bool IsInside(string path, string root) => path.StartsWith(root.TrimEnd('/') + "/", StringComparison.Ordinal);

    /// <summary>The path with every link resolved, in its directories too; null when it is not there, which reading will tell.</summary>
    private static string? RealPath(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return Path.Exists(path) ? Path.GetFullPath(path) : null;
        }

        var resolved = ResolveLinks(path, 0);
        try
        {
            return Marshal.PtrToStringUTF8(resolved);
        }
        finally
        {
            Free(resolved);
        }
    }

    [LibraryImport("libc", EntryPoint = "realpath", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint ResolveLinks(string path, nint buffer);

    [LibraryImport("libc", EntryPoint = "free")]
    private static partial void Free(nint memory);
}
