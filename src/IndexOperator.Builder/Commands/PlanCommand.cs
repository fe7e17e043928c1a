using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Commands;

/// <summary><c>index-builder plan</c>.</summary>
internal static class PlanCommand
{
    // Measured: see docs/cache-format.md, "What a build costs".
    private const double SecondsPerEntry = 20e-9;
    private const double SecondsPerByte = 1.2e-9;
    private const double SecondsPerBlendStep = 1e-9;

    public static Command Create()
    {
        var (file, map, threads, format) = (CommonOptions.File(), CommonOptions.Map(), CommonOptions.Threads(), CommonOptions.Format());
        var fingerprint = new Option<bool>("--fingerprint") { Description = "Read and check the .idx files whole, and print fingerprint and version too." };
        var command = new Command("plan", """
            Prints what a build would write: files, keys, sizes, memory, time, epochs. Reads the headers of the .idx files
            and a few pointers, so it answers at once whatever their size; what lies between them only a build checks.
            Writes nothing.

            Examples:
              index-builder plan -f web-mix.yaml
              index-builder plan -f web-mix.yaml --map /data=./corpus -o json
              index-builder plan -f web-mix.yaml --fingerprint
            """)
        {
            file, map, threads, fingerprint, format,
        };
        command.SetAction(parsed => CommonOptions.Run(parsed.GetValue(format), terminal =>
        {
            var count = parsed.GetValue(threads);
            var result = terminal.ShowProgress(TimeProvider.System, progress =>
            {
                var isWhole = parsed.GetValue(fingerprint);
                var (_, request, data) = isWhole
                    ? CommonOptions.Load(parsed.GetValue(file)!, parsed.GetValue(map)!, new BuildOptions { Threads = count, Progress = progress })
                    : CommonOptions.LoadHeaders(parsed.GetValue(file)!, parsed.GetValue(map)!);
                return Describe(IndexPlanner.Create(request, data), count, isWhole);
            });
            Terminal.WriteLine(terminal.Mode == TalkMode.Json ? JsonSerializer.Serialize(result, PrettyJson.Context.PlanResult) : ToText(result));
        }));
        return command;
    }

    private static PlanResult Describe(IndexPlan plan, int threads, bool hasFingerprint)
    {
        var fingerprint = hasFingerprint ? VersionIdentity.Fingerprint(plan.Data) : null;
        return new PlanResult(
            fingerprint,
            fingerprint is null ? null : VersionIdentity.Version(fingerprint, plan.Request),
            plan.TotalBytes,
            MemoryForecast.Of(plan, threads),
            Math.Round(Seconds(plan, threads), 2),
            [.. plan.Datasets.Select(dataset => new PlannedDataset(
                dataset.Split.Name(),
                dataset.Data.Prefix,
                dataset.Hash,
                dataset.NumSamples,
                dataset.SampleCount,
                dataset.EndSequence - dataset.BeginSequence,
                dataset.TokensPerEpoch,
                dataset.Epochs.NumEpochs,
                dataset.Epochs.SeparateFinalEpoch))],
            [.. plan.Blends.Select(blend => new PlannedBlend(blend.Split.Name(), blend.Hash, blend.Size, blend.Members.Count))],
            plan.Files);
    }

    private static double Seconds(IndexPlan plan, int threads)
    {
        var entries = plan.Datasets.Select(dataset => (double)dataset.DocumentIndexLength + (2 * dataset.SampleCount)).ToList();
        var parallel = Math.Max(entries.DefaultIfEmpty().Max(), entries.Sum() / threads) * SecondsPerEntry;
        var bytes = plan.Data.Sum(data => (double)data.Idx.Bytes) + plan.TotalBytes;
        var steps = plan.Blends.Sum(blend => (double)blend.Size * (10 + blend.Members.Count));
        return 0.1 + parallel + ((bytes * SecondsPerByte) + (steps * SecondsPerBlendStep));
    }

    private static string ToText(PlanResult plan)
    {
        var culture = CultureInfo.InvariantCulture;
        var lines = new List<string>
        {
            plan.Version is null ? "planned from headers; a build checks the data, and fingerprint tells its version" : $"version {plan.Version} of {plan.Fingerprint}",
            string.Create(culture, $"{plan.Files.Count} files, {plan.SizeBytes:N0} bytes on disk, about {plan.PeakMemoryBytes >> 20:N0} MiB of memory and {plan.ExpectedSeconds:0.0} s"),
        };
        lines.AddRange(plan.Blends.Select(blend => string.Create(culture, $"{blend.Split,-5} {blend.Hash}  blend of {blend.Members}: {blend.Samples:N0} samples")));
        lines.AddRange(plan.Datasets.Select(dataset => string.Create(
            culture,
            $"{dataset.Split,-5} {dataset.Hash}  {dataset.Prefix}: {dataset.Samples:N0} samples in {dataset.Epochs} epoch(s) of {dataset.Sequences:N0} sequences, {dataset.TokensPerEpoch:N0} tokens")));
        return string.Join('\n', lines);
    }
}
