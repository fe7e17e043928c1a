using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.CheckRun;

/// <summary>What <c>check-run</c> is given.</summary>
internal sealed record RunCheckInput
{
    /// <summary>The resource's manifest.</summary>
    public required string Resource { get; init; }

    /// <summary>Where declared paths are on this machine.</summary>
    public IReadOnlyList<string> Maps { get; init; } = [];

    /// <summary>A config; null when there is none.</summary>
    public string? Config { get; init; }

    /// <summary>A script or shell line; null when there is none.</summary>
    public string? Script { get; init; }

    /// <summary>The command, taken apart.</summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>Values of variables, <c>NAME=VALUE</c>.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Processes over all nodes.</summary>
    public long? WorldSize { get; init; }

    /// <summary>The Megatron-Core release of the run; null for the resource's.</summary>
    public string? MegatronCore { get; init; }

    /// <summary>The framework's release.</summary>
    public string? FrameworkVersion { get; init; }

    /// <summary>Samples by hand.</summary>
    public GivenSizes? Sizes { get; init; }

    /// <summary>A file with the tokenizer's identifiers.</summary>
    public string? Tokenizer { get; init; }
}

/// <summary>Reads the resource and the run, and compares them.</summary>
internal static class RunCheck
{
    /// <summary>Compares.</summary>
    /// <exception cref="IndexingException">InvalidSpec: one of them cannot be read, or the run would be refused by its framework. Or the data's reasons.</exception>
    public static RunReport Of(RunCheckInput input) => WithPlan(input).Report;

    /// <summary>The same, and what the run would build; null where its data differs.</summary>
    /// <exception cref="IndexingException">As for <see cref="Of"/>.</exception>
    public static (RunReport Report, IndexPlan? Plan) WithPlan(RunCheckInput input)
    {
        var resource = RequestMapping.Read(input.Resource);
        var built = RequestMapping.ToRequest(resource.Spec);
        RequestRules.Check(built);
        var context = new RunContext
        {
            MegatronCore = input.MegatronCore ?? built.MegatronCore,
            FrameworkVersion = input.FrameworkVersion,
            WorldSize = input.WorldSize,
            Sizes = input.Sizes,
            TokenizerIdentifiers = input.Tokenizer is { } identifiers ? TextInput.Read(identifiers, "The tokenizer's identifiers") : null,
            Environment = Environment(resource.Spec.Cache.MountPath, input.Environment),
            ReadFile = (path, name) => TextInput.Read(Mapped(path, input.Maps), $"The file of the run's {name}"),
        };
        var run = Read(input, context);
        if (context.FrameworkVersion is null && resource.Spec.Dataset.Trainer is { } trainer && trainer.Framework == run.Framework)
        {
            run = run with { Trainer = run.Trainer with { FrameworkVersion = trainer.FrameworkVersion } };
        }

        var roots = DataRoots.Parse(input.Maps, resource.Spec.Data.MountPath);
        var comparison = new RunComparison(run, context, resource, built);
        var report = comparison.Compare(() => DatasetLoader.LoadHeaders(built, roots.Locate));
        return (report, comparison.Wanted);
    }

    private static RunSettings Read(RunCheckInput input, RunContext context) => input switch
    {
        { Config: { } config } => RunConfig.Read(TextInput.Read(config, "The config"), config, context),
        { Script: { } script } => MegatronRun.Read(TrainingCommand.FromText(TextInput.Read(script, "The command"), context.Environment), context),
        _ => MegatronRun.Read(TrainingCommand.FromWords(input.Words, context.Environment), context),
    };

    /// <summary>What pods that use the index have in their environment, and what the person adds.</summary>
    private static Dictionary<string, string> Environment(string mountPath, IReadOnlyList<string> given)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [InjectedNames.DirectoryVariable] = mountPath,
            [InjectedNames.NeMoVariable] = mountPath,
            [InjectedNames.MegatronVariable] = $"--data-cache-path={mountPath}",
        };
        foreach (var variable in given)
        {
            var (name, value) = ShellText.Assignment(variable)!.Value;
            variables[name] = value;
        }

        return variables;
    }

    /// <summary>Where a file of the run's world is on this machine.</summary>
    private static string Mapped(string path, IReadOnlyList<string> maps)
    {
        foreach (var map in maps.Select(map => map.Split('=', 2)).Where(map => map.Length == 2).OrderByDescending(map => map[0].Length))
        {
            var from = map[0].TrimEnd('/') + "/";
            if (path.StartsWith(from, StringComparison.Ordinal))
            {
                return Path.Combine(map[1], path[from.Length..]);
            }
        }

        return path;
    }
}
