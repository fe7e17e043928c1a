using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using IndexOperator.Api;
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
        var keep = Versions("--keep", "A version that something refers to: all others go. May be repeated.");
        var remove = Versions("--remove", "A version that nothing refers to: it goes, and no other. May be repeated.");
        var olderThan = CommonOptions.Duration("--older-than", "With --keep: versions built more recently stay.", "24h");
        var dryRun = new Option<bool>("--dry-run") { Description = "Tell what would go, and remove nothing." };
        var format = CommonOptions.Format();
        var command = new Command("prune", """
            Removes published versions that nothing refers to, or what interrupted builds left in the staging area.
            A version in a pod's hands is referred to: kubectl get pti -A -o wide names current and previous ones. What is
            no version is left alone and named. Done already is done.

            Examples:
              index-builder prune --cache-root /npy_index --keep 406eeeefd9ca22d9417c --keep 70d82b196fcc791873c5 --dry-run
              index-builder prune --cache-root /npy_index --remove 5f0c0e6d0b1a2c3d4e5f
              index-builder prune --cache-root /npy_index --build-id web-mix-build-7c2f1
              index-builder prune --cache-root /npy_index --discard-staging 3f6c2b9e.
            """)
        {
            cacheRoot, buildId, discard, keep, remove, olderThan, dryRun, format,
        };
        command.Validators.Add(result =>
        {
            var (staging, kept, removed) = (result.GetValue(discard) is not null, result.GetValue(keep)!.Length > 0, result.GetValue(remove)!.Length > 0);
            var ways = new[] { result.GetValue(buildId) is not null, kept, staging || removed };
            if (ways.Count(isGiven => isGiven) != 1)
            {
                result.AddError("Give exactly one of --keep, --remove, --build-id and --discard-staging; only --remove and --discard-staging go together.");
            }
            else if (result.GetValue(dryRun) && (staging || !(kept || removed)))
            {
                result.AddError("--dry-run goes with --keep and --remove, and not with --discard-staging.");
            }
        });
        command.SetAction(parsed => CommonOptions.Run(parsed.GetValue(format), terminal =>
        {
            var root = parsed.GetValue(cacheRoot)!;
            var isDryRun = parsed.GetValue(dryRun);
            var swept = parsed.GetValue(discard) is { } prefix ? StagingSweep.Remove(LocalFileSystem.Instance, root, prefix) : [];
            var isOfVersions = parsed.GetValue(keep)!.Length > 0 || parsed.GetValue(remove)!.Length > 0;
            var result = parsed.GetValue(buildId) is { } id ? OfStaging(CachePublisher.Prune(LocalFileSystem.Instance, root, id) ? [id] : [])
                : !isOfVersions ? OfStaging(swept)
                : OfVersions(isDryRun, swept, terminal.ShowProgress(TimeProvider.System, progress => VersionPruner.Prune(
                    LocalFileSystem.Instance,
                    root,
                    new PruneRequest
                    {
                        Remove = parsed.GetValue(remove) is { Length: > 0 } named ? named.ToHashSet(StringComparer.Ordinal) : null,
                        Keep = parsed.GetValue(keep)!.ToHashSet(StringComparer.Ordinal),
                        MinimumAge = GoDuration.Parse(parsed.GetValue(olderThan)!).Value,
                        IsDryRun = isDryRun,
                    },
                    new BuildOptions { Progress = progress })));
            Terminal.WriteLine(terminal.Mode == TalkMode.Json ? JsonSerializer.Serialize(result, PrettyJson.Context.PruneResult) : Describe(result));
        }));
        return command;
    }

    private static Option<string[]> Versions(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "VERSION",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [],
    };

    private static PruneResult OfStaging(IReadOnlyList<string> removed) => new(removed, [], 0, false);

    private static PruneResult OfVersions(bool isDryRun, IReadOnlyList<string> swept, IReadOnlyList<PrunedEntry> entries)
    {
        var removed = entries.Where(entry => entry.Action == PruneAction.Removed).ToList();
        return new([.. swept, .. removed.Select(entry => entry.Name)], entries, removed.Sum(entry => entry.Bytes), isDryRun);
    }

    private static string Describe(PruneResult result)
    {
        if (result.Versions.Count == 0)
        {
            return result.Removed.Count == 0 ? "nothing there" : $"removed {string.Join(", ", result.Removed)}";
        }

        var culture = CultureInfo.InvariantCulture;
        return string.Join('\n', [
            .. result.Versions.Select(entry => string.Create(culture, $"{Words(entry.Action, result.DryRun)} {entry.Name} ({entry.Bytes:N0} bytes): {entry.Reason}")),
            string.Create(culture, $"{result.FreedBytes:N0} bytes {(result.DryRun ? "would be freed" : "freed")}"),
        ]);
    }

    private static string Words(PruneAction action, bool isDryRun) => action switch
    {
        PruneAction.Removed => isDryRun ? "would remove" : "removed",
        PruneAction.Kept => "kept",
        _ => "left alone",
    };
}
