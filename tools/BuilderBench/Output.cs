using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace BuilderBench;

/// <summary>The files that a build wrote, as far as Megatron knows them: arrays and descriptions.</summary>
internal sealed record Output(IReadOnlyDictionary<string, string> Sha256, long Bytes)
{
    /// <summary>Hashes every file.</summary>
    public static Output Of(string folder)
    {
        var names = Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)!).Where(IsMegatrons).ToList();
        var sums = new string[names.Count];
        var bytes = 0L;
        Parallel.For(0, names.Count, i =>
        {
            using var file = File.OpenRead(Path.Combine(folder, names[i]));
            sums[i] = Convert.ToHexStringLower(SHA256.HashData(file));
            Interlocked.Add(ref bytes, file.Length);
        });
        return new Output(names.Zip(sums).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal), bytes);
    }

    /// <summary>One SHA-256 for all.</summary>
    public string Digest => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Concat(Sha256.OrderBy(file => file.Key, StringComparer.Ordinal).Select(file => $"{file.Value}  {file.Key}\n")))));

    /// <summary>Fails unless two builds wrote the same bytes under the same names.</summary>
    /// <exception cref="BenchException">They did not.</exception>
    public void MustEqual(Output other, string what)
    {
        var differing = Sha256.Keys.Union(other.Sha256.Keys, StringComparer.Ordinal)
            .Where(name => Sha256.GetValueOrDefault(name) != other.Sha256.GetValueOrDefault(name))
            .Order(StringComparer.Ordinal)
            .ToList();
        if (differing.Count > 0 || Sha256.Count == 0)
        {
            var first = differing.Take(5).Select(name =>
                $"\n  {name}: {Sha256.GetValueOrDefault(name) ?? "missing"}, the other {other.Sha256.GetValueOrDefault(name) ?? "missing"}");
            throw new BenchException(string.Create(
                CultureInfo.InvariantCulture, $"{what}: {differing.Count} of {Sha256.Count} files are not the same as the reference's{string.Concat(first)}"));
        }
    }

    private static bool IsMegatrons(string name) => name.EndsWith(".npy", StringComparison.Ordinal) || name.EndsWith("-description.txt", StringComparison.Ordinal);
}

/// <summary>What the kernel holds of files.</summary>
internal static class PageCache
{
    private const int DontNeed = 4; // POSIX_FADV_DONTNEED

    /// <summary>Has a file read from the disk next time.</summary>
    public static void Forget(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.FlushToDisk(file); // Pages that are not on the disk yet cannot be dropped.
        _ = posix_fadvise((int)file.DangerousGetHandle(), 0, 0, DontNeed);
    }

#pragma warning disable IDE1006 // The name is libc's.
    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int posix_fadvise(int file, long offset, long length, int advice);
#pragma warning restore IDE1006
}
