using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace IndexOperator.Indexing;

/// <summary>One dataset that a cache directory has files of, known by its file names and its description.</summary>
public sealed partial class CachedDataset
{
    private const int MaxDescriptionBytes = 1 << 28;

    private readonly string _directory;
    private readonly List<KeyValuePair<string, object?>> _description;

    private CachedDataset(string directory, string hash, string className, Split split, List<KeyValuePair<string, object?>> description)
    {
        _directory = directory;
        Hash = hash;
        ClassName = className;
        Split = split;
        _description = description;
    }

    /// <summary>Megatron's key.</summary>
    public string Hash { get; }

    /// <summary>BlendedDataset, or the class of a single dataset such as GPTDataset.</summary>
    public string ClassName { get; }

    /// <summary>The split.</summary>
    public Split Split { get; }

    /// <summary>The value whose text is the description, in order.</summary>
    internal List<KeyValuePair<string, object?>> Identity => _description;

    /// <summary>Whether it is a blend of others.</summary>
    public bool IsBlend => ClassName == BlendedDatasetPlan.ClassName;

    /// <summary>The prefix of the data; null for a blend.</summary>
    public string? DatasetPath => Identity.Field("dataset_path") as string;

    /// <summary>The keys of a blend's members, in order; empty for a single dataset.</summary>
    public IReadOnlyList<string> MemberHashes => Identity.Field("datasets") is List<object?> members
        ? [.. members.Select(member => UniqueDescription.Hash(PythonJson.Dump(member)))]
        : [];

    /// <summary>Every dataset of a directory, by key. Files with other names are passed over.</summary>
    /// <exception cref="IndexingException">VersionCorrupt: a description is missing, does not give its key or is no JSON.</exception>
    public static IReadOnlyList<CachedDataset> FindAll(string directory)
    {
        try
        {
            return
            [
                .. Directory.EnumerateFiles(directory)
                    .Select(path => FileName().Match(Path.GetFileName(path)))
                    .Where(match => match.Success)
                    .Select(match => (Hash: match.Groups["hash"].Value, Class: match.Groups["class"].Value, Split: match.Groups["split"].Value))
                    .Distinct()
                    .Order()
                    .Select(stem => Open(directory, stem.Hash, stem.Class, stem.Split)),
            ];
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            throw StorageFaults.Translate(fault, $"Reading {directory}", isWrite: false);
        }
    }

    /// <summary>Path of one of its files; <paramref name="what"/> is for example <c>document_index.npy</c>.</summary>
    public string PathOf(string what) => StemPath(_directory, Hash, ClassName, Split.Name()) + what;

    /// <summary>A number of the description.</summary>
    /// <exception cref="IndexingException">VersionCorrupt: it is not there, or not within the range.</exception>
    internal long Number(string field, long lowest, long highest) =>
        Identity.Field(field) is System.Numerics.BigInteger number && number >= lowest && number <= highest
            ? (long)number
            : throw NpyFile.Corrupt(PathOf("description.txt"), $"its {field} is no whole number from {lowest} to {highest}");

    private static string StemPath(string directory, string hash, string className, string split) => Path.Combine(directory, $"{hash}-{className}-{split}-");

    private static CachedDataset Open(string directory, string hash, string className, string split)
    {
        var path = StemPath(directory, hash, className, split) + "description.txt";
        var text = ReadText(path);
        if (UniqueDescription.Hash(text) != hash)
        {
            throw NpyFile.Corrupt(path, $"its text, {text.Length} characters, does not have the MD5 that its name promises");
        }

        try
        {
            _ = SplitNames.TryParse(split, out var parsed);
            return PythonJson.Load(text) is List<KeyValuePair<string, object?>> description
                ? new CachedDataset(directory, hash, className, parsed, description)
                : throw NpyFile.Corrupt(path, "it is no JSON object");
        }
        catch (JsonException)
        {
            throw NpyFile.Corrupt(path, "it is no JSON");
        }
    }

    private static string ReadText(string path)
    {
        try
        {
            return RegularFile.ReadAll(path, MaxDescriptionBytes, NpyFile.Corrupt) is { } bytes
                ? Encoding.UTF8.GetString(bytes)
                : throw NpyFile.Corrupt(path, $"it has more than {MaxDescriptionBytes} bytes");
        }
        catch (FileNotFoundException)
        {
            throw NpyFile.Corrupt(path, "it is missing, and Megatron would build the dataset again");
        }
    }

    [GeneratedRegex(
        @"^(?<hash>[0-9a-f]{32})-(?<class>[A-Za-z_][A-Za-z0-9_]*)-(?<split>train|valid|test)-(description\.txt|[a-z_]+\.npy)$",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex FileName();
}
