using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace BuilderBench;

/// <summary>A dataset to make.</summary>
/// <param name="Name">Path below the folder of inputs, without extension.</param>
/// <param name="Documents">Documents, of one sequence each.</param>
/// <param name="MeanTokens">Tokens of a document on average.</param>
internal sealed record InputSpec(string Name, long Documents, int MeanTokens = 600);

/// <summary>
/// Datasets with made-up lengths, kept between runs. The <c>.bin</c> is a hole of the right size: nobody reads tokens while
/// building. The same name gives the same lengths on every machine.
/// </summary>
internal sealed class Inputs(string cache, Action<string> say)
{
    /// <summary>Changes with the bytes that are made, so that old ones are not taken for new ones.</summary>
    private const string Version = "inputs-1";

    private const int TableSize = 1 << 12;
    private const int Block = 1 << 18;
    private const int TokenBytes = 2;
    private const byte TokenCode = 8; // uint16

    /// <summary>The folder that holds them, which manifests call /data.</summary>
    public string Folder { get; } = Path.Combine(cache, Version);

    /// <summary>Makes what is missing.</summary>
    public void Provide(IReadOnlyList<InputSpec> specs)
    {
        var missing = specs.Where(spec => !File.Exists(PathOf(spec) + ".idx")).ToList();
        var (clock, told) = (Stopwatch.StartNew(), TimeSpan.Zero);
        for (var i = 0; i < missing.Count; i++)
        {
            if (missing[i].Documents >= 1_000_000 || i == 0 || clock.Elapsed - told > TimeSpan.FromSeconds(5))
            {
                told = clock.Elapsed;
                say(string.Create(CultureInfo.InvariantCulture, $"making inputs, {i + 1} of {missing.Count}: {missing[i].Name} with {missing[i].Documents:N0} documents"));
            }

            Make(missing[i]);
        }
    }

    /// <summary>Reads the files once, so that the first run has them in memory as later ones do.</summary>
    public void Warm(IReadOnlyList<InputSpec> specs)
    {
        var buffer = new byte[4 << 20];
        foreach (var spec in specs)
        {
            using var file = File.OpenHandle(PathOf(spec) + ".idx");
            for (long at = 0, read; (read = RandomAccess.Read(file, buffer, at)) > 0; at += read)
            {
                // Only to have been read.
            }
        }
    }

    /// <summary>Path without extension on this machine.</summary>
    public string PathOf(InputSpec spec) => Path.Combine(Folder, spec.Name);

    /// <summary>Tokens of a dataset that is there.</summary>
    public long TokensOf(InputSpec spec) => new FileInfo(PathOf(spec) + ".bin").Length / TokenBytes;

    private void Make(InputSpec spec)
    {
        var path = PathOf(spec);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = path + ".idx.partial";
        var lengths = new Lengths(spec);
        var bytes = 0L;
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            var header = new byte[34];
            "MMIDIDX\0\0"u8.CopyTo(header);
            BitConverter.TryWriteBytes(header.AsSpan(9), 1UL);
            header[17] = TokenCode;
            BitConverter.TryWriteBytes(header.AsSpan(18), spec.Documents);
            BitConverter.TryWriteBytes(header.AsSpan(26), spec.Documents + 1);
            file.Write(header);
            Write<int>(file, spec.Documents, i => lengths[i]);
            Write<long>(file, spec.Documents, i =>
            {
                var pointer = bytes;
                bytes += (long)lengths[i] * TokenBytes;
                return pointer;
            });
            Write<long>(file, spec.Documents + 1, i => i);
        }

        using (var bin = new FileStream(path + ".bin", FileMode.Create, FileAccess.Write))
        {
            bin.SetLength(bytes);
        }

        File.Move(temporary, path + ".idx", overwrite: true);
    }

    private static void Write<T>(FileStream file, long count, Func<long, T> item)
        where T : unmanaged
    {
        var block = new T[Math.Min(Block, count)];
        for (var first = 0L; first < count; first += block.Length)
        {
            var part = block.AsSpan(0, (int)Math.Min(block.Length, count - first));
            for (var i = 0; i < part.Length; i++)
            {
                part[i] = item(first + i);
            }

            file.Write(MemoryMarshal.AsBytes(part));
        }
    }

    /// <summary>Lengths that fall off exponentially, as those of documents roughly do: many short, few long.</summary>
    private sealed class Lengths
    {
        private readonly int[] _quantiles = new int[TableSize];
        private readonly ulong _seed;

        public Lengths(InputSpec spec)
        {
            // The same everywhere: string.GetHashCode differs from run to run.
            _seed = spec.Name.Aggregate(14695981039346656037UL, (hash, letter) => (hash ^ letter) * 1099511628211UL);
            for (var i = 0; i < TableSize; i++)
            {
                _quantiles[i] = 1 + (int)Math.Round(-(spec.MeanTokens - 1) * Math.Log((i + 0.5) / TableSize));
            }
        }

        public int this[long document] => _quantiles[Mixing.Mix(_seed + (ulong)document) % TableSize];
    }
}

/// <summary>Numbers that look random and are the same each time.</summary>
internal static class Mixing
{
    /// <summary>The finaliser of SplitMix64.</summary>
    public static ulong Mix(ulong number)
    {
        number = (number + 1) * 0x9E3779B97F4A7C15UL;
        number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9UL;
        number = (number ^ (number >> 27)) * 0x94D049BB133111EBUL;
        return number ^ (number >> 31);
    }
}
