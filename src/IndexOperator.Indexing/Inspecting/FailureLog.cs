using System.Globalization;
using System.Text.RegularExpressions;

namespace IndexOperator.Indexing;

/// <summary>
/// Reads the log of a run that missed its index. Where the index is mounted read-only, rank 0 fails on the description that
/// it wants to write (<c>OSError: [Errno 30] Read-only file system: '…-description.txt'</c>); with a fast load every rank
/// fails on the file that it wants to read. The name tells key, class and split. What differs, the lines that
/// Megatron-Core and Megatron-LM write before it tell: sizes and the configuration of the datasets.
/// </summary>
public static partial class FailureLog
{
    private const int MostFiles = 64;
    private const int LongestLine = 1 << 14;
    private const int LongestAnnouncement = 1 << 20;
    private const int LongestPrint = 512;
    private const int MatchMilliseconds = 2000;

    /// <summary>For every dataset that the log's errors name, whether the plan has it, and what the log tells of differences.</summary>
    /// <exception cref="IndexingException">InvalidSpec: no error of the log names a file of an index.</exception>
    public static IReadOnlyList<DescriptionMatch> Explain(string log, string source, IndexPlan plan)
    {
        var files = FilesIn(log);
        if (files.Count == 0)
        {
            throw new IndexingException(
                FailureReason.InvalidSpec,
                $"{source} has no error that names a file of an index (<32 hex digits>-GPTDataset-train-description.txt, for example after \"Read-only file system\"). Give the log of rank 0, or compare the run's settings with check-run.");
        }

        var settings = Settings(log, plan.Request);
        return [.. files.Select(file => Match(file, settings, plan))];
    }

    private static List<(string Hash, string Class, string Split)> FilesIn(string log)
    {
        var files = new List<(string Hash, string Class, string Split)>();
        foreach (var line in log.AsSpan().EnumerateLines())
        {
            var start = line[..Math.Min(line.Length, LongestLine)];
            if (!IsError(start))
            {
                continue;
            }

            foreach (var found in IndexFile().EnumerateMatches(start))
            {
                var match = IndexFile().Match(start.Slice(found.Index, found.Length).ToString());
                var file = (match.Groups["hash"].Value, match.Groups["class"].Value, match.Groups["split"].Value);
                if (files.Count < MostFiles && !files.Contains(file))
                {
                    files.Add(file);
                }
            }
        }

        return files;
    }

    /// <summary>Lines that only tell what is loaded name such files too. A file's name alone is what a person gives.</summary>
    private static bool IsError(ReadOnlySpan<char> line) =>
        line.Contains("Errno", StringComparison.Ordinal) || line.Contains("Error", StringComparison.Ordinal)
        || line.Contains("ead-only file system", StringComparison.Ordinal) || line.Contains("ermission denied", StringComparison.Ordinal)
        || !line.Trim().ContainsAny(' ', '\t');

    private static DescriptionMatch Match((string Hash, string Class, string Split) file, List<FieldDifference> settings, IndexPlan plan)
    {
        var isBlend = file.Class == BlendedDatasetPlan.ClassName;
        var candidates = isBlend
            ? plan.Blends.Where(blend => blend.Split.Name() == file.Split).Select(blend => blend.Hash).ToList()
            : plan.Datasets.Where(dataset => dataset.Split.Name() == file.Split && dataset.ClassName == file.Class).Select(dataset => dataset.Hash).ToList();
        if (candidates.Contains(file.Hash))
        {
            return new DescriptionMatch(file.Split, file.Class, file.Hash, file.Hash, []);
        }

        var only = candidates.Count == 1 ? candidates[0] : null;
        var advice = candidates.Count == 0
            ? $"The resource builds no {file.Class} of {file.Split}: the run's split, blend or dataset class is another."
            : "The key's text is not in the log: check-run with the run's command line or config names the field.";
        return new DescriptionMatch(
            file.Split, file.Class, file.Hash, only,
            settings.Count > 0 ? settings : [new FieldDifference("(key)", file.Hash, candidates.Count <= 1 ? only : $"{candidates.Count} datasets with other keys", advice)]);
    }

    /// <summary>What the log says of the run beside its errors, where the resource differs.</summary>
    private static List<FieldDifference> Settings(string log, IndexRequest built)
    {
        var differences = new List<FieldDifference>();
        void Compare(string name, string field, string? asked, string wanted)
        {
            if (asked is not null && asked != wanted)
            {
                differences.Add(new FieldDifference(name, asked, wanted, FieldAdvice.For(field, isExtra: false)));
            }
        }

        var announced = From(log, "splits with sizes=", LongestAnnouncement);
        var sizes = Sizes(announced, From(log, "target sizes (minimum size):", LongestPrint));
        foreach (var split in SplitNames.All)
        {
            Compare($"samples of {split.Name()}", "num_samples", sizes?[(int)split], built.Samples[split]?.ToString(CultureInfo.InvariantCulture) ?? "None");
        }

        var configuration = announced.Split('\n')[0];
        Compare("random_seed", "random_seed", Value(RandomSeed(), configuration), built.RandomSeed.ToString(CultureInfo.InvariantCulture));
        Compare("sequence_length", "sequence_length", Value(SequenceLength(), configuration), built.SequenceLength.ToString(CultureInfo.InvariantCulture));
        Compare("split", "split", Value(SplitText(), configuration), built.Split is null ? "None" : $"'{built.Split}'");
        return differences;
    }

    private static string[]? Sizes(string announced, string printed)
    {
        var match = BuiltSizes().Match(announced) is { Success: true } listed ? listed : PrintedSizes().Match(printed);
        return match.Success ? [match.Groups["train"].Value, match.Groups["valid"].Value, match.Groups["test"].Value] : null;
    }

    /// <summary>The last place of a text in the log and what follows, so much of it as matters: a log can be very long.</summary>
    private static string From(string log, string text, int longest)
    {
        var at = log.LastIndexOf(text, StringComparison.Ordinal);
        return at < 0 ? "" : log.Substring(at, Math.Min(longest, log.Length - at));
    }

    private static string? Value(Regex field, string text) => field.Match(text) is { Success: true } match ? match.Groups["value"].Value : null;

    [GeneratedRegex("(?<![0-9a-f])(?<hash>[0-9a-f]{32})-(?<class>[A-Za-z_][A-Za-z0-9_]{0,127})-(?<split>train|valid|test)-(description\\.txt|[a-z_]{1,40}_index\\.npy)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, MatchMilliseconds)]
    private static partial Regex IndexFile();

    [GeneratedRegex("^splits with sizes=[\\[(](?<train>\\d+|None), ?(?<valid>\\d+|None), ?(?<test>\\d+|None)[\\])]", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, MatchMilliseconds)]
    private static partial Regex BuiltSizes();

    [GeneratedRegex("^target sizes \\(minimum size\\):[^\\n]*\\n[^\\n]{0,80}train: +(?<train>\\d+|None)[^\\n]*\\n[^\\n]{0,80}validation: +(?<valid>\\d+|None)[^\\n]*\\n[^\\n]{0,80}test: +(?<test>\\d+|None)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, MatchMilliseconds)]
    private static partial Regex PrintedSizes();

    [GeneratedRegex("\\brandom_seed=(?<value>\\d+)", RegexOptions.CultureInvariant, MatchMilliseconds)]
    private static partial Regex RandomSeed();

    [GeneratedRegex("\\bsequence_length=(?<value>\\d+)", RegexOptions.CultureInvariant, MatchMilliseconds)]
    private static partial Regex SequenceLength();

    [GeneratedRegex("[ (]split=(?<value>None|'[^']{0,256}')", RegexOptions.CultureInvariant, MatchMilliseconds)]
    private static partial Regex SplitText();
}
