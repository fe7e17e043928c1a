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
        var buildId = new Option<string>("--build-id") { Description = "The build whose staging directory is removed.", HelpName = "ID", Required = true };
        var format = CommonOptions.Format();
        var command = new Command("prune", """
            Removes what an interrupted build left in .staging/ID, and nothing else. Done already is done.

            Example:
              index-builder prune --cache-root /npy_index --build-id web-mix-build-7c2f1
            """)
        {
            cacheRoot, buildId, format,
        };
        command.SetAction(parsed => CommonOptions.Run(parsed.GetValue(format), terminal =>
        {
            var (root, id) = (parsed.GetValue(cacheRoot)!, parsed.GetValue(buildId)!);
            var result = new PruneResult(CacheLayout.StagingPath(root, id), CachePublisher.Prune(LocalFileSystem.Instance, root, id));
            Terminal.WriteLine(terminal.Mode == TalkMode.Json
                ? JsonSerializer.Serialize(result, PrettyJson.Context.PruneResult)
                : $"{result.Staging}: {(result.Removed ? "removed" : "nothing there")}");
        }));
        return command;
    }
}
