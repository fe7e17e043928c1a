using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace BuilderBench;

/// <summary>A program that did not end well, or whose bytes are wrong: the benchmark is worth nothing then.</summary>
internal sealed class BenchException(string message) : Exception(message);

/// <summary>Where the programs are.</summary>
/// <param name="Builder">index-builder, published as for images.</param>
/// <param name="Python">The Python that has numpy.</param>
/// <param name="Reference">Folder of reference.py and measure.py.</param>
/// <param name="Kernels">The compiled C++ loops.</param>
internal sealed record Programs(string Builder, string Python, string Reference, string Kernels)
{
    /// <summary>Builds with index-builder into a cache root.</summary>
    public Measurement Build(string manifest, string data, string cacheRoot, int threads, string scratch) => Run(
        scratch,
        null,
        [Builder, .. BuildArguments(manifest, data, cacheRoot, threads), "-o", "json"]);

    /// <summary>Starts index-builder for nothing but its version.</summary>
    public Measurement Start(string scratch) => Run(scratch, null, [Builder, "--version"]);

    /// <summary>Starts Python for nothing but numpy.</summary>
    public Measurement StartReference(string scratch) => Run(scratch, null, [Python, "-c", "import numpy"]);

    /// <summary>Arguments of index-builder that build into a cache root.</summary>
    public static IReadOnlyList<string> BuildArguments(string manifest, string data, string cacheRoot, int threads) =>
        ["build", "-f", manifest, "--cache-root", cacheRoot, "--map", $"{Works.DataRoot}={data}", "--threads", Text(threads)];

    /// <summary>Reads and hashes the <c>.idx</c> files of a manifest.</summary>
    public Measurement Fingerprint(string manifest, string data, string scratch) => Run(
        scratch, null, [Builder, "fingerprint", "-f", manifest, "--map", $"{Works.DataRoot}={data}", "--threads", "2", "-o", "json"]);

    /// <summary>Checks a version.</summary>
    public Measurement Verify(string version, string scratch) => Run(scratch, null, [Builder, "verify", version, "--threads", "2", "-o", "json"]);

    /// <summary>Builds as Megatron does, into a folder.</summary>
    /// <param name="manifest">The PretrainIndex.</param>
    /// <param name="data">Folder of the data.</param>
    /// <param name="output">Where the files go.</param>
    /// <param name="scratch">Folder for what it says.</param>
    /// <param name="imports">Modules that it imports although it does not use them.</param>
    public (Measurement Process, ReferenceTimes Times) Imitate(string manifest, string data, string output, string scratch, params IReadOnlyList<string> imports)
    {
        var times = Path.Combine(scratch, "reference.json");
        var process = Run(scratch, null, [Python, Path.Combine(Reference, "reference.py"), manifest, Works.DataRoot, data, output, Kernels, times, .. imports]);
        return (process, JsonSerializer.Deserialize(File.ReadAllText(times), BenchJson.Default.ReferenceTimes)!);
    }

    /// <summary>Runs a command and measures it from outside.</summary>
    /// <param name="scratch">Folder for what it says.</param>
    /// <param name="output">Where its output goes; null for a file.</param>
    /// <param name="command">A whole path, then arguments.</param>
    /// <exception cref="BenchException">It failed.</exception>
    public Measurement Run(string scratch, string? output, IReadOnlyList<string> command)
    {
        var (result, said, complaints) = (Path.Combine(scratch, "measure.json"), output ?? Path.Combine(scratch, "stdout"), Path.Combine(scratch, "stderr"));
        File.Delete(result);
        var start = new ProcessStartInfo(Python, [Path.Combine(Reference, "measure.py"), result, said, complaints, .. command]);
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // As the image has it.
        using (var process = Process.Start(start)!)
        {
            process.WaitForExit();
        }

        var measured = File.Exists(result) ? JsonSerializer.Deserialize(File.ReadAllText(result), BenchJson.Default.Measurement) : null;
        if (measured is not { ExitCode: 0 })
        {
            var last = File.Exists(complaints) ? string.Join('\n', File.ReadLines(complaints).TakeLast(20)) : "";
            throw new BenchException($"{string.Join(' ', command)}: ended with {measured?.ExitCode.ToString(CultureInfo.InvariantCulture) ?? "no result"}\n{last}");
        }

        return measured;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
