using System.CommandLine;
using System.Text.Json;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Commands;

/// <summary><c>index-builder explain</c>.</summary>
internal static class ExplainCommand
{
    public static Command Create()
    {
        var (file, map, threads, format) = (CommonOptions.File(), CommonOptions.Map(), CommonOptions.Threads(), CommonOptions.Format());
        var description = new Option<string?>("--description") { Description = "A *-description.txt that the run wrote, or its text; - for standard input.", HelpName = "TEXTFILE" };
        var cache = new Option<string?>("--cache") { Description = "A version or index_mapping_dir to look the resource's datasets up in.", HelpName = "DIR" };
        var log = new Option<string?>("--log") { Description = "The log of a run that failed on the index, rank 0's; - for standard input.", HelpName = "FILE" };
        var command = new Command("explain", """
            Tells why a training run finds an index or misses it: field by field, what the run asked for and what the
            resource builds, and what to change. Of a failed run its log will do, which tells less than a description (check-run
            reads the run's settings instead). Exit code 0: found; 1: they differ.

            Examples:
              index-builder explain -f web-mix.yaml --description 0a1b…-GPTDataset-train-description.txt
              index-builder explain -f web-mix.yaml --cache /npy_index --map /data=./corpus -o json
              kubectl logs web-mix-run-0 | index-builder explain -f web-mix.yaml --log - --map /data=./corpus
            """)
        {
            file, description, cache, log, map, threads, format,
        };
        command.Validators.Add(result =>
        {
            if (new[] { description, cache, log }.Count(option => result.GetValue(option) is not null) != 1)
            {
                result.AddError("Give exactly one of --description, --cache and --log.");
            }
        });
        command.SetAction(parsed =>
        {
            var isHit = false;
            var code = CommonOptions.Run(parsed.GetValue(format), terminal =>
            {
                var source = parsed.GetValue(description);
                var asked = source is null ? null : DescriptionComparison.Parse(TextInput.Read(source, "The description"), source);
                var failed = parsed.GetValue(log) is { } logged ? TextInput.Read(logged, "The log") : null;
                var matches = terminal.ShowProgress(TimeProvider.System, progress =>
                {
                    var options = new BuildOptions { Threads = parsed.GetValue(threads), Progress = progress };
                    var (_, request, data) = CommonOptions.Load(parsed.GetValue(file)!, parsed.GetValue(map)!, options);
                    var plan = IndexPlanner.Create(request, data);
                    return failed is not null ? FailureLog.Explain(failed, parsed.GetValue(log)!, plan)
                        : asked is null
                        ? DescriptionComparison.CompareWithCache(CommonOptions.ExistingDirectory(parsed.GetValue(cache)!), plan)
                        : [DescriptionComparison.Compare(asked, plan)];
                });
                isHit = matches.All(match => match.IsHit);
                Terminal.WriteLine(terminal.Mode == TalkMode.Json
                    ? JsonSerializer.Serialize(new ExplainResult(isHit, matches), PrettyJson.Context.ExplainResult)
                    : string.Join('\n', matches.Select(match => failed is not null && match.IsHit ? Elsewhere(match) : Describe(match))));
            });
            return code == ExitCodes.Success && !isHit ? ExitCodes.Differs : code;
        });
        return command;
    }

    private static string Elsewhere(DescriptionMatch match) =>
        $"{match.Split,-5} {match.Class} {match.AskedHash}: the resource builds it, but the run did not find it where it looked. Compare the directory in the error with spec.cache.mountPath, and the pod's version with status.current.";

    private static string Describe(DescriptionMatch match)
    {
        var title = match.IsHit
            ? $"{match.Split,-5} {match.Class} {match.AskedHash}: found, every field is equal"
            : $"{match.Split,-5} {match.Class} {match.AskedHash}: not what the resource builds{(match.BuiltHash is null ? "" : $" ({match.BuiltHash})")}";
        return string.Join('\n', match.Differences.Select(difference => $"""
              {difference.Field}
                run:      {difference.Asked ?? "(absent)"}
                resource: {difference.Built ?? "(absent)"}
                {difference.Advice}
            """).Prepend(title));
    }
}
