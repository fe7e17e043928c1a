using System.Globalization;
using System.Text.Json;

namespace BuilderBench;

/// <summary>Runs the reference and index-builder in turn on one work and compares their bytes each time.</summary>
internal sealed class BuildBench(Programs programs, Inputs inputs, string scratch, Action<string> say)
{
    public const string ReferenceName = "reference";

    /// <summary>Runs a work.</summary>
    /// <param name="work">What to build.</param>
    /// <param name="rounds">How often each of them builds.</param>
    /// <param name="withReference">False to run index-builder alone.</param>
    /// <exception cref="BenchException">A run failed, or bytes differ.</exception>
    public BuildResult Run(BuildWork work, int rounds, bool withReference = true)
    {
        inputs.Provide(work.Inputs);
        var manifest = WriteManifest(work);
        inputs.Warm(work.Inputs);
        var reference = new Series(ReferenceName, []);
        var withTorch = new Series(ReferenceName + " with torch", []);
        var times = new List<ReferenceTimes>();
        var builder = work.Threads.ToDictionary(threads => threads, threads => new Series(NameOf(threads), []));
        var phases = work.Threads.ToDictionary(threads => threads, _ => new List<IReadOnlyDictionary<string, double>>());
        Output? expected = null;
        using var outputs = new OutputFolders(scratch, keep: work.Inputs.Count > 1);
        for (var round = 1; round <= rounds; round++)
        {
            if (withReference)
            {
                var folder = outputs.Next();
                var (process, told) = programs.Imitate(manifest, inputs.Folder, folder, scratch);
                reference.Runs.Add(process);
                times.Add(told);
                Compare(ref expected, folder, $"{work.Name}, {ReferenceName}");
                Say(work, round, rounds, ReferenceName, process);
            }

            if (withReference && work.StartCounts)
            {
                using var folder = new ScratchFolder(scratch);
                withTorch.Runs.Add(programs.Imitate(manifest, inputs.Folder, folder.Path, scratch, "torch").Process);
                Compare(ref expected, folder.Path, $"{work.Name}, {withTorch.Name}");
                Say(work, round, rounds, withTorch.Name, withTorch.Runs[^1]);
            }

            foreach (var (threads, series) in builder)
            {
                var folder = outputs.Next();
                var process = programs.Build(manifest, inputs.Folder, folder, threads, scratch);
                var version = VersionIn(folder);
                series.Runs.Add(process);
                phases[threads].Add(TimingsOf(version));
                Compare(ref expected, version, $"{work.Name}, {series.Name}");
                Say(work, round, rounds, series.Name, process);
            }
        }

        return new BuildResult(
            work.Name,
            work.Title,
            expected!.Sha256.Count,
            expected.Bytes,
            expected.Digest,
            withReference ? reference : null,
            withReference ? Summarize(times, Statistics.Median) : null,
            withReference ? Summarize(times, Enumerable.Min) : null,
            withTorch.Runs.Count > 0 ? withTorch : null,
            builder,
            phases.ToDictionary(runs => runs.Key, runs => Statistics.OfPhases(runs.Value, Statistics.Median)));
    }

    /// <summary>Writes the manifest of a work. It is JSON, which YAML readers take too, so that both sides read the same file.</summary>
    public string WriteManifest(BuildWork work)
    {
        var path = Path.Combine(scratch, $"{work.Name}.json");
        File.WriteAllText(path, work.Manifest(inputs).ToJsonString());
        return path;
    }

    /// <summary>The only version in a cache root.</summary>
    public static string VersionIn(string cacheRoot) => Directory.GetDirectories(Path.Combine(cacheRoot, "versions")).Single();

    private static string NameOf(int threads) => threads == 1 ? "1 thread" : string.Create(CultureInfo.InvariantCulture, $"{threads} threads");

    private static void Compare(ref Output? expected, string folder, string what)
    {
        var written = Output.Of(folder);
        expected ??= written;
        written.MustEqual(expected, what);
    }

    private void Say(BuildWork work, int round, int rounds, string who, Measurement measured) => say(string.Create(
        CultureInfo.InvariantCulture,
        $"{work.Name}, round {round} of {rounds}, {who}: {measured.Seconds:0.000} s, {measured.ProcessorSeconds:0.00} s of processors, {measured.PeakBytes >> 20} MiB"));

    private static ReferenceTimes Summarize(List<ReferenceTimes> all, Func<IEnumerable<double>, double> of) => new(
        of(all.Select(times => times.ImportSeconds)),
        of(all.Select(times => times.WorkSeconds)),
        Statistics.OfPhases(all.ConvertAll(times => times.Phases), of));

    /// <summary>Whatever the builder tells of its time: every number below "timings" of the manifest.</summary>
    private static Dictionary<string, double> TimingsOf(string version)
    {
        using var manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(version, "index-manifest.json")));
        return manifest.RootElement.TryGetProperty("timings", out var timings)
            ? timings.EnumerateObject().Where(phase => phase.Value.ValueKind == JsonValueKind.Number).ToDictionary(phase => phase.Name, phase => phase.Value.GetDouble(), StringComparer.Ordinal)
            : [];
    }
}

/// <summary>
/// Folders for the outputs of a work's runs. Those of many files are removed after the last run: ext4 without a journal steps over every
/// inode that was freed in the last minutes when it looks for a new one, so a run would pay for the removal of what the one before it wrote.
/// </summary>
internal sealed class OutputFolders(string parent, bool keep) : IDisposable
{
    private readonly List<string> _folders = [];

    /// <summary>A new, empty folder.</summary>
    public string Next()
    {
        if (!keep)
        {
            Dispose();
        }

        var path = Path.Combine(parent, string.Create(CultureInfo.InvariantCulture, $"out-{_folders.Count}"));
        _folders.Add(path);
        Remove(path);
        Directory.CreateDirectory(path);
        return path;
    }

    public void Dispose()
    {
        _folders.ForEach(Remove);
        _folders.Clear();
    }

    private static void Remove(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }
}

/// <summary>A folder for one run's output, gone afterwards.</summary>
internal sealed class ScratchFolder : IDisposable
{
    public ScratchFolder(string parent)
    {
        Path = System.IO.Path.Combine(parent, "out");
        Remove();
        Directory.CreateDirectory(Path);
    }

    public string Path { get; }

    public void Dispose() => Remove();

    private void Remove()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
