using System.CommandLine;
using System.Text.Json;
using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Commands;

/// <summary><c>index-builder wait</c>: holds a pod back until its index is Ready, where there are no scheduling gates.</summary>
internal static class WaitCommand
{
    public static Command Create()
    {
        var annotations = new Option<string>("--annotations") { Description = "The downward API's file of metadata.annotations; it need not be there yet.", HelpName = "FILE", Required = true };
        var timeout = CommonOptions.Duration("--timeout", "For how long to wait at most; 0 = without end.", "0s");
        var (termination, format) = (CommonOptions.TerminationLogPath(), CommonOptions.Format());
        var command = new Command("wait", $"""
            Waits until the operator has pinned this pod to a version of its index: until FILE has a line
            {Annotations.Version}="<version>". Prints the version. Tells every 30 s that it waits, and for what. Needs no
            credentials and writes nothing. Exit code 75 when it is stopped or the time is used up.

            Examples:
              index-builder wait --annotations /index-operator/annotations/annotations
              index-builder wait --annotations ./annotations --timeout 10m -o json
            """)
        {
            annotations, timeout, termination, format,
        };
        command.SetAction(parsed =>
        {
            var log = new TerminationLog(parsed.GetValue(termination));
            return CommonOptions.Run(parsed.GetValue(format), terminal =>
            {
                using var signals = new StopSignals(() => { });
                try
                {
                    var wait = new VersionWait(TimeProvider.System, parsed.GetValue(annotations)!, notice => Tell(terminal, notice));
                    var version = wait.ForVersionAsync(GoDuration.Parse(parsed.GetValue(timeout)!).Value, signals.Token).GetAwaiter().GetResult();
                    Print(terminal, version);
                }
                catch (IndexingException failure)
                {
                    log.Write(Failures.Report(failure));
                    throw;
                }
            });
        });
        return command;
    }

    private static void Tell(Terminal terminal, WaitNotice notice)
    {
        terminal.Log(new BuilderEvent("waiting", notice.Index, Message: notice.Describe()));
        if (terminal.Mode != TalkMode.Log)
        {
            // Standard output is the version's alone: a script takes it from there.
            Console.Error.WriteLine("index-builder: " + notice.Describe());
        }
    }

    private static void Print(Terminal terminal, string version)
    {
        terminal.Log(new BuilderEvent("finished", Version: version));
        if (terminal.Mode != TalkMode.Log)
        {
            Terminal.WriteLine(terminal.Mode == TalkMode.Json ? JsonSerializer.Serialize(new WaitResult(version), PrettyJson.Context.WaitResult) : version);
        }
    }
}
