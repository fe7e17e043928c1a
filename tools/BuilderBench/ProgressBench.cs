using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace BuilderBench;

/// <summary>Holds what <c>index-builder build</c> tells of its progress, as it does in a Job, against what became of it.</summary>
internal sealed class ProgressBench(Programs programs, Inputs inputs, BuildBench builds, string scratch, Action<string> say)
{
    /// <summary>What is told in the first second may be wrong: there is little yet to judge by.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>Runs a work once for each round and number of threads.</summary>
    /// <exception cref="BenchException">A run failed, or told nothing after its first second.</exception>
    public IEnumerable<ProgressResult> Run(BuildWork work, int rounds)
    {
        inputs.Provide(work.Inputs);
        var manifest = builds.WriteManifest(work);
        inputs.Warm(work.Inputs);
        foreach (var threads in work.Threads)
        {
            var told = new List<Told>();
            for (var round = 1; round <= rounds; round++)
            {
                using var folder = new ScratchFolder(scratch);
                told.AddRange(Watch(manifest, folder.Path, threads));
            }

            if (told.Count == 0)
            {
                throw new BenchException($"progress of {work.Name}: nothing was told after the first second");
            }

            var result = new ProgressResult(
                work.Name, threads, told.Count, told.Max(one => Math.Abs(one.Percent - one.TruePercent)), told.Max(one => Math.Abs(one.Remaining - one.TrueRemaining) / one.Whole));
            say(string.Create(
                CultureInfo.InvariantCulture,
                $"progress of {work.Name}, {threads} threads: told {told.Count} times, percent at most {result.WorstPercent:0.0} off, remaining time {100 * result.WorstRemaining:0.0} % of the whole"));
            yield return result;
        }
    }

    private List<Told> Watch(string manifest, string cacheRoot, int threads)
    {
        var lines = new List<(TimeSpan At, string Text)>();
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(new ProcessStartInfo(programs.Builder, Programs.BuildArguments(manifest, inputs.Folder, cacheRoot, threads))
        {
            RedirectStandardOutput = true,
        })!;
        while (process.StandardOutput.ReadLine() is { } line)
        {
            lines.Add((clock.Elapsed, line));
        }

        process.WaitForExit();
        var whole = clock.Elapsed;
        if (process.ExitCode != 0)
        {
            throw new BenchException($"index-builder build ended with {process.ExitCode} while its progress was watched");
        }

        return [.. lines.Where(line => line.At >= Grace).Select(line => Parse(line.At, line.Text, whole)).OfType<Told>()];
    }

    private static Told? Parse(TimeSpan at, string line, TimeSpan whole)
    {
        using var json = JsonDocument.Parse(line);
        return json.RootElement.TryGetProperty("progress", out var progress)
            ? new Told(
                progress.GetProperty("percent").GetDouble(),
                100 * at / whole,
                progress.TryGetProperty("etaSeconds", out var seconds) ? seconds.GetDouble() : double.PositiveInfinity,
                (whole - at).TotalSeconds,
                whole.TotalSeconds)
            : null;
    }

    private sealed record Told(double Percent, double TruePercent, double Remaining, double TrueRemaining, double Whole);
}
