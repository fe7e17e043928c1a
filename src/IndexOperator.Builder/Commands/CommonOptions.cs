using System.CommandLine;
using System.Reflection;
using IndexOperator.Api;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Commands;

/// <summary>Options that several verbs share, and how every verb runs.</summary>
internal static class CommonOptions
{
    public static string BuilderVersion { get; } =
        "index-builder " + (typeof(CommonOptions).Assembly.GetName().Version?.ToString(3) ?? "0.0.0")
        + (typeof(CommonOptions).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+') is [_, var commit] ? "+" + commit[..Math.Min(12, commit.Length)] : "");

    public static Option<string> File() => new("--file", "-f")
    {
        Description = "The PretrainIndex YAML; - for standard input.",
        HelpName = "FILE",
        Required = true,
    };

    public static Option<string[]> Map() => new("--map")
    {
        Description = "Read files declared below FROM from TO instead; keys keep FROM. May be repeated.",
        HelpName = "FROM=TO",
        Arity = ArgumentArity.OneOrMore,
        DefaultValueFactory = _ => [],
    };

    public static Option<int> Threads()
    {
        var option = new Option<int>("--threads")
        {
            Description = "Threads to use; default: the processors. The bytes do not depend on it.",
            HelpName = "N",
            DefaultValueFactory = _ => Environment.ProcessorCount,
        };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError("--threads must be 1 or more.");
            }
        });
        return option;
    }

    public static Option<string> Quiet() => Duration("--quiet", "For how long the data must not have been written to before it is read.", "0s");

    /// <summary>An option whose value is a duration, 0 or more.</summary>
    public static Option<string> Duration(string name, string description, string standard)
    {
        var option = new Option<string>(name) { Description = description, HelpName = "DURATION", DefaultValueFactory = _ => standard };
        option.Validators.Add(result =>
        {
            if (!GoDuration.TryParse(result.GetValueOrDefault<string>(), out var duration) || duration.Value < TimeSpan.Zero)
            {
                result.AddError($"{name} is no duration such as 24h, 90m or 0s.");
            }
        });
        return option;
    }

    public static Option<string?> TerminationLogPath() => new("--termination-log")
    {
        Description = "Where to leave the final report; default: /dev/termination-log in a container.",
        HelpName = "PATH",
    };

    public static Option<string?> DiscardStaging() => new("--discard-staging")
    {
        Description = "Remove every other staging directory whose name begins with PREFIX: its builds must all be over.",
        HelpName = "PREFIX",
    };

    public static Option<string?> Format()
    {
        var option = new Option<string?>("--format", "-o")
        {
            Description = "text or json; default: text on a terminal; build then writes one JSON line an event elsewhere.",
            HelpName = "text|json",
        };
        option.AcceptOnlyFromAmong("text", "json");
        return option;
    }

    /// <summary>Runs a verb: whatever ends it becomes a message and an exit code.</summary>
    public static int Run(string? format, Action<Terminal> work)
    {
        var terminal = Terminal.For(format);
        try
        {
            work(terminal);
            return ExitCodes.Success;
        }
#pragma warning disable CA1031 // The outermost handler: everything gets a reason here.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            var failure = Failures.From(fault);
            terminal.Fail(failure);
            return ExitCodes.For(failure.Reason);
        }
    }

    /// <summary>The path of a directory that must be there.</summary>
    /// <exception cref="IndexingException">InvalidSpec: it is not.</exception>
    public static string ExistingDirectory(string path) => Directory.Exists(path)
        ? path
        : throw new IndexingException(FailureReason.InvalidSpec, $"{path} is no directory. Name a version or an index_mapping_dir.");

    /// <summary>Reads a manifest, and the headers of the data that it names.</summary>
    public static (PretrainIndex Resource, IndexRequest Request, IReadOnlyDictionary<string, IndexedDataset> Data) LoadHeaders(string file, string[] maps) =>
        Load(file, maps, DatasetLoader.LoadHeaders);

    /// <summary>Reads a manifest, and the data that it names.</summary>
    public static (PretrainIndex Resource, IndexRequest Request, IReadOnlyDictionary<string, IndexedDataset> Data) Load(string file, string[] maps, BuildOptions options) =>
        Load(file, maps, (request, locate) => DatasetLoader.Load(request, locate, options));

    /// <summary>Reads a manifest, and the data that it names without keeping the lengths: for a fingerprint.</summary>
    public static (PretrainIndex Resource, IndexRequest Request, IReadOnlyDictionary<string, IndexedDataset> Data) LoadWithoutLengths(string file, string[] maps, BuildOptions options) =>
        Load(file, maps, (request, locate) => DatasetLoader.LoadWithoutLengths(request, locate, options));

    private static (PretrainIndex Resource, IndexRequest Request, IReadOnlyDictionary<string, IndexedDataset> Data) Load(
        string file, string[] maps, Func<IndexRequest, Func<string, string>, IReadOnlyDictionary<string, IndexedDataset>> load)
    {
        var (resource, request) = LoadRequest(file);
        return (resource, request, load(request, DataRoots.Parse(maps, resource.Spec.Data.MountPath).Locate));
    }

    private static (PretrainIndex Resource, IndexRequest Request) LoadRequest(string file)
    {
        var resource = RequestMapping.Read(file);
        var request = RequestMapping.ToRequest(resource.Spec);
        RequestRules.Check(request);
        return (resource, request);
    }
}
