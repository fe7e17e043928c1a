using System.CommandLine;
using IndexOperator.Operator;

// Without a time of the command line's own: the host handles SIGTERM, lets passes under way end and gives the lease back, which takes longer
// than two seconds on a busy machine.
return await OperatorCommand.Create(OperatorHost.RunAsync).Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
