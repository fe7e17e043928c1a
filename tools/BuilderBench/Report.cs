using System.Globalization;
using Spectre.Console;

namespace BuilderBench;

/// <summary>Holds figures against what is wanted of them.</summary>
internal static class Report
{
    /// <summary>How far progress may be from the truth, as a share.</summary>
    private const double Honest = 0.15;

    /// <summary>How near to a limit counts as being there: a median of few runs is no nearer to the truth.</summary>
    private const double Near = 0.9;

    private const long Mebibyte = 1 << 20;

    /// <summary>What real Megatron was seen to take (seconds) on two cores: total, document index, its shuffle, sample index, shuffle index, save.</summary>
    private static readonly Dictionary<string, double[]> Megatron = new(StringComparer.Ordinal)
    {
        ["1m"] = [0.04, 0.02, 0.015, 0.005, 0.003, 0.001],
        ["50m-x1"] = [6.4, 4.9, 3.1, 0.80, 0.34, 0.05],
        ["50m-x3"] = [21.2, 15.3, 9.6, 2.4, 1.15, 1.95],
    };

    private static readonly string[] Phases = ["total", "documentIndex", "documentShuffle", "sampleIndex", "shuffleIndex", "save"];

    /// <summary>Its peak in MiB, with torch imported.</summary>
    private static readonly Dictionary<string, int> MegatronPeak = new(StringComparer.Ordinal) { ["50m-x1"] = 1756, ["50m-x3"] = 4044 };

    /// <summary>The reference's phases beside Megatron's: how far it can be taken for it.</summary>
    public static IEnumerable<PhaseCheck> CheckPhases(IEnumerable<BuildResult> builds) =>
        from build in builds
        where build.ReferenceFastest is not null && Megatron.ContainsKey(build.Name)
        from phase in Phases.Index()
        select new PhaseCheck(
            build.Name,
            phase.Item,
            phase.Index == 0 ? build.ReferenceFastest!.WorkSeconds : build.ReferenceFastest!.Phases.GetValueOrDefault(phase.Item),
            Megatron[build.Name][phase.Index]);

    /// <summary>The table.</summary>
    public static IEnumerable<Row> Rows(IReadOnlyList<BuildResult> builds, IReadOnlyList<ReadResult> reads, IReadOnlyList<ProgressResult> progress, StartResult? start) =>
        [.. builds.Where(build => build.Reference is not null).SelectMany(Rows), .. reads.Select(Of), .. progress.Select(Of), .. start is null ? [] : new[] { Of(start) }];

    /// <summary>Prints everything.</summary>
    public static void Print(BenchResult result, IAnsiConsole console)
    {
        var machine = result.Machine;
        console.WriteLine(Text($"{machine.Processor}, {machine.Cores} cores, {machine.MemoryBytes >> 30} GiB, Linux {machine.Kernel}, load before: {machine.LoadBefore}"));
        if (machine.IsBusy)
        {
            console.WriteLine("warning: others use this machine; ratios of processor time tell more than those of the clock");
        }

        var limits = result.Limits;
        console.WriteLine(Text(
            $"limits: memory fill {limits.FillBytesPerSecond / 1e9:0.0} GB/s, gather {limits.GatherNanoseconds:0.0} ns, SHA-256 {limits.HashBytesPerSecond / 1e9:0.00} GB/s (two threads {limits.HashOnTwoBytesPerSecond / 1e9:0.00}), write and sync {limits.WriteBytesPerSecond / 1e9:0.00} GB/s"));
        if (result.PhaseChecks.Count > 0)
        {
            var phases = new Table()
                .Title("the reference beside real Megatron, fastest runs of both")
                .Caption("near 1: it can stand for Megatron. Saving depends on when the kernel writes pages back")
                .AddColumns("work", "phase", "reference s", "Megatron s", "ratio");
            foreach (var check in result.PhaseChecks)
            {
                phases.AddRow(check.Work, check.Phase, Text($"{check.Seconds:0.000}"), Text($"{check.MegatronSeconds:0.000}"), Text($"{check.Ratio:0.00}"));
            }

            console.Write(phases);
        }

        if (result.Builds.Any(build => build.BuilderPhases.Values.Any(phases => phases.Count > 0)))
        {
            var phases = new Table().Title("where index-builder's time goes, as its manifests tell").AddColumns("work", "threads", "seconds of each phase", "whole process s");
            foreach (var (build, threads) in result.Builds.SelectMany(build => build.BuilderPhases.Keys.Select(threads => (build, threads))))
            {
                var seconds = build.BuilderPhases[threads].Select(phase => Text($"{phase.Key} {phase.Value:0.000}"));
                phases.AddRow(build.Name, Text($"{threads}"), string.Join(", ", seconds), Text($"{build.Builder[threads].MedianSeconds:0.000}"));
            }

            console.Write(phases);
        }

        if (result.Scale.Count > 0)
        {
            var scale = new Table().Title("growth").AddColumns("documents", "threads", "seconds", "ns a document", "processor s", "MiB");
            foreach (var point in result.Scale)
            {
                scale.AddRow(
                    Text($"{point.Documents:N0}"), Text($"{point.Threads}"), Text($"{point.Seconds:0.000}"), Text($"{1e9 * point.Seconds / point.Documents:0.0}"), Text($"{point.ProcessorSeconds:0.00}"), Text($"{point.PeakBytes / Mebibyte}"));
            }

            console.Write(scale);
        }

        if (result.Rows.Count > 0)
        {
            var table = new Table().AddColumns("work", "reference", "index-builder", "measured", "wanted", "");
            foreach (var row in result.Rows)
            {
                table.AddRow(row.Work, row.Reference, row.Builder, row.Measured, row.Wanted, row.Met switch { true => "met", false => "NOT MET", null => "" });
            }

            console.Write(table);
        }
    }

    private static IEnumerable<Row> Rows(BuildResult build)
    {
        var (reference, times) = (build.Reference!, build.ReferenceTimes!);
        foreach (var (threads, series) in build.Builder)
        {
            double? wanted = (build.Name, threads) switch
            {
                ("50m-x1" or "50m-x3", 2) => 10,
                ("50m-x1" or "50m-x3", 1) => 7,
                ("1m", 2) => 20,
                ("blend", 2) => 10,
                _ => null,
            };
            yield return Faster($"{build.Title}, {series.Name}", reference.MedianSeconds, series, wanted, reference.MedianProcessorSeconds);
            if (build.ReferenceWithTorch is { } whole)
            {
                yield return Faster($"{build.Title}, {series.Name}, the reference with torch's import", whole.MedianSeconds, series, null, whole.MedianProcessorSeconds);
                yield return Faster($"{build.Title}, {series.Name}, the reference without any import", times.WorkSeconds, series, null);
            }

            if (build.Name == "greedy")
            {
                // Loop against loop once the manifest tells the blend's own time; until then a whole build must do.
                var (loop, limit) = (times.Phases["blendLoop"], threads == 2 ? 10.0 : (double?)null);
                var blends = build.BuilderPhases[threads].TryGetValue("blendSeconds", out var blendSeconds);
                yield return Faster($"{build.Title}, {series.Name}, whole build against the C++ loop alone", loop, series, blends ? null : limit);
                if (blends)
                {
                    yield return Judge($"{build.Title}, {series.Name}, loop against loop", Text($"{loop:0.000} s"), Text($"{blendSeconds:0.000} s"), loop / blendSeconds, "", limit);
                }
            }

            if (MegatronPeak.TryGetValue(build.Name, out var peak))
            {
                var share = (double)series.PeakBytes / Mebibyte / peak;
                yield return new Row(
                    $"{build.Title}, {series.Name}, peak memory",
                    Text($"{reference.PeakBytes / Mebibyte} MiB (Megatron with torch: {peak})"),
                    Text($"{series.PeakBytes / Mebibyte} MiB"),
                    Text($"{share:0.000} of Megatron's, {(double)series.PeakBytes / reference.PeakBytes:0.000} of the reference's"),
                    "<= 0.25 of Megatron's",
                    share <= 0.25);
            }
        }
    }

    private static Row Faster(string work, double reference, Series series, double? wanted, double? processor = null)
    {
        var ratio = reference / series.MedianSeconds;
        // Tells more than the clock where others use the machine meanwhile.
        var ofProcessor = processor is { } seconds ? Text($" (of processor time {seconds / series.MedianProcessorSeconds:0.0}x)") : "";
        var took = Text($"{series.MedianSeconds:0.000} s ({series.MedianProcessorSeconds:0.00} s of processors, {series.PeakBytes / Mebibyte} MiB)");
        return Judge(work, Text($"{reference:0.000} s"), took, ratio, ofProcessor, wanted);
    }

    private static Row Judge(string work, string reference, string builder, double ratio, string remark, double? wanted) => new(
        work, reference, builder, Text($"{ratio:0.0}x{remark}"), wanted is { } least ? Text($">= {least:0}x") : "", wanted is { } limit ? ratio >= limit : null);

    private static Row Of(ReadResult read)
    {
        var share = read.BuilderBytesPerSecond / read.LimitBytesPerSecond;
        return new Row(
            read.Name,
            Text($"reading {read.ReadBytesPerSecond / 1e9:0.00} GB/s, SHA-256 {read.HashBytesPerSecond / 1e9:0.00} GB/s"),
            Text($"{read.BuilderBytesPerSecond / 1e9:0.00} GB/s ({read.Builder.MedianSeconds:0.00} s)"),
            Text($"{share:0.00} of the limit"),
            Text($">= {Near} of it"),
            share >= Near);
    }

    private static Row Of(StartResult start) => Faster("start of index-builder, beside that of python3 with numpy", start.Reference.MedianSeconds, start.Builder, 5, start.Reference.MedianProcessorSeconds);

    private static Row Of(ProgressResult told) => new(
        Text($"progress of {told.Work}, {told.Threads} threads, after the first second"),
        "the time that passed",
        Text($"told {told.Times} times"),
        Text($"percent {told.WorstPercent:0} off at most, remaining time {100 * told.WorstRemaining:0} % of the whole"),
        Text($"<= {100 * Honest:0}"),
        told.WorstPercent <= 100 * Honest && told.WorstRemaining <= Honest);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
