using System.CommandLine;
using System.Text.Json;
using BuilderBench;
using Spectre.Console;

var works = new Option<string?>("--works") { Description = "Separated by commas: " + string.Join(", ", Works.All) + "; default: all but the last two.", HelpName = "NAMES" };
var scale = new Option<bool>("--scale") { Description = "The same as --works scale: how cost grows from 1M to 200M documents." };
var rounds = new Option<int>("--rounds") { Description = "How often each side runs; short works run more often.", HelpName = "N", DefaultValueFactory = _ => 3 };
var check = new Option<bool>("--check") { Description = "Fail when something wanted is not met." };
var output = new Option<string>("--output") { Description = "Where the figures go as JSON.", HelpName = "FILE", DefaultValueFactory = _ => "artifacts/bench-builder.json" };
var plot = new Option<string>("--plot") { Description = "Where the plot of scale goes.", HelpName = "FILE", DefaultValueFactory = _ => "artifacts/performance-scaling.svg" };
var builder = new Option<string>("--builder") { Description = "index-builder, published as for images.", HelpName = "FILE", Required = true };
var python = new Option<string>("--python") { Description = "A Python that has numpy.", HelpName = "FILE", DefaultValueFactory = _ => "/usr/bin/python3" };
var reference = new Option<string>("--reference") { Description = "Folder of the reference's Python.", HelpName = "DIR", Required = true };
var kernels = new Option<string>("--kernels") { Description = "The reference's compiled C++ loops.", HelpName = "FILE", Required = true };
var cache = new Option<string>("--cache") { Description = "Folder for inputs, kept, and outputs, removed.", HelpName = "DIR", Required = true };
var root = new RootCommand("Measures index-builder against what Megatron-Core does, in turn and byte for byte; writes a table and JSON.")
{
    works, scale, rounds, check, output, plot, builder, python, reference, kernels, cache,
};
rounds.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() < 1)
    {
        result.AddError("--rounds must be 1 or more.");
    }
});
root.SetAction(parsed =>
{
    var chosen = parsed.GetValue(works)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).ToList()
        ?? (parsed.GetValue(scale) ? [] : [.. Works.Default]);
    if (parsed.GetValue(scale) && !chosen.Contains(Works.Scale))
    {
        chosen.Add(Works.Scale);
    }

    if (chosen.Find(name => !Works.All.Contains(name)) is { } unknown)
    {
        Console.Error.WriteLine($"There is no work \"{unknown}\". Choose of {string.Join(", ", Works.All)}.");
        return 2;
    }

    var programs = new Programs(
        Path.GetFullPath(parsed.GetRequiredValue(builder)), parsed.GetRequiredValue(python), Path.GetFullPath(parsed.GetRequiredValue(reference)), Path.GetFullPath(parsed.GetRequiredValue(kernels)));
    var result = new Session(programs, Path.GetFullPath(parsed.GetRequiredValue(cache)), parsed.GetValue(rounds)).Run(chosen);
    Write(parsed.GetRequiredValue(output), JsonSerializer.Serialize(result, BenchJson.Default.BenchResult) + "\n");
    if (result.Scale.Count > 0)
    {
        Write(parsed.GetRequiredValue(plot), ScalePlot.Draw(result.Scale));
    }

    if (Console.IsOutputRedirected)
    {
        AnsiConsole.Profile.Width = 200; // Nobody's window is narrower than the table then.
    }

    Report.Print(result, AnsiConsole.Console);
    foreach (var failure in result.Failures)
    {
        Console.Error.WriteLine("error: " + failure);
    }

    return result.Failures.Count > 0 ? 1 : parsed.GetValue(check) && result.Rows.Any(row => row.Met == false) ? 3 : 0;
});
return await root.Parse(args).InvokeAsync();

static void Write(string path, string text)
{
    Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    File.WriteAllText(path, text);
    Console.Error.WriteLine($"wrote {path}");
}
