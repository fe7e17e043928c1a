using System.Diagnostics;
using System.Security.Cryptography;

namespace BuilderBench;

/// <summary>What this machine can do at most, measured in the same run: figures of phases are held against it.</summary>
/// <param name="FillBytesPerSecond">Writing memory in order, one thread.</param>
/// <param name="GatherNanoseconds">Looking up one of 50M numbers of four bytes in no order, several at once, one thread.</param>
/// <param name="HashBytesPerSecond">SHA-256, one thread.</param>
/// <param name="HashOnTwoBytesPerSecond">SHA-256, two threads together.</param>
/// <param name="WriteBytesPerSecond">Writing a file and having it on the disk.</param>
internal sealed record Limits(
    double FillBytesPerSecond, double GatherNanoseconds, double HashBytesPerSecond, double HashOnTwoBytesPerSecond, double WriteBytesPerSecond)
{
    private const int Items = 50_000_000;
    private const int ChunkBytes = 4 << 20;
    private const int Chunks = 128;

    /// <summary>Takes a few seconds.</summary>
    public static Limits Measure(string folder) => new(Fill(), Gather(), Hash(1), Hash(2), Write(folder));

    private static double Fill()
    {
        var items = new int[Items];
        items.AsSpan().Fill(1); // The first touch of a page costs the kernel's work, which is another limit.
        return 4.0 * Items / Best(() => items.AsSpan().Fill(2));
    }

    private static double Gather()
    {
        var items = new int[Items];
        items.AsSpan().Fill(1);
        var sum = 0L;
        var seconds = Best(() =>
        {
            for (var i = 0; i < Items; i++)
            {
                sum += items[(int)(Mixing.Mix((ulong)i) % Items)];
            }
        });
        return sum > 0 ? 1e9 * seconds / Items : double.NaN;
    }

    /// <summary>Bytes a second of SHA-256 on some threads together.</summary>
    public static double Hash(int threads) => threads * (double)ChunkBytes * Chunks / Best(() =>
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, _ =>
        {
            var chunk = new byte[ChunkBytes];
            for (var i = 0; i < Chunks; i++)
            {
                SHA256.HashData(chunk);
            }
        }));

    private static double Write(string folder)
    {
        var path = Path.Combine(folder, "limit");
        var chunk = new byte[ChunkBytes];
        new Random(1).NextBytes(chunk);
        try
        {
            return (double)ChunkBytes * Chunks / Best(() =>
            {
                using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
                for (var i = 0; i < Chunks; i++)
                {
                    file.Write(chunk);
                }

                file.Flush(flushToDisk: true);
            });
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static double Best(Action work) => Enumerable.Range(0, 3).Min(_ =>
    {
        var clock = Stopwatch.StartNew();
        work();
        return clock.Elapsed.TotalSeconds;
    });
}
