using System.CommandLine;
using System.Text.Json;
using IndexOperator.Builder.CheckRun;

namespace IndexOperator.Builder.Commands;

/// <summary><c>index-builder check-run</c>: whether a training run will find the index, before a GPU is taken.</summary>
internal static class CheckRunCommand
{
    public static Command Create()
    {
        var (file, map, format) = (CommonOptions.File(), CommonOptions.Map(), CommonOptions.Format());
        var config = new Option<string?>("--config") { Description = "A NeMo 2 or Megatron-Bridge config, YAML or JSON; - for standard input.", HelpName = "FILE" };
        var script = new Option<string?>("--command") { Description = "A file with the shell line or script that starts the training; - for standard input.", HelpName = "FILE" };
        var words = new Argument<string[]>("COMMAND") { Description = "The command that starts the training, after --.", Arity = ArgumentArity.ZeroOrMore };
        var environment = Many("--env", "The value of a variable that the command or script uses. May be repeated.", "NAME=VALUE");
        var worldSize = new Option<long?>("--world-size") { Description = "Processes over all nodes, where neither torchrun nor --global-batch-size tell.", HelpName = "N" };
        var release = new Option<string?>("--megatron-core") { Description = "The Megatron-Core release of the training image; default: the resource's.", HelpName = "RELEASE" };
        var version = new Option<string?>("--framework-version") { Description = "The framework's release; default: that of dataset.trainer, or the newest known.", HelpName = "RELEASE" };
        var sizes = new Option<string?>("--sizes") { Description = "Samples that the run prints under \"datasets target sizes\", where its settings do not tell; - for one epoch.", HelpName = "TRAIN,VALIDATION,TEST" };
        var tokenizer = new Option<string?>("--tokenizer") { Description = "The run's tokenizer as index-builder tokenizer --from prints it, where its settings do not tell.", HelpName = "FILE" };
        var command = new Command("check-run", """
            Says whether a training run will find the index that a resource builds, before a GPU is taken: turns the run's own
            settings into what it will ask Megatron-Core for, and compares that with the resource, field by field. Reads
            Megatron-LM's command line (with torchrun, python or env in front, as arguments, a shell line or a script), or the
            config of a NeMo 2 or Megatron-Bridge run. Runs nothing. Exit code 0: hit; 1: miss; 2: it cannot be read.

            Examples:
              index-builder check-run -f web-mix.yaml -- torchrun --nproc-per-node 8 pretrain_gpt.py --data-path /data/web_text_document --split 99,1,0 --seq-length 4096 --train-iters 1000 --global-batch-size 512 --eval-interval 100 --data-cache-path /npy_index
              index-builder check-run -f web-mix.yaml --map /data=./corpus --command train.sh --env NNODES=4 -o json
              index-builder check-run -f web-mix.yaml --config recipe.yaml --framework-version 2.4
            """)
        {
            file, map, config, script, words, environment, worldSize, release, version, sizes, tokenizer, format,
        };
        command.Validators.Add(result =>
        {
            var ways = new[] { result.GetValue(config) is not null, result.GetValue(script) is not null, result.GetValue(words) is { Length: > 0 } };
            if (ways.Count(isGiven => isGiven) != 1)
            {
                result.AddError("Give exactly one of --config, --command and the training command after --.");
            }

            if (result.GetValue(environment)!.FirstOrDefault(variable => ShellText.Assignment(variable) is null) is { } wrong)
            {
                result.AddError($"--env {wrong} is not NAME=VALUE.");
            }

            if (result.GetValue(sizes) is { } text && GivenSizes.Parse(text) is null)
            {
                result.AddError($"--sizes {text} is not TRAIN,VALIDATION,TEST, three whole numbers or -.");
            }

            if (result.GetValue(worldSize) is < 1)
            {
                result.AddError("--world-size must be 1 or more.");
            }
        });
        command.SetAction(parsed =>
        {
            var isHit = false;
            var code = CommonOptions.Run(parsed.GetValue(format), terminal =>
            {
                var report = RunCheck.Of(Input(parsed));
                isHit = report.Hit;
                Terminal.WriteLine(terminal.Mode == TalkMode.Json ? JsonSerializer.Serialize(report, PrettyJson.Context.RunReport) : report.Describe());
            });
            return code == ExitCodes.Success && !isHit ? ExitCodes.Differs : code;
        });
        return command;
    }

    /// <summary>What the arguments say.</summary>
    internal static RunCheckInput Input(ParseResult parsed) => new()
    {
        Resource = parsed.GetValue<string>("--file")!,
        Maps = parsed.GetValue<string[]>("--map")!,
        Config = parsed.GetValue<string?>("--config"),
        Script = parsed.GetValue<string?>("--command"),
        Words = parsed.GetValue<string[]>("COMMAND") ?? [],
        Environment = parsed.GetValue<string[]>("--env")!,
        WorldSize = parsed.GetValue<long?>("--world-size"),
        MegatronCore = parsed.GetValue<string?>("--megatron-core"),
        FrameworkVersion = parsed.GetValue<string?>("--framework-version"),
        Sizes = GivenSizes.Parse(parsed.GetValue<string?>("--sizes")),
        Tokenizer = parsed.GetValue<string?>("--tokenizer"),
    };

    private static Option<string[]> Many(string name, string description, string helpName) => new(name)
    {
        Description = description,
        HelpName = helpName,
        Arity = ArgumentArity.OneOrMore,
        DefaultValueFactory = _ => [],
    };
}
