using System.Text.Json.Serialization;

namespace BuilderBench;

/// <summary>What one run of a program took.</summary>
/// <param name="Seconds">From before the process existed until it was gone.</param>
/// <param name="ProcessorSeconds">User and system.</param>
/// <param name="PeakBytes">The most that was resident.</param>
/// <param name="ExitCode">0 for success.</param>
internal sealed record Measurement(double Seconds, double ProcessorSeconds, long PeakBytes, int ExitCode);

/// <summary>What the reference tells of itself.</summary>
/// <param name="ImportSeconds">Importing numpy and the rest.</param>
/// <param name="WorkSeconds">Everything after that.</param>
/// <param name="Phases">Seconds of each phase; a phase inside another counts in both.</param>
internal sealed record ReferenceTimes(double ImportSeconds, double WorkSeconds, IReadOnlyDictionary<string, double> Phases);

/// <summary>All runs of one program on one work.</summary>
/// <param name="Name">Which program, and with how many threads.</param>
/// <param name="Runs">In the order in which they ran.</param>
internal sealed record Series(string Name, List<Measurement> Runs)
{
    public double MedianSeconds => Statistics.Median(Runs.Select(run => run.Seconds));

    public double MedianProcessorSeconds => Statistics.Median(Runs.Select(run => run.ProcessorSeconds));

    /// <summary>The most of all runs: a limit must hold for each.</summary>
    public long PeakBytes => Runs.Count == 0 ? 0 : Runs.Max(run => run.PeakBytes);
}

/// <summary>One work, built by both.</summary>
/// <param name="Name">Name on the command line, or below it.</param>
/// <param name="Title">What it is.</param>
/// <param name="Files">Files that were equal, in every round.</param>
/// <param name="Bytes">Bytes of them.</param>
/// <param name="Digest">SHA-256 over their names and SHA-256.</param>
/// <param name="Reference">The reference, whole process; null where only the builder ran.</param>
/// <param name="ReferenceTimes">Medians of what it told of itself.</param>
/// <param name="ReferenceFastest">The least of the same, which is what Megatron's figures are too.</param>
/// <param name="ReferenceWithTorch">The same with Megatron-Core's greatest import; null where the start does not count.</param>
/// <param name="Builder">index-builder, by number of threads.</param>
/// <param name="BuilderPhases">Medians of the seconds that its manifests have of each phase, by number of threads.</param>
internal sealed record BuildResult(
    string Name,
    string Title,
    int Files,
    long Bytes,
    string Digest,
    Series? Reference,
    ReferenceTimes? ReferenceTimes,
    ReferenceTimes? ReferenceFastest,
    Series? ReferenceWithTorch,
    IReadOnlyDictionary<int, Series> Builder,
    IReadOnlyDictionary<int, IReadOnlyDictionary<string, double>> BuilderPhases);

/// <summary>A work that is held against the speed of reading.</summary>
/// <param name="Name">What was read and in which state.</param>
/// <param name="Bytes">Bytes read.</param>
/// <param name="Reading">Just reading the same files.</param>
/// <param name="HashBytesPerSecond">SHA-256 in memory on two threads.</param>
/// <param name="Builder">index-builder.</param>
internal sealed record ReadResult(string Name, long Bytes, Series Reading, double HashBytesPerSecond, Series Builder)
{
    public double ReadBytesPerSecond => Bytes / Reading.MedianSeconds;

    public double BuilderBytesPerSecond => Bytes / Builder.MedianSeconds;

    public double LimitBytesPerSecond => Math.Min(ReadBytesPerSecond, HashBytesPerSecond);
}

/// <summary>How honest the progress of a build is, after its first second.</summary>
/// <param name="Work">The work.</param>
/// <param name="Threads">Threads of the builder.</param>
/// <param name="Times">How often it was told, in all rounds.</param>
/// <param name="WorstPercent">The furthest that a percentage was from the share of the time that had passed, in points.</param>
/// <param name="WorstRemaining">The furthest that a remaining time was from the true one, as a share of the whole.</param>
internal sealed record ProgressResult(string Work, int Threads, int Times, double WorstPercent, double WorstRemaining);

/// <summary>Programs that begin and end at once.</summary>
/// <param name="Reference">Python, with numpy imported.</param>
/// <param name="Builder">index-builder, telling its version.</param>
internal sealed record StartResult(Series Reference, Series Builder);

/// <summary>A size of the work that shows how cost grows.</summary>
internal sealed record ScalePoint(long Documents, int Threads, double Seconds, double ProcessorSeconds, long PeakBytes);

/// <summary>A line of the table.</summary>
/// <param name="Work">The work.</param>
/// <param name="Reference">What it is measured against.</param>
/// <param name="Builder">What index-builder has.</param>
/// <param name="Measured">The ratio or share.</param>
/// <param name="Wanted">What it must be; empty where it is only told.</param>
/// <param name="Met">Whether it is; null where nothing is wanted.</param>
internal sealed record Row(string Work, string Reference, string Builder, string Measured, string Wanted, bool? Met);

/// <summary>A phase of the reference beside what real Megatron was seen to take.</summary>
internal sealed record PhaseCheck(string Work, string Phase, double Seconds, double MegatronSeconds)
{
    public double Ratio => Seconds / MegatronSeconds;
}

/// <summary>Everything that goes into the JSON.</summary>
internal sealed record BenchResult(
    DateTimeOffset Started,
    Machine Machine,
    Limits Limits,
    string Builder,
    IReadOnlyList<BuildResult> Builds,
    IReadOnlyList<ReadResult> Reads,
    IReadOnlyList<ProgressResult> Progress,
    StartResult? Start,
    IReadOnlyList<ScalePoint> Scale,
    IReadOnlyList<PhaseCheck> PhaseChecks,
    IReadOnlyList<Row> Rows,
    IReadOnlyList<string> Failures);

/// <summary>What is made of several figures.</summary>
internal static class Statistics
{
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0 ? double.NaN : (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    /// <summary>One figure of each phase of several runs.</summary>
    /// <param name="runs">The phases of each run.</param>
    /// <param name="of">Makes one figure of those of all runs.</param>
    public static IReadOnlyDictionary<string, double> OfPhases(IReadOnlyList<IReadOnlyDictionary<string, double>> runs, Func<IEnumerable<double>, double> of) => runs
        .SelectMany(run => run)
        .GroupBy(phase => phase.Key, phase => phase.Value, StringComparer.Ordinal)
        .ToDictionary(phase => phase.Key, phase => of(phase), StringComparer.Ordinal);
}

/// <summary>Source-generated JSON of the figures.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(BenchResult))]
[JsonSerializable(typeof(Measurement))]
[JsonSerializable(typeof(ReferenceTimes))]
internal sealed partial class BenchJson : JsonSerializerContext;
