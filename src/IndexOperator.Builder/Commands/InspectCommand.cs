using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using IndexOperator.Indexing;

namespace IndexOperator.Builder.Commands;

/// <summary><c>index-builder inspect</c>.</summary>
internal static class InspectCommand
{
    private const int FirstItems = 10;

    public static Command Create()
    {
        var path = new Argument<string>("PATH") { Description = "An .idx, an .npy, a version or an index_mapping_dir." };
        var sample = new Option<long?>("--sample") { Description = "Show where sample N's tokens come from.", HelpName = "N" };
        var count = new Option<int>("--count") { Description = "How many samples, from N on.", HelpName = "K", DefaultValueFactory = _ => 1 };
        var split = new Option<string>("--split") { Description = "train, valid or test.", DefaultValueFactory = _ => "train" };
        split.AcceptOnlyFromAmong("train", "valid", "validation", "test");
        var dataset = new Option<string?>("--dataset") { Description = "Key of the dataset, where a split has several.", HelpName = "MD5" };
        var decode = new Option<string?>("--decode", "--tokenizer") { Description = "Print the tokens as text: bytes = token is a byte, 256 ends a document.", HelpName = "bytes" };
        decode.AcceptOnlyFromAmong("bytes");
        var (map, format) = (CommonOptions.Map(), CommonOptions.Format());
        var command = new Command("inspect", """
            Shows what a data or cache file holds, and where training samples come from.

            Examples:
              index-builder inspect corpus/web_text_document.idx
              index-builder inspect /npy_index/versions/5f0c0e6d0b1a2c3d4e5f --sample 0 --count 3 --map /data=./corpus --decode bytes
            """)
        {
            path, sample, count, split, dataset, decode, map, format,
        };
        command.SetAction(parsed => CommonOptions.Run(parsed.GetValue(format), terminal =>
        {
            var target = parsed.GetValue(path)!;
            if (parsed.GetValue(sample) is { } first)
            {
                _ = SplitNames.TryParse(parsed.GetValue(split)!, out var chosen);
                var isDecoded = parsed.GetValue(decode) is not null;
                var results = terminal.ShowProgress(TimeProvider.System, progress =>
                {
                    var tracer = SampleTracer.Open(target, chosen, parsed.GetValue(dataset), DataRoots.Parse(parsed.GetValue(map)!, null).Locate, progress);
                    return Enumerable.Range(0, parsed.GetValue(count)).Select(i => Trace(tracer, first + i, isDecoded)).ToList();
                });
                Terminal.WriteLine(terminal.Mode == TalkMode.Json
                    ? JsonSerializer.Serialize(results, PrettyJson.Context.IReadOnlyListSampleResult)
                    : string.Join('\n', results.Select(SampleText.Describe)));
            }
            else
            {
                Terminal.WriteLine(terminal.ShowProgress(TimeProvider.System, progress => Describe(target, terminal.Mode == TalkMode.Json, progress)));
            }
        }));
        return command;
    }

    private static SampleResult Trace(SampleTracer tracer, long sample, bool isDecoded)
    {
        var trace = tracer.Trace(sample);
        return new SampleResult(trace, isDecoded ? SampleText.DecodeBytes(tracer.ReadTokens(trace)) : null);
    }

    private static string Describe(string path, bool asJson, IBuildProgress? progress)
    {
        if (Directory.Exists(path))
        {
            return File.Exists(Path.Combine(path, CacheLayout.Manifest)) ? DescribeVersion(path, asJson) : DescribeBare(path, asJson);
        }

        return Path.GetExtension(path) switch
        {
            ".idx" => DescribeIdx(path, asJson, progress),
            ".npy" => DescribeNpy(path, asJson),
            _ => throw new IndexingException(FailureReason.InvalidSpec, $"{path} is no .idx, .npy or directory. Name one of these."),
        };
    }

    private static string DescribeIdx(string path, bool asJson, IBuildProgress? progress)
    {
        var (done, total) = (0L, new FileInfo(path) is { Exists: true } file ? file.Length : 0);
        var data = IndexedDatasetReader.Read(path, Path.ChangeExtension(path, null), read => progress?.Report(BuildPhase.ReadData, done += read, total));
        var result = new IdxResult(
            path, data.TokenType.Name, data.SequenceLengths.Length, data.DocumentCount - 1, data.Tokens, data.LongestSequence, data.IsMultimodal, data.IdxSha256);
        return asJson
            ? JsonSerializer.Serialize(result, PrettyJson.Context.IdxResult)
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{path}: {result.Sequences:N0} sequences in {result.Documents:N0} documents, {result.Tokens:N0} tokens of {result.TokenType}, the longest {result.LongestSequence:N0}\nsha256 {result.Sha256}");
    }

    private static string DescribeNpy(string path, bool asJson)
    {
        using var file = NpyFile.Open(path);
        var result = new NpyResult(path, file.Header.Dtype, file.Header.Shape, [.. file.Items(CancellationToken.None).Take(FirstItems)]);
        return asJson
            ? JsonSerializer.Serialize(result, PrettyJson.Context.NpyResult)
            : $"{path}: {result.Dtype} [{string.Join(", ", result.Shape)}] {string.Join(' ', result.First)}{(file.Header.Items > FirstItems ? " …" : "")}";
    }

    private static string DescribeVersion(string path, bool asJson)
    {
        var manifest = VersionVerifier.ReadManifest(path);
        var written = ReleaseEvidence.Of(path);
        if (asJson)
        {
            // The manifest as it is, and one member more: who reads a manifest reads this too.
            var json = JsonSerializer.SerializeToNode(manifest, PrettyJson.Context.IndexManifest)!.AsObject();
            json.Add("writtenBy", JsonSerializer.SerializeToNode(written, PrettyJson.Context.ReleaseFinding));
            return json.ToJsonString(PrettyJson.Context.Options);
        }

        var culture = CultureInfo.InvariantCulture;
        return string.Join('\n', [
            $"version {manifest.Version} of {manifest.Fingerprint}{(manifest.DataVersion is null ? "" : $" ({manifest.DataVersion})")}",
            string.Create(culture, $"built {manifest.BuiltAt:u} by {manifest.Builder} for Megatron-Core {manifest.MegatronCore}, {manifest.Files.Sum(file => file.Bytes):N0} bytes"),
            .. manifest.Splits.Select(split => string.Create(culture, $"{split.Split,-5} {split.Class} {string.Join(' ', split.Hashes)}: {split.Samples:N0} samples")),
            .. manifest.Data.Select(data => string.Create(culture, $"data  {data.Prefix}: {data.Sequences:N0} sequences, {data.Tokens:N0} tokens")),
            Describe(written),
        ]);
    }

    private static string DescribeBare(string path, bool asJson)
    {
        var written = ReleaseEvidence.Of(path);
        var datasets = written.Releases is ["0.5", ..] ? [] : CachedDataset.FindAll(path);
        if (asJson)
        {
            var results = datasets.Select(dataset => new CachedDatasetResult(dataset.Split.Name(), dataset.ClassName, dataset.Hash, dataset.DatasetPath, dataset.MemberHashes.Count));
            return JsonSerializer.Serialize(new DirectoryResult(path, [.. results], written), PrettyJson.Context.DirectoryResult);
        }

        var lines = datasets.Select(dataset =>
            $"{dataset.Split.Name(),-5} {dataset.ClassName} {dataset.Hash}  {dataset.DatasetPath ?? $"blend of {dataset.MemberHashes.Count}"}");
        return string.Join('\n', [.. lines, Describe(written)]);
    }

    private static string Describe(ReleaseFinding finding) =>
        $"Megatron-Core releases that can have written this: {(finding.Releases.Count == 0 ? "none alone" : string.Join(", ", finding.Releases))}"
        + string.Concat(finding.Reasons.Select(reason => $"\n  {reason}"));
}
