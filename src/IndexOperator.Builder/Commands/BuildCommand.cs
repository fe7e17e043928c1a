using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Commands;

/// <summary><c>index-builder build</c>: the main job, in Jobs and on laptops.</summary>
internal sealed class BuildCommand
{
    private readonly Terminal _terminal;
    private readonly TerminationLog _log;
    private readonly string? _cacheRoot;
    private readonly string? _discardStaging;
    private readonly string _buildId;
    private readonly long _started = TimeProvider.System.GetTimestamp();
    private long? _predictedMemory;

    private BuildCommand(Terminal terminal, TerminationLog log, string? cacheRoot, string? discardStaging, string buildId)
    {
        _terminal = terminal;
        _log = log;
        _cacheRoot = cacheRoot;
        _discardStaging = discardStaging;
        _buildId = buildId;
    }

    public static Command Create()
    {
        var file = CommonOptions.File();
        var cacheRoot = new Option<string?>("--cache-root") { Description = "Publish an immutable version below DIR/versions.", HelpName = "DIR" };
        var output = new Option<string?>("--output") { Description = "Write just Megatron's files into DIR, an index_mapping_dir.", HelpName = "DIR" };
        var map = CommonOptions.Map();
        var threads = CommonOptions.Threads();
        var buildId = new Option<string?>("--build-id") { Description = "Name of the staging directory; default: random.", HelpName = "ID" };
        var discard = CommonOptions.DiscardStaging();
        var termination = CommonOptions.TerminationLogPath();
        var quiet = CommonOptions.Quiet();
        var repair = new Option<bool>("--repair") { Description = "With --cache-root: a version that is in the way and corrupt is moved to .quarantine/ and built anew." };
        var dataVersion = new Option<string?>("--data-version") { Description = "Label of the data for the manifest; default: spec.dataVersion.", HelpName = "NAME" };
        var format = CommonOptions.Format();
        var command = new Command("build", """
            Builds the index that a PretrainIndex declares.

            Examples:
              index-builder build -f web-mix.yaml --cache-root /npy_index
              index-builder build -f web-mix.yaml --output ./npy_index --map /data=./corpus
            """)
        {
            file, cacheRoot, output, map, threads, buildId, discard, quiet, repair, termination, dataVersion, format,
        };
        command.Validators.Add(result =>
        {
            if ((result.GetValue(cacheRoot) is null) == (result.GetValue(output) is null))
            {
                result.AddError("Give exactly one of --cache-root and --output.");
            }
            else if (result.GetValue(repair) && result.GetValue(cacheRoot) is null)
            {
                result.AddError("--repair goes with --cache-root.");
            }
        });
        command.SetAction(parsed =>
        {
            var build = new BuildCommand(
                Terminal.For(parsed.GetValue(format)),
                new TerminationLog(parsed.GetValue(termination)),
                parsed.GetValue(cacheRoot),
                parsed.GetValue(discard),
                parsed.GetValue(buildId) ?? Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture));
            var options = new BuildOptions
            {
                Threads = parsed.GetValue(threads),
                Quiet = GoDuration.Parse(parsed.GetValue(quiet)!).Value,
                Repair = parsed.GetValue(repair),
            };
            return build.Run(parsed.GetValue(file)!, parsed.GetValue(map)!, options, parsed.GetValue(output), parsed.GetValue(dataVersion));
        });
        return command;
    }

    private int Run(string file, string[] maps, BuildOptions how, string? output, string? dataVersion)
    {
        using var signals = new StopSignals(SayLastWord);
        try
        {
            var resource = RequestMapping.Read(file);
            var request = RequestMapping.ToRequest(resource.Spec);
            var roots = DataRoots.Parse(maps, resource.Spec.Data.MountPath);
            _terminal.Log(new BuilderEvent("started", resource.Metadata?.Name, CommonOptions.BuilderVersion, how.Threads));
            var forecast = Foresee(request, roots, how.Threads);
            var report = _terminal.WithProgress(TimeProvider.System, progress =>
            {
                var options = how with { Progress = progress, CancellationToken = signals.Token };
                return output is null
                    ? Publish(request, roots, options, dataVersion ?? resource.Spec.DataVersion)
                    : WriteBare(request, roots, options, output);
            }, forecast);
            Succeed(report, output ?? CacheLayout.VersionPath(_cacheRoot!, report.Version!));
            return ExitCodes.Success;
        }
#pragma warning disable CA1031 // The outermost handler: everything gets a reason here.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            return Fail(Failures.From(fault));
        }
    }

    /// <summary>
    /// Looks at the headers of the data for what can be known before it is read, where anybody asks for it. A build that is killed for its
    /// memory says nothing any more: what it needs is left in the termination message before, and where that is more than its limit, it
    /// does not begin.
    /// </summary>
    private WorkForecast? Foresee(IndexRequest request, DataRoots roots, int threads)
    {
        var limit = MemoryLimit.Read();
        if (!_log.IsThere && limit is null && !_terminal.ShowsProgress)
        {
            return null;
        }

        IndexPlan plan;
        try
        {
            RequestRules.Check(request);
            plan = IndexPlanner.Create(request, DatasetLoader.LoadHeaders(request, roots.Locate));
        }
        catch (IndexingException)
        {
            // The build meets the same, and reports it.
            return null;
        }

        _predictedMemory = MemoryForecast.Of(plan, threads);
        _log.Write(new BuildReport { Outcome = BuildReport.Begun, PredictedMemoryBytes = _predictedMemory });
        MemoryForecast.ThrowIfAbove(_predictedMemory.Value, limit, threads);
        return WorkForecast.Of(plan);
    }

    private BuildReport Publish(IndexRequest request, DataRoots roots, BuildOptions options, string? dataVersion)
    {
        if (_discardStaging is { } prefix)
        {
            _ = StagingSweep.Remove(LocalFileSystem.Instance, _cacheRoot!, prefix, except: _buildId);
        }

        var identity = new BuildIdentity(_buildId, CommonOptions.BuilderVersion, dataVersion);
        var result = CachePublisher.Publish(LocalFileSystem.Instance, _cacheRoot!, request, roots.Locate, identity, options);
        var manifest = result.Manifest;
        long? Samples(Split split) => manifest.Splits.FirstOrDefault(described => described.Split == split.Name())?.Samples;
        return Complete(new BuildReport
        {
            Outcome = result.Outcome.ToString(),
            Version = manifest.Version,
            Fingerprint = manifest.Fingerprint,
            Stamp = result.Stamp,
            Quarantined = result.Quarantined,
            SizeBytes = result.SizeBytes,
            Files = result.Files,
            Sequences = manifest.Data.Sum(data => data.Sequences),
            Tokens = manifest.Data.Sum(data => data.Tokens),
            Samples = new SamplesSpec { Train = Samples(Split.Train), Validation = Samples(Split.Valid), Test = Samples(Split.Test) },
        });
    }

    private BuildReport WriteBare(IndexRequest request, DataRoots roots, BuildOptions options, string output)
    {
        var (plan, files) = BareOutput.Write(LocalFileSystem.Instance, output, request, roots.Locate, options);
        var fingerprint = VersionIdentity.Fingerprint(plan.Data);
        long? Samples(Split split) => plan.Splits.FirstOrDefault(planned => planned.Split == split)?.Samples;
        return Complete(new BuildReport
        {
            Outcome = BuildReport.Built,
            Version = VersionIdentity.Version(fingerprint, request),
            Fingerprint = fingerprint,
            SizeBytes = files.Sum(written => written.Bytes),
            Files = files.Count,
            Sequences = plan.Data.Sum(data => data.SequenceLengths.LongLength),
            Tokens = plan.Data.Sum(data => data.Tokens),
            Samples = new SamplesSpec { Train = Samples(Split.Train), Validation = Samples(Split.Valid), Test = Samples(Split.Test) },
        });
    }

    private void Succeed(BuildReport report, string path)
    {
        _log.Write(report);
        _terminal.Log(new BuilderEvent("finished", Report: report));
        if (_terminal.Mode == TalkMode.Json)
        {
            Terminal.WriteLine(report.ToJson());
        }
        else if (_terminal.Mode == TalkMode.Person)
        {
            Terminal.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{report.Outcome} {path}\n  {report.Files} files, {report.SizeBytes:N0} bytes from {report.Sequences:N0} sequences and {report.Tokens:N0} tokens in {report.Seconds:0.00} s\n  {report.Fingerprint}"));
        }
    }

    private int Fail(IndexingException failure)
    {
        var report = FailureReport(failure);
        _log.Write(report);
        _terminal.Log(new BuilderEvent("finished", Report: report));
        if (_terminal.Mode == TalkMode.Json)
        {
            Terminal.WriteLine(report.ToJson());
        }

        new Terminal(TalkMode.Person).Fail(failure);
        return ExitCodes.For(failure.Reason);
    }

    /// <summary>A signal came and the build has not ended: remove what it left and report in its place.</summary>
    private void SayLastWord()
    {
        try
        {
            if (_cacheRoot is not null)
            {
                _ = CachePublisher.Prune(LocalFileSystem.Instance, _cacheRoot, _buildId);
            }
        }
        catch (IndexingException)
        {
            // The report says that staging is still there.
        }

        _log.Write(FailureReport(Failures.From(new OperationCanceledException())));
    }

    private BuildReport FailureReport(IndexingException failure) => Complete(Failures.Report(failure) with
    {
        StagingRemoved = _cacheRoot is null ? null : !IsStagingThere(_cacheRoot),
    });

    private bool IsStagingThere(string cacheRoot)
    {
        try
        {
            return Directory.Exists(CacheLayout.StagingPath(cacheRoot, _buildId));
        }
        catch (IndexingException)
        {
            return false; // An unusable build id never had a directory.
        }
    }

    private BuildReport Complete(BuildReport report)
    {
        using var self = Process.GetCurrentProcess();
        return report with
        {
            Seconds = Math.Round(TimeProvider.System.GetElapsedTime(_started).TotalSeconds, 3),
            PeakMemoryBytes = self.PeakWorkingSet64,
            PredictedMemoryBytes = _predictedMemory,
        };
    }
}
