using System.CommandLine;
using System.Text.Json;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Commands;

/// <summary><c>index-builder prune</c>.</summary>
internal static class PruneCommand
{
    public static Command Create()
    {
        var cacheRoot = new Option<string>("--cache-root") { Description = "Root of the cache.", HelpName = "DIR", Required = true };
        var buildId = new Option<string?>("--build-id") { Description = "The build whose staging directory is removed.", HelpName = "ID" };
        var discard = CommonOptions.DiscardStaging();
        var format = CommonOptions.Format();
        var command = new Command("prune", """
            Removes what interrupted builds left in the staging area, and nothing else. Done already is done.

            Examples:
              index-builder prune --cache-root /npy_index --build-id web-mix-build-7c2f1
              index-builder prune --cache-root /npy_index --discard-staging 3f6c2b9e.
            """)
        {
            cacheRoot, buildId, discard, format,
        };
        command.Validators.Add(result =>
        {
            if ((result.GetValue(buildId) is null) == (result.GetValue(discard) is null))
            {
                result.AddError("Give exactly one of --build-id and --discard-staging.");
            }
        });
        command.SetAction(parsed => CommonOptions.Run(parsed.GetValue(format), terminal =>
        {
            var root = parsed.GetValue(cacheRoot)!;
            var removed = parsed.GetValue(buildId) is { } id
                ? CachePublisher.Prune(LocalFileSystem.Instance, root, id) ? [id] : (IReadOnlyList<string>)[]
                : StagingSweep.Remove(LocalFileSystem.Instance, root, parsed.GetValue(discard)!);
            Terminal.WriteLine(terminal.Mode == TalkMode.Json
                ? JsonSerializer.Serialize(new PruneResult(removed), PrettyJson.Context.PruneResult)
                : removed.Count == 0 ? "nothing there" : $"removed {string.Join(", ", removed)}");
        }));
        return command;
    }
}
