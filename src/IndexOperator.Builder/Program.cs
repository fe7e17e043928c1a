using System.CommandLine;
using IndexOperator.Builder;
using IndexOperator.Builder.Commands;

var root = new RootCommand("""
    Builds, checks and explains the index caches (.npy) of Megatron-Core, Megatron-LM, NeMo and Megatron-Bridge.

    Reads the PretrainIndex YAML that `kubectl apply` takes; needs no cluster and no GPU.
    Exit codes: 0 done; 1 explain or check-run found a difference; 2 bad spec or usage; 3 data missing or corrupt;
    4 storage (no space, read-only, permission); 5 a published version is corrupt; 75 worth retrying.
    """)
{
    BuildCommand.Create(),
    PlanCommand.Create(),
    FingerprintCommand.Create(),
    VerifyCommand.Create(),
    CheckCommand.Create(),
    InspectCommand.Create(),
    ExplainCommand.Create(),
    CheckRunCommand.Create(),
    TokenizerCommand.Create(),
    WaitCommand.Create(),
    StageCommand.Create(),
    PruneCommand.Create(),
};
var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors)
    {
        Console.Error.WriteLine($"index-builder: {error.Message}");
    }

    Console.Error.WriteLine($"Run `index-builder {string.Join(' ', args.TakeWhile(word => !word.StartsWith('-')).Take(1).Append("--help"))}` for usage.");
    return ExitCodes.BadSpec;
}

// Signals are ours: the library's own handling would end the process before staging is removed.
return parsed.Invoke(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
