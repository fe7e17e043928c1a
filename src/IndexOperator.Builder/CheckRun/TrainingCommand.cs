using IndexOperator.Indexing;

namespace IndexOperator.Builder.CheckRun;

/// <summary>The command that starts a training: its arguments, and how many processes its launcher makes.</summary>
/// <param name="Arguments">The script's arguments.</param>
/// <param name="WorldSize">Processes over all nodes; null when the launcher does not tell.</param>
internal sealed record TrainingCommand(TrainingArguments Arguments, long? WorldSize)
{
    private const int MaxShells = 4;

    /// <summary>Arguments that only a training has; the command with most of them is it.</summary>
    private static readonly HashSet<string> Marks = new(StringComparer.Ordinal)
    {
        "--data-path", "--train-data-path", "--valid-data-path", "--test-data-path", "--data-args-path", "--per-split-data-args-path", "--data-cache-path",
        "--seq-length", "--train-iters", "--train-samples", "--global-batch-size", "--micro-batch-size", "--split", "--tokenizer-type", "--tokenizer-model",
        "--eval-iters", "--eval-interval", "--mock-data",
    };

    /// <summary>Finds it in a shell line or a script.</summary>
    /// <exception cref="IndexingException">InvalidSpec: there is none, or the text cannot be read.</exception>
    public static TrainingCommand FromText(string text, IReadOnlyDictionary<string, string> environment) => Best(ShellText.Commands(text, environment), environment);

    /// <summary>Finds it in arguments that a shell has taken apart already; a single one with blanks is a shell line.</summary>
    /// <exception cref="IndexingException">InvalidSpec: there is none.</exception>
    public static TrainingCommand FromWords(IReadOnlyList<string> words, IReadOnlyDictionary<string, string> environment) =>
        words is [var line] && line.Any(char.IsWhiteSpace)
            ? FromText(line, environment)
            : Best([[.. words.Select(word => Expand(word, environment))]], environment);

    private static TrainingCommand Best(IReadOnlyList<IReadOnlyList<ShellWord>> commands, IReadOnlyDictionary<string, string> environment)
    {
        for (var depth = 0; depth < MaxShells; depth++)
        {
            // bash -c 'torchrun …' holds the command in one word.
            var inner = commands.SelectMany(InnerText).ToList();
            if (inner.Count == 0)
            {
                break;
            }

            commands = [.. commands, .. inner.SelectMany(text => ShellText.Commands(text, environment))];
        }

        var best = commands.MaxBy(Score);
        return best is not null && Score(best) > 0
            ? Split(best)
            : throw new IndexingException(
                FailureReason.InvalidSpec,
                "No training command is in what was given: none has arguments such as --data-path or --seq-length. Give Megatron-LM's command line after --, its script with --command, or a NeMo or Megatron-Bridge config with --config.");
    }

    private static int Score(IReadOnlyList<ShellWord> command) => command.Select(word => word.Text.Split('=')[0]).Distinct(StringComparer.Ordinal).Count(Marks.Contains);

    private static IEnumerable<string> InnerText(IReadOnlyList<ShellWord> command)
    {
        for (var i = 0; i + 1 < command.Count; i++)
        {
            if (command[i].Text is "-c" or "-lc" or "-ec" or "-exc" && command[i + 1].Text.Any(char.IsWhiteSpace) && Score(command) == 0)
            {
                yield return command[i + 1].Text;
            }
        }
    }

    /// <summary>Kubernetes' <c>$(NAME)</c> and a shell's <c>$NAME</c>, where a word is nothing else.</summary>
    private static ShellWord Expand(string word, IReadOnlyDictionary<string, string> environment)
    {
        if (!word.Contains('$', StringComparison.Ordinal))
        {
            return new ShellWord(word);
        }

        var (source, name, _, _) = ShellVariable.Read(word, word.IndexOf('$', StringComparison.Ordinal));
        return name is not null && environment.TryGetValue(name, out var value)
            ? Expand(word.Replace(source, value.Replace("$", "", StringComparison.Ordinal), StringComparison.Ordinal), environment)
            : new ShellWord(word, source.Length > 1 ? source : null);
    }

    /// <summary>Cuts the launcher off: the script's arguments follow its name, or a module's.</summary>
    private static TrainingCommand Split(IReadOnlyList<ShellWord> command)
    {
        var script = command.ToList().FindIndex(word => word.Text.EndsWith(".py", StringComparison.Ordinal) && !word.Text.StartsWith('-'));
        if (script < 0)
        {
            // Without a script's name, the first argument that only a training has is where its own begin.
            var first = command.ToList().FindIndex(word => Marks.Contains(word.Text.Split('=')[0]));
            return new TrainingCommand(new TrainingArguments(command.Skip(first)), null);
        }

        return new TrainingCommand(new TrainingArguments(command.Skip(script + 1)), WorldSizeOf(command.Take(script).ToList()));
    }

    private static long? WorldSizeOf(List<ShellWord> launcher)
    {
        var environment = launcher.Select(word => ShellText.Assignment(word.Text)).OfType<(string Name, string Value)>().LastOrDefault(variable => variable.Name == "WORLD_SIZE");
        if (long.TryParse(environment.Value, out var world))
        {
            return world;
        }

        var flags = new TrainingArguments(launcher.Select(word => word.Text.StartsWith("--", StringComparison.Ordinal) ? word with { Text = Dashed(word.Text) } : word));
        var perNode = Count(flags, "--nproc-per-node");
        return perNode is null ? null : perNode * (flags.Has("--nnodes") ? Count(flags, "--nnodes") : 1);
    }

    /// <summary>torchrun takes names with dashes and with underscores.</summary>
    private static string Dashed(string flag)
    {
        var equals = flag.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? flag.Replace('_', '-') : flag[..equals].Replace('_', '-') + flag[equals..];
    }

    private static long? Count(TrainingArguments flags, string name)
    {
        try
        {
            // Elastic launches ("1:4") and "gpu" have no fixed number.
            return flags.List(name) is [var text, ..] && long.TryParse(text, out var count) && count > 0 ? count : null;
        }
        catch (IndexingException)
        {
            return null;
        }
    }
}
