using System.Text.Json;

namespace IndexOperator.Indexing;

/// <summary>A field in which a run's description and a planned one differ.</summary>
/// <param name="Field">Path inside the description, for example <c>datasets[1].num_samples</c>.</param>
/// <param name="Asked">What the run asked for, as JSON on one line; null when it has no such field.</param>
/// <param name="Built">What the resource builds, likewise.</param>
/// <param name="Advice">What to change in the resource or in the run.</param>
public sealed record FieldDifference(string Field, string? Asked, string? Built, string Advice);

/// <summary>A run's dataset beside the one of the plan that is closest to it.</summary>
/// <param name="Split">Split of the run's dataset.</param>
/// <param name="Class">Class of the run's dataset.</param>
/// <param name="AskedHash">Key of the run's dataset.</param>
/// <param name="BuiltHash">Key of the planned dataset; null when the plan has none in that split.</param>
/// <param name="Differences">Where they differ; empty for a hit.</param>
public sealed record DescriptionMatch(string Split, string Class, string AskedHash, string? BuiltHash, IReadOnlyList<FieldDifference> Differences)
{
    /// <summary>Whether the run finds the files.</summary>
    public bool IsHit => AskedHash == BuiltHash;
}

/// <summary>
/// Tells why a training run finds a cache or misses it: Megatron looks for files named by the MD5 of a description, so
/// one differing character in one field is a miss.
/// </summary>
public static class DescriptionComparison
{
    /// <summary>The longest description read, in characters: a blend of 32766 members stays below.</summary>
    public const int MaxCharacters = 1 << 28;

    private const string Missing = "no files";

    /// <summary>Reads a description.</summary>
    /// <exception cref="IndexingException">InvalidSpec: no description of a dataset.</exception>
    public static IReadOnlyList<KeyValuePair<string, object?>> Parse(string text, string source)
    {
        if (text.Length > MaxCharacters)
        {
            throw Unreadable(source, $"it has {text.Length} characters, more than any description");
        }

        try
        {
            return PythonJson.Load(text) is List<KeyValuePair<string, object?>> description && description.Field("class") is string
                ? description
                : throw Unreadable(source, "it has no \"class\"");
        }
        catch (JsonException fault)
        {
            throw Unreadable(source, $"it is no JSON ({fault.Message})");
        }
    }

    /// <summary>Compares a run's description with the dataset of a plan that is closest to it: same split, then fewest differences.</summary>
    public static DescriptionMatch Compare(IReadOnlyList<KeyValuePair<string, object?>> asked, IndexPlan plan)
    {
        var className = (string)asked.Field("class")!;
        var isBlend = className == BlendedDatasetPlan.ClassName;
        var split = asked.Field(isBlend ? "split" : "index_split") as string;
        var candidates = isBlend
            ? plan.Blends.Select(blend => (Split: blend.Split.Name(), blend.Hash, blend.Identity))
            : plan.Datasets.Select(dataset => (Split: dataset.Split.Name(), dataset.Hash, dataset.Identity));
        return Closest(asked, className, split, [.. candidates]);
    }

    /// <summary>For every dataset of a plan, whether a cache directory has it, and what the closest one there differs in.</summary>
    /// <exception cref="IndexingException">VersionCorrupt or a storage reason.</exception>
    public static IReadOnlyList<DescriptionMatch> CompareWithCache(string directory, IndexPlan plan)
    {
        var cached = CachedDataset.FindAll(directory);
        var planned = plan.Datasets.Select(dataset => (dataset.ClassName, Split: dataset.Split.Name(), dataset.Hash, dataset.Identity))
            .Concat(plan.Blends.Select(blend => (ClassName: BlendedDatasetPlan.ClassName, Split: blend.Split.Name(), blend.Hash, blend.Identity)));
        return
        [
            .. planned.Select(item =>
            {
                var isBlend = item.ClassName == BlendedDatasetPlan.ClassName;
                var candidates = cached.Where(dataset => dataset.IsBlend == isBlend && dataset.Split.Name() == item.Split).ToList();
                var closest = candidates.Find(dataset => dataset.Hash == item.Hash)
                    ?? candidates.MinBy(dataset => Differences(dataset.Identity, item.Identity).Count);
                return closest is null
                    ? new DescriptionMatch(item.Split, item.ClassName, Missing, item.Hash, [new("(all)", null, item.Hash, $"{directory} has no {item.ClassName} of {item.Split}.")])
                    : new DescriptionMatch(item.Split, closest.ClassName, closest.Hash, item.Hash, Differences(closest.Identity, item.Identity));
            }),
        ];
    }

    private static DescriptionMatch Closest(
        IReadOnlyList<KeyValuePair<string, object?>> asked,
        string className,
        string? split,
        List<(string Split, string Hash, List<KeyValuePair<string, object?>> Identity)> candidates)
    {
        var hash = UniqueDescription.Hash(PythonJson.Dump(asked.ToList()));
        var ranked = candidates
            .Where(candidate => split is null || candidate.Split == split)
            .Select(candidate => (candidate.Hash, Differences: Differences(asked, candidate.Identity)))
            .OrderBy(candidate => candidate.Differences.Any(difference => difference.Field == "dataset_path"))
            .ThenBy(candidate => candidate.Differences.Count)
            .ToList();
        if (ranked.Count > 0)
        {
            return new DescriptionMatch(split ?? "", className, hash, ranked[0].Hash, ranked[0].Differences);
        }

        var isBlend = className == BlendedDatasetPlan.ClassName;
        var advice = isBlend
            ? "The run blends several datasets (or one with a weight) there, the resource does not: give data.blend the run's prefixes and weights."
            : "The resource builds no single dataset there: give data.blend (or blendPerSplit) the run's prefix, and the split a share.";
        return new DescriptionMatch(split ?? "", className, hash, null, [new("class", Text(className), null, advice)]);
    }

    private static List<FieldDifference> Differences(IReadOnlyList<KeyValuePair<string, object?>> asked, IReadOnlyList<KeyValuePair<string, object?>> built)
    {
        var differences = new List<FieldDifference>();
        CompareFields("", asked, built, differences);
        if (differences.Count == 0 && PythonJson.Dump(asked.ToList()) != PythonJson.Dump(built.ToList()))
        {
            differences.Add(new("(order)", Order(asked), Order(built), "The fields are the same in another order, as another release or tokenizer version writes them: copy the tokenizer's identifiers exactly."));
        }

        return differences;
    }

    private static void CompareFields(
        string path,
        IReadOnlyList<KeyValuePair<string, object?>> asked,
        IReadOnlyList<KeyValuePair<string, object?>> built,
        List<FieldDifference> differences)
    {
        foreach (var name in asked.Select(member => member.Key).Union(built.Select(member => member.Key)))
        {
            var field = path.Length == 0 ? name : $"{path}.{name}";
            var (has, isBuilt) = (asked.Any(member => member.Key == name), built.Any(member => member.Key == name));
            var (left, right) = (asked.Field(name), built.Field(name));
            if (has && isBuilt && name == "datasets" && left is List<object?> members && right is List<object?> planned && members.Count == planned.Count)
            {
                for (var i = 0; i < members.Count; i++)
                {
                    CompareValues($"{field}[{i}]", name, members[i], planned[i], differences);
                }
            }
            else if (has && isBuilt)
            {
                CompareValues(field, name, left, right, differences);
            }
            else
            {
                differences.Add(new(field, has ? Text(left) : null, isBuilt ? Text(right) : null, FieldAdvice.For(name, isExtra: true)));
            }
        }
    }

    private static void CompareValues(string field, string name, object? asked, object? built, List<FieldDifference> differences)
    {
        if (name == "datasets" && asked is List<KeyValuePair<string, object?>> left && built is List<KeyValuePair<string, object?>> right)
        {
            CompareFields(field, left, right, differences);
        }
        else if (PythonJson.Dump(asked) != PythonJson.Dump(built))
        {
            differences.Add(new(field, Text(asked), Text(built), FieldAdvice.For(name, isExtra: false)));
        }
    }

    private static string Order(IReadOnlyList<KeyValuePair<string, object?>> description) => string.Join(", ", description.Select(member => member.Key));

    /// <summary>On one line, and cut where a tokenizer carries a whole chat template.</summary>
    private static string Text(object? value)
    {
        const int Longest = 400;
        var text = string.Join(' ', PythonJson.Dump(value).Split('\n').Select(line => line.Trim()));
        return text.Length <= Longest ? text : text[..Longest] + "…";
    }

    private static IndexingException Unreadable(string source, string why) => new(
        FailureReason.InvalidSpec,
        $"{source} is no description of a dataset: {why}. Give a *-description.txt that the training run wrote, or its text.");
}
