namespace BuilderBench;

/// <summary>One run of the benchmark.</summary>
internal sealed class Session
{
    private readonly Programs _programs;
    private readonly Inputs _inputs;
    private readonly string _scratch;
    private readonly int _rounds;
    private readonly BuildBench _builds;
    private readonly List<BuildResult> _results = [];
    private readonly List<ReadResult> _reads = [];
    private readonly List<ProgressResult> _progress = [];
    private readonly List<ScalePoint> _scale = [];
    private StartResult? _start;

    public Session(Programs programs, string cache, int rounds)
    {
        (_programs, _rounds, _scratch) = (programs, rounds, Directory.CreateDirectory(Path.Combine(cache, "run")).FullName);
        _inputs = new Inputs(cache, Say);
        _builds = new BuildBench(programs, _inputs, _scratch, Say);
    }

    /// <summary>Runs works in the order given.</summary>
    public BenchResult Run(IReadOnlyList<string> works)
    {
        var (started, machine) = (DateTimeOffset.UtcNow, Machine.Look());
        Say($"{machine.Processor}, {machine.Cores} cores, load {machine.LoadBefore}; measuring what it can do");
        var limits = Limits.Measure(_scratch);
        var failures = new List<string>();
        foreach (var name in works)
        {
            try
            {
                RunWork(name);
            }
            catch (BenchException fault)
            {
                // The others are still worth their time; the run fails at its end.
                Say($"error: {fault.Message}");
                failures.Add(fault.Message);
            }
        }

        return new BenchResult(
            started, machine, limits, _programs.Builder, _results, _reads, _progress, _start, _scale, [.. Report.CheckPhases(_results)], [.. Report.Rows(_results, _reads, _progress, _start)], failures);
    }

    private void RunWork(string name)
    {
        foreach (var work in Works.Named(name))
        {
            _results.Add(_builds.Run(work, _rounds * work.RoundsFactor));
        }

        var reading = new ReadBench(_programs, _inputs, _builds, _scratch, Say);
        switch (name)
        {
            case Works.Fingerprint:
                _reads.AddRange(reading.Fingerprint(_rounds));
                break;
            case Works.Verify:
                _reads.AddRange(reading.Verify(_rounds));
                break;
            case Works.Progress:
                var watching = new ProgressBench(_programs, _inputs, _builds, _scratch, Say);
                _progress.AddRange(Works.Watched.SelectMany(work => watching.Run(work, _rounds)));
                break;
            case Works.Start:
                _start = StartOften(10 * _rounds);
                break;
            case Works.Scale:
                foreach (var millions in Works.ScaleMillions)
                {
                    _scale.AddRange(Grow(millions));
                }

                break;
        }
    }

    private StartResult StartOften(int times)
    {
        var result = new StartResult(new Series("python3 with numpy", []), new Series("index-builder", []));
        for (var i = 0; i < times; i++)
        {
            result.Reference.Runs.Add(_programs.StartReference(_scratch));
            result.Builder.Runs.Add(_programs.Start(_scratch));
        }

        return result;
    }

    private IEnumerable<ScalePoint> Grow(int millions) =>
        _builds.Run(Works.Growing(millions), _rounds, withReference: false).Builder.Select(series =>
            new ScalePoint(millions * 1_000_000L, series.Key, series.Value.MedianSeconds, series.Value.MedianProcessorSeconds, series.Value.PeakBytes));

    private static void Say(string text) => Console.Error.WriteLine($"{DateTime.UtcNow:HH:mm:ss} {text}");
}
