using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using OperatorBench;
using Spectre.Console;

var sizes = new Option<int[]>("--objects") { Description = "Numbers of PretrainIndexes, one run each.", DefaultValueFactory = _ => [1000, 10000], AllowMultipleArgumentsPerToken = true };
var rest = new Option<int>("--rest") { Description = "Seconds of rest.", DefaultValueFactory = _ => 300 };
var changes = new Option<int>("--changes") { Description = "Changes to time.", DefaultValueFactory = _ => 300 };
var output = new Option<string>("--output") { Description = "Where the figures go as JSON.", DefaultValueFactory = _ => "artifacts/bench-operator.json" };
var program = new Option<string>("--operator") { Description = "The operator's program as it is published for images.", DefaultValueFactory = _ => "artifacts/operator/index-operator.dll" };
var root = new RootCommand("Measures the operator against a real etcd and API server, with a player that completes Jobs.") { sizes, rest, changes, output, program };
root.SetAction(async (parsed, cancellation) =>
{
    var results = new List<Measured>();
    foreach (var size in parsed.GetRequiredValue(sizes))
    {
        await using var bench = new Bench(Path.GetFullPath(parsed.GetRequiredValue(program)), size, parsed.GetRequiredValue(rest), parsed.GetRequiredValue(changes), Console.Error.WriteLine);
        results.Add(await bench.RunAsync());
    }

    var path = parsed.GetRequiredValue(output);
    Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    await File.WriteAllTextAsync(path, JsonSerializer.Serialize(results, BenchJson.Default.ListMeasured) + "\n", cancellation);
    var table = new Table().AddColumn("measure");
    foreach (var result in results)
    {
        table.AddColumn(new TableColumn(result.Objects.ToString("N0", CultureInfo.InvariantCulture)).RightAligned());
    }

    void Row(string name, Func<Measured, double> value, string format) =>
        table.AddRow([name, .. results.Select(result => value(result).ToString(format, CultureInfo.InvariantCulture))]);

    Row("created to Ready, s", result => result.CreatedToReadySeconds, "0.0");
    Row("the same per object, ms", result => 1000 * result.CreatedToReadySeconds / result.Objects, "0.00");
    Row("API calls per index", result => result.CallsPerIndex, "0.00");
    Row("seconds of rest", result => result.RestSeconds, "0");
    Row("writes at rest", result => result.WritesAtRest, "0");
    Row("reconciles at rest", result => result.ReconcilesAtRest, "0");
    Row("event of a change to written status, median ms", result => result.ChangeMedianMilliseconds, "0.0");
    Row("event of a change to written status, p99 ms", result => result.ChangeP99Milliseconds, "0.0");
    Row("restart to first change handled, s", result => result.RestartSeconds, "0.00");
    Row("resident memory, MB", result => result.ResidentMegabytes, "0");
    Row("the most it was, MB", result => result.PeakMegabytes, "0");
    Row("ready on an empty cluster, s", result => result.ReadyOnEmptyClusterSeconds, "0.00");
    foreach (var name in results[0].ProcessorMillisecondsPerIndex.Keys)
    {
        Row($"processor time per index, {name}, ms", result => result.ProcessorMillisecondsPerIndex[name], "0.0");
    }

    AnsiConsole.Write(table);
    return 0;
});
return await root.Parse(args).InvokeAsync();

/// <summary>Source-generated JSON of the figures.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(List<Measured>))]
internal sealed partial class BenchJson : JsonSerializerContext;
