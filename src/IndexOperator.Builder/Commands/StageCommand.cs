using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Commands;

/// <summary><c>index-builder stage</c>: copies a published version to a RAM disk and checks it on the way.</summary>
internal static class StageCommand
{
    /// <summary>Two threads read while two wait for storage: fewer leave a network file system idle, whatever the processors.</summary>
    private const int FewestThreads = 4;

    private const int MostThreads = 64;
    private const long Mebibyte = 1 << 20;

    public static Command Create()
    {
        var source = new Argument<string>("SOURCE") { Description = "A published version." };
        var destination = new Argument<string>("DESTINATION") { Description = "Where to copy it; empty, or with what an earlier attempt left." };
        var threads = new Option<int>("--threads")
        {
            Description = $"Threads that read; default: the processors, at least {FewestThreads}.",
            HelpName = "N",
            DefaultValueFactory = _ => Math.Clamp(Environment.ProcessorCount, FewestThreads, MostThreads),
        };
        threads.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > MostThreads)
            {
                result.AddError($"--threads must be 1 to {MostThreads}.");
            }
        });
        var (termination, format) = (CommonOptions.TerminationLogPath(), CommonOptions.Format());
        var command = new Command("stage", $"""
            Copies a published version to fast storage, a RAM disk as a rule, and compares its checksums with the manifest on
            the way. Refuses a destination that is too small before it begins; leaves nothing when it fails. What an earlier
            attempt left is checked, and kept where it is right. All may read the result. Exit code 4: no room (the pod's
            annotation {Annotations.StagingSize} sets it); 5: the version is corrupt.

            Examples:
              index-builder stage /npy_index/versions/5f0c0e6d0b1a2c3d4e5f /dev/shm/npy_index
              index-builder stage /index-operator/version /index-operator/staging --threads 16 -o json
            """)
        {
            source, destination, threads, termination, format,
        };
        command.SetAction(parsed =>
        {
            var log = new TerminationLog(parsed.GetValue(termination));
            return CommonOptions.Run(parsed.GetValue(format), terminal =>
            {
                var interrupted = new IndexingException(FailureReason.Interrupted, "The copy was asked to stop. Start it again: it continues with what is there.");
                using var signals = new StopSignals(() => log.Write(Failures.Report(interrupted)));
                try
                {
                    var from = CommonOptions.ExistingDirectory(parsed.GetValue(source)!);
                    var started = TimeProvider.System.GetTimestamp();
                    var staged = terminal.WithProgress(TimeProvider.System, progress => VersionStager.Stage(
                        from,
                        parsed.GetValue(destination)!,
                        new BuildOptions { Threads = parsed.GetValue(threads), Progress = progress, CancellationToken = signals.Token },
                        RoomAdvice));
                    Tell(terminal, log, staged, parsed.GetValue(destination)!, TimeProvider.System.GetElapsedTime(started));
                }
                catch (Exception fault)
                {
                    var failure = fault is OperationCanceledException ? interrupted : Failures.From(fault);
                    log.Write(Failures.Report(failure));
                    throw failure;
                }
            });
        });
        return command;
    }

    private static string RoomAdvice(long bytes) =>
        $"In a pod its annotation {Annotations.StagingSize} sets the size: at least {(bytes + Mebibyte - 1) / Mebibyte}Mi here; or leave out {Annotations.Staging} and read the version where it is.";

    private static void Tell(Terminal terminal, TerminationLog log, StagedVersion staged, string path, TimeSpan elapsed)
    {
        var manifest = staged.Manifest;
        var result = new StageResult(
            manifest.Version,
            path,
            manifest.Files.Count + 1,
            manifest.Files.Sum(file => file.Bytes) + manifest.ToJson().Length,
            staged.Copied,
            staged.CopiedBytes,
            Math.Round(elapsed.TotalSeconds, 3));
        var report = new BuildReport { Outcome = BuildReport.Staged, Version = result.Version, SizeBytes = result.Bytes, Files = result.Files, Seconds = result.Seconds };
        log.Write(report);
        terminal.Log(new BuilderEvent("finished", Report: report));
        if (terminal.Mode != TalkMode.Log)
        {
            Terminal.WriteLine(terminal.Mode == TalkMode.Json ? JsonSerializer.Serialize(result, PrettyJson.Context.StageResult) : Describe(result));
        }
    }

    private static string Describe(StageResult result)
    {
        var kept = result.Files - 1 - result.Copied;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{result.Path} holds version {result.Version}: {result.Copied} files copied ({result.CopiedBytes:N0} bytes in {result.Seconds:0.0} s){(kept == 0 ? "" : $", {kept} were there already and are right")}");
    }
}
