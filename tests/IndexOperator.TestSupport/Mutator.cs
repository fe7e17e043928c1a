using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;

namespace IndexOperator.TestSupport;

/// <summary>Damages files at random: flipped bits, extreme numbers, pieces cut out, doubled, moved or taken from elsewhere.</summary>
/// <param name="seed">Equal seeds damage alike.</param>
public sealed class Mutator(int seed)
{
    private static readonly long[] Extremes =
        [0, 1, -1, 2, 7, 8, 127, 128, 255, 256, 32767, 65535, int.MaxValue, int.MinValue, uint.MaxValue, 1L << 32, 1L << 61, long.MaxValue, long.MinValue, long.MaxValue / 12];

    private readonly Random _random = new(seed);

    /// <summary>One to four damages to a copy of one of the originals.</summary>
    public byte[] Mutate(IReadOnlyList<byte[]> originals)
    {
        var bytes = originals[_random.Next(originals.Count)].ToList();
        for (var left = 1 + _random.Next(4); left > 0; left--)
        {
            Damage(bytes, originals);
        }

        return [.. bytes];
    }

    private void Damage(List<byte> bytes, IReadOnlyList<byte[]> originals)
    {
        var at = bytes.Count == 0 ? 0 : _random.Next(bytes.Count);
        var length = Math.Min(bytes.Count - at, 1 + _random.Next(24));
        switch (_random.Next(11))
        {
            case 0 when bytes.Count > 0:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1 when bytes.Count > 0:
                bytes[at] = (byte)_random.Next(256);
                break;
            case 2:
                Overwrite(bytes, at, Number(Extremes[_random.Next(Extremes.Length)], _random.Next(2) == 0 ? 4 : 8));
                break;
            case 3:
                // Off by one where a number stands, wherever that is.
                if (at + 8 <= bytes.Count)
                {
                    var value = BinaryPrimitives.ReadInt64LittleEndian(bytes.GetRange(at, 8).ToArray());
                    Overwrite(bytes, at, Number(unchecked(value + (_random.Next(2) == 0 ? 1 : -1)), 8));
                }

                break;
            case 4:
                bytes.RemoveRange(at, length);
                break;
            case 5:
                bytes.InsertRange(at, Enumerable.Range(0, 1 + _random.Next(24)).Select(_ => (byte)_random.Next(256)));
                break;
            case 6:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 7:
                bytes.InsertRange(at, bytes.GetRange(at, length));
                break;
            case 8:
                var other = originals[_random.Next(originals.Count)];
                var from = _random.Next(other.Length + 1);
                bytes.InsertRange(at, other.Skip(from).Take(1 + _random.Next(64)));
                break;
            case 9:
                // Texts: a number in them becomes an extreme one.
                if (bytes.FindIndex(at, c => c is >= (byte)'0' and <= (byte)'9') is >= 0 and var digit)
                {
                    var text = Extremes[_random.Next(Extremes.Length)].ToString(CultureInfo.InvariantCulture);
                    bytes.RemoveAt(digit);
                    bytes.InsertRange(digit, text.Select(c => (byte)c));
                }

                break;
            default:
                bytes.AddRange(Enumerable.Range(0, _random.Next(20)).Select(_ => (byte)_random.Next(256)));
                break;
        }
    }

    private static void Overwrite(List<byte> bytes, int at, byte[] with)
    {
        for (var i = 0; i < with.Length && at + i < bytes.Count; i++)
        {
            bytes[at + i] = with[i];
        }
    }

    private static byte[] Number(long value, int size) => BitConverter.GetBytes(value)[..size];
}

/// <summary>
/// Feeds damaged files to a reader. <c>make test</c> takes a fixed number from a fixed seed; <c>make fuzz</c> goes on for
/// <c>FUZZ_SECONDS</c> seconds a target from <c>FUZZ_SEED</c>, or a seed of the clock.
/// </summary>
public static class Fuzz
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Runs a reader over damaged files.</summary>
    /// <param name="target">What is read, for messages.</param>
    /// <param name="count">Files of a plain run.</param>
    /// <param name="originals">Sound files.</param>
    /// <param name="read">Reads one file and throws when it does anything but accept sound content or refuse in the agreed way.</param>
    /// <returns>Files read.</returns>
    public static int Run(string target, int count, IReadOnlyList<byte[]> originals, Action<byte[]> read)
    {
        var seconds = int.Parse(Environment.GetEnvironmentVariable("FUZZ_SECONDS") ?? "0", CultureInfo.InvariantCulture);
        var first = Environment.GetEnvironmentVariable("FUZZ_SEED") is { Length: > 0 } given ? int.Parse(given, CultureInfo.InvariantCulture)
            : seconds > 0 ? Environment.TickCount : 20261124;
        var clock = Stopwatch.StartNew();
        var done = 0;
        byte[] current = [];
        var work = Task.Factory.StartNew(
            () =>
            {
                for (; seconds > 0 ? clock.Elapsed.TotalSeconds < seconds : done < count; done++)
                {
                    current = new Mutator(unchecked(first + done)).Mutate(originals);
                    read(current);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        for (var seen = -1; !Finished(work, Patience); seen = done)
        {
            if (done == seen)
            {
                throw new TimeoutException($"{target}: seed {first + done} has kept its reader busy for {Patience.TotalSeconds} s. The file: {Save(current)}");
            }
        }

        if (work.Exception is { } fault)
        {
            throw new InvalidOperationException($"{target}: seed {unchecked(first + done)} after {done} files (FUZZ_SEED repeats it). The file: {Save(current)}", fault.InnerException);
        }

        Console.WriteLine($"fuzz {target}: {done} damaged files from seed {first}, none misread");
        return done;
    }

    private static bool Finished(Task work, TimeSpan patience)
    {
        try
        {
            return work.Wait(patience);
        }
        catch (AggregateException)
        {
            return true;
        }
    }

    private static string Save(byte[] file)
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("fuzz-").FullName, "file");
        File.WriteAllBytes(path, file);
        return path;
    }
}
