using System.CommandLine;
using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Commands;

/// <summary><c>index-builder check</c>: whether a published version still is what it was, and its data too.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        var (file, map, threads, quiet, termination, format) =
            (CommonOptions.File(), CommonOptions.Map(), CommonOptions.Threads(), CommonOptions.Quiet(), CommonOptions.TerminationLogPath(), CommonOptions.Format());
        var cacheRoot = new Option<string>("--cache-root") { Description = "Root of the cache.", HelpName = "DIR", Required = true };
        var version = new Option<string>("--version-name") { Description = "The published version.", HelpName = "VERSION", Required = true };
        var stamp = new Option<string?>("--stamp") { Description = "The stamp of an earlier check: files whose sizes and times give it again are not read.", HelpName = "STAMP" };
        var content = new Option<bool>("--content") { Description = "Read the .idx files even where sizes and times are as they were." };
        var skipData = new Option<bool>("--skip-data") { Description = "Look at the version only: its data need not be there." };
        var checksums = new Option<bool>("--checksums") { Description = "Read the version's files too and compare their checksums." };
        var command = new Command("check", """
            Looks whether the data of a published version is still what the version was built from, and whether the version
            is still complete. Sizes and times come first; only where they moved is the data read. Writes nothing. What is
            found is no failure: exit code 0, and the report tells.

            Examples:
              index-builder check -f web-mix.yaml --cache-root /npy_index --version-name 5f0c0e6d0b1a2c3d4e5f
              index-builder check -f web-mix.yaml --cache-root /npy_index --version-name 5f0c0e6d0b1a2c3d4e5f --content --checksums -o json
            """)
        {
            file, cacheRoot, version, map, threads, stamp, content, skipData, checksums, quiet, termination, format,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(version) is { } name && !CacheLayout.IsVersionName(name))
            {
                result.AddError($"--version-name {name} is no version: 20 hex digits.");
            }

            if (result.GetValue(skipData) && (result.GetValue(content) || result.GetValue(stamp) is not null))
            {
                result.AddError("--skip-data goes with neither --content nor --stamp.");
            }
        });
        command.SetAction(parsed => Run(
            Terminal.For(parsed.GetValue(format)),
            new TerminationLog(parsed.GetValue(termination)),
            (terminal, signals) =>
            {
                var resource = RequestMapping.Read(parsed.GetValue(file)!);
                var roots = DataRoots.Parse(parsed.GetValue(map)!, resource.Spec.Data.MountPath);
                return terminal.WithProgress(TimeProvider.System, progress => Check(
                    CacheLayout.VersionPath(parsed.GetValue(cacheRoot)!, parsed.GetValue(version)!),
                    parsed.GetValue(skipData) ? null : roots.Locate,
                    parsed.GetValue(stamp),
                    parsed.GetValue(content),
                    parsed.GetValue(checksums),
                    new BuildOptions
                    {
                        Threads = parsed.GetValue(threads),
                        Quiet = GoDuration.Parse(parsed.GetValue(quiet)!).Value,
                        Progress = progress,
                        CancellationToken = signals.Token,
                    }));
            }));
        return command;
    }

    private static BuildReport Check(string path, Func<string, string>? locate, string? stamp, bool content, bool checksums, BuildOptions options)
    {
        var report = new BuildReport { Outcome = BuildReport.Checked, Version = Path.GetFileName(path), Integrity = checksums ? BuildReport.Verified : BuildReport.Complete };
        IndexManifest manifest;
        try
        {
            manifest = checksums ? VersionVerifier.Verify(path, options) : VersionVerifier.VerifySizes(path);
        }
        catch (IndexingException fault) when (fault.Reason == FailureReason.VersionCorrupt)
        {
            return report with { Integrity = BuildReport.Damaged, Message = fault.Message };
        }

        if (locate is null)
        {
            return report;
        }

        var found = DataLook.At(manifest, locate, stamp, content, options);
        return report with
        {
            Data = found.State.ToString(),
            Stamp = found.Stamp,
            Fingerprint = found.Fingerprint,
            ContentRead = found.ContentRead,
            Message = found.Changes.Count == 0 ? null : string.Join(' ', found.Changes),
        };
    }

    private static int Run(Terminal terminal, TerminationLog log, Func<Terminal, StopSignals, BuildReport> check)
    {
        var started = TimeProvider.System.GetTimestamp();
        BuildReport Timed(BuildReport report) => report with { Seconds = Math.Round(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 3) };
        using var signals = new StopSignals(() => log.Write(Timed(Failures.Report(Failures.From(new OperationCanceledException())))));
        try
        {
            var report = Timed(check(terminal, signals));
            log.Write(report);
            terminal.Log(new BuilderEvent("finished", Report: report));
            if (terminal.Mode != TalkMode.Log)
            {
                Terminal.WriteLine(terminal.Mode == TalkMode.Json ? report.ToJson() : Describe(report));
            }

            return ExitCodes.Success;
        }
#pragma warning disable CA1031 // The outermost handler: everything gets a reason here.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            var failure = Failures.From(fault);
            var report = Timed(Failures.Report(failure));
            log.Write(report);
            terminal.Log(new BuilderEvent("finished", Report: report));
            terminal.Fail(failure);
            return ExitCodes.For(failure.Reason);
        }
    }

    private static string Describe(BuildReport report) => report.Integrity == BuildReport.Damaged
        ? $"{report.Version} is damaged: {report.Message}"
        : $"{report.Version} is {(report.Integrity == BuildReport.Verified ? "as it was published" : "complete")}; its data {report.Data switch
        {
            null => "was not looked at",
            BuildReport.Unchanged => "is what it was built from",
            BuildReport.Changed => $"changed: {report.Message}",
            _ => "is being written to",
        }}";
}
