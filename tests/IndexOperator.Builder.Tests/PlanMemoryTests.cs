using System.Text.Json;
using IndexOperator.Api;

namespace IndexOperator.Builder.Tests;

/// <summary>The memory that <c>plan</c> foretells beside what the build's process then takes at most.</summary>
public sealed class PlanMemoryTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [InlineData(100, 50, 1, 1)] // The process itself.
    [InlineData(4_000_000, 1_000_000, 1, 1)] // One epoch of many documents.
    [InlineData(3_000_000, 60_000_000, 1, 2)] // Many epochs, three splits on two threads.
    [InlineData(1_500_000, 20_000_000, 4, 1)] // A blend, its members one after another.
    [InlineData(1_500_000, 20_000_000, 4, 2)] // The same, two at once.
    public void Plan_foretells_the_peak_of_memory_within_a_fifth(int documents, int samples, int members, int threads)
    {
        for (var member = 0; member < members; member++)
        {
            _workspace.WriteHoles($"d{member}", documents);
        }

        var weight = members == 1 ? "" : ", weight: 1";
        var manifest = _workspace.WriteManifest(
            $"[{string.Join(", ", Enumerable.Range(0, members).Select(member => $"{{prefix: /data/d{member}{weight}}}"))}]",
            $"samples: {{train: {samples}, validation: {samples / 10}, test: 0}}");
        string[] common = ["-f", manifest, "--map", _workspace.Map, "--threads", $"{threads}", "-o", "json"];

        var (planned, plan, errors) = BuilderProcess.Run(["plan", .. common]);
        Assert.True(planned == 0, errors);
        var foretold = JsonDocument.Parse(plan).RootElement.GetProperty("peakMemoryBytes").GetInt64();
        var (built, result, trouble) = BuilderProcess.Run(["build", "--cache-root", _workspace.Cache, .. common]);
        Assert.True(built == 0, trouble);
        Assert.True(BuildReport.TryParse(result, out var report));

        var ratio = foretold / (double)report!.PeakMemoryBytes!.Value;
        Assert.True(ratio is > 0.8 and < 1.2, $"{foretold >> 20} MiB were foretold, {report.PeakMemoryBytes >> 20} MiB were taken: a ratio of {ratio:0.00}.");
    }
}
