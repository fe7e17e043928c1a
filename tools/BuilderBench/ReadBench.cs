using System.Diagnostics;
using System.Globalization;

namespace BuilderBench;

/// <summary>Works whose limit is how fast files can be read: from the disk, after the kernel was told to forget them, and from memory.</summary>
internal sealed class ReadBench(Programs programs, Inputs inputs, BuildBench builds, string scratch, Action<string> say)
{
    private const int Readers = 2;
    private const int BufferBytes = 4 << 20;

    /// <summary><c>index-builder fingerprint</c> on ten gigabytes of <c>.idx</c> files.</summary>
    /// <param name="rounds">How often.</param>
    public IEnumerable<ReadResult> Fingerprint(int rounds)
    {
        inputs.Provide(Works.TenGigabytes);
        var paths = Works.TenGigabytes.Select(input => inputs.PathOf(input) + ".idx").ToList();
        var manifest = builds.WriteManifest(Works.FingerprintWork);
        return Compare(
            "fingerprint of 10 GB of .idx files", paths, rounds, () => ReadAll(paths), () => programs.Fingerprint(manifest, inputs.Folder, scratch));
    }

    /// <summary><c>index-builder verify</c> on a version of 50M documents.</summary>
    public IEnumerable<ReadResult> Verify(int rounds)
    {
        var work = Works.Named("50m-x1")[0];
        inputs.Provide(work.Inputs);
        using var folder = new ScratchFolder(scratch);
        programs.Build(builds.WriteManifest(work), inputs.Folder, folder.Path, Readers, scratch);
        var version = BuildBench.VersionIn(folder.Path);
        var paths = Directory.GetFiles(version);
        // Into a pipe or a file cat would do more than read.
        Measurement Cat() => programs.Run(scratch, "/dev/null", ["/bin/cat", .. paths]);
        return Compare("verify of a version of 50M documents", paths, rounds, Cat, () => programs.Verify(version, scratch));
    }

    private List<ReadResult> Compare(
        string name, IReadOnlyList<string> paths, int rounds, Func<Measurement> read, Func<Measurement> run)
    {
        var bytes = paths.Sum(path => new FileInfo(path).Length);
        var results = new List<ReadResult>();
        foreach (var (state, isCold) in new[] { ("from the disk", true), ("from memory", false) })
        {
            var (reading, builder, hashing) = (new Series("reading", []), new Series("2 threads", []), new List<double>());
            for (var round = 1; round <= rounds; round++)
            {
                Prepare(paths, isCold);
                reading.Runs.Add(read());
                hashing.Add(Limits.Hash(Readers));
                Prepare(paths, isCold);
                builder.Runs.Add(run());
                say(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name}, {state}, round {round} of {rounds}: reading {reading.Runs[^1].Seconds:0.00} s, index-builder {builder.Runs[^1].Seconds:0.00} s"));
            }

            results.Add(new ReadResult($"{name}, {state}", bytes, reading, Statistics.Median(hashing), builder));
        }

        return results;
    }

    private static void Prepare(IReadOnlyList<string> paths, bool isCold)
    {
        if (isCold)
        {
            foreach (var path in paths)
            {
                PageCache.Forget(path);
            }
        }
        else
        {
            ReadAll(paths);
        }
    }

    private static Measurement ReadAll(IReadOnlyList<string> paths)
    {
        var clock = Stopwatch.StartNew();
        Parallel.ForEach(
            paths, new ParallelOptions { MaxDegreeOfParallelism = Readers }, () => new byte[BufferBytes], (path, _, buffer) =>
            {
                using var file = File.OpenHandle(path);
                for (long at = 0, read; (read = RandomAccess.Read(file, buffer, at)) > 0; at += read)
                {
                    // Only to have been read.
                }

                return buffer;
            }, _ => { });
        return new Measurement(clock.Elapsed.TotalSeconds, double.NaN, 0, 0);
    }
}
