namespace BuilderBench;

/// <summary>One run of the benchmark.</summary>
internal sealed class Session
{
    private readonly Programs _programs;
    private readonly Inputs _inputs;
    private readonly string _scratch;
    private readonly int _rounds;
    private readonly BuildBench _builds;

    public Session(Programs programs, string cache, int rounds)
    {
        (_programs, _rounds, _scratch) = (programs, rounds, Directory.CreateDirectory(Path.Combine(cache, "run")).FullName);
        _inputs = new Inputs(cache, Say);
        _builds = new BuildBench(programs, _inputs, _scratch, Say);
    }

    /// <summary>Runs works in the order given.</summary>
    /// <exception cref="BenchException">A run failed, or bytes differ.</exception>
    public BenchResult Run(IReadOnlyList<string> works)
    {
        var (started, machine) = (DateTimeOffset.UtcNow, Machine.Look());
        Say($"{machine.Processor}, {machine.Cores} cores, load {machine.LoadBefore}");
        var (builds, reads, scale) = (new List<BuildResult>(), new List<ReadResult>(), new List<ScalePoint>());
        foreach (var name in works)
        {
            builds.AddRange(Works.Named(name).Select(work => _builds.Run(work, _rounds * work.RoundsFactor)));
            var reading = new ReadBench(_programs, _inputs, _builds, _scratch, Say);
            switch (name)
            {
                case Works.Fingerprint:
                    reads.AddRange(reading.Fingerprint(_rounds));
                    break;
                case Works.Verify:
                    reads.AddRange(reading.Verify(_rounds));
                    break;
                case Works.Scale:
                    scale.AddRange(Works.ScaleMillions.SelectMany(Grow));
                    break;
            }
        }

        return new BenchResult(
            started, machine, _programs.Builder, builds, reads, scale, [.. Report.CheckPhases(builds)], [.. Report.Rows(builds, reads)]);
    }

    private IEnumerable<ScalePoint> Grow(int millions) =>
        _builds.Run(Works.Growing(millions), _rounds, withReference: false).Builder.Select(series =>
            new ScalePoint(millions * 1_000_000L, series.Key, series.Value.MedianSeconds, series.Value.MedianProcessorSeconds, series.Value.PeakBytes));

    private static void Say(string text) => Console.Error.WriteLine($"{DateTime.UtcNow:HH:mm:ss} {text}");
}
